/**
 * Every address that the cluster has in the LAN is written down, in a pool that nobody draws from by chance, and belongs to one Service unless two say that they share it and can.
 * It deliberately does not judge what is published (admin-not-public does).
 */
import type { BuiltObject } from '../build';
import { type AddressRange, contains, isIPv4, overlaps, parseRange, toNumber } from '../model/addresses';
import { type Finding, list, reported } from './finding';
import type { Check, CheckInput } from './types';

export const loadBalancerAddresses: Check = {
  id: 'load-balancer-addresses',
  why: 'A Service without a pinned address takes any free one, perhaps the one that the router forwards to Traefik; one whose address it cannot have stays pending, and its Application with it.',
  run: (input) => {
    const pools = poolsOf(input);
    return reported(loadBalancerAddresses, input, [...poolFindings(input, pools), ...services(input, pools), ...sharing(input)]);
  },
};

const ADDRESSES = 'metallb.io/loadBalancerIPs';
const POOL = 'metallb.io/address-pool';
const SHARED = 'metallb.io/allow-shared-ip';
const LEGACY_PREFIX = 'metallb.universe.tf/';

interface PoolRange extends AddressRange {
  /** As it is written. */
  readonly text: string;
}

interface Pool {
  readonly by: BuiltObject;
  readonly name: string;
  /** By their first address, so that an address is found among hundreds of ranges without looking at all of them. */
  readonly ranges: readonly PoolRange[];
}

function poolsOf(input: CheckInput): Map<string, Pool> {
  return new Map(
    input.ofKind('IPAddressPool').map((by) => {
      const texts: readonly string[] = by.manifest.spec?.addresses ?? [];
      const ranges = texts.flatMap((text): PoolRange[] => {
        const range = parseRange(text);
        return typeof range === 'string' ? [] : [{ text, ...range }];
      });
      return [by.manifest.metadata.name, { by, name: by.manifest.metadata.name, ranges: ranges.sort((a, b) => a.first - b.first) }];
    }),
  );
}

/** Whether a pool holds the address. Ranges that overlap are refused elsewhere, so the last one that begins before the address decides. */
function holds({ ranges }: Pool, address: number): boolean {
  let [low, high] = [0, ranges.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((ranges[middle]?.first ?? 0) <= address) low = middle;
    else high = middle - 1;
  }
  const range = ranges[low];
  return range !== undefined && range.first <= address && address <= range.last;
}

function poolFindings(input: CheckInput, pools: ReadonlyMap<string, Pool>): Finding[] {
  const { cluster } = input.built;
  const findings: Finding[] = [];
  const whole = cluster.network.pool === undefined ? undefined : parseRange(cluster.network.pool);
  const nodes = cluster.nodes.map((node) => ({ ...node, number: toNumber(node.address) }));
  for (const { by, name, ranges } of pools.values()) {
    if (by.manifest.spec?.autoAssign !== false) {
      findings.push({
        by,
        field: 'spec.autoAssign',
        message: `Services that ask for no address would get one of pool '${name}'.`,
        fix: 'Set autoAssign to false; every Service names its address.',
      });
    }
    const texts: readonly string[] = by.manifest.spec?.addresses ?? [];
    texts.forEach((text, index) => {
      const problem = parseRange(text);
      if (typeof problem === 'string')
        findings.push({ by, field: `spec.addresses[${index}]`, message: problem, fix: 'Write a range or a block of IPv4 addresses.' });
    });
    for (const { text, first, last } of ranges) {
      if (typeof whole === 'object' && (first < whole.first || last > whole.last)) {
        findings.push({
          by,
          field: 'spec.addresses',
          message: `'${text}' is not within the addresses that the description gives to MetalLB, ${cluster.network.pool}.`,
          fix: "Use addresses of network.pool, or widen it; the router's DHCP must not hand them out.",
        });
      }
      for (const node of nodes.filter(({ number }) => number >= first && number <= last)) {
        findings.push({
          by,
          field: 'spec.addresses',
          message: `'${text}' covers ${node.address}, the address of node '${node.name}'.`,
          fix: "Leave the nodes' addresses out.",
        });
      }
    }
    if (!isAdvertised(input, name)) {
      findings.push({
        by,
        field: 'metadata.name',
        message: `No L2Advertisement names pool '${name}', so nobody in the LAN learns where its addresses are.`,
        fix: "Add it to the L2Advertisement's ipAddressPools.",
      });
    }
  }
  return [...findings, ...overlapping([...pools.values()])];
}

