# What the module plans and what it refuses, without a cluster: the provider is a mock and steps do not run. Real applies are test/cluster/terraform.cluster.ts.

mock_provider "kubectl" {}

variables {
  repository_root  = "./tests/fixture"
  kubeconfig       = "./tests/fixture/kubeconfig"
  sealing_key_file = "./tests/fixture/key"
  cluster          = { name = "test", nodes = ["node-1"], repository = "https://git.example/mmo.git", revision = "main", api_server = { addresses = ["192.168.1.11"], port = 6443 } }
  charts = {
    argo_cd = {
      release = "argo-cd", namespace = "argocd", repository = "https://charts.example", chart = "argo-cd", version = "1.0.0",
      values  = { mixed = [1, "two", { three = true }] }, off_at_first = []
    }
    sealed_secrets = {
      release = "sealed-secrets", namespace = "sealed-secrets", repository = "https://charts.example", chart = "sealed-secrets", version = "1.0.0",
      values  = { keyrenewperiod = "0" }, off_at_first = ["metrics.serviceMonitor.enabled"]
    }
  }
  sealing = {
    certificate        = "secrets/test/sealing.crt"
    certificate_sha256 = "a5aaf3d24230091ebfe176fda26c7195b9d82ebceb7c63ec936bbd1a1481976a"
    key_fingerprint    = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    example            = false
  }
  manifests = {
    namespaces  = { argocd = "dist/argocd.yaml", sealed-secrets = "dist/sealed-secrets.yaml" }
    project     = "dist/project.yaml"
    application = "dist/application.yaml"
  }
}

run "applies_what_argo_cd_takes_over_and_never_deletes_it" {
  command = plan

  assert {
    condition     = alltrue([for each in concat(values(kubectl_manifest.namespace), [kubectl_manifest.root_project, kubectl_manifest.root]) : each.apply_only])
    error_message = "A destroy would delete what Argo CD keeps: a namespace and everything in it, or the root."
  }
  assert {
    condition     = alltrue([for each in concat(values(kubectl_manifest.namespace), [kubectl_manifest.root_project, kubectl_manifest.root]) : each.server_side_apply])
    error_message = "Everything is applied by the server, as Argo CD does it."
  }
  assert {
    condition     = length(terraform_data.repository_credentials) == 0
    error_message = "A public repository needs no credentials."
  }
}

run "gives_credentials_of_an_https_repository" {
  command = plan
  variables {
    repository_credentials = { username = "reader", token_file = "./tests/fixture/token" }
  }

  assert {
    condition     = length(terraform_data.repository_credentials) == 1
    error_message = "The credentials are not given."
  }
}

run "gives_a_deploy_key_for_an_ssh_repository" {
  command = plan
  variables {
    cluster                = { name = "test", nodes = ["node-1"], repository = "git@git.example:you/mmo.git", revision = "main", api_server = { addresses = ["192.168.1.11"], port = 6443 } }
    repository_credentials = { ssh_key_file = "./tests/fixture/key" }
  }

  assert {
    condition     = length(terraform_data.repository_credentials) == 1
    error_message = "The deploy key is not given."
  }
}

run "refuses_the_examples_certificate" {
  command = plan
  variables {
    sealing = {
      certificate        = "secrets/test/sealing.crt"
      certificate_sha256 = "a5aaf3d24230091ebfe176fda26c7195b9d82ebceb7c63ec936bbd1a1481976a"
      key_fingerprint    = "sha256:0123456789abcdef"
      example            = true
    }
  }
  expect_failures = [terraform_data.preflight]
}

run "refuses_a_certificate_that_is_not_that_of_the_last_synth" {
  command = plan
  variables {
    sealing = {
      certificate        = "secrets/test/sealing.crt"
      certificate_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
      key_fingerprint    = "sha256:0123456789abcdef"
      example            = false
    }
  }
  expect_failures = [terraform_data.preflight]
}

run "refuses_a_cluster_without_a_certificate" {
  command = plan
  variables {
    sealing = null
  }
  expect_failures = [terraform_data.preflight]
}

run "refuses_without_the_private_key" {
  command = plan
  variables {
    sealing_key_file = "./tests/fixture/lost"
  }
  expect_failures = [terraform_data.preflight]
}

run "refuses_without_a_kubeconfig" {
  command = plan
  variables {
    kubeconfig = "./tests/fixture/none"
  }
  expect_failures = [terraform_data.preflight]
}

run "refuses_a_deploy_key_for_an_https_repository" {
  command = plan
  variables {
    repository_credentials = { ssh_key_file = "./tests/fixture/key" }
  }
  expect_failures = [terraform_data.preflight]
}

run "refuses_a_token_for_an_ssh_repository" {
  command = plan
  variables {
    cluster                = { name = "test", nodes = ["node-1"], repository = "git@git.example:you/mmo.git", revision = "main", api_server = { addresses = ["192.168.1.11"], port = 6443 } }
    repository_credentials = { username = "reader", token_file = "./tests/fixture/token" }
  }
  expect_failures = [terraform_data.preflight]
}

run "refuses_credentials_that_are_not_there" {
  command = plan
  variables {
    repository_credentials = { username = "reader", token_file = "./tests/fixture/none" }
  }
  expect_failures = [terraform_data.preflight]
}

run "refuses_a_controller_that_renews_its_key" {
  command = plan
  variables {
    charts = {
      argo_cd = {
        release = "argo-cd", namespace = "argocd", repository = "https://charts.example", chart = "argo-cd", version = "1.0.0",
        values  = {}, off_at_first = []
      }
      sealed_secrets = {
        release = "sealed-secrets", namespace = "sealed-secrets", repository = "https://charts.example", chart = "sealed-secrets", version = "1.0.0",
        values  = { keyrenewperiod = "720h" }, off_at_first = []
      }
    }
  }
  expect_failures = [terraform_data.sealed_secrets]
}

run "refuses_to_wait_less_than_not_at_all" {
  command = plan
  variables {
    wait_seconds = -1
  }
  expect_failures = [var.wait_seconds]
}
