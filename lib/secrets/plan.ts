/**
 * Which values a cluster still needs, and where each of them has to be sealed: one value may be needed in several namespaces, and without the private key
 * nobody can read it back from a sealed copy, so that a missing copy means a new value for all of them. It deliberately seals nothing and touches no file.
 */
import { endWithMeant } from '../model/issues';
import { nearestWord } from '../nearest';
import { SecretsError } from './sealing';
import type { MissingSecret, SecretKey, SecretSpec, SecretStore } from './spec';
import { describeSource, howMade } from './values';

/** One key of one Secret. */
export type Place = MissingSecret;

/** A value that the cluster needs, under whatever names. */
export interface NeededValue {
  /** `SecretKey.value`. */
  readonly identity: string;
  readonly source: SecretKey['source'];
  /** `SecretKey.whenReplaced` of its places, each sentence once. */
  readonly whenReplaced: readonly string[];
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
  const values = new Map<string, { place: Place; source: SecretKey['source']; whenReplaced: string | undefined }[]>();
  for (const { namespace, name, keys } of needed) {
    for (const [key, { value: identity, source, whenReplaced }] of Object.entries(keys)) {
      const uses = values.get(identity);
      const use = { place: { namespace, name, key }, source, whenReplaced };
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
    const uses = [first, ...others];
    const whenReplaced = [...new Set(uses.flatMap((use) => use.whenReplaced ?? []))];
    return [{ identity, source: first.source, whenReplaced, places: uses.map(({ place }) => place) }];
  });
  if (problems.length > 0) throw new SecretsError(problems);
  return grouped;
}

/** What is needed and has no sealed value, by namespace, name and key. */
export function missingPlaces(needed: readonly SecretSpec[], store: SecretStore): Place[] {
  return neededValues(needed)
    .flatMap((value) => missingOf(value, store))
    .sort(byText(placeName));
}

/** What of a plan is open to its caller. */
export interface PlanOptions {
  /** Leaves out the values for which it answers false. @default none */
  readonly only?: (value: NeededValue) => boolean;
  /** Values by identity that are known although they are sealed, because the private key opened a copy. @default none */
  readonly known?: ReadonlyMap<string, unknown>;
}

/**
 * What to seal so that nothing is missing: all copies of a generated value, because its sealed ones cannot be read back; of a fixed, asked or opened value,
 * which is known or which a person has, only the missing copies, so that adding a realm leaves the files of the others alone.
 */
export function planMissing(
  needed: readonly SecretSpec[],
  store: SecretStore,
  { only = () => true, known = new Map() }: PlanOptions = {},
): Step[] {
  return neededValues(needed)
    .filter(only)
    .flatMap((value) => {
      const missing = missingOf(value, store);
      if (missing.length === 0) return [];
      return ['generate' in value.source && !known.has(value.identity) ? allCopies(value, store) : { value, seal: missing, replaces: [] }];
    });
}

/**
 * What to seal so that a realm or content type has its netcode key.
 * @param name of a realm or content type; `realm/NAME` or `instance/NAME` when both exist
 * @param known `PlanOptions.known`
 * @throws SecretsError when the cluster has none of that name, or both
 */
export function planNetcode(needed: readonly SecretSpec[], store: SecretStore, name: string, known?: PlanOptions['known']): Step[] {
  const keys = neededValues(needed).flatMap((value) => {
    const [, kind, owner] = NETCODE_KEY.exec(value.identity) ?? [];
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
  return planMissing(needed, store, { only: (value) => identities.has(value.identity), ...(known ? { known } : {}) });
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
      `What to seal is given as NAMESPACE/NAME/KEY, or NAMESPACE/NAME when the Secret has one key; 'npm run seal -- --cluster NAME --list' names them all.`,
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
        ? `; that Secret needs ${keys.join(', ')}.`
        : endWithMeant(target.split('/').slice(0, 2).join('/'), secrets, 'its Secrets');
    throw new SecretsError([`The cluster does not need '${target}'${hint}`]);
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

/** `netcode/realm/aurora/2` → kind, owner and generation. */
const NETCODE_KEY = /^netcode\/(realm|instance)\/([^/]+)\/(\d+)$/;

/**
 * What to seal so that a value is a new one in every place.
 * @param name identity (`database/broker-password`), or a place as `planOne` takes it
 * @throws SecretsError as planOne does, and for a name that is neither; also for netcode keys, because running game servers have the old one
 */
export function planRotation(needed: readonly SecretSpec[], store: SecretStore, name: string): Step {
  const values = neededValues(needed);
  const value = values.find(({ identity }) => identity === name);
  if (!value) refuseUnknownName(values, name);
  const step =
    value && !('literal' in value.source) ? allCopies(value, store) : planOne(needed, store, value ? placeName(firstPlace(value)) : name);
  const [, , owner] = NETCODE_KEY.exec(step.value.identity) ?? [];
  if (owner !== undefined) {
    throw new SecretsError([
      `${step.value.identity} is a netcode key, which running game servers have: it is rotated by a next generation beside it, 'npm run seal -- --netcode ${owner} --next-generation'.`,
    ]);
  }
  return step;
}

/** @throws SecretsError when no Secret has that name: what was meant, or else all that can be rotated. The name is not repeated: it may be a value by mistake. */
function refuseUnknownName(values: readonly NeededValue[], name: string): void {
  const secrets = new Set(values.flatMap(({ places }) => places.map((place) => `${place.namespace}/${place.name}`)));
  if (secrets.has(name.split('/').slice(0, 2).join('/'))) return;
  // Another word about a netcode key or a fixed value follows when it is that one which was meant.
  const meant = nearestWord(name, [...values.map(({ identity }) => identity), ...secrets]);
  const identities = values
    .filter(({ source, identity }) => !('literal' in source || NETCODE_KEY.test(identity)))
    .map(({ identity }) => identity);
  throw new SecretsError(
    meant === undefined
      ? [
          `What to rotate is none of this cluster's values. ${identities.length === 0 ? 'None can be rotated.' : 'These can be rotated:'}`,
          ...identities.map((identity) => `  ${identity}`),
        ]
      : [
          `What to rotate is none of this cluster's values; did you mean '${meant}'? 'npm run seal -- --cluster NAME --list' names them all.`,
        ],
  );
}

function firstPlace(value: NeededValue): Place {
  return value.places[0] as Place;
}

/** The highest generation among a plan's netcode keys, or undefined when it has none. */
export function newestGeneration(identities: readonly string[]): number | undefined {
  const generations = identities.flatMap((identity) => NETCODE_KEY.exec(identity)?.[3] ?? []).map(Number);
  return generations.length === 0 ? undefined : Math.max(...generations);
}

function allCopies(value: NeededValue, store: SecretStore): Step {
  return { value, seal: value.places, replaces: value.places.filter((place) => !isMissing(place, store)) };
}

function missingOf(value: NeededValue, store: SecretStore): Place[] {
  return value.places.filter((place) => isMissing(place, store));
}

/** Whether nothing is sealed for a place. */
export function isMissing({ namespace, name, key }: Place, store: SecretStore): boolean {
  return store.encryptedData(namespace, name)?.[key] === undefined;
}

function byText<T>(text: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => {
    const [x, y] = [text(a), text(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  };
}
