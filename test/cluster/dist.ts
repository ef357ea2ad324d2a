/**
 * dist as Argo CD reads it: the files of one cluster, in the order in which they reach it.
 * It deliberately knows nothing of the program that wrote them; waves come from the Applications' own annotations.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { PlainObject } from '../../lib/emit/manifest';

export interface DistFile {
  /** Path below dist. */
  readonly path: string;
  readonly application: string;
  /** Wave of its Application. */
  readonly wave: number;
  /** Wave of the object within its Application's sync. */
  readonly syncWave: number;
  /** The file, byte for byte. */
  readonly text: string;
  readonly object: PlainObject;
}

const WAVE = 'argocd.argoproj.io/sync-wave';
const ROOT = 'root';

/** What Argo CD applies first within a wave; kinds that it does not know come last, custom resources among them. */
const KIND_ORDER = [
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'Ingress',
];

/** The folder to judge. MMO_DIST names another one: that of another branch, say. */
export function distFolder(): string {
  return process.env.MMO_DIST ?? 'dist';
}

/** The clusters of dist: the names of its folders. @throws Error when there is none */
export function clustersOf(dist = distFolder()): string[] {
  const names = existsSync(dist)
    ? readdirSync(dist, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
    : [];
  if (names.length === 0) throw new Error(`${dist} holds no cluster; write it with: npm run synth`);
  return names.sort();
}

/**
 * Every file of a cluster: by the wave of its Application (the root, which a bootstrap applies, right after the namespaces), then as Argo CD orders one sync.
 * @throws Error when there is no such folder or a folder without an Application
 */
export function readDist(cluster: string, dist = distFolder()): DistFile[] {
  const root = join(dist, cluster);
  if (!existsSync(root)) throw new Error(`${root} does not exist; write it with: npm run synth`);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return { path: join(cluster, path), application: path.split('/')[0] ?? '', text, object: parse(text) as PlainObject };
    });
  const waves = new Map<string, number>([[ROOT, 0.5]]);
  for (const { object } of files) {
    if (object.kind === 'Application' && object.metadata.name !== ROOT) waves.set(object.metadata.name, waveOf(object));
  }
  return files
    .map((file) => {
      const wave = waves.get(file.application);
      if (wave === undefined)
        throw new Error(`${file.path} is in the folder of Application '${file.application}', which the root does not have.`);
      return { ...file, wave, syncWave: waveOf(file.object) };
    })
    .sort(
      (a, b) =>
        a.wave - b.wave || compare(a.application, b.application) || a.syncWave - b.syncWave || rank(a) - rank(b) || compare(a.path, b.path),
    );
}

/** Whether Argo CD leaves the object alone when it is no longer in Git. */
export function isProtected({ metadata }: PlainObject): boolean {
  return (metadata.annotations?.['argocd.argoproj.io/sync-options'] ?? '').split(',').includes('Prune=false');
}

/** Namespaces of dist's realms. */
export function realmNamespaces(objects: readonly PlainObject[]): string[] {
  return objects
    .filter(({ kind, metadata }) => kind === 'Namespace' && metadata.labels?.['mmo/realm'] !== undefined)
    .map(({ metadata }) => metadata.name);
}

/** An object as sentences name it: `StatefulSet realm-aurora/eldermoor`. */
export function named({ kind, metadata }: PlainObject): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}

function waveOf({ metadata }: PlainObject): number {
  return Number(metadata.annotations?.[WAVE] ?? 0);
}

function rank({ object }: { readonly object: PlainObject }): number {
  const index = KIND_ORDER.indexOf(object.kind);
  return index === -1 ? KIND_ORDER.length : index;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
