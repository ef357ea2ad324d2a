/**
 * Where an object's file is: dist/<cluster>/<application>/<namespace or _cluster>/<Kind>.<name>.yaml, from its identity alone.
 * It deliberately refuses what cdk8s's own writers lose silently: two objects that would share a file (cdk8s#2821).
 */
import type { BuiltObject } from '../build';
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

/** Identity in the cluster: group, kind, namespace and name; the version is not part of it. */
export function identity(manifest: PlainObject): string {
  const slash = manifest.apiVersion.indexOf('/');
  return `${slash === -1 ? '' : manifest.apiVersion.slice(0, slash)}|${manifest.kind}|${manifest.metadata.namespace ?? ''}|${manifest.metadata.name}`;
}

/** Files by path. Throws when two objects share an identity or a file (also one that differs in case only, which macOS and Windows take for the same). */
export function layOut(objects: readonly BuiltObject[]): Map<string, BuiltObject> {
  const files = new Map<string, BuiltObject>();
  const lowerCase = new Map<string, BuiltObject>();
  const identities = new Map<string, BuiltObject>();
  const problems: string[] = [];
  for (const object of objects) {
    const path = objectPath(object.application, object.manifest);
    const id = identity(object.manifest);
    const folded = path.toLowerCase();
    const twin = identities.get(id);
    const neighbour = lowerCase.get(folded);
    if (twin)
      problems.push(
        `${describe(object.manifest)} is made by Application '${twin.application}' and again by '${object.application}'; one of them must own it.`,
      );
    else if (neighbour)
      problems.push(
        `${describe(object.manifest)} and ${describe(neighbour.manifest)} of Application '${object.application}' would share the file ${path}.`,
      );
    identities.set(id, object);
    lowerCase.set(folded, object);
    files.set(path, object);
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return files;
}