/** Ranges that share an address: in the order of their first addresses each is compared with the one that reaches farthest before it. */
function overlapping(pools: readonly Pool[]): Finding[] {
  const findings: Finding[] = [];
  const all = pools.flatMap((pool) => pool.ranges.map((range) => ({ pool, range }))).sort((a, b) => a.range.first - b.range.first);
  let before = all[0];
  for (const each of all.slice(1)) {
    if (before && overlaps(before.range, each.range)) {
      findings.push({
        by: each.pool.by,
        field: 'spec.addresses',
        message: `'${each.range.text}' overlaps '${before.range.text}' of pool '${before.pool.name}'; MetalLB refuses both.`,
        fix: 'Give each address to one pool.',
      });
    }
    if (!before || each.range.last > before.range.last) before = each;
  }
  return findings;
}

function isAdvertised(input: CheckInput, pool: string): boolean {
  return input.ofKind('L2Advertisement').some(({ manifest: { spec } }) => {
    const names: readonly string[] = spec?.ipAddressPools ?? [];
    // One that names none advertises all; one that selects by label is judged by resolved-selectors.
    return names.includes(pool) || names.length === 0;
  });
}

function services(input: CheckInput, pools: ReadonlyMap<string, Pool>): Finding[] {
  const { cluster } = input.built;
  const whole = cluster.network.pool === undefined ? undefined : parseRange(cluster.network.pool);
  const findings: Finding[] = [];
  for (const by of input.ofKind('Service')) {
    const { metadata, spec } = by.manifest;
    const annotations = metadata.annotations ?? {};
    for (const name of Object.keys(annotations).filter((key) => key.startsWith(LEGACY_PREFIX))) {
      findings.push({
        by,
        field: `metadata.annotations[${name}]`,
        message: `MetalLB's old annotation '${name}' is going away.`,
        fix: `Write 'metallb.io/${name.slice(LEGACY_PREFIX.length)}'.`,
      });
    }
    if (spec?.loadBalancerIP !== undefined) {
      findings.push({
        by,
        field: 'spec.loadBalancerIP',
        message: `'${spec.loadBalancerIP}' is written in a field that Kubernetes has deprecated.`,
        fix: `Write the annotation '${ADDRESSES}'.`,
      });
    }
    if (spec?.type !== 'LoadBalancer') continue;
    if (!cluster.hasLoadBalancer) {
      findings.push({
        by,
        field: 'spec.type',
        message: 'This cluster has no load balancer (kubernetes.loadBalancer is "none"), so the Service stays pending for ever.',
        fix: 'Publish it by a port of the node, or set kubernetes.loadBalancer to "metallb".',
      });
      continue;
    }
    const field = `metadata.annotations[${ADDRESSES}]`;
    const addresses = addressesOf(annotations);
    if (addresses.length === 0) {
      findings.push({
        by,
        field,
        message: `The Service names no address, so it would get whichever is free.`,
        fix: `Set the annotation '${ADDRESSES}' to an address of the description.`,
      });
      continue;
    }
    const pool = pools.get(annotations[POOL] ?? '');
    if (!pool) {
      findings.push({
        by,
        field: `metadata.annotations[${POOL}]`,
        message: annotations[POOL]
          ? `There is no IPAddressPool '${annotations[POOL]}'; the pools are ${list([...pools.keys()].map((name) => `'${name}'`))}.`
          : 'The Service names no pool.',
        fix: `Set the annotation '${POOL}' to the pool of its address.`,
      });
    }
    for (const address of addresses) {
      if (!isIPv4(address))
        findings.push({ by, field, message: `'${address}' is not an IPv4 address.`, fix: 'Write an address such as 192.168.1.245.' });
      else if (typeof whole === 'object' && !contains(whole, address)) {
        findings.push({
          by,
          field,
          message: `${address} is not within the addresses that the description gives to MetalLB, ${cluster.network.pool}.`,
          fix: 'Choose an address of network.pool, or widen it.',
        });
      } else if (pool && !holds(pool, toNumber(address))) {
        findings.push({
          by,
          field,
          message: `${address} is not in pool '${pool.name}' (${list(pool.ranges.map(({ text }) => text))}), which the Service names.`,
          fix: 'Name the pool that holds the address, or add the address to this one.',
        });
      }
    }
  }
  return findings;
}

