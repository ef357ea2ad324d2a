/**
 * NetworkPolicies out of flows: default deny and DNS for every namespace, and for each workload one policy with exactly its declared flows.
 * It deliberately decides nothing: a rule is here because a flow declares it, at the source as egress and at the destination as ingress.
 */
import type { Chart } from 'cdk8s';
import { labels } from './component';
import { add, sameEverywhere } from './emit/manifest';
import type { Flow, FlowPort, Outside, Peer, Workload, WorkloadGroup } from './flows';
import { IntOrString, KubeNetworkPolicy, type NetworkPolicyPeer } from './k8s';
import { PRIVATE_NETWORKS } from './model/addresses';
import type { Cluster } from './model/cluster';

/** Addresses that are not the Internet (RFC 1918, RFC 6598, loopback, link-local). */
const PRIVATE = [...PRIVATE_NETWORKS, '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'].sort();

const LABELS = labels('network-policy');

const DefaultDeny = sameEverywhere(KubeNetworkPolicy, { spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } });

const AllowDns = sameEverywhere(KubeNetworkPolicy, {
  spec: {
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
            podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
          },
        ],
        ports: [{ port: IntOrString.fromNumber(53) }, { port: IntOrString.fromNumber(53), protocol: 'UDP' }],
      },
    ],
  },
});

/** Without its spec, which is the workload's own. */
const WorkloadPolicy = sameEverywhere(KubeNetworkPolicy, {});

/** A port of a rule as plain data. */
interface PolicyPort {
  readonly port: number;
  readonly endPort?: number;
  readonly protocol?: 'UDP';
}

/** One end of one flow, seen from a workload. */
interface Rule {
  readonly peer: Peer;
  readonly ports: readonly FlowPort[];
}

interface PolicyPlan {
  readonly workload: Workload;
  readonly ingress: Rule[];
  readonly egress: Rule[];
}

export function isWorkload(peer: Peer): peer is Workload {
  return 'namespace' in peer;
}

export function isGroup(peer: Peer): peer is WorkloadGroup {
  return 'members' in peer;
}

export function isOutside(peer: Peer): peer is Outside {
  return 'outside' in peer;
}

/** Policies by namespace, then by workload name, planned from all flows of a cluster. Flows are declared once and each lands at both of its ends. */
export class NetworkPlan {
  private readonly byNamespace = new Map<string, Map<string, PolicyPlan>>();

  constructor(
    private readonly cluster: Cluster,
    flows: readonly Flow[],
  ) {
    for (const flow of flows) {
      for (const source of membersOf(flow.from)) this.planOf(source).egress.push({ peer: flow.to, ports: flow.ports });
      for (const target of membersOf(flow.to)) this.planOf(target).ingress.push({ peer: flow.from, ports: flow.ports });
    }
  }

  /** Namespaces that some flow touches. */
  get namespaces(): string[] {
    return [...this.byNamespace.keys()];
  }

  /** Adds every policy of a namespace to the chart. */
  emit(chart: Chart, namespace: string): void {
    add(chart, DefaultDeny, { metadata: { name: 'default-deny', namespace, labels: LABELS } });
    add(chart, AllowDns, { metadata: { name: 'allow-dns', namespace, labels: LABELS } });
    const plans = [...(this.byNamespace.get(namespace)?.values() ?? [])].sort((a, b) => (a.workload.name < b.workload.name ? -1 : 1));
    for (const plan of plans) {
      const ingress = merged(plan.ingress).map(({ peers, ports }) => ({ ...this.side('from', peers, namespace), ports }));
      const egress = merged(plan.egress).map(({ peers, ports }) => ({ ...this.side('to', peers, namespace), ports }));
      const { manifest } = add(chart, WorkloadPolicy, { metadata: { name: plan.workload.name, namespace, labels: LABELS } });
      // Set as data: there are several for each realm, and the generated class would convert every peer and port of each.
      manifest.spec = {
        podSelector: { matchLabels: plan.workload.labels },
        policyTypes: [...(ingress.length > 0 ? ['Ingress'] : []), ...(egress.length > 0 ? ['Egress'] : [])],
        ...(ingress.length > 0 ? { ingress } : {}),
        ...(egress.length > 0 ? { egress } : {}),
      };
    }
  }

