#!/usr/bin/env bash
# Gives the sealing key to Sealed Secrets. The private key goes from its file to kubectl and through a pipe to the API server; it is no argument and no output.
# In: KUBECONFIG, KUBE_CONTEXT, NAMESPACE, CONTROLLER, SECRET, CERTIFICATE, KEY.
. "$(dirname "$0")/common.sh"
LABEL=sealedsecrets.bitnami.com/sealed-secrets-key

private "$KEY"

present=$(kc -n "$NAMESPACE" get secrets -l "$LABEL" -o jsonpath='{range .items[*]}{.data.tls\.crt}{"\n"}{end}')
if grep -qxF -- "$(base64 <"$CERTIFICATE" | tr -d '\n')" <<<"$present"; then
  echo "The cluster has this sealing key already."
  exit 0
fi
secret=$(kc -n "$NAMESPACE" create secret tls "$SECRET" --cert="$CERTIFICATE" --key="$KEY" --dry-run=client -o yaml 2>/dev/null) ||
  die "$KEY is not the private key of $CERTIFICATE, or one of them is not readable as PEM."
# Not <<<, which Bash may write to a file.
printf '%s\n' "$secret" | kc label --local -f - "$LABEL=active" -o yaml | kc apply --server-side --field-manager=bootstrap -f - >/dev/null
echo "Secret $NAMESPACE/$SECRET has the sealing key."

# A controller reads its keys when it starts.
if [ -n "$(kc -n "$NAMESPACE" get deployment "$CONTROLLER" --ignore-not-found -o name)" ]; then
  kc -n "$NAMESPACE" rollout restart "deployment/$CONTROLLER"
fi
