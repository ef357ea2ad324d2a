# What the bootstrap needs: the cluster's generated variables, and where this machine's files are.

variable "repository_root" {
  description = "Folder of this repository: paths of manifests and of the sealing certificate are below it."
  type        = string
}

variable "cluster" {
  description = "The cluster as apps/ describes it (generated)."
  type = object({
    name       = string
    nodes      = list(string)
    repository = string
    revision   = string
    api_server = object({ addresses = list(string), port = number })
  })
}

variable "charts" {
  description = "The charts that are installed here and that Argo CD keeps afterwards (generated)."
  type = object({
    argo_cd = object({
      release      = string
      namespace    = string
      repository   = string
      chart        = string
      version      = string
      values       = any
      off_at_first = list(string)
    })
    sealed_secrets = object({
      release      = string
      namespace    = string
      repository   = string
      chart        = string
      version      = string
      values       = any
      off_at_first = list(string)
    })
  })
}

variable "sealing" {
  description = "The certificate that the cluster's secrets are sealed to (generated); null while there is none."
  type = object({
    certificate        = string
    certificate_sha256 = string
    key_fingerprint    = string
    example            = bool
  })
}

variable "manifests" {
  description = "Files of dist/ that the bootstrap applies (generated), below the repository's root."
  type = object({
    namespaces  = map(string)
    project     = string
    application = string
  })
}

variable "kubeconfig" {
  description = "Path of the kubeconfig file. Only its path becomes part of the state."
  type        = string
}

variable "kube_context" {
  description = "Context in the kubeconfig; null takes its current one."
  type        = string
  default     = null
}

variable "sealing_key_file" {
  description = "Path of the private key (PEM) that belongs to the sealing certificate. kubectl reads the file; Terraform only looks whether it is there."
  type        = string
}

variable "repository_credentials" {
  description = "How Argo CD reads a private repository: a deploy key (ssh_key_file) for an SSH address, or a user name and a file with the token for an HTTPS one. Null for a public repository."
  type = object({
    ssh_key_file = optional(string)
    username     = optional(string)
    token_file   = optional(string)
  })
  default = null
}

variable "wait_seconds" {
  description = "How long to wait for Argo CD's and Sealed Secrets' pods, each; the images come over a home's line. 0 does not wait."
  type        = number
  default     = 900

  validation {
    condition     = var.wait_seconds >= 0
    error_message = "wait_seconds must be 0 or more."
  }
}
