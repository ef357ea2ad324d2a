variable "name" {
  description = "Name of the kind cluster; its node is <name>-control-plane."
  type        = string
}

variable "config" {
  description = "kind's configuration (generated): ports of the node that are published on this machine."
  type        = any
}

variable "kubeconfig" {
  description = "Path of the kubeconfig file that is written; a file of its own, so that nobody's current context changes."
  type        = string
}
