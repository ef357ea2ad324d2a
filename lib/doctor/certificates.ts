/**
 * What opens and what is trusted in the cluster: the sealing key that the controller holds, Secrets that were opened, certificates and how long they last.
 * It deliberately reads of Secrets only the public half of the sealing key.
 */
import { existsSync, readFileSync } from 'node:fs';
import { sealedSecrets } from '../../argocd/catalog/sealed-secrets';
import { certificateFile } from '../secrets/keys';
import { readCertificate, SecretsError } from '../secrets/sealing';
import { type Finding, failed, type LiveContext, type LiveGroup, ok, skipped, some, warning } from './types';

const DAY = 24 * 60 * 60 * 1000;
/** cert-manager renews at a third of the lifetime, which is 30 days of 90. */
const LEAST_DAYS = 14;
const NAMESPACE = sealedSecrets.namespace;
const ACTIVE_KEYS = 'sealedsecrets.bitnami.com/sealed-secrets-key=active';

export const certificates: LiveGroup = {
  name: 'certificates',
  scope: 'live',
  look: async (context) => [await sealingKey(context), await sealed(context), ...(await issued(context))],
};

async function sealingKey({ kubectl, root, cluster }: LiveContext): Promise<Finding> {
  const check = 'sealing-key';
  // The server answers with the whole Secret; the private half ends in kubectl.
  const output = await kubectl.text([
    'get',
    'secrets',
    '--namespace',
    NAMESPACE,
    '--selector',
    ACTIVE_KEYS,
    '-o',
    'jsonpath={range .items[*]}{.data.tls\\.crt}{"\\n"}{end}',
  ]);
  const held = output
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => fingerprint(Buffer.from(line, 'base64').toString('utf8')));
  const file = certificateFile(root, cluster.name);
  const [own] = existsSync(file) ? fingerprint(readFileSync(file, 'utf8')) : [];
  if (own === undefined) return skipped(check, 'There is no certificate here to compare the cluster’s key with.');
  const fix = `Give it the key, and restart the controller: terraform -chdir=terraform/clusters/${cluster.name} apply, then kubectl -n ${NAMESPACE} rollout restart deployment`;
  if (held.length === 0) return failed(check, 'The cluster has no sealing key.', fix);
  return held.includes(own)
    ? ok(check, 'The cluster holds the key of the committed certificate.')
    : failed(
        check,
        `The cluster holds ${held.length === 1 ? 'another key' : `${held.length} other keys`} and not that of the committed certificate: it opens nothing of this repository.`,
        fix,
      );
}

function fingerprint(pem: string): string[] {
  try {
    return [readCertificate(pem, 'the certificate').keyFingerprint];
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    return [];
  }
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

async function sealed({ list }: LiveContext): Promise<Finding> {
  const objects = await list('sealedsecrets.bitnami.com');
  const shut = objects.filter(
    ({ status }) => !((status?.conditions ?? []) as Condition[]).some(({ type, status: is }) => type === 'Synced' && is === 'True'),
  );
  return shut.length === 0
    ? ok('opened', `The controller opened all ${objects.length} SealedSecrets.`)
    : failed(
        'opened',
        `${shut.length} of ${objects.length} SealedSecrets were not opened: ${some(shut.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))}.`,
        'docs/runbooks/SealedSecretNotUnsealed.md',
      );
}

async function issued({ list, now }: LiveContext): Promise<Finding[]> {
  const objects = await list('certificates.cert-manager.io');
  const problems = objects.flatMap(({ metadata, status }) => {
    const name = `${metadata.namespace}/${metadata.name}`;
    const ready = ((status?.conditions ?? []) as Condition[]).find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True')
      return [
        failed(
          'issued',
          `Certificate ${name} is not there: ${ready?.message ?? 'nobody has looked at it yet'}`,
          'docs/runbooks/CertificateNotReady.md',
        ),
      ];
    const days = Math.floor((Date.parse((status?.notAfter as string) ?? '') - now.getTime()) / DAY);
    // The cluster's own short-lived ones are renewed as late as a third of their life.
    const whole = (Date.parse((status?.notAfter as string) ?? '') - Date.parse((status?.notBefore as string) ?? '')) / DAY;
    return days < Math.min(LEAST_DAYS, whole / 6)
      ? [warning('issued', `Certificate ${name} expires in ${days} days and was not renewed.`, 'docs/runbooks/CertificateExpiresSoon.md')]
      : [];
  });
  return problems.length > 0 ? problems : [ok('issued', `All ${objects.length} certificates are there and last.`)];
}
