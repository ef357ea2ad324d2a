#!/usr/bin/env bash
# Installs a chart the way Argo CD will keep it: rendered by Helm, applied by the server under Argo CD's name. There is no Helm release that would lie later.
# In: KUBECONFIG, KUBE_CONTEXT, FIELD_MANAGER, RELEASE, NAMESPACE, REPOSITORY, CHART, VERSION, VALUES (JSON), OFF (paths of values, one a line), ARGOCD (namespace),
# WAIT_SECONDS.
. "$(dirname "$0")/common.sh"
needs helm 'it renders the charts of Argo CD and Sealed Secrets (https://helm.sh/docs/intro/install/).'

# Where Argo CD runs and keeps this chart already (the state was lost, or a step was repeated), a second installation would only undo what Git says by now.
kept=$(kc -n "$ARGOCD" get applications.argoproj.io "$RELEASE" -o jsonpath='{.status.sync.status}' 2>/dev/null || true)
runs=$(kc -n "$ARGOCD" get statefulset argocd-application-controller -o jsonpath='{.status.readyReplicas}' 2>/dev/null || true)
if [ -n "$kept" ] && [ "${runs:-0}" -gt 0 ]; then
  echo "Argo CD keeps $RELEASE already."
  exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '%s' "$VALUES" >"$scratch/values.json"
options=()
while IFS= read -r path; do
  [ -z "$path" ] || options+=(--set "$path=false")
done <<<"$OFF"
case $REPOSITORY in
  http://* | https://*) chart=("$CHART" --repo "$REPOSITORY") ;;
  *) chart=("oci://$REPOSITORY/$CHART") ;;
esac
version=$(kc get --raw /version | sed -n 's/.*"gitVersion": *"v\{0,1\}\([^"]*\)".*/\1/p')
helm template "$RELEASE" "${chart[@]}" --version "$VERSION" --namespace "$NAMESPACE" --include-crds --kube-version "$version" \
  --values "$scratch/values.json" ${options[@]+"${options[@]}"} >"$scratch/manifests.yaml" ||
  die "Helm could not render $CHART $VERSION from $REPOSITORY."

# A Job of an attempt that did not get through cannot be changed, only made anew; Argo CD does the same with the chart's.
kc -n "$NAMESPACE" delete jobs -l "app.kubernetes.io/instance=$RELEASE" --ignore-not-found >/dev/null
apply --namespace "$NAMESPACE" -f "$scratch/manifests.yaml" -o name >"$scratch/applied"
echo "$RELEASE: $(wc -l <"$scratch/applied" | tr -d ' ') objects of $CHART $VERSION."
definitions=$(grep '^customresourcedefinition' "$scratch/applied" || true)
# kubectl wait gives up at once on a definition whose conditions are not written yet, so it is asked again.
tries=0
# shellcheck disable=SC2086 # one argument a name
until [ -z "$definitions" ] || waited=$(kc wait --for=condition=Established --timeout=10s $definitions 2>&1); do
  tries=$((tries + 1))
  [ "$tries" -lt 30 ] || die "The API server does not serve the definitions of $CHART: $waited"
  sleep 1
done

if [ "$WAIT_SECONDS" -gt 0 ]; then
  grep -E '^(deployment|statefulset)' "$scratch/applied" | while IFS= read -r workload; do
    kc -n "$NAMESPACE" rollout status "$workload" --timeout="${WAIT_SECONDS}s" ||
      die "$workload in namespace $NAMESPACE is not ready after $WAIT_SECONDS s. See why (kubectl -n $NAMESPACE describe ${workload%%.*}/${workload##*/}), then apply again: it goes on here."
  done
fi
