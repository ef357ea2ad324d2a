/**
 * Traffic is denied unless a flow declares it: every namespace denies by default, every pod has a policy of its own, and the policies together allow the declared flows, at both ends, and nothing else.
 * It deliberately works out from the flows what has to be allowed without the code that writes the policies, so that neither hides a mistake of the other.
 */
import { ARGOCD_NAMESPACE } from '../../argocd/root';
import type { BuiltObject } from '../build';
import type { Flow, FlowPort, Peer, Workload } from '../flows';
import { PRIVATE_NETWORKS } from '../model/addresses';
import type { Cluster } from '../model/cluster';
import { isGroup, isOutside, isWorkload } from '../network-policies';
import { type Finding, reported } from './finding';
import { inventoryOf } from './inventory';
import { describeSelector, type LabelSelector, matches } from './label-index';
import type { Check, CheckInput } from './types';

export const networkPolicy: Check = {
  id: 'network-policy',
  why: 'Without a default deny a pod that is taken over reaches everything, the database and the API server included. A policy that allows less than its flows cuts connections with no message anywhere but a time-out.',
  run: (input) => reported(networkPolicy, input, [...defaults(input), ...uncovered(input), ...undeclared(input)]),
};

const DEFAULT_DENY = 'default-deny';
const ALLOW_DNS = 'allow-dns';

/** What the two policies of every namespace must say; both speak of every pod. */
const DEFAULTS: Readonly<Record<string, { readonly spec: object; readonly meaning: string }>> = {
  [DEFAULT_DENY]: {
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    meaning: 'every pod, both directions, and no rule',
  },
  [ALLOW_DNS]: {
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
          ports: [{ port: 53 }, { port: 53, protocol: 'UDP' }],
        },
      ],
    },
    meaning: "every pod, egress to the cluster's DNS on port 53 and nowhere else",
  },
};

function defaults(input: CheckInput): Finding[] {
  const findings: Finding[] = [];
  const wanted = Object.entries(DEFAULTS).map(([policyName, { spec, meaning }]) => ({ policyName, text: canonical(spec), meaning }));
  // The build gives every namespace the same spec, so each of the two is compared once.
  const right = new Map<string, unknown>();
  for (const namespace of input.ofKind('Namespace')) {
    const { name } = namespace.manifest.metadata;
    for (const { policyName, text, meaning } of wanted) {
      const by = input.find('NetworkPolicy', name, policyName);
      if (!by) {
        findings.push({
          by: namespace,
          field: 'metadata.name',
          message: `The namespace '${name}' has no NetworkPolicy '${policyName}'.`,
          fix: "Namespaces that components declare get it by themselves: declare it in the component's 'namespaces'.",
        });
        continue;
      }
      const { spec } = by.manifest;
      if (spec !== undefined && right.get(policyName) === spec) continue;
      if (canonical(spec) === text) right.set(policyName, spec);
      else {
        findings.push({
          by,
          field: 'spec',
          message: `'${policyName}' must say: ${meaning}; it says something else.`,
          fix: 'Leave it to lib/network-policies.ts; what a workload needs is a flow.',
        });
      }
    }
  }
  return findings;
}

/** Pods that only the two defaults select: they reach nobody and nobody reaches them. */
function uncovered(input: CheckInput): Finding[] {
  const findings: Finding[] = [];
  const policies = new Map<string, BuiltObject[]>();
  for (const policy of input.ofKind('NetworkPolicy')) {
    const { name, namespace = '' } = policy.manifest.metadata;
    if (name in DEFAULTS) continue;
    const siblings = policies.get(namespace);
    if (siblings) siblings.push(policy);
    else policies.set(namespace, [policy]);
  }
  for (const pods of inventoryOf(input).pods) {
    if (pods.hostNetwork || pods.namespace === 'kube-system') continue;
    const covered = (policies.get(pods.namespace) ?? []).some(({ manifest }) => matches(manifest.spec?.podSelector ?? {}, pods.labels));
    if (covered) continue;
    const by = pods.object ?? (pods.chart ? input.find('Application', ARGOCD_NAMESPACE, pods.chart) : undefined);
    if (!by || (pods.chart && ISOLATED[`${pods.chart}/${pods.owner.split(' ')[0]}`])) continue;
    findings.push({
      by,
      field: pods.template ? pods.template.path.replace(/\.?spec$/, `${pods.template.path === 'spec' ? '' : '.'}metadata.labels`) : 'spec',
      message: `No NetworkPolicy selects the pods of ${pods.owner} (${describeSelector({ matchLabels: known(pods.labels) })}): they may ask the DNS and nothing else, and nobody may reach them.`,
      fix: `Declare the flows from and to it in the component's (or the chart entry's) 'flows', with labels that these pods carry.`,
    });
  }
  return findings;
}

/** Pods of upstream charts that have no flow on purpose, `<chart>/<workload>`: why. */
const ISOLATED: Readonly<Record<string, string>> = {
  'argo-cd/argocd-applicationset-controller': 'The chart cannot leave it out; it has no replicas.',
};

