/**
 * When the next recovery drill of a cluster is due: some time after the last one that was made with a copy of the present key, or soon after the key was made.
 * It deliberately compares with no clock: the day goes into an alert rule, and the same files give the same rule on every day.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DRILL_FILE, parseDrill } from './drill';
import { CERTIFICATE_FILE } from './keys';
import { readCertificate } from './sealing';

const DAY = 24 * 60 * 60 * 1000;

/** For so long a drill proves something: people, safes and disks change. */
export const DRILL_DAYS = 180;
/** A new key has so long until somebody proves that its backup opens everything. */
const FIRST_DRILL_DAYS = 14;

/**
 * @param folder the cluster's folder of secrets
 * @returns undefined without a certificate, and with an example's, which has no key to prove anything of
 * @throws SecretsError when the certificate or the record cannot be read
 */
export function drillDue(folder: string): Date | undefined {
  const file = path.join(folder, CERTIFICATE_FILE);
  if (!existsSync(file)) return undefined;
  const pem = readFileSync(file, 'utf8');
  const place = `${path.basename(path.dirname(folder))}/${path.basename(folder)}`;
  const { example, keyFingerprint } = readCertificate(pem, `${place}/${CERTIFICATE_FILE}`);
  if (example) return undefined;
  const record = path.join(folder, DRILL_FILE);
  const drill = existsSync(record) ? parseDrill(readFileSync(record, 'utf8'), `${place}/${DRILL_FILE}`) : undefined;
  return drill?.fingerprint === keyFingerprint && drill.key === 'copy'
    ? new Date(Date.parse(drill.date) + DRILL_DAYS * DAY)
    : new Date(Date.parse(new X509Certificate(pem).validFrom) + FIRST_DRILL_DAYS * DAY);
}
