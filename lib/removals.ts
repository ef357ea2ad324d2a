/**
 * Guards what would be lost when files leave dist (a world that was never retired, a database, a backup store), and says what a person has to do
 * because Argo CD must not. It deliberately reads only the files that are about to go, and nothing here touches a cluster.
 *
 * Argo CD's side of it (measured, 3.2.11): an object with Prune=false that leaves Git keeps its Application OutOfSync for ever; the root never prunes,
 * so an Application that leaves Git stays until somebody deletes it (which deletes nothing else: ours have no finalizer). That comes last, because a root
 * that is still busy with the commit before would make it again.
 */
import type { PlainObject } from './emit/manifest';
import { readObject } from './emit/read';

/** What a synth says about protected objects that leave Git. */
export interface RemovalReport {
  /** Reasons not to write; empty when everything may go. */
  readonly refusals: readonly string[];
  /** Commands that a person runs afterwards, in this order. None of them deletes data. */
  readonly steps: readonly string[];
  /** Commands that end what is left for good, data included. Never needed for Argo CD to be content. */
  readonly forGood: readonly string[];
}

/** Kinds whose loss cannot be repaired from Git, and which have no first step in the description. `--release` names them one by one. */
const NEVER_SILENTLY = new Set(['Cluster.postgresql.cnpg.io', 'ObjectStore.barmancloud.cnpg.io', 'PersistentVolumeClaim']);
const WORLD_LABEL = 'mmo/continent';
const APPLICATION_FILE = /^([^/]+)\/root\/([^/]+)\/Application\.(.+)\.yaml$/;

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
  const refusals: string[] = [];
  const goneApplications = new Set<string>();
  const steps = { applications: [] as string[], statefulSets: [] as string[], forgotten: [] as string[] };
  const forGood: string[] = [];
  for (const path of removed) {
    const [, cluster, namespace, name] = APPLICATION_FILE.exec(path) ?? [];
    if (!name) continue;
    goneApplications.add(`${cluster}/${name}`);
    steps.applications.push(`kubectl -n ${namespace} delete application ${name}`);
  }
  const candidates = removed.filter((path) => before.get(path)?.includes('Prune=false'));
  const stillThere = new Set(candidates.length > 0 ? [...kept].map(withoutApplication) : []);
  for (const path of candidates) {
    if (stillThere.has(withoutApplication(path))) continue;
    const object = readObject(before.get(path));
    if (!object) continue;
    const refusal = refusalOf(path, object, released);
    if (refusal) {
      refusals.push(refusal);
      continue;
    }
    const applicationIsGone = goneApplications.has(path.split('/').slice(0, 2).join('/'));
    const target = targetOf(object);
    if (object.kind === 'StatefulSet') {
      // Its claims stay either way: their retention is Retain.
      steps.statefulSets.push(
        applicationIsGone
          ? `kubectl ${target.scope}delete ${target.object}`
          : `kubectl ${target.scope}annotate ${target.object} argocd.argoproj.io/sync-options-`,
      );
    } else {
      if (!applicationIsGone) steps.forgotten.push(`kubectl ${target.scope}annotate ${target.object} argocd.argoproj.io/tracking-id-`);
      if (object.kind === 'Namespace' || NEVER_SILENTLY.has(kindAndGroup(object)))
        forGood.push(`kubectl ${target.scope}delete ${target.object}`);
    }
  }
  return { refusals, steps: [...steps.forgotten, ...steps.statefulSets, ...steps.applications.sort()], forGood };
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

/** The object as kubectl names it. */
function targetOf({ kind, apiVersion, metadata }: PlainObject): { scope: string; object: string } {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  const resource = `${kind.toLowerCase()}${group === '' || group === 'apps' ? '' : `.${group}`}`;
  return { scope: metadata.namespace ? `-n ${metadata.namespace} ` : '', object: `${resource} ${metadata.name}` };
}

/** `homelab/realms/realm-aurora/X.yaml` → `homelab//realm-aurora/X.yaml`. */
function withoutApplication(path: string): string {
  const [cluster = '', , ...rest] = path.split('/');
  return `${cluster}//${rest.join('/')}`;
}
