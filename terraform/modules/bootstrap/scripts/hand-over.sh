#!/usr/bin/env bash
# Makes Argo CD's name the owner of the fields that the provider applied, and the provider's name the owner of none.
# In: KUBECONFIG, KUBE_CONTEXT, FIELD_MANAGER, FILES (one path a line, one object a file).
. "$(dirname "$0")/common.sh"

while IFS= read -r file; do
  apply -f "$file"
  # An object without fields, applied by the old owner, gives up everything that it had; what Argo CD's name owns stays.
  kc create --dry-run=client -o jsonpath='{.apiVersion} {.kind} {.metadata.name} {.metadata.namespace}' -f "$file" | {
    read -r version kind name namespace || true
    printf 'apiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n%s' "$version" "$kind" "$name" "${namespace:+  namespace: $namespace
}"
  } | kc apply --server-side --field-manager=kubectl -f - >/dev/null
done <<<"$FILES"
