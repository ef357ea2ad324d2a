#!/usr/bin/env bash
# Builds from Go modules what the tests of terraform/ need, and prints it as lines for `eval`: TERRAFORM_MIRROR (a filesystem mirror with the kubectl provider),
# HELM and TOFU (programs). What was built once is used again. Terraform itself is no module that can be built; the tests take the one in the PATH.
#
#   eval "$(test/terraform/build-tools.sh)"
set -euo pipefail
# The one that the modules ask for.
PROVIDER=v$(sed -n 's/^ *version = "\(.*\)"$/\1/p' "$(dirname "$0")/../../terraform/modules/bootstrap/versions.tf")
HELM_VERSION=v3.22.0
TOFU_VERSION=v1.10.6
DIR=${XDG_CACHE_HOME:-$HOME/.cache}/terraform-tests
export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-trimpath
export_line() { printf 'export %s=%q\n' "$1" "$2"; }
command -v go >/dev/null || { echo 'build-tools.sh: Go is not installed.' >&2; exit 1; }

# `go install` refuses a module with replacements, so each is built in a copy of its own source.
build() { # module version package program
  local program=$DIR/$2/$4 source
  if [ ! -x "$program" ]; then
    echo "building $1 $2" >&2
    mkdir -p "$DIR/$2"
    source=$(mktemp -d)
    cp -r "$(go mod download -json "$1@$2" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')/." "$source"
    chmod -R u+w "$source"
    (cd "$source" && go build -ldflags '-s -w' -o "$program.part" "$3") >&2
    mv "$program.part" "$program"
    rm -rf "$source"
  fi
  echo "$program"
}

provider=$(build github.com/gavinbunney/terraform-provider-kubectl "$PROVIDER" . terraform-provider-kubectl)
for host in registry.terraform.io registry.opentofu.org; do
  folder=$DIR/mirror/$host/gavinbunney/kubectl/${PROVIDER#v}/$(go env GOOS)_$(go env GOARCH)
  mkdir -p "$folder"
  ln -f "$provider" "$folder/terraform-provider-kubectl_$PROVIDER"
done
export_line TERRAFORM_MIRROR "$DIR/mirror"
if [ -n "${HELM:-}" ]; then export_line HELM "$HELM"
elif helm=$(command -v helm); then export_line HELM "$helm"
else export_line HELM "$(build helm.sh/helm/v3 $HELM_VERSION ./cmd/helm helm)"
fi
if tofu=$(command -v tofu); then export_line TOFU "$tofu"
else export_line TOFU "$(build github.com/opentofu/opentofu $TOFU_VERSION ./cmd/tofu tofu)"
fi
