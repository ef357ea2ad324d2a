output "port_forwards" {
  description = "What the router must forward, ports unchanged; nothing else (docs/how-to/router.md; 'npm run ports' prints the same)."
  value = [
    for rule in var.port_forwards :
    "${rule.protocol} ${rule.firstPort == rule.lastPort ? rule.firstPort : "${rule.firstPort}-${rule.lastPort}"} → ${rule.to}  (${rule.because})"
  ]
}

output "watch" {
  description = "How to see Argo CD bring up the rest."
  value       = module.bootstrap.watch
}
