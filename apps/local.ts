/**
 * The cluster `local`: kind or k3d on a laptop, for trying everything out.
 * It deliberately lacks what a laptop cannot have (addresses of a LAN, public certificates, a backup store); the synth says what is left out and why.
 */
import { defineCluster } from '../lib/model/cluster';

export const local = defineCluster({
  name: 'local',
  kubernetes: { apiServer: { addresses: ['172.18.0.2'] }, loadBalancer: 'none' },
  nodes: [{ name: 'local-control-plane', address: '172.18.0.2', publicAddress: '127.0.0.1' }],
  git: { repository: 'https://github.com/you/mmo-backend.git', revision: 'main' },
  domain: 'mmo.localhost.test',
  network: { instancePorts: { first: 7000, last: 7009 } },
  certificates: { issuer: 'self-signed' },
  game: {
    image: 'ghcr.io/you/mmo-server:0.4.2',
    imageUnverified: 'this is the example; your own image goes here, with the digest that its build prints',
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
      resources: { cpu: '100m', memory: '256Mi' },
    },
  ],
  instances: [
    { name: 'dungeon', capacity: 5, autoscaling: { policy: 'buffer', ready: 1, max: 3 }, resources: { cpu: '50m', memory: '128Mi' } },
  ],
  broker: { registration: 'open' },
  database: { storage: '1Gi', resources: { cpu: '100m', memory: '256Mi' } },
  monitoring: { metricsRetentionDays: 2, metricsStorage: '2Gi', logsRetentionDays: 2, logsStorage: '2Gi' },
});
