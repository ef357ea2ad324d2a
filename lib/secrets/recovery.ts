/**
 * The recovery drill: opens every sealed value with the private key alone, as one would who lost the cluster, and judges what comes out.
 * It deliberately shows no value and needs no cluster; the record of it is drill.ts's part.
 */
import type { KeyObject } from 'node:crypto';
import { CERTIFICATE_FILE } from './keys';
import { missingPlaces, neededValues, placeName } from './plan';
import { fingerprintOf, SecretsError, strictLabel, unseal } from './sealing';
import type { SecretSpec } from './spec';
import type { FileStore } from './store';
import { valueProblem } from './values';

/** An opened value. */
export interface OpenedValue {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly type: SecretSpec['type'];
  readonly plaintext: Buffer;
}

/**
 * Opens everything that is sealed, also what nothing needs any more.
 * @param keys tried one after the other, as the controller does
 * @throws SecretsError with a sentence for each value that none of them opens
 */
export function openAll(store: FileStore, keys: readonly KeyObject[]): OpenedValue[] {
  const problems: string[] = [];
  const opened = store.files().flatMap(({ namespace, name, type, encryptedData }) =>
    Object.entries(encryptedData).flatMap(([key, ciphertext]): OpenedValue[] => {
      const plaintext = openWithAny(keys, ciphertext, strictLabel(namespace, name));
      if (plaintext) return [{ namespace, name, key, type, plaintext }];
      problems.push(
        `${store.place}/${namespace}/${name}.yaml: '${key}' does not open: it was sealed to another key, or for another namespace or name, or it was damaged.`,
      );
      return [];
    }),
  );
  if (problems.length > 0) throw new SecretsError(problems);
  return opened;
}

/** The plaintext, by the first of the keys that opens it; undefined when none does. @param label of `strictLabel` */
export function openWithAny(keys: readonly KeyObject[], ciphertext: string, label: string): Buffer | undefined {
  for (const key of keys) {
    try {
      return unseal(key, ciphertext, label);
    } catch (error) {
      if (!(error instanceof SecretsError)) throw error;
    }
  }
  return undefined;
}

/** What a drill that succeeded has shown. */
export interface Verified {
  readonly values: number;
  readonly files: number;
  /** Of the certificate's key. */
  readonly fingerprint: string;
}

/**
 * The drill. Every value must open, none be missing, each have the form that its place wants, and copies of one value be equal.
 * @throws SecretsError with everything that failed
 */
export function verify(store: FileStore, needed: readonly SecretSpec[], keys: readonly KeyObject[]): Verified {
  const certificate = store.certificate();
  if (!certificate) throw new SecretsError([`${store.place}/${CERTIFICATE_FILE} is missing, so nothing is sealed that could be opened.`]);
  if (certificate.example) {
    throw new SecretsError([
      `${store.place}/${CERTIFICATE_FILE} is an example's certificate, whose private key was thrown away: nothing sealed to it can ever be opened.`,
    ]);
  }
  if (!keys.some((key) => fingerprintOf(key) === certificate.keyFingerprint)) {
    throw new SecretsError([
      `The private key is not that of ${store.place}/${CERTIFICATE_FILE}: it is ${keys.map(fingerprintOf).join(', ')}, and the certificate's is ${certificate.keyFingerprint}. Give the backup of this cluster's key.`,
    ]);
  }
  const opened = openAll(store, keys);
  const byPlace = new Map(opened.map((value) => [placeName(value), value.plaintext]));
  const problems = missingPlaces(needed, store).map(
    (place) => `${placeName(place)} is not sealed, so it would be missing after a recovery; seal it with --missing.`,
  );
  for (const value of neededValues(needed)) {
    const copies = value.places.flatMap((place) => {
      const plaintext = byPlace.get(placeName(place));
      return plaintext ? [{ place: placeName(place), plaintext }] : [];
    });
    const [first, ...others] = copies;
    if (!first) continue;
    for (const { place, plaintext } of copies) {
      const problem = valueProblem(value, plaintext);
      if (problem) problems.push(`${place} opens, but what is in it ${problem}; seal it again.`);
    }
    const different = others.filter(({ plaintext }) => !plaintext.equals(first.plaintext));
    if (different.length > 0) {
      problems.push(
        `The copies of ${value.identity} differ: ${different.map(({ place }) => place).join(', ')} ${different.length === 1 ? 'has' : 'have'} another value than ${first.place}. Make it new in all places: npm run seal -- --rotate ${value.identity}`,
      );
    }
  }
  if (problems.length > 0) throw new SecretsError(problems);
  return { values: opened.length, files: store.files().length, fingerprint: certificate.keyFingerprint };
}
