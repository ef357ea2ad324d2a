/**
 * Which values a cluster still needs, and where each of them has to be sealed: one value may be needed in several namespaces, and nobody can read it back
 * from a sealed copy, so a missing copy means a new value for all of them. It deliberately seals nothing and touches no file.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { didYouMean } from '../model/issues';
import { SecretsError } from './sealing';
import type { MissingSecret, SecretKey, SecretSpec, SecretStore } from './spec';

/** One key of one Secret. */
export type Place = MissingSecret;

/** A value that the cluster needs, under whatever names. */
export interface NeededValue {
  /** `SecretKey.value`. */
  readonly identity: string;
  readonly source: SecretKey['source'];
  /** Where it is needed, by namespace, name and key. */
  readonly places: readonly Place[];
}

/** A value to seal. */
export interface Step {
  readonly value: NeededValue;
  /** Where to seal it. */
  readonly seal: readonly Place[];
  /** Those of `seal` that have a sealed value now, which will be lost. */
  readonly replaces: readonly Place[];
}

export function placeName(place: Place): string {
  return `${place.namespace}/${place.name}/${place.key}`;
}

/**
 * Groups what Secrets need by identity. Places may word the question for an asked value differently; the first place's is asked.
 * @throws SecretsError when components contradict each other about an identity: then its copies would differ
 */
export function neededValues(needed: readonly SecretSpec[]): NeededValue[] {
  const values = new Map<string, { place: Place; source: SecretKey['source'] }[]>();
  for (const { namespace, name, keys } of needed) {
    for (const [key, { value: identity, source }] of Object.entries(keys)) {
      const uses = values.get(identity);
      const use = { place: { namespace, name, key }, source };
      if (uses) uses.push(use);
      else values.set(identity, [use]);
    }
  }
  const problems: string[] = [];
  const grouped = [...values].sort(byText(([identity]) => identity)).flatMap(([identity, unsorted]) => {
    const [first, ...others] = unsorted.sort(byText(({ place }) => placeName(place)));
    if (!first) return [];
    for (const { place, source } of others) {
      if (howMade(source) === howMade(first.source)) continue;
      problems.push(
        `The value '${identity}' is ${howMade(first.source)} in ${placeName(first.place)}, but ${howMade(source)} in ${placeName(place)}; places that share a value must say the same of it.`,
      );
    }
    return [{ identity, source: first.source, places: [first, ...others].map(({ place }) => place) }];
  });
  if (problems.length > 0) throw new SecretsError(problems);
  return grouped;
}

/** How a value comes to be, as the end of a sentence that begins with "is". */
export function describeSource(source: SecretKey['source']): string {
  return 'ask' in source ? `${howMade(source)} (${source.ask})` : howMade(source);
}

function howMade(source: SecretKey['source']): string {
  if ('literal' in source) return `fixed as '${source.literal}'`;
  return 'ask' in source ? 'asked for' : GENERATED[source.generate].description;
}

/** What is needed and has no sealed value, by namespace, name and key. */
export function missingPlaces(needed: readonly SecretSpec[], store: SecretStore): Place[] {
  return neededValues(needed)
    .flatMap((value) => missingOf(value, store))
    .sort(byText(placeName));
}

/**
 * What to seal so that nothing is missing: all copies of a generated value, because its sealed ones cannot be read back; of a fixed or asked value,
 * which is known or which a person has, only the missing copies, so that adding a realm leaves the files of the others alone.
 * @param only leaves out the values for which it answers false
 */
export function planMissing(needed: readonly SecretSpec[], store: SecretStore, only: (value: NeededValue) => boolean = () => true): Step[] {
  return neededValues(needed)
    .filter(only)
    .flatMap((value) => {
      const missing = missingOf(value, store);
      if (missing.length === 0) return [];
      return ['generate' in value.source ? allCopies(value, store) : { value, seal: missing, replaces: [] }];
    });
}

/**
 * What to seal so that a realm or content type has its netcode key.
 * @param name of a realm or content type; `realm/NAME` or `instance/NAME` when both exist
 * @throws SecretsError when the cluster has none of that name, or both
 */
export function planNetcode(needed: readonly SecretSpec[], store: SecretStore, name: string): Step[] {
  const keys = neededValues(needed).flatMap((value) => {
    const [, kind, owner] = /^netcode\/(realm|instance)\/([^/]+)\/\d+$/.exec(value.identity) ?? [];
    return kind && owner ? [{ identity: value.identity, kind, owner }] : [];
  });
  const found = keys.filter(({ kind, owner }) => name === owner || name === `${kind}/${owner}`);
  if (found.length === 0) {
    const owners = [...new Set(keys.map(({ owner }) => owner))];
    throw new SecretsError([
      owners.length === 0
        ? `This cluster has no netcode keys, because it has no realms and no instances.`
        : `There is no realm or content type '${name}' here; those with netcode keys are ${owners.join(', ')}.`,
    ]);
  }
  const kinds = new Set(found.map(({ kind }) => kind));
  if (kinds.size > 1) throw new SecretsError([`'${name}' is both a realm and a content type: say 'realm/${name}' or 'instance/${name}'.`]);
  const identities = new Set(found.map(({ identity }) => identity));
  return planMissing(needed, store, (value) => identities.has(value.identity));
}

/**
 * What to seal so that one place has a new value: all places that share it.
 * @param target `NAMESPACE/NAME/KEY`, or `NAMESPACE/NAME` of a Secret with one key
 * @throws SecretsError when the cluster needs no such value, when the target leaves the key open, or when the value is fixed
 */
