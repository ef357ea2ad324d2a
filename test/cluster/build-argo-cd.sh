#!/usr/bin/env bash
# Builds Argo CD from its Go module, for the tests that let a real one sync dist; prints the path of the binary as its last line.
# It deliberately builds one binary only: `argocd` is every server of Argo CD, by the name that it is called with.
# One word of its source is changed: the controller's metrics listen on 127.0.0.1 and not on every address of the machine, for which it has no option.
#
#   build-argo-cd.sh [VERSION [DIR]]   VERSION: default v3.2.11; DIR: default ~/.cache/argo-cd/VERSION-loopback (used as it is once complete)
set -euo pipefail
V=${1:-v3.2.11}
DIR=${2:-${XDG_CACHE_HOME:-$HOME/.cache}/argo-cd/$V-loopback}
MODULE=github.com/argoproj/argo-cd/v${V:1:1}
export CGO_ENABLED=0 GOTOOLCHAIN=local
if [ -x "$DIR/argocd" ]; then echo "$DIR/argocd"; exit 0; fi
command -v go >/dev/null || { echo "build-argo-cd.sh: Go is not installed." >&2; exit 1; }
mkdir -p "$DIR"
SRC=$(mktemp -d); trap 'rm -rf "$SRC"' EXIT
cd "$SRC"
INFO=$(go mod download -json "$MODULE@$V")
UPSTREAM=$(sed -n 's/.*"GoMod": "\(.*\)",/\1/p' <<<"$INFO")
FOLDER=$(sed -n 's/.*"Dir": "\(.*\)",/\1/p' <<<"$INFO")
cp -r "$FOLDER" argo-cd
chmod -R u+w argo-cd
METRICS=argo-cd/controller/appcontroller.go
LISTEN='metricsAddr := fmt.Sprintf("0.0.0.0:%d", metricsPort)'
grep -qF "$LISTEN" "$METRICS" || { echo "build-argo-cd.sh: $METRICS of $V has no line '$LISTEN'; look where its controller's metrics listen now." >&2; exit 1; }
sed -i 's|metricsAddr := fmt.Sprintf("0\.0\.0\.0:|metricsAddr := fmt.Sprintf("127.0.0.1:|' "$METRICS"
# `go install` refuses a module with replacements. Its own go.mod under another name keeps the versions that upstream tested;
# replacements by a relative path name folders that only its repository has.
{ sed "s|^module .*|module argocd-build|" "$UPSTREAM" | grep -vE '=> +\.'; echo "require $MODULE $V"; echo "replace $MODULE => ./argo-cd"; } > go.mod
cp "$FOLDER/go.sum" go.sum
printf '//go:build tools\n\npackage tools\n\nimport _ "%s/cmd"\n' "$MODULE" > tools.go
go mod tidy 2>/dev/null
echo "building Argo CD $V" >&2
go build -trimpath -ldflags "-s -w -X $MODULE/common.version=${V#v}" -o "$DIR/argocd.part" "$MODULE/cmd"
mv "$DIR/argocd.part" "$DIR/argocd"
echo "$DIR/argocd"
