# Brings a bare cluster to the point where Argo CD takes over: namespaces, the sealing key before its controller, Sealed Secrets, Argo CD, repository
# credentials, and the root Application with its AppProject. Everything here is a beginning: what Argo CD keeps afterwards is never planned again.
#
# The private key and the credentials are handed from their files to kubectl by steps (terraform_data), so that neither plan nor state ever holds them.
# Nothing is deleted by a destroy (apply_only, and steps without an end): the namespaces of worlds and databases are not even known here.

locals {
  namespaces = {
    argocd         = var.charts.argo_cd.namespace
    sealed_secrets = var.charts.sealed_secrets.namespace
  }
  certificate_file = var.sealing == null ? "" : "${var.repository_root}/${var.sealing.certificate}"
  sealing_key_file = pathexpand(var.sealing_key_file)
  credentials = {
    ssh_key_file = try(pathexpand(var.repository_credentials.ssh_key_file), null)
    token_file   = try(pathexpand(var.repository_credentials.token_file), null)
  }

  # What every step's commands need to reach the cluster.
  environment = {
    KUBECONFIG    = pathexpand(var.kubeconfig)
    KUBE_CONTEXT  = var.kube_context == null ? "" : var.kube_context
    FIELD_MANAGER = "argocd-controller"
  }
  bash = ["bash"]

  # What install-chart.sh needs to know of each chart.
  charts = { for name, chart in var.charts : name => {
    RELEASE      = chart.release
    NAMESPACE    = chart.namespace
    REPOSITORY   = chart.repository
    CHART        = chart.chart
    VERSION      = chart.version
    VALUES       = jsonencode(chart.values)
    OFF          = join("\n", chart.off_at_first)
    ARGOCD       = local.namespaces.argocd
    WAIT_SECONDS = var.wait_seconds
  } }
}

# Nothing is touched before this holds: the files belong together, and the cluster is the one that apps/ describes.
resource "terraform_data" "preflight" {
  # A new cluster under the same name is noticed by its namespaces, which are gone.
  triggers_replace = [var.kubeconfig, var.kube_context, var.cluster.name]

  lifecycle {
    precondition {
      condition     = var.sealing != null
      error_message = "secrets/${var.cluster.name}/sealing.crt is missing: it is the certificate of the cluster's sealing key. docs/how-to/secrets.md makes both; then run 'npm run synth'."
    }
    precondition {
      condition     = try(!var.sealing.example, true)
      error_message = "secrets/${var.cluster.name}/sealing.crt is the example's certificate, whose private key was thrown away: no cluster can open these secrets. Replace certificate and values (docs/how-to/secrets.md), then run 'npm run synth'."
    }
    precondition {
      condition     = try(filesha256(local.certificate_file) == var.sealing.certificate_sha256, var.sealing == null)
      error_message = "secrets/${var.cluster.name}/sealing.crt is not the certificate that cluster.auto.tfvars.json was written for: run 'npm run synth' and commit the result."
    }
    precondition {
      condition     = fileexists(local.sealing_key_file)
      error_message = "There is no file ${var.sealing_key_file}: it must be the private key of secrets/${var.cluster.name}/sealing.crt. Bring it back from its backup, or set sealing_key_file."
    }
    precondition {
      condition     = fileexists(local.environment.KUBECONFIG)
      error_message = "There is no file ${var.kubeconfig}: it must be the kubeconfig of cluster '${var.cluster.name}'. Set kubeconfig."
    }
    precondition {
      condition = var.repository_credentials == null ? true : (
        (local.credentials.ssh_key_file != null && local.credentials.token_file == null && !startswith(var.cluster.repository, "https://")) ||
        (local.credentials.ssh_key_file == null && local.credentials.token_file != null && startswith(var.cluster.repository, "https://"))
      )
      error_message = "repository_credentials does not fit ${var.cluster.repository}: an https:// address needs token_file (and username), every other one ssh_key_file."
    }
    precondition {
      condition     = alltrue([for file in values(local.credentials) : file == null ? true : fileexists(file)])
      error_message = "A file that repository_credentials names is not there: ${join(", ", [for file in values(local.credentials) : file if file != null])}."
    }
  }

  provisioner "local-exec" {
    interpreter = local.bash
    command     = "${path.module}/scripts/check-cluster.sh"
    environment = merge(local.environment, {
      CLUSTER    = var.cluster.name
      NODES      = join("\n", var.cluster.nodes)
      API_SERVER = join("\n", [for address in var.cluster.api_server.addresses : "${address}:${var.cluster.api_server.port}"])
    })
  }
}

