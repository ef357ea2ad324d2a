/**
 * The cluster `homelab`: three machines at home, described. This file is all that you edit; `npm run synth` does the rest.
 * It deliberately holds no logic. Every field is explained in docs/reference/cluster.md.
 */
import { defineCluster } from '../lib/model/cluster';

export const homelab = defineCluster({
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
    ingress: '192.168.1.240', // forward TCP 80 and 443 of the router to it
    dns: '192.168.1.241', // give it to the LAN as DNS server
    adminIngress: '192.168.1.242', // never forward it
    publicAddress: '203.0.113.7', // or the host name of your dynamic DNS
    instanceNode: 'node-3', // the router forwards the next line's UDP ports to it
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
        { name: 'eldermoor', address: '192.168.1.245', port: 40000, order: 2 },
        { name: 'sunreach', address: '192.168.1.246', port: 40001, order: 1 },
      ],
      capacity: 500,
      storage: '20Gi',
      updates: { strategy: 'one-continent-at-a-time' },
    },
    {
      name: 'borealis',
      exposure: { type: 'shared-address', address: '192.168.1.247' },
      continents: [
        { name: 'frosthold', port: 40002 },
        { name: 'icewind', port: 40003 },
      ],
      capacity: 200,
      sleep: { afterMinutes: 60 },
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