  private planOf(workload: Workload): PolicyPlan {
    const plans = this.byNamespace.get(workload.namespace) ?? new Map<string, PolicyPlan>();
    this.byNamespace.set(workload.namespace, plans);
    const plan = plans.get(workload.name) ?? { workload, ingress: [], egress: [] };
    plans.set(workload.name, plan);
    if (JSON.stringify(plan.workload.labels) !== JSON.stringify(workload.labels)) {
      throw new Error(
        `Two flows name the workload '${workload.name}' in namespace '${workload.namespace}' with different labels (${JSON.stringify(plan.workload.labels)} and ${JSON.stringify(workload.labels)}); use one constant for both.`,
      );
    }
    return plan;
  }

  /** No `from` or `to` at all means anybody: the API's way to say it. */
  private side(key: 'from' | 'to', peers: readonly Peer[], namespace: string): { from?: NetworkPolicyPeer[]; to?: NetworkPolicyPeer[] } {
    if (peers.some((peer) => isOutside(peer) && peer.outside === 'anywhere')) return {};
    const all = peers.flatMap((each) => this.peers(each, namespace, key));
    if (all.length === 1) return { [key]: all };
    const unique = new Map(all.map((peer) => [JSON.stringify(peer), peer]));
    return { [key]: [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, peer]) => peer) };
  }

  private peers(peer: Peer, namespace: string, key: 'from' | 'to'): NetworkPolicyPeer[] {
    if (isWorkload(peer)) {
      return [
        {
          ...(peer.namespace === namespace
            ? {}
            : { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': peer.namespace } } }),
          podSelector: { matchLabels: peer.labels },
        },
      ];
    }
    if (isGroup(peer)) return [{ namespaceSelector: { matchLabels: peer.namespaceLabels }, podSelector: { matchLabels: peer.podLabels } }];
    switch (peer.outside) {
      case 'api-server': {
        const { addresses, tunnelAddresses } = this.cluster.kubernetes.apiServer;
        return [...addresses, ...(key === 'from' ? tunnelAddresses : [])].map((address) => ({ ipBlock: { cidr: `${address}/32` } }));
      }
      case 'nodes':
        return this.cluster.nodes.map((node) => ({ ipBlock: { cidr: `${node.address}/32` } }));
      case 'internet':
        return [{ ipBlock: { cidr: '0.0.0.0/0', except: PRIVATE } }];
      case 'address':
        return [{ ipBlock: { cidr: peer.cidr } }];
      case 'anywhere':
        return [];
    }
  }
}

function membersOf(peer: Peer): readonly Workload[] {
  if (isWorkload(peer)) return [peer];
  return isGroup(peer) ? peer.members : [];
}

/** Rules with the same ports become one rule with several peers, in the order of their ports. */
function merged(rules: readonly Rule[]): { peers: Peer[]; ports: PolicyPort[] }[] {
  const byPorts = new Map<string, { peers: Peer[]; ports: PolicyPort[] }>();
  for (const rule of rules) {
    const ports = [...rule.ports].sort((a, b) => a.port - b.port || (a.protocol ?? 'TCP').localeCompare(b.protocol ?? 'TCP', 'en'));
    const key = JSON.stringify(ports.map((p) => [p.port, p.endPort ?? p.port, p.protocol ?? 'TCP']));
    const entry = byPorts.get(key) ?? { peers: [], ports: ports.map(policyPort) };
    entry.peers.push(rule.peer);
    byPorts.set(key, entry);
  }
  return [...byPorts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

function policyPort(port: FlowPort): PolicyPort {
  return {
    port: port.port,
    ...(port.endPort ? { endPort: port.endPort } : {}),
    ...(port.protocol === 'UDP' ? { protocol: 'UDP' } : {}),
  };
}
