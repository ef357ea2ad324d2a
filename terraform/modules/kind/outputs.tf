output "kubeconfig" {
  description = "Path of the kubeconfig file, known once the cluster is there."
  value       = terraform_data.cluster.output.kubeconfig
}
