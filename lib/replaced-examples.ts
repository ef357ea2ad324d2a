/**
 * Clusters that have just been made somebody's own in place of the example: what leaves their folders of dist was never anybody's data.
 * It deliberately believes certificates alone: the committed one, which Argo CD sees, and the one that is there now.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { committedFiles } from './committed';
import { CERTIFICATE_FILE } from './secrets/keys';
import { readCertificate } from './secrets/sealing';

/**
 * Those that are somebody's own now, and the example in what is committed: no cluster ever ran that, because nobody can open the example's secrets.
 * Costs two processes of Git where a cluster is somebody's own, and nothing where all are examples.
 */
export function replacedExamples(clusters: readonly string[], secretsDirectory: string): string[] {
  const own = clusters.filter((name) => isExample(read(path.join(secretsDirectory, name, CERTIFICATE_FILE))) === false);
  if (own.length === 0) return [];
  const committed = committedFiles(secretsDirectory, (file) => own.some((name) => file === `${name}/${CERTIFICATE_FILE}`));
  return own.filter((name) => isExample(committed.get(`${name}/${CERTIFICATE_FILE}`)) === true);
}

/** Undefined where there is no certificate, or none that can be read: the store says what is wrong with it. */
function isExample(certificate: string | undefined): boolean | undefined {
  try {
    return certificate === undefined ? undefined : readCertificate(certificate, CERTIFICATE_FILE).example;
  } catch {
    return undefined;
  }
}

function read(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
