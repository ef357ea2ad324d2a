/**
 * The record of a cluster's last recovery drill: the day on which every sealed value was opened with the private key, which key that was, and whether it was a copy that is kept elsewhere.
 * It is committed, so that an alert can ask for the next drill. It deliberately does no drill (recovery.ts does) and judges no age.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SecretsError } from './sealing';

/** Name of the record in a cluster's folder of secrets. */
export const DRILL_FILE = 'last-recovery-drill.yaml';

export interface RecoveryDrill {
  /** ISO day in UTC, `2026-11-22`. */
  readonly date: string;
  /** `SealingCertificate.keyFingerprint` of the key that opened everything: after a change of keys, the drill of the old one says nothing. */
  readonly fingerprint: string;
  /** `copy`: kept outside of this machine's `.keys/`, so that it is there when the machine is lost. The key in use opens as much, and proves nothing of the copy: the next drill stays due. */
  readonly key: 'copy' | 'in-use';
}

/**
 * Reads the record.
 * @param root the project's root
 * @returns undefined when there was no drill yet
 * @throws SecretsError when the file is not such a record
 */
export function lastRecoveryDrill(root: string, cluster: string): RecoveryDrill | undefined {
  const file = path.join(root, 'secrets', cluster, DRILL_FILE);
  return existsSync(file) ? parseDrill(readFileSync(file, 'utf8'), `secrets/${cluster}/${DRILL_FILE}`) : undefined;
}

/**
 * @param place how messages name the file
 * @throws SecretsError when the text is not such a record
 */
export function parseDrill(text: string, place: string): RecoveryDrill {
  const date = /^date: (\d{4}-\d{2}-\d{2})$/m.exec(text)?.[1];
  const fingerprint = /^fingerprint: (sha256:[0-9a-f]{64})$/m.exec(text)?.[1];
  // A record of before keys were told apart says nothing of a copy.
  const key = /^key: /m.test(text) ? (/^key: (copy|in-use)$/m.exec(text)?.[1] as RecoveryDrill['key'] | undefined) : 'in-use';
  const day = date === undefined ? Number.NaN : Date.parse(date);
  // Date.parse takes the 31st of February for a day in March.
  if (
    date === undefined ||
    fingerprint === undefined ||
    key === undefined ||
    Number.isNaN(day) ||
    new Date(day).toISOString().slice(0, 10) !== date
  ) {
    throw new SecretsError([
      `${place} must have a line 'date: YYYY-MM-DD', a line 'fingerprint: sha256:<64 hexadecimal digits>' and a line 'key: copy' or 'key: in-use'. Take it from Git's history, or remove it: 'npm run seal -- --verify --key COPY' then writes it anew.`,
    ]);
  }
  return { date, fingerprint, key };
}

/** The text of the record. */
export function serializeDrill({ date, fingerprint, key }: RecoveryDrill): string {
  return [
    "# The last day on which 'npm run seal -- --verify' opened every sealed value, that key's fingerprint, and whether it was a copy kept elsewhere or the key in use.",
    `date: ${date}`,
    `fingerprint: ${fingerprint}`,
    `key: ${key}`,
    '',
  ].join('\n');
}
