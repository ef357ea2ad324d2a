/**
 * What a synth says of a cluster's sealed values although it goes on: the example's certificate, values of another key, files that nothing needs.
 * It deliberately refuses nothing; mistakes are found when the folder is read.
 */
import { CERTIFICATE_FILE } from './keys';
import type { SealedFolder } from './sealed-folder';
import type { SecretSpec } from './spec';

/** @param place how messages name the folder */
export function warningsOf({ files, certificate }: SealedFolder, place: string, needed: readonly SecretSpec[]): string[] {
  const warnings: string[] = [];
  if (certificate?.example) {
    warnings.push(
      `${place}/${CERTIFICATE_FILE} is an example's certificate, whose private key was thrown away: no cluster can open these secrets. Before you use this cluster, make it yours: npm run init (docs/how-to/new-cluster.md).`,
    );
  }
  const keys = new Map<string, Set<string>>();
  for (const spec of needed) {
    const id = `${spec.namespace}/${spec.name}`;
    const known = keys.get(id) ?? new Set();
    for (const key of Object.keys(spec.keys)) known.add(key);
    keys.set(id, known);
  }
  for (const [id, file] of files) {
    const known = keys.get(id);
    if (!known) {
      warnings.push(
        `${place}/${id}.yaml: nothing in the cluster needs this Secret any more. Remove the file once nothing outside needs it either; a backup's password opens that backup only.`,
      );
      continue;
    }
    const spare = Object.keys(file.encryptedData).filter((key) => !known.has(key));
    if (spare.length > 0) {
      warnings.push(
        `${place}/${id}.yaml: nothing in the cluster needs ${spare.map((key) => `'${key}'`).join(', ')}; remove the ${spare.length === 1 ? 'entry' : 'entries'}.`,
      );
    }
    if (file.sealedTo !== undefined && certificate && file.sealedTo !== certificate.keyFingerprint) {
      warnings.push(
        `${place}/${id}.yaml is sealed to another key than that of ${place}/${CERTIFICATE_FILE}: only a controller that still has the other key can open it.`,
      );
    }
  }
  return warnings;
}
