/**
 * Cases of the check `load-balancer-addresses`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { loadBalancerAddresses } from '../../lib/checks/load-balancer-addresses';
import type { PlainObject } from '../../lib/emit/manifest';
import { changed, cluster, excepting, goodObjects, sentencesOf, withMore, without } from './fixture';

const check = loadBalancerAddresses;
const world = 'Service realm-aurora/eldermoor-public';
const pool = 'IPAddressPool metallb-system/games';
const address = 'metadata.annotations[metallb.io/loadBalancerIPs]';

/** A second world's Service. */
function second(annotations: Record<string, string>, spec: object): PlainObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'sunreach-public', namespace: 'realm-aurora', annotations: { 'metallb.io/address-pool': 'games', ...annotations } },
    spec: {
      type: 'LoadBalancer',
      selector: { 'mmo/realm': 'aurora', 'mmo/continent': 'sunreach' },
      ports: [{ name: 'game', port: 40000, protocol: 'UDP' }],
      ...spec,
    },
  };
}

/** Two Services on 192.168.1.245, of which both say that they share it. */
function sharing(first: object, other: object): ReturnType<typeof goodObjects> {
  const key = { 'metallb.io/allow-shared-ip': 'games' };
  const objects = changed(world, ({ metadata, spec }) => {
    Object.assign(metadata.annotations ?? {}, key);
    delete spec.externalTrafficPolicy;
    Object.assign(spec, first);
  });
  objects.push({
    application: 'realms',
    exceptions: [],
    manifest: second({ ...key, 'metallb.io/loadBalancerIPs': '192.168.1.245' }, other),
  });
  return objects;
}

const otherPort = { ports: [{ name: 'game', port: 40001, protocol: 'UDP' }] };

