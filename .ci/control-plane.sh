#!/usr/bin/env bash
# Prints what `npm run test:cluster` needs, as lines for `eval`: KUBEBUILDER_ASSETS, MMO_CRDS_MIRROR, ARGOCD_BINARY,
# KUBESEAL_BINARY and SEALED_SECRETS_CONTROLLER.
# It deliberately runs no test. What cannot be had is left out with a line on standard error; the tests then say what they skip.
#
#   eval "$(.ci/control-plane.sh)"
#
# With ../shared/control-plane/build.sh it builds two Kubernetes versions, Argo CD and Sealed Secrets (the first time takes some 30 minutes on two cores,
# later ones no time); without, it passes on the KUBEBUILDER_ASSETS that is set already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The oldest that every pinned operator supports, and the newest that builds.
VERSIONS=(v1.33.13 v1.37.2)
BUILD=../shared/control-plane/build.sh

say() { echo "control-plane.sh: $*" >&2; }
export_line() { printf 'export %s=%q\n' "$1" "$2"; }

if [ -x "$BUILD" ]; then
  folders=()
  for version in "${VERSIONS[@]}"; do
    # The last line of its output is the folder.
    if folder=$("$BUILD" "$version" | tail -n 1); then folders+=("$folder"); else say "$version could not be built."; fi
  done
  [ "${#folders[@]}" -gt 0 ] || exit 1
  export_line KUBEBUILDER_ASSETS "$(IFS=:; echo "${folders[*]}")"
elif [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  export_line KUBEBUILDER_ASSETS "$KUBEBUILDER_ASSETS"
else
  say "there is no $BUILD, and KUBEBUILDER_ASSETS is not set."
  exit 1
fi

if [ -d ../shared/crds ]; then export_line MMO_CRDS_MIRROR "$(realpath ../shared/crds)"; fi

if [ -n "${ARGOCD_BINARY:-}" ]; then export_line ARGOCD_BINARY "$ARGOCD_BINARY"
elif command -v go >/dev/null && argocd=$(test/cluster/build-argo-cd.sh | tail -n 1); then export_line ARGOCD_BINARY "$argocd"
else say "Argo CD could not be built; its tests will be skipped."; fi
if [ -n "${KUBESEAL_BINARY:-}" ] && [ -n "${SEALED_SECRETS_CONTROLLER:-}" ]; then
  export_line KUBESEAL_BINARY "$KUBESEAL_BINARY"
  export_line SEALED_SECRETS_CONTROLLER "$SEALED_SECRETS_CONTROLLER"
elif command -v go >/dev/null && sealed_secrets=$(test/cluster/build-sealed-secrets.sh | tail -n 1); then
  export_line KUBESEAL_BINARY "$sealed_secrets/kubeseal"
  export_line SEALED_SECRETS_CONTROLLER "$sealed_secrets/controller"
else say "Sealed Secrets could not be built; its tests will be skipped."; fi
for program in redis-server git; do
  command -v "$program" >/dev/null || say "$program is not installed; the tests of Argo CD need it."
done
