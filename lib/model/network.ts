/**
 * Mistakes in addresses, ports and names: what a single field cannot show, because it depends on another.
 * It deliberately asks no network: whether an address is free in the LAN is for `npm run doctor` to find out.
 */
import ipaddr from 'ipaddr.js';
import { type AddressRange, contains, fromNumber, isIPv4, parseRange, toNumber } from './addresses';
import type { Mistake } from './cluster';
import { DEFAULT_GAME_PORT } from './defaults';
import type { ContinentDescription, ParsedDescription, RealmDescription } from './description';
import { MOST_INSTANCE_PORTS, usedByNodes } from './node-ports';

/** Top-level names that no public authority certifies (RFC 2606, 6761, 8375; `.internal` is reserved by ICANN; `.lan`, `.home` and `.corp` are nobody's). */
const NOT_PUBLIC = ['corp', 'example', 'home', 'home.arpa', 'internal', 'intranet', 'invalid', 'lan', 'local', 'localhost', 'test'];

/** Suffixes under which strangers have names, where people at home most often get theirs. Deliberately short: not the public suffix list. */
const SHARED_SUFFIXES = [
  'co.uk',
  'com.au',
  'ddns.net',
  'duckdns.org',
  'dyndns.org',
  'dynv6.net',
  'github.io',
  'hopto.org',
  'mooo.com',
  'no-ip.org',
  'org.uk',
  'sytes.net',
];

/** An address that MetalLB hands out: where it is written and what it is for. */
interface Pinned {
  readonly path: string;
  readonly address: string;
}

/** Every mistake of addresses, ports and names, in the order of the description's fields. */
export function networkMistakes(data: ParsedDescription): Mistake[] {
  return [
    ...apiServerMistakes(data),
    ...nodeMistakes(data),
    ...domainMistakes(data),
    ...(data.kubernetes.loadBalancer === 'metallb' ? poolMistakes(data) : strayAddressMistakes(data)),
    ...publicAddressMistakes(data),
    ...instancePortMistakes(data),
    ...certificateMistakes(data),
    ...backupMistakes(data),
    ...upstreamMistakes(data),
  ];
}

/** The API server's Service in the two ranges that installers choose: kubeadm, kind and Talos; k3s. */
const API_SERVICES: ReadonlySet<string> = new Set(['10.96.0.1', '10.43.0.1']);

/** Network policies let operators out to these addresses alone, so a wrong one cuts every operator off. */
function apiServerMistakes(data: ParsedDescription): Mistake[] {
  const right = `write the control-plane node's, such as '${data.nodes[0]?.address ?? '192.168.1.11'}'`;
  return data.kubernetes.apiServer.addresses.flatMap((address) => {
    const kind = rangeOf(address);
    const wrong = API_SERVICES.has(address)
      ? "is the Service's own address: policies act after its translation"
      : kind === 'loopback'
        ? 'is the machine itself, and in a pod the pod'
        : kind === 'unspecified'
          ? 'is what a server listens on, and nobody reaches it there'
          : undefined;
    return wrong === undefined ? [] : [{ path: 'kubernetes.apiServer.addresses', message: `'${address}' ${wrong}; ${right}.` }];
  });
}

function nodeMistakes(data: ParsedDescription): Mistake[] {
  const mistakes: Mistake[] = [];
  const byName = new Set<string>();
  const byAddress = new Map<string, string>();
  for (const { name, address } of data.nodes) {
    if (byName.has(name))
      mistakes.push({
        path: `nodes[${name}].name`,
        message: `two nodes are called '${name}'; write each node once, under the name that \`kubectl get nodes\` shows.`,
      });
    const other = byAddress.get(address);
    if (other !== undefined) {
      mistakes.push({
        path: `nodes[${name}].address`,
        message: `'${address}' is already the address of node '${other}'; write this node's own, the InternalIP that \`kubectl get nodes -o wide\` shows.`,
      });
    }
    byName.add(name);
    if (other === undefined) byAddress.set(address, name);
  }
  return mistakes;
}

