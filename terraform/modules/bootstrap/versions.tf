terraform {
  # 1.9: conditions of a variable may refer to other variables. OpenTofu 1.9 has the same.
  required_version = ">= 1.9"

  required_providers {
    kubectl = {
      source  = "gavinbunney/kubectl"
      version = "1.19.0"
    }
  }
}
