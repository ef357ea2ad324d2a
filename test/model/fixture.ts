/** A valid description to break: small, complete, and with every kind of entry. One file of test/model/invalid breaks it in one way. */
import type { ClusterDescription } from '../../lib/model/cluster';

export interface InvalidFixture {
  /** Makes the one mistake. */
  // biome-ignore lint/suspicious/noExplicitAny: mistakes are what the types would refuse.
  readonly change: (description: any) => void;
  /** `path: sentence`, all that must be said. */
  readonly mistakes: readonly string[];
}

export function validDescription(): ClusterDescription {
  return {
    name: 'test',
    kubernetes: { apiServer: { addresses: ['192.168.1.11'] } },
    nodes: [
      { name: 'node-1', address: '192.168.1.11' },
      { name: 'node-2', address: '192.168.1.12' },
    ],
    git: { repository: 'https://github.com/you/mmo-backend.git' },
    domain: 'mmo.homelab.io',
    network: {
      pool: '192.168.1.240-192.168.1.254',
      ingress: '192.168.1.240',
      dns: '192.168.1.241',
      adminIngress: '192.168.1.242',
      publicAddress: '203.0.113.7',
      instanceNode: 'node-2',
    },
    certificates: { issuer: 'letsencrypt', email: 'you@homelab.io', dns01: { cloudflare: { zone: 'homelab.io' } } },
    backups: { endpoint: 'https://s3.example.net', bucket: 'you-mmo-backups' },
    game: { image: `ghcr.io/you/mmo-server:1.0.0@sha256:${'a'.repeat(64)}`, protocolId: '0x4d4d4f0000000001', build: '1.0.0' },
    realms: [
      {
        name: 'aurora',
        exposure: { type: 'own-address' },
        continents: [
          { name: 'eldermoor', address: '192.168.1.245' },
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
      },
    ],
    instances: [
      { name: 'dungeon', capacity: 5, autoscaling: { policy: 'buffer', ready: 2, max: 20 } },
      { name: 'battleground', capacity: 40, rooms: 4, autoscaling: { policy: 'counter', counter: 'rooms', free: 4, max: 6 } },
    ],
  };
}
