/**
 * Guards what would be lost when files leave dist (a world that was never retired, a database, a backup store), and says what a person has to do
 * because Argo CD must not. It deliberately reads only the files that are about to go, and nothing here touches a cluster.
 *
 * Argo CD's side of it (measured, 3.2.11):
 * - An object with Prune=false that leaves Git keeps its Application OutOfSync for ever, and the root's sync waits for that Application.
 * - The root never prunes, so an Application that leaves Git stays until somebody deletes it (which deletes nothing else: ours have no finalizer). A root that is
 *   still busy with the commit before makes it again, so its deletion waits for the root's sync, which waits for the objects above.
 * - An AppProject that no longer names a namespace hides what is in it: whichever Application looks afterwards prunes nothing there. Who looks first is chance,
 *   so what should have been pruned is deleted by name.
 */
import type { PlainObject } from './emit/manifest';
import { readObject } from './emit/read';

/** What a synth says about protected objects that leave Git. */
export interface RemovalReport {
  /** Reasons not to write; empty when everything may go. */
  readonly refusals: readonly string[];
  /**
   * Shell commands that a person runs afterwards, in this order, in a checkout whose HEAD is the commit that Argo CD syncs. They wait where waiting matters, may be
   * repeated, and none of them deletes data.
   */
  readonly steps: readonly string[];
  /** Commands that end what is left for good, data included. Never needed for Argo CD to be content. */
  readonly forGood: readonly string[];
}

/** Kinds whose loss cannot be repaired from Git, and which have no first step in the description. `--release` names them one by one. */
const NEVER_SILENTLY = new Set(['Cluster.postgresql.cnpg.io', 'ObjectStore.barmancloud.cnpg.io', 'PersistentVolumeClaim']);
const WORLD_LABEL = 'mmo/continent';
const ROOT = 'root';
const ARGOCD_NAMESPACE = 'argocd';
const APPLICATION_FILE = /^[^/]+\/root\/([^/]+)\/Application\.(.+)\.yaml$/;
const NAMESPACE_FILE = /^[^/]+\/[^/]+\/_cluster\/Namespace\.(.+)\.yaml$/;

/**
 * Judges the files that would be removed.
 * @param before texts of dist as it is, by path
 * @param removed paths that the new dist does not have
 * @param kept paths of the new dist: an object that only moved to another Application is no loss
 * @param released `<Kind>/<namespace>/<name>` that the operator released on purpose (`npm run synth -- --release …`)
 */
export function judgeRemovals(
  before: ReadonlyMap<string, string>,
  removed: readonly string[],
  kept: Iterable<string>,
  released: readonly string[] = [],
): RemovalReport {
  const stillThere = new Set(removed.length > 0 ? [...kept].map(withoutApplication) : []);
  const leaving = new Map<string, string[]>();
  for (const path of removed) {
    const { cluster } = partsOf(path);
    if (before.has(path) && !stillThere.has(withoutApplication(path))) leaving.set(cluster, [...(leaving.get(cluster) ?? []), path]);
  }
  const reports = [...leaving].sort().map(([cluster, paths]) => ({ cluster, ...judgeCluster(before, paths, released) }));
  const headed = reports.filter(({ steps }) => steps.length > 0).length > 1;
  const join = (lists: 'steps' | 'forGood'): string[] =>
    reports.flatMap((report) => (report[lists].length > 0 && headed ? [`# cluster ${report.cluster}`, ...report[lists]] : report[lists]));
  return { refusals: reports.flatMap((report) => report.refusals), steps: join('steps'), forGood: join('forGood') };
}

