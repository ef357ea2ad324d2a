/**
 * Every value that a cluster needs: where it is sealed and used, whether and since when, and how it comes to be. It deliberately shows no value; it has none.
 */
import type { RecoveryDrill } from './drill';
import { missingPlaces, placeName } from './plan';
import type { Since } from './since';
import type { SecretSpec } from './spec';
import type { FileStore } from './store';
import { describeSource } from './values';

export interface ListedKey {
  readonly key: string;
  readonly sealed: boolean;
  /** Day of the commit that brought it; `not committed`, or null where Git does not know or it is missing. */
  readonly since: string | null;
  /** `SecretKey.value` */
  readonly identity: string;
  readonly source: string;
}

export interface ListedSecret {
  readonly namespace: string;
  readonly name: string;
  readonly purpose: string;
  /** Who refers to it, such as `StatefulSet eldermoor`. */
  readonly usedBy: readonly string[];
  readonly keys: readonly ListedKey[];
}

/** What `--list --json` prints. */
export interface SecretList {
  readonly place: string;
  readonly certificate: { readonly example: boolean; readonly keyFingerprint: string; readonly validTo: string } | null;
  readonly lastRecoveryDrill: RecoveryDrill | null;
  readonly missing: number;
  readonly secrets: readonly ListedSecret[];
  readonly warnings: readonly string[];
}

export interface ListInput {
  readonly store: FileStore;
  readonly needed: readonly SecretSpec[];
  readonly users: ReadonlyMap<string, readonly string[]>;
  /** By `<namespace>/<name>/<key>`. */
  readonly since: ReadonlyMap<string, Since>;
  readonly drill: RecoveryDrill | undefined;
}

export function listSecrets({ store, needed, users, since, drill }: ListInput): SecretList {
  const certificate = store.certificate();
  const missing = new Set(missingPlaces(needed, store).map(placeName));
  const secrets = [...needed]
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))
    .map(({ namespace, name, purpose, keys }) => ({
      namespace,
      name,
      purpose,
      usedBy: users.get(`${namespace}/${name}`) ?? [],
      keys: Object.entries(keys)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, { value, source }]) => {
          const id = placeName({ namespace, name, key });
          const known = since.get(id);
          const day = known === undefined || known === 'not committed' ? known : known.day;
          return { key, sealed: !missing.has(id), since: day ?? null, identity: value, source: describeSource(source) };
        }),
    }));
  return {
    place: store.place,
    certificate: certificate
      ? { example: certificate.example, keyFingerprint: certificate.keyFingerprint, validTo: certificate.validTo.toISOString() }
      : null,
    lastRecoveryDrill: drill ?? null,
    missing: missing.size,
    secrets,
    warnings: store.warnings(needed),
  };
}

/** The same for people. */
export function listLines({ place, certificate, lastRecoveryDrill, missing, secrets, warnings }: SecretList): string[] {
  const lines = secrets.flatMap(({ namespace, name, purpose, usedBy, keys }) => [
    `${namespace}/${name}: ${purpose}`,
    ...(usedBy.length > 0 ? [`  used by ${usedBy.join(', ')}`] : []),
    ...keys.map(({ key, sealed, since, identity, source }) => {
      const when = since === null ? '' : since === 'not committed' ? ', not committed yet' : `, since ${since}`;
      return `  ${sealed ? 'sealed ' : 'MISSING'} ${key}  ${identity}, ${source}${when}`;
    }),
  ]);
  const drill =
    lastRecoveryDrill === null
      ? 'never: npm run seal -- --verify --key COPY_OF_THE_KEY'
      : `on ${lastRecoveryDrill.date}${lastRecoveryDrill.fingerprint === certificate?.keyFingerprint ? '' : ', of another key than that of today'}${lastRecoveryDrill.key === 'copy' ? '' : ', with the key in use, which says nothing of its copy'}`;
  return [
    ...lines,
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(certificate && !certificate.example ? [`last recovery drill: ${drill}`] : []),
    missing === 0 ? `${place}: nothing is missing.` : `${place}: ${missing} missing; seal them with --missing.`,
  ];
}
