output "namespaces" {
  description = "UIDs of the namespaces: a rebuilt cluster has others."
  value       = { for name, namespace in kubectl_manifest.namespace : name => namespace.uid }
}

output "watch" {
  description = "How to see Argo CD bring up the rest."
  value       = "kubectl --kubeconfig ${var.kubeconfig}${var.kube_context == null ? "" : " --context ${var.kube_context}"} -n ${local.namespaces.argocd} get applications --watch"
}
