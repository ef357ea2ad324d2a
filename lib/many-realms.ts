/**
 * A description with any number of realms, for the benchmark and for tests of scale.
 * It deliberately is valid and ordinary: one continent a realm, with an address of its own.
 */

import { fromNumber, toNumber } from './model/addresses';
import type { ClusterDescription } from './model/cluster';

/** Continents of each realm. */
const CONTINENTS = 1;

/** @param count realms, at most 30,000 (addresses of 10.0.0.0/8 are used one by one) */
export function manyRealms(count: number): ClusterDescription {
  const first = toNumber('10.64.0.10');
  return {
    name: 'bench',
    kubernetes: { apiServer: { addresses: ['10.0.0.11'] } },
    nodes: ['10.0.0.11', '10.0.0.12', '10.0.0.13'].map((address, index) => ({ name: `node-${index + 1}`, address })),
    git: { repository: 'https://github.com/you/mmo-backend.git' },
    domain: 'mmo.homelab.io',
    network: { pool: '10.64.0.0/15', ingress: '10.64.0.1', adminIngress: '10.64.0.2', dns: '10.64.0.3' },
    certificates: { issuer: 'letsencrypt', email: 'you@homelab.io', dns01: { cloudflare: { zone: 'homelab.io' } } },
    backups: { endpoint: 'https://s3.example.net', bucket: 'bench-backups' },
    game: {
      image: 'ghcr.io/you/mmo-server:1.0.0',
      imageUnverified: 'a benchmark pulls nothing',
      protocolId: '0x4d4d4f0000000001',
      build: '1.0.0',
    },
    realms: Array.from({ length: count }, (_, realm) => ({
      name: `realm-${realm}`,
      exposure: { type: 'own-address' as const },
      continents: Array.from({ length: CONTINENTS }, (_, continent) => ({
        name: `continent-${continent}`,
        address: fromNumber(first + realm * CONTINENTS + continent),
      })),
    })),
    instances: [{ name: 'dungeon', capacity: 5, autoscaling: { policy: 'buffer', ready: 2, max: 20 } }],
  };
}
