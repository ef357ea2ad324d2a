#!/usr/bin/env bash
# Gives Argo CD the credentials of the repository, from a file to the API server through a pipe; they are no argument and no output.
# In: KUBECONFIG, KUBE_CONTEXT, NAMESPACE, URL, and SSH_KEY_FILE or USERNAME with TOKEN_FILE.
. "$(dirname "$0")/common.sh"

encoded() { base64 | tr -d '\n'; }
for file in "$SSH_KEY_FILE" "$TOKEN_FILE"; do
  [ -z "$file" ] || private "$file"
done
{
  cat <<YAML
apiVersion: v1
kind: Secret
metadata:
  name: repository
  namespace: $NAMESPACE
  labels:
    argocd.argoproj.io/secret-type: repository
    app.kubernetes.io/part-of: mmo
data:
  type: $(printf git | encoded)
  url: $(printf %s "$URL" | encoded)
YAML
  if [ -n "$SSH_KEY_FILE" ]; then
    echo "  sshPrivateKey: $(encoded <"$SSH_KEY_FILE")"
  else
    echo "  username: $(printf %s "$USERNAME" | encoded)"
    # An editor's line feed at the end is no part of a token.
    echo "  password: $(tr -d '\r\n' <"$TOKEN_FILE" | encoded)"
  fi
} | kc apply --server-side --force-conflicts --field-manager=bootstrap -f - >/dev/null
echo "Secret $NAMESPACE/repository has the credentials for $URL."