function domainMistakes(data: ParsedDescription): Mistake[] {
  const { domain } = data;
  if (isBelow(domain, 'local')) {
    return [
      {
        path: 'domain',
        message: `'${domain}' ends in '.local', which devices look up by multicast and never ask a DNS server for; use a name below a domain of your own, or '${domain.replace(/local$/, 'home.arpa')}' at home only.`,
      },
    ];
  }
  if (SHARED_SUFFIXES.includes(domain)) {
    return [
      { path: 'domain', message: `'${domain}' is shared by everybody who has a name below it; use your own, such as 'mmo.${domain}'.` },
    ];
  }
  return [];
}

/** With MetalLB: everything that has an address has one of the pool, and its own. */
function poolMistakes(data: ParsedDescription): Mistake[] {
  const { network } = data;
  const mistakes: Mistake[] = [];
  const parsed = network.pool === undefined ? undefined : parseRange(network.pool);
  const pool = typeof parsed === 'object' ? parsed : undefined;
  const taken = takenAddresses(data);
  const proposal = proposalOf(pool ?? parsePool(examplePool(data)), taken);

  if (network.pool === undefined) {
    mistakes.push({
      path: 'network.pool',
      message: `is missing; MetalLB needs addresses of the LAN to hand out, such as '${examplePool(data)}', kept out of the router's DHCP range.`,
    });
  }
  if (pool) {
    const gap = largestGap(
      pool,
      machines(data).map(({ address }) => address),
    );
    for (const { path, address, of } of machines(data)) {
      if (contains(pool, address)) {
        mistakes.push({
          path: 'network.pool',
          message: `'${network.pool}' contains '${address}', the address of ${of} (${path}); MetalLB would answer for a machine that exists. Choose a range without it, such as ${gap}.`,
        });
      }
    }
  }
  if (network.ingress === undefined) {
    mistakes.push({ path: 'network.ingress', message: `is missing; players need an address of the pool to reach, ${proposal()}.` });
  }
  if (network.adminIngress === undefined) {
    mistakes.push({
      path: 'network.adminIngress',
      message: `is missing; admin pages need an address of their own that the router never forwards, ${proposal()}.`,
    });
  }
  const first = new Map<string, string>();
  for (const { path, address } of pinnedAddresses(data)) {
    const other = first.get(address);
    if (pool && !contains(pool, address)) {
      mistakes.push({
        path,
        message: `'${address}' is not in the pool '${network.pool}', so MetalLB never hands it out; choose an address of the pool, ${proposal()}.`,
      });
    } else if (other !== undefined) {
      const because =
        path === 'network.adminIngress' && other === 'network.ingress'
          ? ', which is forwarded to the Internet: admin pages would be too'
          : '';
      mistakes.push({ path, message: `'${address}' is already ${other}${because}; choose a free address of the pool, ${proposal()}.` });
    }
    if (other === undefined) first.set(address, path);
  }
  return mistakes;
}

/** Without MetalLB nothing hands these addresses out: they would be promises that nobody keeps. */
function strayAddressMistakes(data: ParsedDescription): Mistake[] {
  return (['pool', 'ingress', 'adminIngress', 'dns'] as const)
    .filter((field) => data.network[field] !== undefined)
    .map((field) => ({
      path: `network.${field}`,
      message: `'${data.network[field]}' needs MetalLB, which kubernetes.loadBalancer: 'none' turns off; remove this field, or set kubernetes.loadBalancer to 'metallb'.`,
    }));
}

function publicAddressMistakes(data: ParsedDescription): Mistake[] {
  const { publicAddress } = data.network;
  if (publicAddress === undefined || !isIPv4(publicAddress)) return [];
  const kind = rangeOf(publicAddress);
  if (PUBLIC.has(kind)) return [];
  const path = 'network.publicAddress';
  if (kind === 'carrierGradeNat') {
    return [
      {
        path,
        message: `'${publicAddress}' is in 100.64.0.0/10, which your provider shares between customers, so nobody reaches you there; ask it for a public address, or leave the field out for players in the LAN only.`,
      },
    ];
  }
  return [
    {
      path,
      message: `'${publicAddress}' is an address of ${KINDS[kind] ?? 'no public network'}; write the one that a "what is my IP" page shows, a (dynamic) host name of yours, or leave the field out for players in the LAN only.`,
    },
  ];
}

