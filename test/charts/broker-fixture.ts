/**
 * What the tests of the broker and of its database share: two descriptions of their own (apps/ belongs to whoever runs the cluster), and a component built for one.
 * It deliberately builds one component alone: no store, no policies, no Argo CD.
 */
import { App, Chart } from 'cdk8s';
import type { BuildContext, Component } from '../../lib/component';
import { objectsOf, type PlainObject } from '../../lib/emit/manifest';
import { type ClusterDescription, defineCluster, resolveCluster } from '../../lib/model/cluster';
import type { SecretSpec } from '../../lib/secrets/spec';

const game = {
  image: `ghcr.io/you/mmo-server:0.4.2@sha256:${'a'.repeat(64)}`,
  protocolId: '0x4d4d4f0000000001',
  build: '0.4.2',
};
const git = { repository: 'https://github.com/you/mmo-backend.git' };

/** Three machines with everything. */
export const homelab = defineCluster({
  name: 'homelab',
  kubernetes: { apiServer: { addresses: ['192.168.1.11'] } },
  nodes: ['node-1', 'node-2', 'node-3'].map((name, index) => ({ name, address: `192.168.1.${11 + index}` })),
  git,
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
  backups: { endpoint: 'https://s3.eu-central-003.backblazeb2.com', bucket: 'you-mmo-backups' },
  game,
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
      continents: [{ name: 'frosthold', port: 40002 }],
    },
  ],
  instances: [
    { name: 'dungeon', capacity: 5, autoscaling: { policy: 'buffer', ready: 2, max: 20 } },
    { name: 'battleground', capacity: 40, rooms: 4, autoscaling: { policy: 'counter', counter: 'rooms', free: 4, max: 6 } },
  ],
});

/** One machine without load balancer, DNS and backups. */
export const laptop = defineCluster({
  name: 'laptop',
  kubernetes: { apiServer: { addresses: ['172.18.0.2'] }, loadBalancer: 'none' },
  nodes: [{ name: 'node-1', address: '172.18.0.2', publicAddress: '127.0.0.1' }],
  git,
  domain: 'mmo.localhost.test',
  network: { instancePorts: { first: 7000, last: 7009 } },
  certificates: { issuer: 'self-signed' },
  game,
  realms: [{ name: 'aurora', exposure: { type: 'host-port' }, continents: [{ name: 'eldermoor', port: 40000, node: 'node-1' }] }],
  broker: { registration: 'open' },
  database: { storage: '1Gi', resources: { cpu: '100m', memory: '256Mi' } },
});

/** The homelab with some fields exchanged. */
export function change(patch: Partial<ClusterDescription>): ClusterDescription {
  return { ...homelab, ...patch };
}

export interface Built {
  readonly objects: readonly PlainObject[];
  readonly secrets: readonly SecretSpec[];
  readonly warnings: readonly string[];
}

/** All objects of all Applications of a component, with the Secrets and warnings that it declares. */
export function build(component: Component, description: ClusterDescription): Built {
  const cluster = resolveCluster(description);
  const chart = new Chart(new App(), component.name);
  const secrets: SecretSpec[] = [];
  const warnings: string[] = [];
  const context: BuildContext = {
    cluster,
    namespaces: [],
    recoveryDrillDue: undefined,
    warn: (message) => warnings.push(message),
    secret: (_chart, spec) => secrets.push(spec),
  };
  for (const application of component.applications(cluster)) application.build(chart, context);
  return { objects: objectsOf(chart).map(({ manifest }) => manifest), secrets, warnings };
}

/** The object of that kind and name; throws with what there is instead. */
export function find({ objects }: Built, kind: string, name: string): PlainObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`no ${kind} '${name}' among ${objects.map((each) => `${each.kind} ${each.metadata.name}`).join(', ')}`);
  return found;
}

/** Argo CD's wave of an object; undefined is wave 0. */
export function waveOf(object: PlainObject): string | undefined {
  return object.metadata.annotations?.['argocd.argoproj.io/sync-wave'];
}
