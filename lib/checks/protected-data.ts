/**
 * Nothing that holds data is lost to a sync: worlds, volumes, databases, object stores, namespaces, CRDs and the credentials of data carry both of Argo CD's
 * protections and are never replaced, and a database never archives over another's history.
 * It deliberately does not ask whether there is a backup at all; the description says that.
 */
import type { BuiltObject } from '../build';
import { databaseCluster } from '../platform';
import { referencesOf } from './references';
import { type Check, CheckInput, type Violation, violation } from './types';

const OPTIONS = 'argocd.argoproj.io/sync-options';
const OPTIONS_FIELD = `metadata.annotations["${OPTIONS}"]`;
const WANTED = ['Prune=false', 'Delete=false'];
const REFUSED = ['Replace=true', 'Force=true'];

/** Kinds that hold data, or that take data with them when they are deleted. StatefulSets do when they have claim templates. */
const HOLD_DATA: Readonly<Record<string, string>> = {
  PersistentVolume: 'the volume',
  PersistentVolumeClaim: 'the volume',
  Cluster: 'the database and its volumes',
  Database: 'the database',
  ObjectStore: 'the way to the backups',
  Namespace: 'everything in it, volumes included',
  CustomResourceDefinition: 'every object of its kind, in all namespaces',
};

/** Kinds whose Secrets open data: without them a database or a backup is there and cannot be read. */
const READ_DATA_CREDENTIALS = ['Cluster', 'Database', 'DatabaseRole', 'ObjectStore', 'Schedule'];

export const protectedData: Check = {
  id: 'protected-data',
  why: 'Argo CD deletes an object that left Git or whose Application is deleted, and replaces one by deleting it first: with a world, a database or a namespace goes everything that players have done.',
  run: (input) => [...unprotected(input), ...statefulSets(input), ...replacing(input), ...databases(input)],
};

/** `Prune=false` keeps an object that leaves Git, `Delete=false` one whose Application is deleted: either alone is half a protection. */
function unprotected(input: CheckInput): Violation[] {
  const violations: Violation[] = [];
  const demand = (object: BuiltObject, what: string, metadata: Annotated = object.manifest.metadata, field = OPTIONS_FIELD): void => {
    const options = syncOptions(metadata);
    const missing = WANTED.filter((option) => !options.includes(option));
    if (missing.length === 0 || input.excepted(object, protectedData.id, field)) return;
    violations.push(
      violation(
        protectedData,
        object,
        `It lacks ${missing.join(' and ')} in its sync options (they are '${options.join(',')}'), so a sync can delete ${what}.`,
        `Add the annotations of PROTECTED (lib/component.ts) to its metadata: ${OPTIONS}: ${WANTED.join(',')}.`,
        field,
      ),
    );
  };
  for (const [kind, what] of Object.entries(HOLD_DATA)) for (const object of input.ofKind(kind)) if (isOurs(object)) demand(object, what);
  for (const object of input.ofKind('StatefulSet')) {
    const templates: readonly ClaimTemplate[] = object.manifest.spec?.volumeClaimTemplates ?? [];
    if (templates.length > 0) demand(object, 'the owner of its volumes');
    templates.forEach(({ metadata = {} }, index) => {
      const field = `spec.volumeClaimTemplates[${metadata.name ?? index}].${OPTIONS_FIELD}`;
      demand(object, `the volume '${metadata.name ?? index}'`, metadata, field);
    });
  }
  const readers = dataCredentials(input);
  for (const object of input.ofKind('SealedSecret')) {
    const reader = readers.get(`${object.manifest.metadata.namespace}/${object.manifest.metadata.name}`);
    if (reader) demand(object, `the credentials that ${reader} needs to read its data`);
  }
  return violations;
}

/** `Cluster` is a kind of several groups; only CloudNativePG's holds data of ours. */
function isOurs({ manifest }: BuiltObject): boolean {
  return manifest.kind !== 'Cluster' || manifest.apiVersion.startsWith('postgresql.cnpg.io/');
}

interface Annotated {
  readonly annotations?: Readonly<Record<string, string>>;
}

interface ClaimTemplate {
  readonly metadata?: Annotated & { readonly name?: string };
}

function syncOptions({ annotations }: Annotated): string[] {
  return (annotations?.[OPTIONS] ?? '')
    .split(',')
    .map((option) => option.trim())
    .filter((option) => option !== '');
}

/** Secrets that databases, object stores and backups refer to, each with one that does. */
function dataCredentials(input: CheckInput): Map<string, string> {
  const readers = new Map<string, string>();
  const objects = READ_DATA_CREDENTIALS.flatMap((kind) => input.ofKind(kind));
  for (const { object, kind, namespace, name } of referencesOf(new CheckInput({ ...input.built, objects }))) {
    if (kind === 'Secret') readers.set(`${namespace}/${name}`, `${object.manifest.kind} '${object.manifest.metadata.name}'`);
  }
  return readers;
}

function statefulSets(input: CheckInput): Violation[] {
  const violations: Violation[] = [];
  for (const object of input.ofKind('StatefulSet')) {
    const { spec } = object.manifest;
    if (!(spec?.volumeClaimTemplates?.length > 0)) continue;
    for (const when of ['whenDeleted', 'whenScaled'] as const) {
      const field = `spec.persistentVolumeClaimRetentionPolicy.${when}`;
      const value = spec.persistentVolumeClaimRetentionPolicy?.[when];
      if (value === 'Retain' || input.excepted(object, protectedData.id, field)) continue;
      const event = when === 'whenDeleted' ? 'deleted' : 'scaled down';
      violations.push(
        violation(
          protectedData,
          object,
          value === undefined
            ? `It does not say that its volumes stay when it is ${event}.`
            : `'${value}' deletes its volumes when it is ${event}.`,
          "Write persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' }, although it is the default: all that the world is depends on it.",
          field,
        ),
      );
    }
  }
  return violations;
}

