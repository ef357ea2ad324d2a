# A cluster in Docker, made by kind, for trying everything out. It is thrown away with `terraform destroy`, and every world and database in it with it:
# the only thing in this project that a destroy deletes.

resource "terraform_data" "cluster" {
  input = {
    name       = var.name
    kubeconfig = abspath(pathexpand(var.kubeconfig))
  }
  triggers_replace = [var.name, var.config]

  provisioner "local-exec" {
    interpreter = ["bash", "-euo", "pipefail", "-c"]
    command     = <<-EOT
      kind get clusters 2>/dev/null | grep -qxF -- "$NAME" || kind create cluster --name "$NAME" --config <(printf '%s' "$CONFIG") --kubeconfig "$FILE" --wait 5m
      (umask 077; kind get kubeconfig --name "$NAME" >"$FILE")
    EOT
    environment = {
      NAME   = self.input.name
      FILE   = self.input.kubeconfig
      CONFIG = jsonencode(var.config)
    }
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["bash", "-euo", "pipefail", "-c"]
    command     = "kind delete cluster --name \"$NAME\" --kubeconfig \"$FILE\" && rm -f \"$FILE\""
    environment = {
      NAME = self.input.name
      FILE = self.input.kubeconfig
    }
  }
}
