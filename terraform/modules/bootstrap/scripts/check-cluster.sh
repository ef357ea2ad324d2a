#!/usr/bin/env bash
# Refuses a cluster that is not the described one: somebody's other context would get this cluster's key and Argo CD.
# It also refuses a cluster whose API server is elsewhere than described: the network policies would cut every operator off from it, Argo CD too.
# In: KUBECONFIG, KUBE_CONTEXT, CLUSTER, NODES (one name a line), API_SERVER (address:port, one a line).
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
# A managed or tunnelled API server may publish no address of its own.
endpoints=$(kc -n default get endpointslices -l kubernetes.io/service-name=kubernetes \
  -o jsonpath='{range .items[?(@.addressType=="IPv4")]}{range .endpoints[*]}{.addresses[0]}{":"}{end}{.ports[0].port}{"\n"}{end}')
while IFS= read -r line; do
  port=${line##*:}
  IFS=: read -r -a addresses <<<"${line%:*}"
  for address in ${addresses[@]+"${addresses[@]}"}; do
    [ -z "$address" ] || grep -qxF -- "$address:$port" <<<"$API_SERVER" ||
      die "The API server of this cluster listens at $address:$port, and apps/$CLUSTER.ts (kubernetes.apiServer) says $(tr '\n' ' ' <<<"$API_SERVER"): put that right and run 'npm run synth', otherwise the network policies cut every operator off from it."
  done
done <<<"$endpoints"
echo "The cluster has the nodes that apps/$CLUSTER.ts describes."
