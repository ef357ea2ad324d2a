/**
 * What the tests of worlds, instances and their backups share: a component built for a description, with its objects by kind and name.
 * It deliberately builds one component alone, without store, policies or Argo CD.
 */
import { App, Chart } from 'cdk8s';
import type { BuildContext, Component } from '../../lib/component';
import { objectsOf, type PlainObject } from '../../lib/emit/manifest';
import {
  type Cluster,
  type ClusterDescription,
  DescriptionError,
  defineCluster,
  type Mistake,
  resolveCluster,
} from '../../lib/model/cluster';
import type { SecretSpec } from '../../lib/secrets/spec';

/** Three machines with MetalLB and backups. Of its own, and not apps/homelab.ts, which people edit. */
export const homelab = defineCluster({
  name: 'homelab',
  kubernetes: { apiServer: { addresses: ['192.168.1.11'] } },
  nodes: ['node-1', 'node-2', 'node-3'].map((name, index) => ({ name, address: `192.168.1.${11 + index}` })),
  git: { repository: 'https://github.com/you/mmo-backend.git' },
  domain: 'mmo.homelab.io',
  network: {
    pool: '192.168.1.240-192.168.1.254',
    ingress: '192.168.1.240',
    dns: '192.168.1.241',
    adminIngress: '192.168.1.242',
    publicAddress: '203.0.113.7',
    instanceNode: 'node-1',
  },
  storage: { class: 'longhorn', expandable: true },
  certificates: { issuer: 'letsencrypt', email: 'you@homelab.io', dns01: { cloudflare: { zone: 'homelab.io' } } },
  backups: { endpoint: 'https://s3.example.com', bucket: 'worlds-of-mine' },
  game: { image: 'ghcr.io/you/mmo-server:0.4.2', imageUnverified: 'this is a test', protocolId: '0x4d4d4f0000000001', build: '0.4.2' },
  realms: [
    {
      name: 'aurora',
      exposure: { type: 'own-address' },
      continents: [
        { name: 'eldermoor', address: '192.168.1.245', port: 40000 },
        { name: 'sunreach', address: '192.168.1.246', port: 40001 },
      ],
    },
    {
      name: 'borealis',
      exposure: { type: 'shared-address', address: '192.168.1.247' },
      continents: [
        { name: 'frosthold', port: 40002 },
        { name: 'icewind', port: 40003 },
      ],
      capacity: 200,
    },
  ],
  instances: [
    { name: 'dungeon', capacity: 5, autoscaling: { policy: 'buffer', ready: 2, max: 20 } },
    {
      name: 'raid',
      capacity: 25,
      autoscaling: {
        policy: 'schedule',
        windows: [{ name: 'evening', timeZone: 'Europe/Berlin', start: '0 19 * * 3,5,6', duration: '4h', ready: 3, max: 8 }],
        otherwise: { ready: 1, max: 4 },
      },
    },
    { name: 'battleground', capacity: 40, rooms: 4, autoscaling: { policy: 'counter', counter: 'rooms', free: 4, max: 6 } },
  ],
});

/** A laptop: no load balancer, no backups. */
export const local = defineCluster({
  name: 'local',
  kubernetes: { apiServer: { addresses: ['172.18.0.2'] }, loadBalancer: 'none' },
  nodes: [{ name: 'local-control-plane', address: '172.18.0.2', publicAddress: '127.0.0.1' }],
  git: { repository: 'https://github.com/you/mmo-backend.git' },
  domain: 'mmo.localhost.test',
  network: { instancePorts: { first: 7000, last: 7009 } },
  certificates: { issuer: 'self-signed' },
  game: {
    image: 'ghcr.io/you/mmo-server:0.4.2',
    imageUnverified: 'this is a test',
    protocolId: '0x4d4d4f0000000001',
    build: '0.4.2',
    announceSeconds: 5,
    saveSeconds: 10,
  },
  realms: [
    {
      name: 'aurora',
      exposure: { type: 'host-port' },
      continents: [{ name: 'eldermoor', port: 40000, node: 'local-control-plane' }],
      capacity: 20,
      storage: '1Gi',
    },
  ],
  instances: [{ name: 'dungeon', capacity: 5, autoscaling: { policy: 'buffer', ready: 1, max: 3 } }],
});

export interface Built {
  readonly cluster: Cluster;
  readonly objects: readonly PlainObject[];
  readonly secrets: readonly SecretSpec[];
  /** What the synth says. */
  readonly warnings: readonly string[];
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
  const warnings: string[] = [];
  const context = {
    cluster,
    namespaces: [],
    warn: (message: string) => warnings.push(message),
    secret: (_: Chart, spec: SecretSpec) => secrets.push(spec),
  } as unknown as BuildContext;
  const app = new App();
  const byApplication = new Map<string, PlainObject[]>();
  for (const application of component.applications(cluster)) {
    const chart = new Chart(app, application.name, { disableResourceNameHashes: true });
    application.build(chart, context);
    byApplication.set(
      application.name,
      objectsOf(chart).map(({ manifest }) => manifest),
    );
  }
  const objects = [...byApplication.values()].flat();
  const find = (kind: string, id: string) =>
    objects.find((object) => object.kind === kind && `${object.metadata.namespace}/${object.metadata.name}` === id);
  return {
    cluster,
    objects,
    secrets,
    warnings,
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

/** Every mistake of a description; none when it is right. */
export function mistakesOf(description: ClusterDescription): readonly Mistake[] {
  try {
    resolveCluster(description);
    return [];
  } catch (error) {
    if (error instanceof DescriptionError) return error.mistakes;
    throw error;
  }
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
