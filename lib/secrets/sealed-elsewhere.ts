/**
 * Values that are sealed for some places and missing in others, opened with the private key where one has it: a new realm's copy of the backup store's credentials is
 * then the same value, and nobody is asked for it again. It deliberately writes nothing, and is no drill: what does not open is a value that nobody knows.
 */

import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { CERTIFICATE_FILE, privateKeyFile } from './keys';
import { isMissing, neededValues } from './plan';
import { readPrivateKeys } from './private-keys';
import { openWithAny } from './recovery';
import { fingerprintOf, type SealingCertificate, SecretsError, strictLabel } from './sealing';
import type { SecretSpec, SecretStore } from './spec';
import { valueProblem } from './values';

/** Where a cluster's private key may be. */
export interface KeyPlaces {
  /** The project's root. */
  readonly root: string;
  readonly cluster: string;
  /** That of the cluster: only its key is of use. */
  readonly certificate: SealingCertificate;
  /** Files that a person named. @default the key in its place, if it is there: nobody needs it to seal */
  readonly keyFiles?: readonly string[];
}

/**
 * The private keys that open what is sealed, or none.
 * @throws SecretsError when a person named files and none of them has the certificate's key
 */
export function keysAtHand({ root, cluster, certificate, keyFiles = [] }: KeyPlaces): readonly KeyObject[] {
  const isIts = (key: KeyObject): boolean => fingerprintOf(key) === certificate.keyFingerprint;
  if (keyFiles.length > 0) {
    const keys = keyFiles.flatMap(readPrivateKeys);
    if (keys.some(isIts)) return keys;
    throw new SecretsError([
      `${keyFiles.join(' and ')} does not hold the private key of secrets/${cluster}/${CERTIFICATE_FILE}, whose fingerprint is ${certificate.keyFingerprint}. Give a copy of this cluster's key.`,
    ]);
  }
  const file = privateKeyFile(root, cluster);
  if (!existsSync(file)) return [];
  try {
    return readPrivateKeys(file).filter(isIts);
  } catch (error) {
    // Whoever seals without it needs not repair it first; doctor says what is wrong with it.
    if (error instanceof SecretsError) return [];
    throw error;
  }
}

/** By identity: what is missing somewhere, and opens to one and the same value of the right form everywhere else. */
export function sealedElsewhere(
  needed: readonly SecretSpec[],
  store: SecretStore,
  keys: readonly KeyObject[],
): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  if (keys.length === 0) return found;
  for (const value of neededValues(needed)) {
    const sealed = value.places.filter((place) => !isMissing(place, store));
    if (sealed.length === 0 || sealed.length === value.places.length) continue;
    const opened = sealed.map(({ namespace, name, key }) =>
      openWithAny(keys, store.encryptedData(namespace, name)?.[key] ?? '', strictLabel(namespace, name)),
    );
    const [first] = opened;
    if (first !== undefined && opened.every((each) => each?.equals(first)) && valueProblem(value, first) === undefined)
      found.set(value.identity, first);
  }
  return found;
}
