output "port_forwards" {
  description = "What the router must forward, ports unchanged; nothing else (docs/how-to/router.md)."
  value = [
    for rule in var.port_forwards :
    "${rule.protocol} ${rule.first == rule.last ? rule.first : "${rule.first}-${rule.last}"} → ${rule.to}  (${rule.purpose})"
  ]
}

output "watch" {
  description = "How to see Argo CD bring up the rest."
  value       = module.bootstrap.watch
}
