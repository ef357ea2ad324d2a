/**
 * What the tests of worlds, instances and their backups share: a component built for a description, with its objects by kind and name.
 * It deliberately builds one component alone, without store, policies or Argo CD.
 */
import { App, Chart } from 'cdk8s';
import { homelab } from '../../apps/homelab';
import { local } from '../../apps/local';
import type { BuildContext, Component } from '../../lib/component';
import { Manifest, type PlainObject } from '../../lib/emit/manifest';
import { type Cluster, type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import type { SecretSpec } from '../../lib/secrets/spec';

export interface Built {
  readonly cluster: Cluster;
  readonly objects: readonly PlainObject[];
  readonly secrets: readonly SecretSpec[];
  /** Objects of one Application. */
  of(application: string): readonly PlainObject[];
  /** The object of a kind and `namespace/name`. Throws when it is not there. */
  get(kind: string, id: string): PlainObject;
  find(kind: string, id: string): PlainObject | undefined;
}

/** A component's objects for a description. */
export function built(component: Component, description: ClusterDescription): Built {
  const cluster = resolveCluster(description);
  const secrets: SecretSpec[] = [];
  const context = {
    cluster,
    namespaces: [],
    warn: () => undefined,
    secret: (_: Chart, spec: SecretSpec) => secrets.push(spec),
  } as unknown as BuildContext;
  const app = new App();
  const byApplication = new Map<string, PlainObject[]>();
  for (const application of component.applications(cluster)) {
    const chart = new Chart(app, application.name, { disableResourceNameHashes: true });
    application.build(chart, context);
    byApplication.set(
      application.name,
      chart.apiObjects.map((object) => {
        if (!(object instanceof Manifest)) throw new Error(`${object.node.path} was not made by add()`);
        return object.manifest;
      }),
    );
  }
  const objects = [...byApplication.values()].flat();
  const find = (kind: string, id: string) =>
    objects.find((object) => object.kind === kind && `${object.metadata.namespace}/${object.metadata.name}` === id);
  return {
    cluster,
    objects,
    secrets,
    of: (application) => byApplication.get(application) ?? [],
    find,
    get: (kind, id) => {
      const object = find(kind, id);
      if (!object)
        throw new Error(
          `There is no ${kind} ${id}; there are ${objects.map((each) => `${each.kind} ${each.metadata.namespace}/${each.metadata.name}`).join(', ')}.`,
        );
      return object;
    },
  };
}

/** The example cluster with some fields replaced. */
export function homelabWith(changes: Partial<ClusterDescription>): ClusterDescription {
  return { ...homelab, ...changes };
}

/** The laptop's cluster with some fields replaced. */
export function localWith(changes: Partial<ClusterDescription>): ClusterDescription {
  return { ...local, ...changes };
}

/** The only pod template of a workload. */
// biome-ignore lint/suspicious/noExplicitAny: plain data, as it is emitted.
export function podOf(object: PlainObject): any {
  return object.kind === 'Fleet' ? object.spec.template.spec.template : object.spec.template;
}

/** A copy with what changes at every upgrade masked, for snapshots. */
export function masked<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (key, each) => {
      if (key === 'image') return '(image)';
      if (key === 'mmo/config-hash') return '(hash)';
      if (key === 'mmo/build' || key === 'MMO_BUILD') return '(build)';
      return each;
    }),
  );
}
