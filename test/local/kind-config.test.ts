/** The kind configuration that is made for the example `local` publishes exactly the ports that it uses on its node. */
import { buildCluster } from '../../lib/build';
import { fitsKind, kindConfig } from '../../lib/local/kind-config';
import { resolveCluster } from '../../lib/model/cluster';
import { memoryStore } from '../../lib/secrets/store';
import { exampleHomelab, exampleLocal } from '../examples';

const cluster = resolveCluster(exampleLocal);
const config = kindConfig(buildCluster(cluster, { store: memoryStore('everything') }));
const mappings = config.nodes.flatMap((node) => node.extraPortMappings);

test('it publishes the ports of Traefik, of the world and of instances, and no other', () => {
  expect(mappings.map(({ containerPort, protocol = 'TCP' }) => `${protocol} ${containerPort}`)).toEqual([
    'TCP 80',
    'TCP 443',
    'TCP 8444',
    ...Array.from({ length: 10 }, (_, index) => `UDP ${7000 + index}`),
    'UDP 40000',
  ]);
});

test('a port of the node has the same number outside of it, because tokens carry the number that players dial', () => {
  expect(mappings.filter(({ containerPort, hostPort }) => containerPort !== hostPort)).toEqual([]);
});

test('every port is open on this machine only', () => {
  expect(mappings.filter(({ listenAddress }) => listenAddress !== '127.0.0.1')).toEqual([]);
});

test('kind names the node as the description does', () => {
  expect(cluster.nodes.map((node) => node.name)).toEqual([`${config.name}-control-plane`]);
});

test('a cluster with a load balancer and several nodes is none that kind makes', () => {
  expect([fitsKind(cluster), fitsKind(resolveCluster(exampleHomelab))]).toEqual([true, false]);
});
