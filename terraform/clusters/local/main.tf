# The root module of the cluster on a laptop: an existing one, given by its kubeconfig, or one that kind makes (create_local_cluster = true). It is yours: `npm run synth` writes cluster.auto.tfvars.json beside it and nothing else.
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

module "kind" {
  source = "../../modules/kind"
  count  = var.create_local_cluster ? 1 : 0

  name       = var.cluster.name
  config     = var.kind
  kubeconfig = var.kubeconfig
}

locals {
  # Known only when the cluster is there, so that nothing is asked of it before.
  kubeconfig = var.create_local_cluster ? module.kind[0].kubeconfig : var.kubeconfig
}

provider "kubectl" {
  config_path      = local.kubeconfig
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

  kubeconfig             = local.kubeconfig
  kube_context           = var.kube_context
  sealing_key_file       = coalesce(var.sealing_key_file, "${path.root}/../../../.keys/${var.cluster.name}.key")
  repository_credentials = var.repository_credentials
  wait_seconds           = var.wait_seconds
}