function addressesOf(annotations: Readonly<Record<string, string>>): string[] {
  return (annotations[ADDRESSES] ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '');
}

interface User {
  readonly name: string;
  readonly key: string | undefined;
  readonly ports: readonly string[];
  readonly policy: string;
  readonly selector: string;
  /** Undefined for Services of upstream charts. */
  readonly by?: BuiltObject;
}

/** Addresses that more than one Service has. */
function sharing(input: CheckInput): Finding[] {
  const users = new Map<string, User[]>();
  const use = (address: string, user: User): void => {
    const others = users.get(address);
    if (others) others.push(user);
    else users.set(address, [user]);
  };
  for (const chart of input.built.charts)
    for (const [address, user] of chartUsers(chart.name, chart.values(input.built.cluster))) use(address, user);
  for (const by of input.ofKind('Service')) {
    const { metadata, spec } = by.manifest;
    if (spec?.type !== 'LoadBalancer') continue;
    const ports: readonly { port: number; protocol?: string }[] = spec.ports ?? [];
    for (const address of addressesOf(metadata.annotations ?? {})) {
      use(address, {
        name: `${metadata.namespace}/${metadata.name}`,
        key: metadata.annotations?.[SHARED],
        ports: ports.map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`),
        policy: spec.externalTrafficPolicy ?? 'Cluster',
        selector: JSON.stringify(Object.entries(spec.selector ?? {}).sort()),
        by,
      });
    }
  }
  return [...users].flatMap(([address, all]) => collisions(address, all));
}

/** Each Service against those before it, without comparing every two: by key, by port, by policy. */
function collisions(address: string, users: readonly User[]): Finding[] {
  const [first, ...others] = users;
  if (!first || others.length === 0) return [];
  const findings: Finding[] = [];
  const owners = new Map(first.ports.map((port) => [port, first]));
  for (const user of others) {
    const by = user.by ?? first.by;
    if (!by) continue;
    if (user.key === undefined || user.key !== first.key) {
      findings.push({
        by,
        field: `metadata.annotations[${user.by && first.by ? SHARED : ADDRESSES}]`,
        message: `${address} belongs to ${first.name} already, and ${user.key === first.key ? 'neither says' : 'not both say'} by the same '${SHARED}' that they share it.`,
        fix: `Give it another address, or give both the same '${SHARED}' on purpose.`,
      });
      continue;
    }
    for (const port of user.ports) {
      const owner = owners.get(port);
      if (owner)
        findings.push({
          by,
          field: 'spec.ports',
          message: `${address} port ${port} belongs to ${owner.name} already.`,
          fix: 'Give it another port, or another address.',
        });
      else owners.set(port, user);
    }
    if ((user.policy !== 'Cluster' || first.policy !== 'Cluster') && (user.policy !== first.policy || user.selector !== first.selector)) {
      findings.push({
        by,
        field: 'spec.externalTrafficPolicy',
        message: `It shares ${address} with ${first.name} under the traffic policies ${user.policy} and ${first.policy}; with Local MetalLB shares an address only between Services of one selector.`,
        fix: 'Leave externalTrafficPolicy out (Cluster) for both, or give each an address of its own.',
      });
    }
  }
  return findings;
}

/** Addresses that the values of a chart pin for its Services. */
function chartUsers(chart: string, values: unknown): [string, User][] {
  if (values === null || typeof values !== 'object') return [];
  return Object.entries(values).flatMap(([key, value]): [string, User][] => {
    if (key !== 'annotations' || typeof value?.[ADDRESSES] !== 'string') return chartUsers(chart, value);
    const user: User = { name: `a Service of chart ${chart}`, key: value[SHARED], ports: [], policy: 'Local', selector: chart };
    return addressesOf(value).map((address): [string, User] => [address, user]);
  });
}
