# The cluster's root module: an existing cluster, given by its kubeconfig. It is yours: `npm run synth` writes cluster.auto.tfvars.json beside it and nothing else.
# The state is a local file unless you add a backend.tf (terraform/README.md). It holds no secret.

terraform {
  required_version = ">= 1.9"

  required_providers {
    kubectl = {
      source  = "gavinbunney/kubectl"
      version = "1.19.0"
    }
  }
}

provider "kubectl" {
  config_path      = var.kubeconfig
  config_context   = var.kube_context
  load_config_file = true
  # The API server of a fresh cluster may not answer each call at once.
  apply_retry_count = 5
}

module "bootstrap" {
  source = "../../modules/bootstrap"

  repository_root = abspath("${path.root}/../../..")
  cluster         = var.cluster
  charts          = var.charts
  sealing         = var.sealing
  manifests       = var.manifests

  kubeconfig             = var.kubeconfig
  kube_context           = var.kube_context
  sealing_key_file       = coalesce(var.sealing_key_file, abspath("${path.root}/../../../.keys/${var.cluster.name}.key"))
  repository_credentials = var.repository_credentials
  wait_seconds           = var.wait_seconds
}
