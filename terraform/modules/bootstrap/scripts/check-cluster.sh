#!/usr/bin/env bash
# Refuses a cluster that is not the described one: somebody's other context would get this cluster's key and Argo CD.
# In: KUBECONFIG, KUBE_CONTEXT, CLUSTER, NODES (one name a line).
. "$(dirname "$0")/common.sh"

found=$(kc get nodes -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}') ||
  die "The API server does not answer with this kubeconfig (KUBECONFIG=$KUBECONFIG${KUBE_CONTEXT:+, context $KUBE_CONTEXT})."
missing=()
while IFS= read -r node; do
  grep -qxF -- "$node" <<<"$found" || missing+=("$node")
done <<<"$NODES"
if [ ${#missing[@]} -gt 0 ]; then
  die "This is not cluster '$CLUSTER', or apps/$CLUSTER.ts is wrong: it describes the node(s) ${missing[*]}, and this cluster has: $(tr '\n' ' ' <<<"$found")"
fi
echo "The cluster has the nodes that apps/$CLUSTER.ts describes."
