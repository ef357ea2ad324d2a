/**
 * What the router forwards to the cluster, and what it never may: computed from the description, for people and for programs that set a router up.
 * It deliberately asks no router and changes nothing; where players dial is the broker's configuration (lib/constructs/broker-config.ts), from the same values.
 */
import { activeRealms, publicEndpoint } from './constructs/broker-config';
import type { Cluster } from './model/cluster';

/** One rule of a router: from the same ports of an address on the Internet. */
export interface Forward {
  readonly protocol: 'TCP' | 'UDP';
  readonly firstPort: number;
  readonly lastPort: number;
  /** Address in the LAN; the ports stay the same, because connect tokens carry those that players dial. */
  readonly to: string;
  /** The address or host name that players dial. */
  readonly publicAddress: string;
  readonly because: string;
}

export interface Forwarding {
  /** Empty without a public address: then players are in the LAN. */
  readonly forward: readonly Forward[];
  /** Addresses that must stay unreachable from the Internet. */
  readonly never: readonly { readonly address: string; readonly because: string }[];
}

export function forwarding(cluster: Cluster): Forwarding {
  const { network, nodes } = cluster;
  const forward: Forward[] = [];
  const add = (protocol: 'TCP' | 'UDP', firstPort: number, lastPort: number, to: string, publicAddress: string, because: string): void =>
    void forward.push({ protocol, firstPort, lastPort, to, publicAddress, because });
  const reachable = nodes.map((node) => ({ ...node, publicAddress: node.publicAddress ?? network.publicAddress }));
  // Without a load balancer Traefik answers on every node; the router sends to one.
  const [entrance] = cluster.hasLoadBalancer ? [] : reachable;
  const pageAt = network.publicAddress ?? entrance?.publicAddress;
  const ingress = network.ingress ?? entrance?.address;
  if (pageAt !== undefined && ingress !== undefined) {
    add('TCP', 443, 443, ingress, pageAt, 'the players’ page and the broker');
    add('TCP', 80, 80, ingress, pageAt, 'redirects to HTTPS, and certificates by HTTP-01');
  }
  for (const realm of activeRealms(cluster)) {
    for (const continent of realm.continents) {
      const { address, port } = publicEndpoint(cluster, realm, continent) ?? {};
      if (address !== undefined && port !== undefined)
        add('UDP', port, port, continent.lanAddress, address, `world ${continent.name} of ${realm.name}`);
    }
  }
  if (cluster.instances.length > 0) {
    const { first, last } = network.instancePorts;
    for (const { name, address, publicAddress } of reachable) {
      if (publicAddress !== undefined && (network.instanceNode ?? name) === name)
        add('UDP', first, last, address, publicAddress, `instances on ${name}`);
    }
  }
  const never = [
    { address: network.adminIngress, because: 'admin pages' },
    { address: network.dns, because: 'an open resolver is abused within hours' },
    ...cluster.kubernetes.apiServer.addresses.map((address) => ({
      address: `${address}:${cluster.kubernetes.apiServer.port}`,
      because: 'the API server',
    })),
  ];
  return { forward, never: never.flatMap(({ address, because }) => (address === undefined ? [] : [{ address, because }])) };
}

/** As a table for people, a line each. */
export function forwardingText(name: string, { forward, never }: Forwarding): string {
  const ports = ({ firstPort, lastPort }: Forward) => (firstPort === lastPort ? String(firstPort) : `${firstPort}-${lastPort}`);
  const rows = forward.map((each) => [`${each.protocol} ${ports(each)}`, `to ${each.to}`, each.because]);
  const width = (column: number) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  return [
    forward.length === 0 ? `${name}: nothing is forwarded, because there is no public address.` : `${name}: forward, to the same ports`,
    ...rows.map(([what = '', to = '', because = '']) => `  ${what.padEnd(width(0))}  ${to.padEnd(width(1))}  ${because}`),
    `${name}: never forward`,
    ...never.map(({ address, because }) => `  ${address}  ${because}`),
  ].join('\n');
}
