/**
 * What the declared flows permit: whether traffic may leave one end and enter another, as the policies that are made of the flows decide it.
 * It deliberately reads no policy: that they say what the flows say is network-policy's to prove.
 */
import { parse, parseCIDR } from 'ipaddr.js';
import type { Flow, Peer, Workload, WorkloadGroup } from '../flows';
import { isGroup, isWorkload } from '../network-policies';
import { type Inventory, inventoryOf, type KnownPods } from './inventory';
import { matches } from './label-index';
import type { KnownPort } from './operator-pods';
import type { CheckInput } from './types';

/** An end of traffic: pods, the API server, somebody outside of the cluster, or a host outside of it. */
export type End = KnownPods | 'api-server' | 'clients' | { readonly host: string };

interface Entry {
  readonly workload: Workload;
  readonly peer: Peer;
  readonly ports: Flow['ports'];
}

const made = new WeakMap<CheckInput, PermittedTraffic>();

/** What the flows of a run permit; made at the first question and shared by its checks. */
export function permittedTraffic(input: CheckInput): PermittedTraffic {
  const traffic = made.get(input) ?? new PermittedTraffic(input.built.flows, inventoryOf(input));
  made.set(input, traffic);
  return traffic;
}

class PermittedTraffic {
  /** Permissions to send and to receive, by the namespace of the workload that has them. */
  private readonly sending = new Map<string, Entry[]>();
  private readonly receiving = new Map<string, Entry[]>();
  private readonly groups = new Map<WorkloadGroup, ReadonlySet<string>>();

  constructor(
    flows: readonly Flow[],
    private readonly inventory: Inventory,
  ) {
    for (const { from, to, ports } of flows) {
      for (const workload of members(from)) add(this.sending, { workload, peer: to, ports });
      for (const workload of members(to)) add(this.receiving, { workload, peer: from, ports });
    }
  }

  /** Whether the sender's policies let the traffic out. Ends that are not pods have no policies, nor have pods in a node's network. */
  maySend(from: End, to: End, port: KnownPort): boolean {
    return !isGuarded(from) || this.has(this.sending, from, to, port);
  }

  /** Whether the receiver's policies let the traffic in. */
  mayReceive(from: End, to: End, port: KnownPort): boolean {
    return !isGuarded(to) || this.has(this.receiving, to, from, port);
  }

  private has(entries: ReadonlyMap<string, readonly Entry[]>, one: KnownPods, other: End, port: KnownPort): boolean {
    const { namespace, labels } = one;
    return (entries.get(namespace) ?? []).some(
      ({ workload, peer, ports }) =>
        ports.some((each) => includes(each, port)) && matches({ matchLabels: workload.labels }, labels) && this.covers(peer, other),
    );
  }

  private covers(peer: Peer, end: End): boolean {
    if (isWorkload(peer)) return isPods(end) && end.namespace === peer.namespace && matches({ matchLabels: peer.labels }, end.labels);
    if (isGroup(peer))
      return isPods(end) && this.namespacesOf(peer).has(end.namespace) && matches({ matchLabels: peer.podLabels }, end.labels);
    switch (peer.outside) {
      case 'anywhere':
        return true;
      case 'api-server':
        return end === 'api-server';
      case 'nodes':
        return isPods(end) && end.hostNetwork;
      case 'internet':
        return end === 'clients' || (isHost(end) && !isPrivate(end.host));
      case 'address':
        // A name may be of any address, and clients may be those of the LAN alone.
        return end === 'clients' || (isHost(end) && isWithin(end.host, peer.cidr));
    }
  }

  /** Computed once for each group: one may have a member for every realm. */
  private namespacesOf(group: WorkloadGroup): ReadonlySet<string> {
    const namespaces = this.groups.get(group) ?? new Set(this.inventory.namespaces({ matchLabels: group.namespaceLabels }));
    this.groups.set(group, namespaces);
    return namespaces;
  }
}

function add(entries: Map<string, Entry[]>, entry: Entry): void {
  const siblings = entries.get(entry.workload.namespace);
  if (siblings) siblings.push(entry);
  else entries.set(entry.workload.namespace, [entry]);
}

function members(peer: Peer): readonly Workload[] {
  return isWorkload(peer) ? [peer] : isGroup(peer) ? peer.members : [];
}

function includes({ port, endPort = port, protocol = 'TCP' }: Flow['ports'][number], wanted: KnownPort): boolean {
  return wanted.port >= port && wanted.port <= endPort && (wanted.protocol ?? 'TCP') === protocol;
}

function isPods(end: End): end is KnownPods {
  return typeof end === 'object' && 'labels' in end;
}

function isHost(end: End): end is { readonly host: string } {
  return typeof end === 'object' && 'host' in end;
}

/** Policies hold for pods in the pods' network, in namespaces of ours. */
function isGuarded(end: End): end is KnownPods {
  return isPods(end) && !end.hostNetwork && end.namespace !== 'kube-system';
}

const IPV4 = /^[0-9]+(\.[0-9]+){3}$/;

function isPrivate(host: string): boolean {
  return IPV4.test(host) && parse(host).range() !== 'unicast';
}

function isWithin(host: string, cidr: string): boolean {
  if (!IPV4.test(host)) return true;
  const [address, range] = [parse(host), parseCIDR(cidr)];
  return address.kind() === range[0].kind() && address.match(range);
}