/** @param leaving paths below dist, all of one cluster */
function judgeCluster(before: ReadonlyMap<string, string>, leaving: readonly string[], released: readonly string[]): RemovalReport {
  const gone = { applications: new Map<string, string>(), namespaces: new Set<string>() };
  for (const path of leaving) {
    const [, namespace, name] = APPLICATION_FILE.exec(path) ?? [];
    if (namespace && name) gone.applications.set(name, namespace);
    const [, itself] = NAMESPACE_FILE.exec(path) ?? [];
    if (itself) gone.namespaces.add(itself);
  }
  const refusals: string[] = [];
  const forGood: string[] = [];
  const unprotected: string[] = [];
  /** What to delete by name: kubectl's arguments, by the scope that it needs for them. */
  const deleted = new Map<string, string[]>();
  for (const path of leaving) {
    const { application, namespace } = partsOf(path);
    const applicationIsGone = gone.applications.has(application);
    const isProtected = before.get(path)?.includes('Prune=false') ?? false;
    if (!isProtected && !applicationIsGone && !gone.namespaces.has(namespace)) continue;
    const object = readObject(before.get(path));
    if (!object) continue;
    const refusal = isProtected ? refusalOf(path, object, released) : undefined;
    if (refusal) {
      refusals.push(refusal);
      continue;
    }
    const { scope, resource, name } = targetOf(object);
    const isWorkload = object.kind === 'StatefulSet';
    if (!isProtected || (isWorkload && applicationIsGone)) {
      // The claims of a StatefulSet stay: their retention is Retain.
      deleted.set(scope, [...(deleted.get(scope) ?? []), `${resource}/${name}`]);
    } else if (isWorkload) {
      unprotected.push(`kubectl ${scope}annotate ${resource} ${name} argocd.argoproj.io/sync-options-`);
    } else {
      if (!applicationIsGone) unprotected.push(`kubectl ${scope}annotate ${resource} ${name} argocd.argoproj.io/tracking-id-`);
      if (object.kind === 'Namespace' || NEVER_SILENTLY.has(kindAndGroup(object)))
        forGood.push(`kubectl ${scope}delete ${resource} ${name}`);
    }
  }
  const rootFirst = [...gone.applications].sort(([a], [b]) => Number(b === ROOT) - Number(a === ROOT) || (a < b ? -1 : 1));
  const applications = rootFirst.map(([name, namespace]) => deletion(`-n ${namespace} `, [`application/${name}`]));
  // A cluster that leaves as a whole: nobody syncs it any more, and what runs there is left alone.
  if (gone.applications.has(ROOT)) return { refusals, steps: applications, forGood: [] };
  const deletions = [...deleted].map(([scope, objects]) => deletion(scope, objects.sort()));
  if (unprotected.length + applications.length + deletions.length === 0) return { refusals, steps: [], forGood };
  const concerned = new Set([ROOT, ...leaving.map((path) => partsOf(path).application).filter((name) => !gone.applications.has(name))]);
  const wait = (names: Iterable<string>, field: string, value: string): string =>
    `kubectl -n ${ARGOCD_NAMESPACE} wait --timeout=15m application ${[...names].sort().join(' ')} --for=jsonpath='{${field}}'=${value}`;
  return {
    refusals,
    steps: [
      wait(concerned, '.status.sync.revision', '"$(git rev-parse HEAD)"'),
      ...unprotected,
      ...(applications.length > 0 ? [wait([ROOT], '.status.operationState.phase', 'Succeeded')] : []),
      ...applications,
      ...deletions,
      wait(concerned, '.status.sync.status', 'Synced'),
    ],
    forGood,
  };
}

function deletion(scope: string, objects: readonly string[]): string {
  return `kubectl ${scope}delete --ignore-not-found ${objects.join(' ')}`;
}

function refusalOf(path: string, object: PlainObject, released: readonly string[]): string | undefined {
  const { name, namespace, labels } = object.metadata;
  const id = `${object.kind}/${namespace ?? '_cluster'}/${name}`;
  if (released.includes(id)) return undefined;
  if (object.kind === 'StatefulSet' && labels?.[WORLD_LABEL] !== undefined && object.spec.replicas !== 0) {
    return `dist/${path} is the world '${name}' in namespace '${namespace}', which was never retired. Set state: 'retired' on it first, synthesize, commit and let Argo CD stop it; remove the entry in a second change. (A world that no cluster ever ran, such as the example's, leaves with: npm run synth -- --release StatefulSet/${namespace}/${name})`;
  }
  if (NEVER_SILENTLY.has(kindAndGroup(object))) {
    return `dist/${path} holds data (${object.kind} '${name}' in namespace '${namespace}') and would leave Git. If that is what you want, take a last backup and run: npm run synth -- --release ${id}`;
  }
  return undefined;
}

function kindAndGroup({ kind, apiVersion }: PlainObject): string {
  return apiVersion.includes('/') ? `${kind}.${apiVersion.split('/')[0]}` : kind;
}

/** The object as kubectl names it; `scope` ends with a space, or is empty. */
function targetOf({ kind, apiVersion, metadata }: PlainObject): { scope: string; resource: string; name: string } {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  const resource = `${kind.toLowerCase()}${group === '' || group === 'apps' ? '' : `.${group}`}`;
  return { scope: metadata.namespace ? `-n ${metadata.namespace} ` : '', resource, name: metadata.name };
}

/** `homelab/realms/realm-aurora/X.yaml` is in Application `realms` of cluster `homelab`, and its object in namespace `realm-aurora`. */
function partsOf(path: string): { cluster: string; application: string; namespace: string } {
  const [cluster = '', application = '', namespace = ''] = path.split('/');
  return { cluster, application, namespace };
}

/** `homelab/realms/realm-aurora/X.yaml` → `homelab//realm-aurora/X.yaml`. */
function withoutApplication(path: string): string {
  const [cluster = '', , ...rest] = path.split('/');
  return `${cluster}//${rest.join('/')}`;
}
