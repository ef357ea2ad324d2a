/** Address pools: exactly what is used, games apart from ingress and DNS, and nothing by itself. */
import { metallb } from '../../charts/metallb';
import { resolveCluster } from '../../lib/model/cluster';
import { validateObject } from '../../lib/schemas';
import { exampleHomelab as homelab, exampleLocal as local } from '../examples';
import { built, homelabWith } from './game-harness';

const { objects } = built(metallb, homelab);
const realms = homelab.realms ?? [];

function pool(name: string, description = homelab): string[] | undefined {
  return built(metallb, description).find('IPAddressPool', `metallb-system/${name}`)?.spec.addresses;
}

test('the pools and advertisements of the example', () => {
  expect(objects.filter(({ kind }) => kind !== 'PrometheusRule')).toMatchSnapshot();
});

test('every object is valid against the schemas', () => {
  expect(objects.flatMap(validateObject)).toEqual([]);
});

test('no pool hands out an address by itself', () => {
  expect(objects.filter(({ kind }) => kind === 'IPAddressPool').map(({ spec }) => spec.autoAssign)).toEqual([false, false]);
});

test('every pool is announced', () => {
  const pools = objects.filter(({ kind }) => kind === 'IPAddressPool').map(({ metadata }) => metadata.name);
  expect(objects.filter(({ kind }) => kind === 'L2Advertisement').flatMap(({ spec }) => spec.ipAddressPools)).toEqual(pools);
});

test('no game can take the address of ingress or DNS: no address is in two pools', () => {
  expect(pool('ingress')?.filter((address) => pool('games')?.includes(address))).toEqual([]);
});

test('a shared address is in the pool once', () => {
  expect(pool('games')?.filter((address) => address === '192.168.1.247/32')).toHaveLength(1);
});

test('a retired realm gives its address back', () => {
  const description = homelabWith({ realms: realms.map((realm) => (realm.name === 'borealis' ? { ...realm, state: 'retired' } : realm)) });
  expect(pool('games', description)).toEqual(['192.168.1.245/32', '192.168.1.246/32']);
});

test('a retired continent gives its own address back and keeps the others', () => {
  const description = homelabWith({
    realms: realms.map((realm) => ({
      ...realm,
      continents: realm.continents.map((continent) =>
        continent.name === 'sunreach' ? { ...continent, state: 'retired' as const } : continent,
      ),
    })),
  });
  expect(pool('games', description)).toEqual(['192.168.1.245/32', '192.168.1.247/32']);
});

test('there is no pool for games without worlds, because MetalLB refuses an empty one', () => {
  expect(pool('games', homelabWith({ realms: [] }))).toBeUndefined();
});

test('addresses are in numerical order, so that adding one moves no line', () => {
  const description = homelabWith({
    network: {
      ...homelab.network,
      pool: '192.168.1.9-192.168.1.10',
      ingress: '192.168.1.10',
      adminIngress: '192.168.1.9',
      dns: undefined,
      instanceNode: 'a',
    },
    realms: [],
    nodes: [{ name: 'a', address: '192.168.1.2' }],
    kubernetes: { apiServer: { addresses: ['192.168.1.2'] } },
  });
  expect(pool('ingress', description)).toEqual(['192.168.1.9/32', '192.168.1.10/32']);
});

test('a cluster without a load balancer has none of it, and says why', () => {
  expect(metallb.enabled?.(resolveCluster(local))).toBe("kubernetes.loadBalancer is 'none': there are no addresses of the LAN to hand out");
});

test('pools come after the operator, whose webhook must answer first', () => {
  expect(metallb.applications(resolveCluster(homelab))[0]?.needs).toContain('metallb');
});

test('the namespace says why it is privileged', () => {
  expect(metallb.namespaces?.(resolveCluster(homelab))[0]).toMatchObject({
    podSecurity: 'privileged',
    because: expect.stringContaining('NET_RAW'),
  });
});
