/**
 * Private halves of sealing keys as files hold them: PEM, or what `kubectl get secret -o yaml` gave of the controller's keys.
 * It deliberately makes no key (own-key.ts does).
 */
import type { KeyObject } from 'node:crypto';
import { readFile, readYaml } from './answers-file';
import { readPrivateKey, SecretsError } from './sealing';

/**
 * Every key in a file.
 * @throws SecretsError when the file cannot be read or holds none
 */
export function readPrivateKeys(file: string): KeyObject[] {
  const text = readFile(file).toString('utf8');
  const blocks = text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g);
  if (blocks) return blocks.map((pem) => readPrivateKey(pem, `A key in ${file}`));
  const keys = secretsOf(readYaml(file)).flatMap((secret) => {
    const encoded = secret.data?.['tls.key'];
    return typeof encoded === 'string' ? [readPrivateKey(Buffer.from(encoded, 'base64').toString('utf8'), `A key in ${file}`)] : [];
  });
  if (keys.length > 0) return keys;
  throw new SecretsError([
    `${file} holds no private key; it must be the sealing key in PEM, or the controller's Secret (or a List of them) in YAML or JSON.`,
  ]);
}

interface SecretObject {
  readonly data?: Readonly<Record<string, unknown>>;
}

function secretsOf(value: unknown): readonly SecretObject[] {
  if (value === null || typeof value !== 'object') return [];
  const { items } = value as { items?: unknown };
  return Array.isArray(items) ? (items as SecretObject[]) : [value as SecretObject];
}