describe('addresses in the LAN', () => {
  it('are right in a whole cluster', () => {
    expect(sentencesOf(check)).toEqual([]);
  });

  it.each<[string, string, (manifest: PlainObject) => void, string]>([
    [
      'a Service without one',
      world,
      ({ metadata }) => {
        delete metadata.annotations?.['metallb.io/loadBalancerIPs'];
      },
      `${world} ${address}: The Service names no address, so it would get whichever is free.`,
    ],
    [
      'one outside of the description',
      world,
      ({ metadata }) => {
        Object.assign(metadata.annotations ?? {}, { 'metallb.io/loadBalancerIPs': '192.168.1.99' });
      },
      `${world} ${address}: 192.168.1.99 is not within the addresses that the description gives to MetalLB, 192.168.1.240-192.168.1.250.`,
    ],
    [
      'one of another pool',
      world,
      ({ metadata }) => {
        Object.assign(metadata.annotations ?? {}, { 'metallb.io/loadBalancerIPs': '192.168.1.241' });
      },
      `${world} ${address}: 192.168.1.241 is not in pool 'games' (192.168.1.243-192.168.1.250), which the Service names.`,
    ],
    [
      "Traefik's",
      world,
      ({ metadata }) => {
        Object.assign(metadata.annotations ?? {}, { 'metallb.io/loadBalancerIPs': '192.168.1.240', 'metallb.io/address-pool': 'ingress' });
      },
      `${world} ${address}: 192.168.1.240 belongs to a Service of chart traefik already, and neither says by the same 'metallb.io/allow-shared-ip' that they share it.`,
    ],
    [
      'something that is none',
      world,
      ({ metadata }) => {
        Object.assign(metadata.annotations ?? {}, { 'metallb.io/loadBalancerIPs': 'mmo.example.org' });
      },
      `${world} ${address}: 'mmo.example.org' is not an IPv4 address.`,
    ],
    [
      'a pool that does not exist',
      world,
      ({ metadata }) => {
        Object.assign(metadata.annotations ?? {}, { 'metallb.io/address-pool': 'game' });
      },
      `${world} metadata.annotations[metallb.io/address-pool]: There is no IPAddressPool 'game'; the pools are 'ingress', 'games'.`,
    ],
    [
      'no pool',
      world,
      ({ metadata }) => {
        delete metadata.annotations?.['metallb.io/address-pool'];
      },
      `${world} metadata.annotations[metallb.io/address-pool]: The Service names no pool.`,
    ],
    [
      "MetalLB's old annotation",
      world,
      ({ metadata }) => {
        Object.assign(metadata.annotations ?? {}, { 'metallb.universe.tf/allow-shared-ip': 'x' });
      },
      `${world} metadata.annotations[metallb.universe.tf/allow-shared-ip]: MetalLB's old annotation 'metallb.universe.tf/allow-shared-ip' is going away.`,
    ],
    [
      'the deprecated field',
      world,
      ({ spec }) => {
        spec.loadBalancerIP = '192.168.1.245';
      },
      `${world} spec.loadBalancerIP: '192.168.1.245' is written in a field that Kubernetes has deprecated.`,
    ],
    [
      'a pool that anybody draws from',
      pool,
      ({ spec }) => {
        delete spec.autoAssign;
      },
      `${pool} spec.autoAssign: Services that ask for no address would get one of pool 'games'.`,
    ],
    [
      'a pool beyond the description',
      pool,
      ({ spec }) => {
        spec.addresses.push('192.168.1.251-192.168.1.252');
      },
      `${pool} spec.addresses: '192.168.1.251-192.168.1.252' is not within the addresses that the description gives to MetalLB, 192.168.1.240-192.168.1.250.`,
    ],
    [
      'pools that overlap',
      pool,
      ({ spec }) => {
        spec.addresses = ['192.168.1.242-192.168.1.250'];
      },
      `${pool} spec.addresses: '192.168.1.242-192.168.1.250' overlaps '192.168.1.240-192.168.1.242' of pool 'ingress'; MetalLB refuses both.`,
    ],
    [
      'a pool that is none',
      pool,
      ({ spec }) => {
        spec.addresses.push('192.168.1.250-192.168.1.243');
      },
      `${pool} spec.addresses[1]: '192.168.1.250-192.168.1.243' ends before it begins; write it as '192.168.1.243-192.168.1.250'.`,
    ],
    [
      'a pool that is not advertised',
      'L2Advertisement metallb-system/lan',
      ({ spec }) => {
        spec.ipAddressPools = ['ingress'];
      },
      `${pool} metadata.name: No L2Advertisement names pool 'games', so nobody in the LAN learns where its addresses are.`,
    ],
  ])('refuse %s', (_, id, change, sentence) => {
    expect(sentencesOf(check, changed(id, change))).toEqual([sentence]);
  });

  it("refuse a pool that covers a node's", () => {
    const nodes = [...cluster.nodes, { name: 'node-3', address: '192.168.1.250' }];
    expect(sentencesOf(check, goodObjects(), { cluster: { ...cluster, nodes } })).toEqual([
      `${pool} spec.addresses: '192.168.1.243-192.168.1.250' covers 192.168.1.250, the address of node 'node-3'.`,
    ]);
  });

  it('refuse a Service that waits for a load balancer that the cluster does not have', () => {
    expect(sentencesOf(check, goodObjects(), { cluster: { ...cluster, hasLoadBalancer: false } })).toEqual([
      `${world} spec.type: This cluster has no load balancer (kubernetes.loadBalancer is "none"), so the Service stays pending for ever.`,
    ]);
  });

  it('refuse two Services on one of them that do not say so', () => {
    const objects = withMore('realms', second({ 'metallb.io/loadBalancerIPs': '192.168.1.245' }, otherPort));
    expect(sentencesOf(check, objects)).toEqual([
      "Service realm-aurora/sunreach-public metadata.annotations[metallb.io/allow-shared-ip]: 192.168.1.245 belongs to realm-aurora/eldermoor-public already, and neither says by the same 'metallb.io/allow-shared-ip' that they share it.",
    ]);
  });

  it('accept two Services on one of them with different ports', () => {
    expect(sentencesOf(check, sharing({}, otherPort))).toEqual([]);
  });

  it('refuse two Services on one of them with the same port', () => {
    expect(sentencesOf(check, sharing({}, {}))).toEqual([
      'Service realm-aurora/sunreach-public spec.ports: 192.168.1.245 port 40000/UDP belongs to realm-aurora/eldermoor-public already.',
    ]);
  });

  it('accept the same port number of two protocols', () => {
    expect(sentencesOf(check, sharing({}, { ports: [{ port: 40000 }] }))).toEqual([]);
  });

  it('refuse to share one under the traffic policy Local', () => {
    expect(sentencesOf(check, sharing({ externalTrafficPolicy: 'Local' }, { ...otherPort, externalTrafficPolicy: 'Local' }))).toEqual([
      'Service realm-aurora/sunreach-public spec.externalTrafficPolicy: It shares 192.168.1.245 with realm-aurora/eldermoor-public under the traffic policies Local and Local; with Local MetalLB shares an address only between Services of one selector.',
    ]);
  });

  it('accept to share one under Local between Services of one selector', () => {
    const local = { externalTrafficPolicy: 'Local', selector: { 'mmo/realm': 'aurora', 'mmo/continent': 'eldermoor' } };
    expect(sentencesOf(check, sharing(local, { ...otherPort, ...local }))).toEqual([]);
  });

  it('are free again when a Service is gone', () => {
    expect(sentencesOf(check, without(world))).toEqual([]);
  });

  it('may be others where the object says why', () => {
    const objects = changed(pool, ({ spec }) => {
      spec.autoAssign = true;
    });
    expect(sentencesOf(check, excepting(objects, pool, { rule: check.id, field: 'spec.autoAssign', reason: 'a bench' }))).toEqual([]);
  });
});