function instancePortMistakes(data: ParsedDescription): Mistake[] {
  const { first, last } = data.network.instancePorts;
  if (first > last) {
    return [
      {
        path: 'network.instancePorts',
        message: `the range ends (${last}) before it begins (${first}); write { first: ${last}, last: ${first} }.`,
      },
    ];
  }
  const mistakes: Mistake[] = [];
  const size = last - first + 1;
  if (size > MOST_INSTANCE_PORTS) {
    mistakes.push({
      path: 'network.instancePorts',
      message: `${size} ports are more than ${MOST_INSTANCE_PORTS}, and each may be a forwarding rule of the router; 64 serve 64 instances on each node that runs them: write { first: ${first}, last: ${first + 63} }.`,
    });
  }
  if (first < 1024) {
    mistakes.push({
      path: 'network.instancePorts',
      message: `ports below 1024 belong to services of the node (DNS, NTP, DHCP); begin at 1024 or later, such as { first: 7000, last: 7063 }.`,
    });
  }
  for (const { port, user } of usedByNodes(Math.max(first, 1024), last)) {
    mistakes.push({
      path: 'network.instancePorts',
      message: `the range ${first}-${last} contains UDP ${port}, which the nodes use for ${user}; choose a range without it, such as { first: 7000, last: 7063 }.`,
    });
  }
  if (data.instances.length === 0) return mistakes;
  mistakes.push(...instanceNodeMistakes(data));
  mistakes.push(...worldsAmongInstances(data));
  return mistakes;
}

/** A world's port that instances have too: on the nodes, where Agones may take it first, or on the router, which sends a port to one machine. */
function worldsAmongInstances(data: ParsedDescription): Mistake[] {
  const { first, last } = data.network.instancePorts;
  const mistakes: Mistake[] = [];
  for (const { realm, continent, port } of activeWorlds(data)) {
    if (port < first || port > last) continue;
    const onNodes = realm.exposure.type === 'host-port';
    if (!onNodes && !instancesShareTheRouter(data)) continue;
    const because = onNodes
      ? 'from which Agones takes host ports for instances (network.instancePorts)'
      : "that is forwarded for instances (network.instancePorts), and a router forwards a port to one machine only, so this world's players would arrive there";
    mistakes.push({
      path: `realms[${realm.name}].continents[${continent.name}].port`,
      message: `${port}${continent.port === undefined ? ' (the default)' : ''} is in the range ${first}-${last} ${because}; choose another, such as ${freeWorldPort(data)}.`,
    });
  }
  return mistakes;
}

/** Worlds that take a port, with the one that they take. */
function activeWorlds(data: ParsedDescription): { realm: RealmDescription; continent: ContinentDescription; port: number }[] {
  return data.realms
    .filter((realm) => realm.state === 'active')
    .flatMap((realm) =>
      realm.continents.flatMap((continent) => {
        const port = continent.port ?? (realm.exposure.type === 'own-address' ? DEFAULT_GAME_PORT : undefined);
        return continent.state === 'active' && port !== undefined ? [{ realm, continent, port }] : [];
      }),
    );
}

/** Whether some node that runs instances is reached at the address at which players on the Internet reach worlds with addresses of the LAN. */
function instancesShareTheRouter(data: ParsedDescription): boolean {
  const { instanceNode, publicAddress } = data.network;
  return (
    publicAddress !== undefined &&
    data.nodes.some(
      (node) => (instanceNode === undefined || node.name === instanceNode) && (node.publicAddress ?? publicAddress) === publicAddress,
    )
  );
}

