#!/usr/bin/env bash
# Builds kubeseal and the Sealed Secrets controller from their Go module, for the tests that seal for them and open what they sealed;
# prints the folder of both as its last line. It deliberately builds nothing else of the project.
# One call of the controller's source is changed: it takes KUBECONFIG where it is set. Upstream's knows only files below /var/run/secrets, which is one place for
# the whole machine. kubeseal is upstream's, unchanged.
#
#   build-sealed-secrets.sh [VERSION [DIR]]   VERSION: default v0.38.4; DIR: default ~/.cache/sealed-secrets/VERSION-kubeconfig (used as it is once complete)
set -euo pipefail
V=${1:-v0.38.4}
DIR=${2:-${XDG_CACHE_HOME:-$HOME/.cache}/sealed-secrets/$V-kubeconfig}
# The module moved to the organization's new name after 0.27.
case $V in v0.[0-9].*|v0.1[0-9].*|v0.2[0-7].*) MODULE=github.com/bitnami-labs/sealed-secrets ;; *) MODULE=github.com/bitnami/sealed-secrets ;; esac
export CGO_ENABLED=0 GOTOOLCHAIN=local
if [ -x "$DIR/kubeseal" ] && [ -x "$DIR/controller" ]; then echo "$DIR"; exit 0; fi
command -v go >/dev/null || { echo "build-sealed-secrets.sh: Go is not installed." >&2; exit 1; }
mkdir -p "$DIR"
SRC=$(mktemp -d); trap 'rm -rf "$SRC"' EXIT
cd "$SRC"
INFO=$(go mod download -json "$MODULE@$V")
FOLDER=$(sed -n 's/.*"Dir": "\(.*\)",/\1/p' <<<"$INFO")
# The module's own folder with its own go.mod and go.sum: the versions that upstream tested, without asking anybody which others there are.
cp -r "$FOLDER" module
chmod -R u+w module
cd module
MAIN=pkg/controller/main.go
CALL='rest.InClusterConfig()'
[ "$(grep -cF "$CALL" "$MAIN")" = 1 ] && [ "$(grep -cF 'rest.' "$MAIN")" = 1 ] ||
  { echo "build-sealed-secrets.sh: $MAIN of $V does not call $CALL once; look how its controller finds the API server now." >&2; exit 1; }
sed -i "s|rest\.InClusterConfig()|clientcmd.BuildConfigFromFlags(\"\", os.Getenv(\"KUBECONFIG\"))|; s|\"k8s.io/client-go/rest\"|\"k8s.io/client-go/tools/clientcmd\"|" "$MAIN"
for program in kubeseal controller; do
  echo "building $program $V" >&2
  go build -mod=mod -trimpath -ldflags "-s -w -X main.VERSION=${V#v}" -o "$DIR/$program.part" "./cmd/$program"
  mv "$DIR/$program.part" "$DIR/$program"
done
echo "$DIR"
