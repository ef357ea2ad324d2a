/** `npm run restore`: parses its options and writes what lib/restore planned, for a person to read and to do. It changes nothing in any cluster. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { clusters } from '../apps';
import { buildCluster } from '../lib/build';
import { type Kubectl, KubectlError, makeKubectl } from '../lib/kubectl';
import { minuteStamp } from '../lib/minute-stamp';
import { type ClusterDescription, type Continent, DescriptionError, type Realm, resolveCluster } from '../lib/model/cluster';
import { type RunProgram, runProgram } from '../lib/programs';
import { planDatabaseRestore } from '../lib/restore/database';
import { RestoreError } from '../lib/restore/errors';
import { readSnapshots, snapshotAt } from '../lib/restore/snapshots';
import { planWorldRestore, type RestorePlan, worldClaim } from '../lib/restore/world';
import { writeRestore } from '../lib/restore/write';
import { readFile } from '../lib/secrets/answers-file';
import { SecretsError } from '../lib/secrets/sealing';
import { fileStore } from '../lib/secrets/store';
import { stepsText } from '../lib/steps';
import { readOptions, runCommand, UsageError } from './options';

const HELP = `
npm run restore -- world REALM/CONTINENT (--at TIME [--snapshots FILE] | --snapshot ID) [--cluster NAME] [--out FOLDER] [--json]
npm run restore -- database [--at TIME] [--cluster NAME] [--out FOLDER] [--json]

Writes the manifests and the steps of a restore into a new folder and prints the steps. Changes nothing by itself: no cluster, no dist, no description.
A world gets a new volume beside the old one. A database gets a new generation, never over an old archive.

  --at TIME          the state of that time, with its offset from UTC, such as 2026-03-01T18:30:00+01:00. Of a world: the newest backup until then;
                     of a database: that very moment. Without it the database is recovered to the end of its archive
  --snapshot ID      this backup of the world
  --snapshots FILE   the backups that there are: what 'kubectl get snapshots.k8up.io -o json' or 'restic snapshots --json' prints; otherwise kubectl is asked
  --cluster NAME     needed when several clusters of apps/ could be meant
  --kubeconfig FILE  ask the cluster with this kubeconfig; otherwise kubectl's own (KUBECONFIG, or ~/.kube/config)
  --context NAME     a context of the kubeconfig other than the current one
  --out FOLDER       where to write it; a folder that is not there yet [restores/<cluster>/<what>-<time>]
  --json             print { "folder", "files", "title", "steps", "afterwards" }
  -h, --help         this text

Exit code: 0 when written, 1 when it cannot be done so, 2 for wrong usage.
`;

const OPTIONS = {
  at: { type: 'string' },
  snapshot: { type: 'string' },
  snapshots: { type: 'string' },
  cluster: { type: 'string' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
} as const;

interface Values {
  readonly at?: string;
  readonly snapshot?: string;
  readonly snapshots?: string;
  readonly cluster?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** What the command has from outside; tests give their own. */
export interface RestoreEnvironment {
  /** The project's root: apps/ and secrets/ are read below it, and the folder is written. */
  readonly root: string;
  readonly now: Date;
  readonly run: RunProgram;
  readonly descriptions: readonly ClusterDescription[];
}

/** @returns the exit code. */
export const main = (
  args: readonly string[],
  environment: RestoreEnvironment = { root: process.cwd(), now: new Date(), run: runProgram, descriptions: clusters },
): Promise<number> =>
  runCommand(async () => {
    const options = readOptions(args, HELP, OPTIONS, true);
    if (!options) return 0;
    const values: Values = options.values;
    try {
      const { folder, plan } = await planned(options.positionals, values, environment);
      writeRestore(environment.root, folder, plan);
      if (values.json) console.log(JSON.stringify({ folder, files: [...plan.files.keys()], ...plan.list }, null, 2));
      else console.log(`${stepsText(plan.list)}\nWritten to ${folder}: ${[...plan.files.keys()].join(', ')}. Nothing was done yet.`);
      return 0;
    } catch (error) {
      if (!(error instanceof RestoreError) && !(error instanceof DescriptionError) && !(error instanceof SecretsError)) throw error;
      console.error(error.message);
      return 1;
    }
  });

interface Planned {
  readonly folder: string;
  readonly plan: RestorePlan;
}

async function planned(positionals: readonly string[], values: Values, environment: RestoreEnvironment): Promise<Planned> {
  const [what, which, ...more] = positionals;
  if (values.at !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(values.at))
    throw new UsageError(`--at takes a time with its offset from UTC, such as 2026-03-01T18:30:00+01:00, not '${values.at}'.`);
  const kubectl = makeKubectl(environment.run, {
    ...(values.kubeconfig === undefined ? {} : { kubeconfig: values.kubeconfig }),
    ...(values.context === undefined ? {} : { context: values.context }),
  });
  if (what === 'world' && which !== undefined && more.length === 0) return world(which, values, kubectl, environment);
  if (what === 'database' && which === undefined) return database(values, kubectl, environment);
  throw new UsageError("Say what to restore: 'world REALM/CONTINENT' or 'database'. See --help.");
}

