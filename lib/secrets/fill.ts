/**
 * Carries out a plan: gets each value, seals it for its places and writes the files, all of them or none. It deliberately chooses neither values nor places.
 */

import { CERTIFICATE_FILE } from './keys';
import { placeName, type Step } from './plan';
import { type SealingCertificate, SecretsError, seal, strictLabel } from './sealing';
import type { Give, Given } from './sources';
import type { SecretSpec } from './spec';
import type { FileStore, SealedValue } from './store';

/** What was done. */
export interface Filled {
  /** For people; no value is in them. */
  readonly lines: readonly string[];
  /** Steps whose value nobody could give. */
  readonly open: readonly Step[];
}

/**
 * A sealed value cannot be read back without the private key, so whoever still uses the old one (a database's role, a service outside) has to be told the new one.
 * @param otherwise a sentence about the way to keep it, where there is one
 * @throws SecretsError when a sealed value would be replaced
 */
export function refuseSilentLoss(steps: readonly Step[], otherwise = 'What was sealed cannot be read back.'): void {
  const replacing = steps.filter((step) => step.replaces.length > 0);
  if (replacing.length === 0) return;
  throw new SecretsError([
    `Nothing was sealed, because these values are sealed already and would be replaced by new ones in every place:`,
    ...replacing.flatMap((step) => [
      `  ${step.value.identity}: ${step.replaces.map(placeName).join(', ')}`,
      ...step.value.whenReplaced.map((sentence) => `    ${sentence}`),
    ]),
    `${otherwise} If new values are what you want, run the command again with --yes.`,
  ]);
}

/** Gets every value first; an interruption or a value that is refused writes nothing. */
async function gather(
  steps: readonly Step[],
  give: Give,
): Promise<{ readonly given: readonly Gathered[]; readonly open: readonly Step[] }> {
  const given: Gathered[] = [];
  const open: Step[] = [];
  for (const step of steps) {
    const one = await give(step);
    if (one) given.push({ step, ...one });
    else open.push(step);
  }
  return { given, open };
}

/** A step with its value. */
export interface Gathered extends Given {
  readonly step: Step;
}

/** The values sealed for their places. */
function sealAll(certificate: SealingCertificate, needed: readonly SecretSpec[], gathered: readonly Gathered[]): SealedValue[] {
  const types = new Map(needed.map((spec) => [`${spec.namespace}/${spec.name}`, spec.type]));
  return gathered.flatMap(({ step, plaintext }) =>
    step.seal.map((place) => ({
      ...place,
      type: types.get(`${place.namespace}/${place.name}`),
      ciphertext: seal(certificate, strictLabel(place.namespace, place.name), plaintext),
    })),
  );
}

/** Gets the values, seals them and merges them into the store's files. */
export async function fill(
  store: FileStore,
  certificate: SealingCertificate,
  needed: readonly SecretSpec[],
  steps: readonly Step[],
  give: Give,
): Promise<Filled> {
  const { given, open } = await gather(steps, give);
  if (given.length === 0) return { lines: [], open };
  const written = store.write(sealAll(certificate, needed, given));
  return {
    lines: [
      ...given.flatMap(({ step, how }) => [
        `${step.value.identity}: ${how}`,
        ...step.seal.map((place) => `  sealed for ${placeName(place)}${step.replaces.includes(place) ? ', replacing what was there' : ''}`),
        ...(step.replaces.length > 0 ? step.value.whenReplaced.map((sentence) => `  ${sentence}`) : []),
      ]),
      `${written.length} file${written.length === 1 ? '' : 's'} in ${store.place} written, sealed to ${certificate.example ? "the example's certificate" : CERTIFICATE_FILE}.`,
    ],
    open,
  };
}
