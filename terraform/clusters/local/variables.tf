# Yours: set them in terraform.tfvars, which Git ignores, or by TF_VAR_….

variable "kubeconfig" {
  description = "Path of the cluster's kubeconfig file, such as ~/.kube/config."
  type        = string
}

variable "kube_context" {
  description = "Context in the kubeconfig; null takes its current one."
  type        = string
  default     = null
}

variable "create_local_cluster" {
  description = "Whether kind makes the cluster, in Docker on this machine. Its kubeconfig is then written to `kubeconfig`, and a destroy deletes it with everything in it."
  type        = bool
  default     = false
}

variable "sealing_key_file" {
  description = "Private key of the sealing certificate; by default .keys/<cluster>.key of this repository."
  type        = string
  default     = null
}

variable "repository_credentials" {
  description = "For a private repository: { ssh_key_file = … } for a deploy key, or { username = …, token_file = … } for https."
  type = object({
    ssh_key_file = optional(string)
    username     = optional(string)
    token_file   = optional(string)
  })
  default = null
}

variable "wait_seconds" {
  description = "How long to wait for the pods of Sealed Secrets and of Argo CD, each."
  type        = number
  default     = 900
}

# Generated, in cluster.auto.tfvars.json. Types are checked by the module.

variable "cluster" {
  type = any
}

variable "charts" {
  type = any
}

variable "sealing" {
  type = any
}

variable "manifests" {
  type = any
}

variable "port_forwards" {
  type = list(object({
    protocol      = string
    firstPort     = number
    lastPort      = number
    to            = string
    publicAddress = string
    because       = string
  }))
}

variable "kind" {
  type    = any
  default = null
}