/** A port that neither instances nor another world have. */
function freeWorldPort(data: ParsedDescription): number {
  const { last } = data.network.instancePorts;
  const taken = new Set(activeWorlds(data).map(({ port }) => port));
  let free = last < DEFAULT_GAME_PORT ? DEFAULT_GAME_PORT : last + 1;
  while (taken.has(free)) free += 1;
  return free;
}

/** Agones takes host ports of the one range on whichever node an instance runs, so what the Internet reaches must not depend on the node. */
function instanceNodeMistakes(data: ParsedDescription): Mistake[] {
  const names = data.nodes.map((node) => node.name);
  const { instanceNode, publicAddress } = data.network;
  if (instanceNode !== undefined) {
    if (names.includes(instanceNode)) return [];
    return [
      {
        path: 'network.instanceNode',
        message: `the cluster has no node '${instanceNode}'; it has ${names.map((name) => `'${name}'`).join(', ')}.`,
      },
    ];
  }
  const shared = data.nodes.filter((node) => publicAddress !== undefined && (node.publicAddress ?? publicAddress) === publicAddress);
  if (shared.length < 2) return [];
  return [
    {
      path: 'network.instanceNode',
      message: `is missing: ${shared.map((node) => `'${node.name}'`).join(', ')} share the public address ${publicAddress}, a router forwards a port to one of them only, and an instance on another could not be reached; name the node to which you forward instancePorts, such as '${names.at(-1)}', or give each node a publicAddress of its own.`,
    },
  ];
}

function certificateMistakes(data: ParsedDescription): Mistake[] {
  const { certificates, domain } = data;
  if (certificates.issuer !== 'letsencrypt') return [];
  const mistakes: Mistake[] = [];
  const suffix = NOT_PUBLIC.find((each) => isBelow(domain, each));
  // '.local' is refused above, whoever certifies it.
  if (suffix !== undefined && suffix !== 'local') {
    mistakes.push({
      path: 'certificates.issuer',
      message: `Let's Encrypt certifies public names only, and '${domain}' ends in '.${suffix}'; use a name below a domain of your own, or issuer: 'self-signed'.`,
    });
  }
  const zone = certificates.dns01?.cloudflare.zone;
  if (zone !== undefined && suffix !== 'local' && domain !== zone && !isBelow(domain, zone)) {
    mistakes.push({
      path: 'certificates.dns01.cloudflare.zone',
      message: `'${domain}' is not in the zone '${zone}', so its challenges cannot be answered there; write the zone that holds it, such as '${domain.split('.').slice(-2).join('.')}'.`,
    });
  }
  return mistakes;
}

function backupMistakes(data: ParsedDescription): Mistake[] {
  const { backups, domain } = data;
  // On a laptop everything may be lost, and trying out backups is the point.
  if (!backups || data.kubernetes.loadBalancer === 'none') return [];
  const host = new URL(backups.endpoint).hostname;
  const path = 'backups.endpoint';
  const right = "use an object store outside of your home, such as 'https://s3.eu-central-003.backblazeb2.com'";
  if (host === domain || isBelow(host, domain) || isBelow(host, 'svc') || isBelow(host, 'cluster.local')) {
    return [{ path, message: `'${host}' is in this cluster, and a backup there is lost with it; ${right}.` }];
  }
  if (isIPv4(host) ? !PUBLIC.has(rangeOf(host)) : !host.includes('.') || NOT_PUBLIC.some((each) => isBelow(host, each))) {
    return [
      {
        path,
        message: `'${host}' is in a private network: a backup in the same house burns with it, and network policies let backups out to the Internet only; ${right}.`,
      },
    ];
  }
  return [];
}

function upstreamMistakes(data: ParsedDescription): Mistake[] {
  const { dns } = data.network;
  if (dns === undefined || !data.dns.upstreams.includes(dns)) return [];
  return [
    {
      path: 'dns.upstreams',
      message: `'${dns}' is Pi-hole's own address (network.dns), and it would ask itself for ever; name resolvers outside of the cluster, such as '9.9.9.9'.`,
    },
  ];
}