async function world(id: string, values: Values, kubectl: Kubectl, { root, now, descriptions }: RestoreEnvironment): Promise<Planned> {
  if (/^[^/]+\/[^/]+$/.exec(id) === null) throw new UsageError(`A world is named REALM/CONTINENT, such as aurora/eldermoor, not '${id}'.`);
  if ((values.at === undefined) === (values.snapshot === undefined))
    throw new UsageError('Say which state: --at TIME or --snapshot ID, one of them.');
  if (values.snapshot !== undefined && !/^[0-9a-f]{8,64}$/.test(values.snapshot))
    throw new UsageError(`--snapshot takes restic's id, 8 to 64 hexadecimal digits, not '${values.snapshot}'.`);
  const { description, realm, continent } = chosenWorld(id, values.cluster, descriptions);
  const cluster = resolveCluster(description);
  const choice =
    values.at === undefined
      ? undefined
      : snapshotAt(await snapshots(values, kubectl, realm.namespace), worldClaim(continent), new Date(values.at));
  const workload = buildCluster(cluster, { store: fileStore(path.join(root, 'secrets'), cluster.name) }).objects.find(
    ({ manifest }) =>
      manifest.kind === 'StatefulSet' && manifest.metadata.namespace === realm.namespace && manifest.metadata.name === continent.name,
  )?.manifest;
  if (!workload) throw new Error(`The synth makes no StatefulSet for ${id}.`);
  const folder = values.out ?? path.posix.join('restores', cluster.name, `${realm.name}-${continent.name}-${minuteStamp(now)}`);
  const plan = planWorldRestore({
    cluster,
    realm,
    continent,
    workload,
    now,
    folder,
    snapshot: choice?.snapshot.id ?? values.snapshot ?? '',
    ...(choice ? { taken: choice.snapshot.time } : {}),
  });
  if (choice?.later && !values.json) console.log(`The next backup after the one chosen is of ${choice.later.time.toISOString()}.\n`);
  return { folder, plan };
}

async function snapshots(values: Values, kubectl: Kubectl, namespace: string) {
  if (values.snapshots !== undefined) return readSnapshots(readFile(values.snapshots).toString('utf8'), values.snapshots);
  try {
    return readSnapshots(await kubectl.text(['get', 'snapshots.k8up.io', '--namespace', namespace, '-o', 'json']), 'what kubectl said');
  } catch (error) {
    if (!(error instanceof KubectlError)) throw error;
    throw new RestoreError(
      `The cluster could not be asked for the backups of ${namespace}: ${error.message} Give them with --snapshots FILE (what 'restic snapshots --json' prints), or one with --snapshot ID.`,
    );
  }
}

interface Chosen {
  readonly description: ClusterDescription;
  readonly realm: Realm;
  readonly continent: Continent;
}

function chosenWorld(id: string, name: string | undefined, descriptions: readonly ClusterDescription[]): Chosen {
  const [realmName, continentName] = id.split('/');
  const found = ownClusters(name, descriptions).flatMap((description): Chosen[] => {
    const realm = resolveCluster(description).realms.find((each) => each.name === realmName);
    const continent = realm?.continents.find((each) => each.name === continentName);
    return realm && continent ? [{ description, realm, continent }] : [];
  });
  // A cluster without backups cannot be meant, unless it is the only one.
  const backedUp = found.filter(({ description }) => description.backups !== undefined);
  const [first, ...others] = backedUp.length > 0 ? backedUp : found;
  if (!first) {
    const worlds = ownClusters(name, descriptions).flatMap((description) =>
      resolveCluster(description).realms.flatMap((realm) => realm.continents.map((each) => `${realm.name}/${each.name}`)),
    );
    throw new UsageError(
      `There is no world '${id}'${name === undefined ? ' in any cluster of apps/' : ` in cluster '${name}'`}; there ${worlds.length > 0 ? `are ${[...new Set(worlds)].join(', ')}` : 'are none'}.`,
    );
  }
  if (others.length > 0) throw new UsageError(`Several clusters have a world '${id}'; say which with --cluster NAME.`);
  return first;
}

function ownClusters(name: string | undefined, clusters: readonly ClusterDescription[]): readonly ClusterDescription[] {
  if (name === undefined) return clusters;
  const description = clusters.find((each) => each.name === name);
  if (!description) throw new UsageError(`There is no cluster '${name}'; apps/ has ${clusters.map((each) => each.name).join(', ')}.`);
  return [description];
}

async function database(values: Values, kubectl: Kubectl, { root, now, descriptions }: RestoreEnvironment): Promise<Planned> {
  if (values.snapshot !== undefined || values.snapshots !== undefined)
    throw new UsageError('--snapshot and --snapshots are for worlds; a database goes back to a moment, with --at TIME.');
  const own = ownClusters(values.cluster, descriptions);
  const backedUp = own.filter(({ backups }) => backups !== undefined);
  const [description, ...others] = backedUp.length > 0 ? backedUp : own;
  if (!description || others.length > 0)
    throw new UsageError(`Say which cluster: --cluster NAME, one of ${own.map(({ name }) => name).join(', ')}.`);
  const asked = values.kubeconfig !== undefined || values.context !== undefined;
  const plan = planDatabaseRestore({
    description,
    source: readFileSync(path.join(root, 'apps', `${description.name}.ts`), 'utf8'),
    now,
    secretsDirectory: path.join(root, 'secrets'),
    ...(values.at === undefined ? {} : { at: values.at }),
    ...(asked ? { windows: await windows(kubectl) } : {}),
  });
  return { folder: values.out ?? path.posix.join('restores', description.name, `database-${minuteStamp(now)}`), plan };
}

async function windows(kubectl: Kubectl) {
  try {
    const stores = await kubectl.list('objectstores.barmancloud.cnpg.io', 'database');
    return Object.assign({}, ...stores.map(({ status }) => status?.serverRecoveryWindow ?? {}));
  } catch (error) {
    if (!(error instanceof KubectlError)) throw error;
    throw new RestoreError(
      `The cluster could not be asked what its archives hold: ${error.message} Leave --kubeconfig and --context out to plan without it.`,
    );
  }
}