function known(labels: object): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

// ---------------------------------------------------------------------------------------------------------------- flows against policies

/** One permission: a direction, an end, a port. As text, so that sets can be compared. */
type Permission = string;

interface Planned {
  readonly workload: Workload;
  readonly permissions: Map<Permission, Flow>;
}

const ANYBODY = 'anybody';

function undeclared(input: CheckInput): Finding[] {
  const findings: Finding[] = [];
  const { cluster, flows } = input.built;
  const planned = plan(cluster, flows);
  for (const by of input.ofKind('NetworkPolicy')) {
    const { name, namespace = '' } = by.manifest.metadata;
    if (name in DEFAULTS) continue;
    const entry = planned.get(`${namespace}/${name}`);
    planned.delete(`${namespace}/${name}`);
    if (!entry) {
      findings.push({
        by,
        field: 'metadata.name',
        message: `No flow of this cluster has an end '${name}' in namespace '${namespace}'; the policy allows what nobody declared.`,
        fix: "Declare a flow in the component's 'flows' and let the build write the policy.",
      });
      continue;
    }
    findings.push(...compare(by, entry));
  }
  for (const { workload, permissions } of planned.values()) {
    const by = input.find('Namespace', undefined, workload.namespace);
    const flow = [...permissions.values()][0];
    if (by && flow) {
      findings.push({
        by,
        field: 'metadata.name',
        message: `The declared flow ${describeFlow(flow)} has no NetworkPolicy '${workload.name}' in namespace '${workload.namespace}' that allows it.`,
        fix: 'Let the build write the policies of the namespace (lib/network-policies.ts), all of them.',
      });
    }
  }
  return findings;
}

/** What the flows ask of each workload's policy: a flow is egress at one end and ingress at the other. */
function plan(cluster: Cluster, flows: readonly Flow[]): Map<string, Planned> {
  const planned = new Map<string, Planned>();
  const entry = (workload: Workload): Planned => {
    const id = `${workload.namespace}/${workload.name}`;
    const found = planned.get(id) ?? { workload, permissions: new Map() };
    planned.set(id, found);
    return found;
  };
  for (const flow of flows) {
    const ports = flow.ports.map(flowPort);
    // The same for every member of a group.
    const out = permitted('to', ends(cluster, flow.to, 'to'), ports);
    for (const source of members(flow.from)) for (const permission of out) entry(source).permissions.set(permission, flow);
    const into = permitted('from', ends(cluster, flow.from, 'from'), ports);
    for (const target of members(flow.to)) for (const permission of into) entry(target).permissions.set(permission, flow);
  }
  return planned;
}

function permitted(direction: 'from' | 'to', peers: readonly string[], ports: readonly string[]): Permission[] {
  return peers.flatMap((peer) => ports.map((port) => `${direction} ${peer} ${port}`));
}

function compare(by: BuiltObject, { workload, permissions }: Planned): Finding[] {
  const findings: Finding[] = [];
  const { spec, metadata } = by.manifest;
  if (ordered(spec?.podSelector ?? {}) !== ordered({ matchLabels: workload.labels })) {
    findings.push({
      by,
      field: 'spec.podSelector',
      message: `It selects ${describeSelector(spec?.podSelector ?? {})}, but the flows say that '${workload.name}' is ${describeSelector({ matchLabels: workload.labels })}.`,
      fix: 'Let the build write the policy out of the flows.',
    });
  }
  const written = new Map<Permission, string>();
  for (const [direction, rules, key] of [
    ['from', spec?.ingress, 'ingress'],
    ['to', spec?.egress, 'egress'],
  ] as const) {
    if (Array.isArray(rules) && rules.length > 0 && !(spec.policyTypes ?? []).includes(key === 'ingress' ? 'Ingress' : 'Egress')) {
      findings.push({
        by,
        field: 'spec.policyTypes',
        message: `It has rules for ${key}, which 'policyTypes' does not name, so they mean nothing.`,
        fix: `Add '${key === 'ingress' ? 'Ingress' : 'Egress'}' to policyTypes.`,
      });
    }
    (rules ?? []).forEach((rule: PolicyRule, index: number) => {
      const peers = rule[direction]?.length ? rule[direction].map((peer) => writtenPeer(peer, metadata.namespace ?? '')) : [ANYBODY];
      const ports = rule.ports?.length ? rule.ports.map(writtenPort) : ['every port'];
      for (const peer of peers) for (const port of ports) written.set(`${direction} ${peer} ${port}`, `spec.${key}[${index}]`);
    });
  }
  for (const [permission, field] of written) {
    if (permissions.has(permission)) continue;
    findings.push({
      by,
      field,
      message: `It allows traffic ${permission}, which no flow declares.`,
      fix: "Declare the flow in the component's 'flows', with the reason, or leave the rule out.",
    });
  }
  for (const [permission, flow] of permissions) {
    const [direction, port] = [permission.split(' ', 1)[0], permission.slice(permission.lastIndexOf(' ') + 1)];
    // Anybody includes everybody: the narrower rule is not written beside it.
    if (written.has(permission) || written.has(`${direction} ${ANYBODY} ${port}`)) continue;
    findings.push({
      by,
      field: direction === 'from' ? 'spec.ingress' : 'spec.egress',
      message: `It does not allow traffic ${permission}, which the flow ${describeFlow(flow)} declares.`,
      fix: 'Let the build write the policy out of the flows.',
    });
  }
  return findings;
}