function replacing(input: CheckInput): Violation[] {
  const violations: Violation[] = [];
  for (const object of input.objects) {
    const annotation = object.manifest.metadata.annotations?.[OPTIONS];
    if (annotation === undefined) continue;
    const refused = syncOptions(object.manifest.metadata).filter((option) => REFUSED.includes(option));
    if (refused.length === 0) continue;
    const holdsData =
      object.manifest.kind in HOLD_DATA || object.manifest.kind === 'StatefulSet' || object.manifest.kind === 'SealedSecret';
    if (!holdsData && input.excepted(object, protectedData.id, OPTIONS_FIELD)) continue;
    violations.push(
      violation(
        protectedData,
        object,
        `Its sync options have ${refused.join(' and ')}: Argo CD would delete and make it again where it cannot change it.`,
        `Take ${refused.join(' and ')} out of ${OPTIONS}; a field that cannot be changed is changed by hand, after a backup.`,
        OPTIONS_FIELD,
      ),
    );
  }
  for (const object of input.ofKind('Application')) {
    const options: string[] = object.manifest.spec?.syncPolicy?.syncOptions ?? [];
    options.forEach((option, index) => {
      if (!REFUSED.includes(option)) return;
      violations.push(
        violation(
          protectedData,
          object,
          `Its sync option '${option}' replaces every object of the Application, those that hold data among them.`,
          `Take '${option}' out of the Application's sync options (argocd/root.ts).`,
          `spec.syncPolicy.syncOptions[${index}]`,
        ),
      );
    });
  }
  return violations;
}

const SKIP_EMPTY_ARCHIVE = 'cnpg.io/skipEmptyWalArchiveCheck';

/** A generation of the database has an archive name of its own, and only a later one comes out of a backup. */
function databases(input: CheckInput): Violation[] {
  const { generation } = input.built.cluster.database;
  const violations: Violation[] = [];
  for (const object of input.ofKind('Cluster')) {
    if (!isOurs(object)) continue;
    const { spec, metadata } = object.manifest;
    const say = (message: string, fix: string, field: string): void => {
      violations.push(violation(protectedData, object, message, fix, field));
    };
    if (metadata.annotations?.[SKIP_EMPTY_ARCHIVE] !== undefined) {
      say(
        `The annotation ${SKIP_EMPTY_ARCHIVE} lets it archive into a place that is not empty, over the history of another database.`,
        'Remove the annotation; a recovered database archives under a new name, by raising database.generation in the description.',
        `metadata.annotations["${SKIP_EMPTY_ARCHIVE}"]`,
      );
    }
    const sources = new Map<string, string>();
    for (const source of (spec?.externalClusters ?? []) as { name: string; plugin?: { parameters?: { serverName?: string } } }[]) {
      const serverName = source.plugin?.parameters?.serverName;
      if (serverName !== undefined) sources.set(serverName, source.name);
    }
    for (const { field, serverName } of archives(spec)) {
      if (!serverName.endsWith(`-${generation}`)) {
        say(
          `It archives as '${serverName}', but the description says generation ${generation}: a rebuilt database would write over an archive, or not find its own.`,
          `Name the archive after the generation, '${databaseCluster(generation)}' (archiveName in lib/constructs/postgres.ts).`,
          field,
        );
      }
      const source = sources.get(serverName);
      if (source !== undefined) {
        say(
          `It archives as '${serverName}', which is also the archive that it recovers from (external cluster '${source}').`,
          'Raise database.generation in the description, so that the recovered database archives under a new name.',
          field,
        );
      }
    }
    const bootstrap = spec?.bootstrap ?? {};
    if (bootstrap.recovery !== undefined && generation === 1) {
      say(
        'It is recovered from a backup, but the description says generation 1, which is a new and empty database.',
        'Raise database.generation in the description when you recover, so that the archive gets a new name.',
        'spec.bootstrap.recovery',
      );
    }
    if (bootstrap.recovery === undefined && generation > 1) {
      say(
        `The description says generation ${generation}, which is recovered from the one before it, but it would be made new and empty.`,
        'Write bootstrap.recovery with the archive of the generation before, or set database.generation back.',
        'spec.bootstrap',
      );
    }
  }
  return violations;
}

const BARMAN = 'barman-cloud.cloudnative-pg.io';

/** Where a Cluster archives; an empty name is none, which means the Cluster's own name, whatever the generation. */
// biome-ignore lint/suspicious/noExplicitAny: a Cluster's spec as plain data; schemas check its shape.
function archives(spec: any): { field: string; serverName: string }[] {
  const found: { field: string; serverName: string }[] = [];
  for (const plugin of spec?.plugins ?? []) {
    if (plugin.name !== BARMAN && plugin.parameters?.serverName === undefined) continue;
    found.push({ field: `spec.plugins[${plugin.name}].parameters.serverName`, serverName: plugin.parameters?.serverName ?? '' });
  }
  const inTree = spec?.backup?.barmanObjectStore;
  if (inTree) found.push({ field: 'spec.backup.barmanObjectStore.serverName', serverName: inTree.serverName ?? '' });
  return found;
}