/** Every address that a Service pins, in the order of the description. */
function pinnedAddresses(data: ParsedDescription): Pinned[] {
  const { ingress, dns, adminIngress } = data.network;
  const pinned: { path: string; address: string | undefined }[] = [
    { path: 'network.ingress', address: ingress },
    { path: 'network.dns', address: dns },
    { path: 'network.adminIngress', address: adminIngress },
  ];
  for (const realm of data.realms) {
    if (realm.exposure.type === 'shared-address')
      pinned.push({ path: `realms[${realm.name}].exposure.address`, address: realm.exposure.address });
    if (realm.exposure.type !== 'own-address') continue;
    for (const continent of realm.continents)
      pinned.push({ path: `realms[${realm.name}].continents[${continent.name}].address`, address: continent.address });
  }
  return pinned.filter((each): each is Pinned => each.address !== undefined);
}

/** Addresses of machines that exist. */
function machines(data: ParsedDescription): { path: string; address: string; of: string }[] {
  const nodes = data.nodes.map(({ name, address }) => ({ path: `nodes[${name}].address`, address, of: `node '${name}'` }));
  const known = new Set(nodes.map(({ address }) => address));
  const apiServers = data.kubernetes.apiServer.addresses.filter((address) => !known.has(address));
  return [...nodes, ...apiServers.map((address) => ({ path: 'kubernetes.apiServer.addresses', address, of: 'the API server' }))];
}

function takenAddresses(data: ParsedDescription): Set<number> {
  return new Set([...pinnedAddresses(data), ...machines(data)].map(({ address }) => toNumber(address)));
}

/** Proposes a free address, another one at each call, so that several mistakes can be put right at once. */
function proposalOf(pool: AddressRange, taken: Set<number>): () => string {
  return () => {
    for (let value = pool.first; value <= pool.last; value++) {
      if (taken.has(value)) continue;
      taken.add(value);
      return `such as '${fromNumber(value)}'`;
    }
    return 'after making the pool larger: it has no free address left';
  };
}

/** The upper end of the first node's /24, where few routers give out addresses. */
function examplePool(data: ParsedDescription): string {
  const prefix = data.nodes[0]?.address.split('.').slice(0, 3).join('.') ?? '192.168.1';
  return `${prefix}.240-${prefix}.254`;
}

function parsePool(text: string): AddressRange {
  const range = parseRange(text);
  if (typeof range === 'string') throw new Error(range);
  return range;
}

/** The largest part of the range without any of the addresses. */
function largestGap(pool: AddressRange, addresses: readonly string[]): string {
  const cuts = [
    pool.first - 1,
    ...addresses
      .filter((address) => contains(pool, address))
      .map(toNumber)
      .sort((a, b) => a - b),
    pool.last + 1,
  ];
  let best = { first: 0, last: -1 };
  for (const [index, cut] of cuts.entries()) {
    const gap = { first: cut + 1, last: (cuts[index + 1] ?? cut) - 1 };
    if (gap.last - gap.first > best.last - best.first) best = gap;
  }
  return best.last < best.first ? 'addresses that belong to no machine' : `'${fromNumber(best.first)}-${fromNumber(best.last)}'`;
}

function isBelow(host: string, suffix: string): boolean {
  return host.endsWith(`.${suffix}`);
}

type Kind = ReturnType<ipaddr.IPv4['range']>;

/** `reserved` holds the addresses of documentation, with which the examples of this project are written. */
const PUBLIC: ReadonlySet<Kind> = new Set<Kind>(['unicast', 'reserved']);

const KINDS: Partial<Record<Kind, string>> = {
  private: 'a private network (RFC 1918)',
  loopback: 'the machine itself',
  linkLocal: 'one cable (link-local)',
  multicast: 'a multicast group',
};

function rangeOf(address: string): Kind {
  return ipaddr.IPv4.parse(address).range();
}
