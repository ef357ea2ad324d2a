/** Policies follow from flows, at both ends. */
import { App, Chart } from 'cdk8s';
import { objectsOf } from '../lib/emit/manifest';
import type { Flow } from '../lib/flows';
import { resolveCluster } from '../lib/model/cluster';
import { NetworkPlan } from '../lib/network-policies';
import { validDescription } from './model/fixture';

const cluster = resolveCluster(validDescription());
const client = { namespace: 'a', name: 'client', labels: { app: 'client' } };
const server = { namespace: 'b', name: 'server', labels: { app: 'server' } };

function specs(namespace: string, flows: Flow[]): Record<string, unknown> {
  const chart = new Chart(new App(), 'x');
  new NetworkPlan(cluster, flows).emit(chart, namespace);
  return Object.fromEntries(objectsOf(chart).map(({ manifest }) => [manifest.metadata.name, manifest.spec]));
}

const flow: Flow = { from: client, to: server, ports: [{ port: 80 }], because: 'a test' };

test('a namespace without flows denies everything', () => {
  expect(specs('c', [flow])['default-deny']).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
});

test('a flow is egress at its source', () => {
  expect(specs('a', [flow]).client).toEqual({
    podSelector: { matchLabels: { app: 'client' } },
    policyTypes: ['Egress'],
    egress: [
      {
        to: [
          { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'b' } }, podSelector: { matchLabels: { app: 'server' } } },
        ],
        ports: [{ port: 80 }],
      },
    ],
  });
});

test('the same flow is ingress at its destination', () => {
  expect(specs('b', [flow]).server).toEqual({
    podSelector: { matchLabels: { app: 'server' } },
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [
          { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'a' } }, podSelector: { matchLabels: { app: 'client' } } },
        ],
        ports: [{ port: 80 }],
      },
    ],
  });
});

test('a peer in the same namespace is named by its pods alone', () => {
  const near = { ...server, namespace: 'a' };
  expect(specs('a', [{ ...flow, to: near }]).client).toMatchObject({
    egress: [{ to: [{ podSelector: { matchLabels: { app: 'server' } } }] }],
  });
});

test('a group is one peer, so that another member changes nothing at the other end', () => {
  const group = { namespaceLabels: { role: 'game' }, podLabels: { game: 'true' }, members: [client] };
  const one = specs('b', [{ ...flow, from: group }]);
  const two = specs('b', [{ ...flow, from: { ...group, members: [client, { ...client, namespace: 'c' }] } }]);
  expect(two).toEqual(one);
});

test('every member of a group gets its own end', () => {
  const group = { namespaceLabels: { role: 'game' }, podLabels: { game: 'true' }, members: [client] };
  expect(Object.keys(specs('a', [{ ...flow, from: group }]))).toContain('client');
});

test('anywhere is a rule without peers', () => {
  expect(specs('b', [{ ...flow, from: { outside: 'anywhere' } }]).server).toMatchObject({ ingress: [{ ports: [{ port: 80 }] }] });
});

test('the API server is its addresses', () => {
  expect(specs('a', [{ ...flow, to: { outside: 'api-server' }, ports: [{ port: 6443 }] }]).client).toMatchObject({
    egress: [{ to: [{ ipBlock: { cidr: '192.168.1.11/32' } }] }],
  });
});

test('the Internet excludes private networks', () => {
  const policy = JSON.stringify(specs('a', [{ ...flow, to: { outside: 'internet' } }]).client);
  expect(policy).toContain('"except":["10.0.0.0/8","100.64.0.0/10","127.0.0.0/8","169.254.0.0/16","172.16.0.0/12","192.168.0.0/16"]');
});

test('the order in which flows are declared does not matter', () => {
  const other: Flow = { from: { outside: 'nodes' }, to: server, ports: [{ port: 80 }], because: 'another' };
  expect(JSON.stringify(specs('b', [flow, other]))).toBe(JSON.stringify(specs('b', [other, flow])));
});

test('one workload with two selectors is refused', () => {
  expect(() => new NetworkPlan(cluster, [flow, { ...flow, to: { ...server, labels: { app: 'x' } } }])).toThrow(
    "Two flows name the workload 'server' in namespace 'b' with different labels",
  );
});
