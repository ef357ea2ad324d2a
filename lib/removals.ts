/**
 * Guards what would be lost when files leave dist: a world that was never retired, a database, a backup store.
 * It deliberately reads only the files that are about to go; a routine removal costs nothing, and nothing here touches a cluster.
 */
import { parse } from 'yaml';
import type { PlainObject } from './emit/manifest';

/** What a synth says about protected objects that leave Git. */
export interface RemovalReport {
  /** Reasons not to write; empty when everything may go. */
  readonly refusals: readonly string[];
  /** Steps that a person takes afterwards, in order, because Argo CD must not. */
  readonly steps: readonly string[];
}

/** Kinds whose loss cannot be repaired from Git, and which have no first step in the description. `--release` names them one by one. */
const NEVER_SILENTLY = new Set(['Cluster.postgresql.cnpg.io', 'ObjectStore.barmancloud.cnpg.io', 'PersistentVolumeClaim']);
const WORLD_LABEL = 'mmo/continent';
/** A child of the root, which is never pruned: paths `<cluster>/root/argocd/Application.<name>.yaml`. */
const APPLICATION = /^([^/]+)\/root\/argocd\/Application\.(.+)\.yaml$/;

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
  const candidates = removed.filter((path) => APPLICATION.test(path) || before.get(path)?.includes('Prune=false'));
  if (candidates.length === 0) return { refusals: [], steps: [] };
  const stillThere = new Set([...kept].map(withoutApplication));
  const leaving = new Set(candidates.flatMap((path) => APPLICATION.exec(path)?.slice(1, 3).join('/') ?? []));
  const refusals: string[] = [];
  const applications: string[] = [];
  const objects: string[] = [];
  const namespaces: string[] = [];
  for (const path of candidates) {
    if (stillThere.has(withoutApplication(path))) continue;
    const object = parse(before.get(path) ?? '') as PlainObject;
    const { name, namespace } = object.metadata;
    if (APPLICATION.test(path)) {
      applications.push(
        `kubectl -n ${namespace} delete application.argoproj.io ${name}   # what it synced stays, except what the next lines delete`,
      );
      continue;
    }
    const id = `${object.kind}/${namespace ?? '_cluster'}/${name}`;
    const kind =
      object.apiVersion.includes('/') && NEVER_SILENTLY.has(`${object.kind}.${object.apiVersion.split('/')[0]}`)
        ? `${object.kind}.${object.apiVersion.split('/')[0]}`
        : object.kind;
    if (
      object.kind === 'StatefulSet' &&
      object.metadata.labels?.[WORLD_LABEL] !== undefined &&
      object.spec.replicas !== 0 &&
      !released.includes(id)
    ) {
      refusals.push(
        `dist/${path} is the world '${name}' in namespace '${namespace}', which was never retired. Set state: 'retired' on it first, synthesize, commit and let Argo CD stop it; remove the entry in a second change.`,
      );
      continue;
    }
    if (NEVER_SILENTLY.has(kind) && !released.includes(id)) {
      refusals.push(
        `dist/${path} holds data (${object.kind} '${name}' in namespace '${namespace}') and would leave Git. If that is what you want, take a last backup and run: npm run synth -- --release ${id}`,
      );
      continue;
    }
    if (object.kind === 'Namespace') {
      namespaces.push(
        `${releaseCommand(object)}   # deletes the namespace with every volume claim in it: first see that the last backup restores`,
      );
    } else objects.push(leaving.has(path.split('/').slice(0, 2).join('/')) ? deleteCommand(object) : releaseCommand(object));
  }
  return { refusals, steps: [...applications, ...objects, ...namespaces] };
}

/** Without its protection an object that is no longer in Git is pruned by the next sync; the claims of a StatefulSet and their volumes stay (Retain). */
function releaseCommand(object: PlainObject): string {
  return `kubectl ${inNamespace(object)}annotate ${resource(object)} ${object.metadata.name} argocd.argoproj.io/sync-options-`;
}

/** For an object whose Application leaves with it: nobody is left to prune it. */
function deleteCommand(object: PlainObject): string {
  return `kubectl ${inNamespace(object)}delete ${resource(object)} ${object.metadata.name}`;
}

function inNamespace({ metadata }: PlainObject): string {
  return metadata.namespace ? `-n ${metadata.namespace} ` : '';
}

function resource({ kind, apiVersion }: PlainObject): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  return `${kind.toLowerCase()}${group === '.apps' ? '' : group}`;
}

/** `homelab/realms/realm-aurora/X.yaml` → `homelab//realm-aurora/X.yaml`. */
function withoutApplication(path: string): string {
  const [cluster = '', , ...rest] = path.split('/');
  return `${cluster}//${rest.join('/')}`;
}
