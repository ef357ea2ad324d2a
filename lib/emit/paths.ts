/**
 * Where an object's file is: dist/<cluster>/<application>/<namespace or _cluster>/<Kind>.<name>.yaml, from its identity alone.
 * It deliberately refuses what cdk8s's own writers lose silently: two objects that would share a file (cdk8s#2821).
 */
import type { BuiltObject } from '../build';
import { innerMap } from '../inner-map';
import type { PlainObject } from './manifest';

/** Folder of objects without a namespace; no namespace can have this name. */
export const CLUSTER_SCOPED = '_cluster';

/** The path below dist/<cluster>. Characters that a file name should not have are percent-encoded (ClusterRole `system:x` → `system%3Ax`), so different names never meet. */
export function objectPath(application: string, manifest: PlainObject): string {
  const { name, namespace } = manifest.metadata;
  return `${application}/${namespace ?? CLUSTER_SCOPED}/${manifest.kind}.${fileName(name)}.yaml`;
}

function fileName(name: string): string {
  return /^[a-z0-9.-]+$/.test(name) ? name : name.replace(/[^a-z0-9.-]/g, (c) => `%${c.codePointAt(0)?.toString(16).toUpperCase()}`);
}

/** An object as sentences name it: `StatefulSet realm-aurora/eldermoor`. */
export function describe(manifest: PlainObject): string {
  const { name, namespace } = manifest.metadata;
  return `${manifest.kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

/**
 * Files by path. Throws when two objects share an identity (group, kind, namespace and name: the version is not part of it) or a file (also one that differs
 * in case only, which macOS and Windows take for the same).
 * @param folder what each path begins with, with a `/` at its end @default nothing: paths are below dist/<cluster>
 */
export function layOut(objects: readonly BuiltObject[], folder = ''): Map<string, BuiltObject> {
  const files = new Map<string, BuiltObject>();
  const identities = new Identities();
  const problems: string[] = [];
  for (const object of objects) {
    const path = folder + objectPath(object.application, object.manifest);
    const twin = identities.take(object);
    const neighbour = files.get(path);
    if (twin)
      problems.push(
        `${describe(object.manifest)} is made by Application '${twin.application}' and again by '${object.application}'; one of them must own it.`,
      );
    else if (neighbour) problems.push(sharing(object, neighbour, path));
    files.set(path, object);
  }
  if (mayDifferInCaseOnly(objects)) problems.push(...sharingInOneCase(files));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return files;
}

function sharing(object: BuiltObject, neighbour: BuiltObject, path: string): string {
  return `${describe(object.manifest)} and ${describe(neighbour.manifest)} of Application '${object.application}' would share the file ${path}.`;
}

/** Who has which identity in the cluster. */
class Identities {
  /** By group, kind, namespace and name. */
  private readonly taken = new Map<string, Map<string, Map<string, Map<string, BuiltObject>>>>();
  private readonly groups = new Map<string, string>();

  /** Takes the object's identity; answers who had it before. */
  take(object: BuiltObject): BuiltObject | undefined {
    const { apiVersion, kind, metadata } = object.manifest;
    const names = innerMap(innerMap(innerMap(this.taken, this.groupOf(apiVersion)), kind), metadata.namespace ?? CLUSTER_SCOPED);
    const other = names.get(metadata.name);
    names.set(metadata.name, object);
    return other;
  }

  private groupOf(apiVersion: string): string {
    let group = this.groups.get(apiVersion);
    if (group === undefined) {
      group = apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')));
      this.groups.set(apiVersion, group);
    }
    return group;
  }
}

/** Whether paths may differ in case only: names of files are in lower case, so it is for kinds and folders to be the same but for their case. */
function mayDifferInCaseOnly(objects: readonly BuiltObject[]): boolean {
  const folders = new Set<string>();
  const kinds = new Set<string>();
  for (const { application, manifest } of objects) {
    folders.add(application);
    folders.add(manifest.metadata.namespace ?? CLUSTER_SCOPED);
    kinds.add(manifest.kind);
  }
  for (const folder of folders) if (folder !== folder.toLowerCase()) return true;
  return new Set([...kinds].map((kind) => kind.toLowerCase())).size < kinds.size;
}

function sharingInOneCase(files: ReadonlyMap<string, BuiltObject>): string[] {
  const problems: string[] = [];
  const inOneCase = new Map<string, BuiltObject>();
  for (const [path, object] of files) {
    const neighbour = inOneCase.get(path.toLowerCase());
    if (neighbour) problems.push(sharing(object, neighbour, path));
    inOneCase.set(path.toLowerCase(), object);
  }
  return problems;
}