export function planOne(needed: readonly SecretSpec[], store: SecretStore, target: string): Step {
  if (!/^[-.a-z0-9]+\/[-.a-z0-9]+(?:\/[-._a-zA-Z0-9]+)?$/.test(target)) {
    // The text is not repeated: it may be a value by mistake.
    throw new SecretsError([
      `What to seal is given as NAMESPACE/NAME/KEY, or NAMESPACE/NAME when the Secret has one key; 'npm run seal -- --list' names them all.`,
    ]);
  }
  const values = neededValues(needed);
  const places = values.flatMap((value) => value.places.map((place) => ({ place, value })));
  const found = places.filter(({ place }) => target === placeName(place) || target === `${place.namespace}/${place.name}`);
  const [first] = found;
  if (!first) {
    const secrets = [...new Set(places.map(({ place }) => `${place.namespace}/${place.name}`))].sort();
    const keys = places
      .map(({ place }) => placeName(place))
      .filter((name) => name.startsWith(`${target.split('/').slice(0, 2).join('/')}/`));
    const hint =
      keys.length > 0
        ? `; that Secret needs ${keys.join(', ')}`
        : didYouMean(target.split('/').slice(0, 2).join('/'), secrets).replace('known fields', 'its Secrets');
    throw new SecretsError([`The cluster does not need '${target}'${hint}.`]);
  }
  if (found.length > 1) {
    throw new SecretsError([
      `The Secret '${target}' has ${found.length} keys; say which one: ${found.map(({ place }) => placeName(place)).join(', ')}.`,
    ]);
  }
  if ('literal' in first.value.source) {
    throw new SecretsError([
      `${placeName(first.place)} is ${describeSource(first.value.source)} by its component; 'npm run seal -- --missing' seals it.`,
    ]);
  }
  return allCopies(first.value, store);
}

function allCopies(value: NeededValue, store: SecretStore): Step {
  return { value, seal: value.places, replaces: value.places.filter((place) => !isMissing(place, store)) };
}

function missingOf(value: NeededValue, store: SecretStore): Place[] {
  return value.places.filter((place) => isMissing(place, store));
}

function isMissing({ namespace, name, key }: Place, store: SecretStore): boolean {
  return store.encryptedData(namespace, name)?.[key] === undefined;
}

// Values

type Generated = Extract<SecretKey['source'], { generate: unknown }>['generate'];

const GENERATED: Readonly<
  Record<
    Generated,
    { readonly description: string; readonly make: (length: number) => Buffer; readonly problem: (value: Buffer) => string | undefined }
  >
> = {
  password: { description: 'a generated password', make: password, problem: textProblem },
  'random-32-bytes': {
    description: 'generated as 32 random bytes',
    make: randomBytes,
    problem: (value) => (value.length === 32 ? undefined : `has ${value.length} bytes; it must be exactly 32 raw bytes`),
  },
  'random-32-bytes-hex': {
    description: 'generated as 32 random bytes in hexadecimal',
    make: (length) => Buffer.from(randomBytes(length).toString('hex')),
    problem: (value) => (/^[0-9a-f]{64}$/.test(value.toString('latin1')) ? undefined : `must be 64 hexadecimal digits in lower case`),
  },
};

/** Default length of what is generated: characters of a password (190 bits), or bytes. */
export const DEFAULT_LENGTH = 32;

/**
 * Makes a value.
 * @param length characters of a password (16 to 1024), or bytes, which must be the source's 32
 * @throws SecretsError for another length, and for a value whose text is fixed
 */
export function makeValue({ identity, source }: NeededValue, length = DEFAULT_LENGTH): Buffer {
  if ('literal' in source) return Buffer.from(source.literal);
  const kind: Generated = 'generate' in source ? source.generate : 'password';
  const [least, most] = kind === 'password' ? [16, 1024] : [32, 32];
  if (!Number.isInteger(length) || length < least || length > most) {
    const range = least === most ? `exactly ${least} bytes` : `${least} to ${most} characters`;
    throw new SecretsError([`A length of ${length} is wrong for '${identity}'; it must be ${range}.`]);
  }
  return GENERATED[kind].make(length);
}

/**
 * Brings a given value into the form in which it is sealed, or says why it cannot be.
 * Texts lose one line feed at their end: editors and `echo` add it, and no password or token has it.
 * @throws SecretsError, which never quotes the value
 */
export function acceptValue({ identity, source }: NeededValue, given: Buffer): Buffer {
  const kind: Generated = 'generate' in source ? source.generate : 'password';
  const value = kind === 'random-32-bytes' ? given : withoutLineEnd(given);
  const problem = GENERATED[kind].problem(value);
  if (problem) throw new SecretsError([`The value for '${identity}' ${problem}.`]);
  return value;
}

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Letters and digits only, so that no shell, URL or configuration format needs to quote it. */
function password(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => LETTERS_AND_DIGITS[randomInt(LETTERS_AND_DIGITS.length)]).join(''));
}

function textProblem(value: Buffer): string | undefined {
  if (value.length === 0) return 'is empty';
  return value.equals(Buffer.from(value.toString('utf8'))) ? undefined : 'is not text in UTF-8';
}

function withoutLineEnd(value: Buffer): Buffer {
  if (value.at(-1) !== 0x0a) return value;
  return value.subarray(0, value.at(-2) === 0x0d ? -2 : -1);
}

function byText<T>(text: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => {
    const [x, y] = [text(a), text(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  };
}
