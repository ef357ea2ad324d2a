/**
 * Two fixed descriptions that tests and generated pages assert facts of: a home of three machines with everything, and a laptop that lacks what a laptop cannot have.
 * They deliberately are not apps/: that folder belongs to whoever runs the clusters, and a realm or an address of their own there must break no test.
 */
import { defineCluster } from '../lib/model/cluster';

/** Three machines, MetalLB, Let's Encrypt, Pi-hole and backups; a realm of each kind of address and a content type of each autoscaling policy. */
export const exampleHomelab = defineCluster({
  name: 'homelab',
  kubernetes: { apiServer: { addresses: ['192.168.1.11'] } },
  nodes: [
    { name: 'node-1', address: '192.168.1.11' },
    { name: 'node-2', address: '192.168.1.12' },
    { name: 'node-3', address: '192.168.1.13' },
  ],
  git: { repository: 'https://github.com/you/mmo-backend.git', revision: 'main' },
  domain: 'mmo.homelab.io',
  network: {
    pool: '192.168.1.240-192.168.1.254',
    ingress: '192.168.1.240',
    dns: '192.168.1.241',
    adminIngress: '192.168.1.242',
    publicAddress: '203.0.113.7',
    instanceNode: 'node-3',
    instancePorts: { first: 7000, last: 7063 },
  },
  storage: { class: 'longhorn', expandable: true },
  certificates: {
    issuer: 'letsencrypt',
    email: 'you@homelab.io',
    dns01: { cloudflare: { zone: 'homelab.io' } },
  },
  monitoring: {
    notify: { discord: true, quietHours: { from: '23:00', to: '08:00', timeZone: 'Europe/Berlin' }, deadMansSwitch: true },
  },
  backups: { endpoint: 'https://s3.eu-central-003.backblazeb2.com', bucket: 'you-mmo-backups' },
  game: {
    image: 'ghcr.io/you/mmo-server:0.4.2',
    imageUnverified: 'this is the example; your own image goes here, with the digest that its build prints',
    protocolId: '0x4d4d4f0000000001',
    build: '0.4.2',
  },
  realms: [
    {
      name: 'aurora',
      exposure: { type: 'own-address' },
      continents: [
        { name: 'eldermoor', address: '192.168.1.245', port: 40000 },
        { name: 'sunreach', address: '192.168.1.246', port: 40001 },
      ],
      capacity: 500,
      storage: '20Gi',
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

/** kind or k3d: no load balancer, no DNS, certificates of its own, no backups. */
export const exampleLocal = defineCluster({
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
