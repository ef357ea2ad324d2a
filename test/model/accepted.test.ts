/** Descriptions that look like one of the mistakes of test/model/invalid and are none: a rule that refused them would be in somebody's way. */
import { resolveCluster } from '../../lib/model/cluster';
import { exampleLocal } from '../examples';
import { validDescription } from './fixture';

// biome-ignore lint/suspicious/noExplicitAny: fields of a union are changed one by one.
type Mutable = any;

const accepted: [string, (description: Mutable) => void][] = [
  [
    'a backup store in the cluster where the cluster is a laptop',
    (d) => {
      Object.assign(d, structuredClone(exampleLocal), { backups: { endpoint: 'https://minio.storage.svc:9000', bucket: 'backups' } });
    },
  ],
  [
    "a world's port among the instances' while nobody comes from the Internet",
    (d) => {
      delete d.network.publicAddress;
      d.realms[0].continents[1].port = 7010;
    },
  ],
  [
    "a world's port among the instances' while there are no instances",
    (d) => {
      d.instances = [];
      d.realms[0].continents[1].port = 7010;
    },
  ],
  [
    "a world's port among the instances' while the node of the instances has another public address",
    (d) => {
      d.nodes[1].publicAddress = '203.0.113.8';
      d.realms[0].continents[1].port = 7010;
    },
  ],
  [
    "a retired world's port among the instances'",
    (d) => {
      d.realms[0].continents[1].port = 7010;
      d.realms[0].continents[1].state = 'retired';
    },
  ],
  [
    "a port of a retired realm among the instances'",
    (d) => {
      d.realms[0].continents[1].port = 7010;
      d.realms[0].state = 'retired';
    },
  ],
  [
    'as many servers as the ports of all nodes while instances are pinned to none',
    (d) => {
      delete d.network.instanceNode;
      delete d.network.publicAddress;
      d.network.instancePorts = { first: 7000, last: 7012 };
    },
  ],
  [
    'a user without a password in an address of SSH',
    (d) => {
      d.git.repository = 'ssh://git@git.homelab.io/you/mmo-backend.git';
    },
  ],
  [
    'an @ in the path of the repository',
    (d) => {
      d.git.repository = 'https://git.homelab.io/@you/mmo-backend.git';
    },
  ],
  [
    'a host name as public address',
    (d) => {
      d.network.publicAddress = 'home.homelab.io';
    },
  ],
  [
    'a capacity of a realm that no continent has',
    (d) => {
      d.realms[0].capacity = 5000;
      for (const continent of d.realms[0].continents) continent.capacity = 100;
    },
  ],
  ...[
    ['the 29 of February', '15 3 29 2 *'],
    ['a day that one of the months has', '15 3 31 2,3 *'],
    ['a day of every month, some of which lack it', '15 3 31 * *'],
    ['days of February from the first on', '15 3 */10 2 *'],
    ['days from a first one on', '15 3 20/5 2 *'],
    ['a day of the week beside a date that never comes', '15 3 31 2 1'],
  ].map(([name, schedule]): [string, (description: Mutable) => void] => [
    `${name} in a schedule`,
    (d) => {
      d.backups.databaseSchedule = schedule;
    },
  ]),
];

test.each(accepted)('%s', (_, change) => {
  const description = validDescription();
  change(description);
  expect(() => resolveCluster(description)).not.toThrow();
});
