/** What the router must forward: everything that players need from the Internet, and nothing else. */
import { resolveCluster } from '../../lib/model/cluster';
import { type PortForward, portForwards } from '../../lib/model/port-forwards';
import { exampleHomelab, exampleLocal } from '../examples';

const lines = (forwards: readonly PortForward[]) => forwards.map(({ protocol, first, last, to }) => `${protocol} ${first}-${last} ${to}`);
// biome-ignore lint/suspicious/noExplicitAny: fields are changed one by one.
const homelab = (change: (description: any) => void = () => undefined) => {
  const description = structuredClone(exampleHomelab);
  change(description);
  return portForwards(resolveCluster(description));
};

test("the example's list is the entry point, each world and the instances", () => {
  expect(lines(homelab())).toEqual([
    'TCP 443-443 192.168.1.240',
    'TCP 80-80 192.168.1.240',
    'UDP 40000-40000 192.168.1.245',
    'UDP 40001-40001 192.168.1.246',
    'UDP 40002-40002 192.168.1.247',
    'UDP 40003-40003 192.168.1.247',
    'UDP 7000-7063 192.168.1.13',
  ]);
});

test('addresses of admin pages and of DNS are never in it', () => {
  const { adminIngress, dns } = exampleHomelab.network;
  expect(homelab().filter(({ to }) => to === adminIngress || to === dns)).toEqual([]);
});

test('a retired continent is not in it', () => {
  const retired = homelab((d) => {
    d.realms[0].continents[0].state = 'retired';
  });
  expect(retired.filter(({ purpose }) => purpose.includes('eldermoor'))).toEqual([]);
});

test('without a public address there is nothing to forward', () => {
  expect(
    homelab((d) => {
      delete d.network.publicAddress;
      delete d.network.instanceNode;
    }),
  ).toEqual([]);
});

test('nodes with public addresses of their own need no router', () => {
  expect(portForwards(resolveCluster(exampleLocal))).toEqual([]);
});
