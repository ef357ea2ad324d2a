# Sourced by every step: strict mode, kubectl at the right cluster, and one way to fail.
set -euo pipefail
umask 077

die() { echo "$*" >&2; exit 1; }
kc() { kubectl ${KUBE_CONTEXT:+--context "$KUBE_CONTEXT"} "$@"; }
# Server-side apply under the name that Argo CD applies with: from the first moment every field has the owner that it keeps.
apply() { kc apply --server-side --force-conflicts --field-manager="$FIELD_MANAGER" "$@"; }
# A file with a secret: it can be read, and nobody but its owner can read or change it. A link is judged by what it leads to.
private() {
  { [ -r "$1" ] && [ -s "$1" ]; } || die "$1 is empty or cannot be read."
  [ -z "$(find -L "$1" \( -perm -g=r -o -perm -o=r -o -perm -g=w -o -perm -o=w \))" ] || die "$1 can be read or changed by others; make it yours alone first: chmod 600 '$1'"
}
needs() { command -v "$1" >/dev/null || die "$1 is not installed; $2"; }

needs kubectl 'the bootstrap hands files and charts to the cluster with it (https://kubernetes.io/docs/tasks/tools/).'
