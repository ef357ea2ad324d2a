/**
 * Addresses: whether players on the Internet can find the home, and whether somebody else has what the cluster will take.
 * It deliberately sends nothing into the LAN unless asked (`--probe`), and asks nobody on the Internet what the home's address is: the router says that.
 */
import ipaddr from 'ipaddr.js';
import { isIPv4 } from '../model/addresses';
import type { Cluster } from '../model/cluster';
import { type ClusterContext, type ClusterGroup, type Finding, failed, ok, skipped, some, warning } from './types';

export const network: ClusterGroup = {
  name: 'network',
  scope: 'cluster',
  look: async (context) => [...(await publicFindings(context)), ...nearNodes(context.cluster), ...(await free(context))],
};

async function publicFindings(context: ClusterContext): Promise<Finding[]> {
  const { cluster, resolve } = context;
  const { publicAddress } = cluster.network;
  if (publicAddress === undefined)
    return [
      skipped('public-address', 'Players in the LAN only: network.publicAddress is not set.'),
      ...(context.options.routerAddress === undefined ? [] : [router(context, [context.options.routerAddress])]),
    ];
  const own = isIPv4(publicAddress) ? [publicAddress] : await resolve(publicAddress);
  const [address] = own;
  if (address === undefined)
    return [
      failed(
        'public-address',
        `'${publicAddress}' (network.publicAddress) has no IPv4 address.`,
        'Look at your dynamic DNS, or write the address itself.',
      ),
    ];
  return [publicKind(publicAddress, address), router(context, own), await domain(context, own)];
}

function publicKind(written: string, address: string): Finding {
  const named = written === address ? `'${address}'` : `'${written}' (${address})`;
  const reason = notPublic(address);
  return reason === undefined
    ? ok('public-address', `${named} is an address of the Internet.`)
    : failed(
        'public-address',
        `${named} (network.publicAddress) ${reason}.`,
        'Write the address that the Internet sees, and see --router-address.',
      );
}

/** Why nobody on the Internet reaches the address; undefined for a public one. */
function notPublic(address: string): string | undefined {
  const range = ipaddr.parse(address).range();
  if (range === 'carrierGradeNat') return 'is one that a provider shares among its customers (carrier-grade NAT, 100.64.0.0/10)';
  if (range === 'private') return 'is in a private network';
  // The documentation's networks are in the example only, where they are to be replaced; they say 'reserved'.
  return range === 'unicast' ? undefined : `is no address of the Internet (${range})`;
}

function router({ options: { routerAddress } }: ClusterContext, own: readonly string[]): Finding {
  const check = 'router-address';
  if (routerAddress === undefined)
    return skipped(
      check,
      "Whether the public address is the router's own was not compared: give what the router's status page says with --router-address.",
    );
  const wayOut = 'Ask the provider for a public IPv4 address, or rent a small server with one and forward its ports through a tunnel.';
  const range = ipaddr.parse(routerAddress).range();
  if (range === 'carrierGradeNat')
    return failed(
      check,
      `The router's address ${routerAddress} is shared by the provider's customers (carrier-grade NAT): no forwarding rule of yours is ever reached.`,
      wayOut,
    );
  if (range === 'private')
    return failed(
      check,
      `The router's address ${routerAddress} is private: there is another router, or carrier-grade NAT, in front of it.`,
      `Forward the ports there too, or set that one to bridge mode. If it is the provider's: ${wayOut.charAt(0).toLowerCase()}${wayOut.slice(1)}`,
    );
  return own.includes(routerAddress)
    ? ok(check, `The router has the public address ${routerAddress} itself, so forwarding rules are reached.`)
    : failed(
        check,
        `The router's address is ${routerAddress}, but players are sent to ${some(own)}.`,
        `Correct network.publicAddress or the dynamic DNS. If ${own[0]} is what the Internet sees of you, the provider translates addresses (carrier-grade NAT). ${wayOut}`,
      );
}