resource "kubectl_manifest" "namespace" {
  for_each = local.namespaces

  yaml_body         = file("${var.repository_root}/${var.manifests.namespaces[each.value]}")
  server_side_apply = true
  force_conflicts   = true
  apply_only        = true

  lifecycle {
    ignore_changes = all
  }

  depends_on = [terraform_data.preflight]
}

# Before the controller, which makes a key of its own where it finds none.
resource "terraform_data" "sealing_key" {
  triggers_replace = [kubectl_manifest.namespace["sealed_secrets"].uid, try(var.sealing.key_fingerprint, "")]

  provisioner "local-exec" {
    interpreter = local.bash
    command     = "${path.module}/scripts/sealing-key.sh"
    environment = merge(local.environment, {
      NAMESPACE   = local.namespaces.sealed_secrets
      CONTROLLER  = try(var.charts.sealed_secrets.values.fullnameOverride, var.charts.sealed_secrets.release)
      SECRET      = "sealing-key-${substr(try(var.sealing.key_fingerprint, "sha256:"), 7, 12)}"
      CERTIFICATE = local.certificate_file
      KEY         = local.sealing_key_file
    })
  }
}

resource "terraform_data" "sealed_secrets" {
  triggers_replace = [kubectl_manifest.namespace["sealed_secrets"].uid]

  lifecycle {
    precondition {
      condition     = tostring(var.charts.sealed_secrets.values.keyrenewperiod) == "0"
      error_message = "The values of sealed-secrets must set keyrenewperiod to 0: a controller that renews its key seals to keys that no backup has."
    }
  }

  provisioner "local-exec" {
    interpreter = local.bash
    command     = "${path.module}/scripts/install-chart.sh"
    environment = merge(local.environment, local.charts.sealed_secrets)
  }

  depends_on = [terraform_data.sealing_key]
}

resource "terraform_data" "argo_cd" {
  triggers_replace = [kubectl_manifest.namespace["argocd"].uid]

  provisioner "local-exec" {
    interpreter = local.bash
    command     = "${path.module}/scripts/install-chart.sh"
    environment = merge(local.environment, local.charts.argo_cd)
  }

  depends_on = [terraform_data.preflight]
}

resource "terraform_data" "repository_credentials" {
  count = var.repository_credentials == null ? 0 : 1

  # The files' names only: a hash of a token in the state would let somebody try out guesses. New content: -replace (terraform/README.md).
  triggers_replace = [kubectl_manifest.namespace["argocd"].uid, var.cluster.repository, var.repository_credentials]

  provisioner "local-exec" {
    interpreter = local.bash
    command     = "${path.module}/scripts/repository-credentials.sh"
    environment = merge(local.environment, {
      NAMESPACE    = local.namespaces.argocd
      URL          = var.cluster.repository
      SSH_KEY_FILE = local.credentials.ssh_key_file == null ? "" : local.credentials.ssh_key_file
      USERNAME     = try(coalesce(var.repository_credentials.username, "git"), "git")
      TOKEN_FILE   = local.credentials.token_file == null ? "" : local.credentials.token_file
    })
  }
}

resource "kubectl_manifest" "root_project" {
  yaml_body         = file("${var.repository_root}/${var.manifests.project}")
  server_side_apply = true
  force_conflicts   = true
  apply_only        = true

  lifecycle {
    ignore_changes = all
  }

  depends_on = [terraform_data.argo_cd]
}

# Last: from here on Argo CD does the rest, and it wants the key, its repository and Sealed Secrets.
resource "kubectl_manifest" "root" {
  yaml_body         = file("${var.repository_root}/${var.manifests.application}")
  server_side_apply = true
  force_conflicts   = true
  apply_only        = true

  lifecycle {
    ignore_changes = all
  }

  depends_on = [kubectl_manifest.root_project, terraform_data.sealed_secrets, terraform_data.repository_credentials]
}

# The provider applies as 'kubectl'. As long as that name owns a field, Argo CD can change it but never remove it.
resource "terraform_data" "hand_over" {
  triggers_replace = [
    [for namespace in kubectl_manifest.namespace : namespace.uid],
    kubectl_manifest.root_project.uid,
    kubectl_manifest.root.uid,
  ]

  provisioner "local-exec" {
    interpreter = local.bash
    command     = "${path.module}/scripts/hand-over.sh"
    environment = merge(local.environment, {
      FILES = join("\n", [for file in concat(values(var.manifests.namespaces), [var.manifests.project, var.manifests.application]) : "${var.repository_root}/${file}"])
    })
  }
}