interface PolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface PolicyPort {
  readonly port?: number | string;
  readonly endPort?: number;
  readonly protocol?: string;
}

interface PolicyRule {
  readonly from?: readonly PolicyPeer[];
  readonly to?: readonly PolicyPeer[];
  readonly ports?: readonly PolicyPort[];
}

function writtenPeer({ podSelector, namespaceSelector, ipBlock }: PolicyPeer, own: string): string {
  if (ipBlock) return block(ipBlock.cidr, ipBlock.except ?? []);
  const namespaces = namespaceSelector ?? { matchLabels: { [NAMESPACE_NAME]: own } };
  return pods(namespaces, podSelector ?? {});
}

function writtenPort({ port, endPort, protocol = 'TCP' }: PolicyPort): string {
  return port === undefined ? 'every port' : `${port}${endPort && endPort !== port ? `-${endPort}` : ''}/${protocol}`;
}

function flowPort({ port, endPort, protocol }: FlowPort): string {
  return writtenPort({ port, endPort, protocol });
}

function members(peer: Peer): readonly Workload[] {
  return isWorkload(peer) ? [peer] : isGroup(peer) ? peer.members : [];
}

/** An end of a flow as the permissions name it. */
function ends(cluster: Cluster, peer: Peer, direction: 'from' | 'to'): string[] {
  if (isWorkload(peer)) return [pods({ matchLabels: { [NAMESPACE_NAME]: peer.namespace } }, { matchLabels: peer.labels })];
  if (isGroup(peer)) return [pods({ matchLabels: peer.namespaceLabels }, { matchLabels: peer.podLabels })];
  if (!isOutside(peer)) return [];
  switch (peer.outside) {
    case 'api-server':
      return [...cluster.kubernetes.apiServer.addresses, ...(direction === 'from' ? cluster.kubernetes.apiServer.tunnelAddresses : [])].map(
        (address) => block(`${address}/32`, []),
      );
    case 'nodes':
      return cluster.nodes.map(({ address }) => block(`${address}/32`, []));
    case 'internet':
      return [block('0.0.0.0/0', PRIVATE_NETWORKS)];
    case 'address':
      return [block(peer.cidr, [])];
    case 'anywhere':
      return [ANYBODY];
  }
}

function block(cidr: string, except: readonly string[]): string {
  if (cidr === '0.0.0.0/0' && except.length === 0) return ANYBODY;
  if (cidr === '0.0.0.0/0' && PRIVATE_NETWORKS.every((network) => except.includes(network))) return 'the-Internet';
  return `${cidr}${except.length > 0 ? `-but-${[...except].sort().join('-')}` : ''}`;
}

function pods(namespaces: LabelSelector, selector: LabelSelector): string {
  const name = namespaces.matchLabels?.[NAMESPACE_NAME];
  const isOne = name !== undefined && Object.keys(namespaces.matchLabels ?? {}).length === 1 && !namespaces.matchExpressions?.length;
  return `pods(${ordered(selector)}) of ${isOne ? `namespace ${name}` : `namespaces(${ordered(namespaces)})`}`;
}

const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/** The same text for the same selector, whatever the order of its labels. */
function ordered({ matchLabels = {}, matchExpressions }: LabelSelector): string {
  const labels = Object.keys(matchLabels)
    .sort()
    .map((key) => `${key}=${matchLabels[key]}`);
  if (!matchExpressions?.length) return labels.length === 0 ? 'everything' : labels.join(', ');
  return [...labels, ...matchExpressions.map((expression) => describeSelector({ matchExpressions: [expression] })).sort()].join(', ');
}

function describeFlow({ from, to, ports }: Flow): string {
  return `from ${describePeer(from)} to ${describePeer(to)} (${ports.map(flowPort).join(', ')})`;
}

function describePeer(peer: Peer): string {
  if (isWorkload(peer)) return `${peer.namespace}/${peer.name}`;
  if (isGroup(peer)) return `pods with ${describeSelector({ matchLabels: peer.podLabels })}`;
  return peer.outside === 'address' ? peer.cidr : peer.outside;
}

/** The same text for the same value, whatever the order of its keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'undefined';
  const map = value as Record<string, unknown>;
  return `{${Object.keys(map)
    .filter((key) => map[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(map[key])}`)
    .join(',')}}`;
}