/** In the LAN Pi-hole may answer with the ingress's address, which is as right. */
async function domain({ cluster, resolve }: ClusterContext, own: readonly string[]): Promise<Finding> {
  const addresses = await resolve(cluster.domain);
  const right = [...own, ...(cluster.network.ingress === undefined ? [] : [cluster.network.ingress])];
  const fix = `Make an A record of ${cluster.domain} with ${own[0]} (docs/how-to/dns.md).`;
  if (addresses.length === 0) return warning('domain', `${cluster.domain}, where players log in, has no IPv4 address yet.`, fix);
  return addresses.some((address) => right.includes(address))
    ? ok('domain', `${cluster.domain} leads to ${some(addresses)}.`)
    : failed('domain', `${cluster.domain} leads to ${some(addresses)} and not to ${own[0]}.`, fix);
}

/** Addresses that Services of the cluster take, with what for. */
export function pinnedAddresses(cluster: Cluster): ReadonlyMap<string, string> {
  const pinned = new Map<string, string>();
  const { ingress, adminIngress, dns } = cluster.network;
  if (ingress) pinned.set(ingress, 'the players’ entry');
  if (adminIngress) pinned.set(adminIngress, 'admin pages');
  if (dns) pinned.set(dns, 'DNS');
  for (const realm of cluster.realms) {
    if (realm.exposure.type === 'host-port') continue;
    for (const continent of realm.continents)
      if (continent.state !== 'retired' && continent.lanAddress !== '') pinned.set(continent.lanAddress, `realm ${realm.name}`);
  }
  return pinned;
}

/**
 * Whether a node is where the pinned addresses are. How wide the home's network is stands nowhere in the description, so it is a warning, and by the usual 256 addresses.
 * Another load balancer than MetalLB has its addresses wherever its provider wants.
 */
export function nearNodes(cluster: Cluster): Finding[] {
  if (cluster.kubernetes.loadBalancer !== 'metallb') return [];
  const check = 'addresses-near-nodes';
  const networkOf = (address: string): string => address.split('.').slice(0, 3).join('.');
  const networks = new Set(cluster.nodes.map(({ address }) => networkOf(address)));
  const pinned = [...pinnedAddresses(cluster)];
  const far = pinned.filter(([address]) => !networks.has(networkOf(address))).map(([address, purpose]) => `${address} (for ${purpose})`);
  if (pinned.length === 0) return [];
  return [
    far.length === 0
      ? ok(check, 'Every pinned address is in a network that a node is in.')
      : warning(
          check,
          `No node is in the network of ${some(far)}, if that has 256 addresses.`,
          'MetalLB answers ARP in the nodes’ own network alone, so nobody would reach them: choose a pool there. If your network is wider, this is well.',
        ),
  ];
}

async function free(context: ClusterContext): Promise<Finding[]> {
  const { cluster, options } = context;
  const check = 'addresses-free';
  const pinned = pinnedAddresses(cluster);
  if (pinned.size === 0) return [];
  if (!options.probe)
    return [skipped(check, `Whether ${pinned.size} addresses of the LAN are free was not asked: --probe does, by ping and ARP.`)];
  const answers = await Promise.all([...pinned.keys()].map(async (address) => ({ address, taken: await taken(context, address) })));
  if (answers.every(({ taken: by }) => by === 'unknown'))
    return [skipped(check, 'Neither ping and ip nor ping and arp are installed, so nobody could be asked about addresses.')];
  const used = answers.filter(({ taken: by }) => by === 'taken').map(({ address }) => `${address} (for ${pinned.get(address)})`);
  return [
    used.length === 0
      ? ok(check, `Nobody in the LAN has one of the ${pinned.size} addresses.`)
      : warning(
          check,
          `Somebody answers at ${some(used)}.`,
          "If the cluster does not run yet: choose others, outside of the router's DHCP range. If it runs, that is the cluster itself.",
        ),
  ];
}

/** A machine that drops pings still answers ARP, which the ping has the kernel ask. */
async function taken({ run }: ClusterContext, address: string): Promise<'taken' | 'free' | 'unknown'> {
  const ping = await run('ping', ['-c', '1', '-W', '1', address], { seconds: 5 });
  if (ping === undefined) return 'unknown';
  if (ping.code === 0) return 'taken';
  const neighbours = (await run('ip', ['neigh', 'show', 'to', address])) ?? (await run('arp', ['-n', address]));
  if (neighbours === undefined) return 'unknown';
  return /([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}/i.test(neighbours.output) && !/\b(FAILED|INCOMPLETE|incomplete)\b/.test(neighbours.output)
    ? 'taken'
    : 'free';
}
