/**
 * Flows as the tables of docs/reference/flows.md.
 * It deliberately drops nothing but repetition: flows that differ in one end only share a row.
 */
import { workload } from '../../argocd/catalog/workloads';
import type { Flow, FlowPort, Peer } from '../../lib/flows';
import { isGroup, isOutside, isWorkload } from '../../lib/network-policies';

interface Row {
  readonly from: Set<string>;
  readonly to: string;
  readonly ports: string;
  readonly because: string;
}

const prometheus = workload('kube-prometheus-stack', 'prometheus');

/** Sections of the page, each with the flows that belong to it; a flow is in the first that takes it. */
const SECTIONS: readonly { readonly title: string; readonly text: string; readonly takes: (flow: Flow) => boolean }[] = [
  {
    title: 'From outside of the cluster',
    text: 'Anybody who reaches the port may use it. What is forwarded by the router decides whether the Internet does.',
    takes: ({ from }) => isOutside(from) && (from.outside === 'anywhere' || from.outside === 'address' || from.outside === 'internet'),
  },
  {
    title: 'To the outside',
    text: 'The Internet is every address that is not private (RFC 1918, RFC 6598, loopback, link-local).',
    takes: ({ to }) => isOutside(to) && (to.outside === 'internet' || to.outside === 'anywhere' || to.outside === 'address'),
  },
  {
    title: 'To the API server',
    text: 'Whoever is not here has no business with it.',
    takes: ({ to }) => isOutside(to) && to.outside === 'api-server',
  },
  {
    title: 'From the API server',
    text: 'Webhooks and aggregated APIs. The nodes are named as well, because calls may come from any address of the machine that the API server runs on.',
    takes: ({ from }) => isOutside(from),
  },
  {
    title: 'Metrics',
    text: 'What Prometheus reads.',
    takes: ({ from, because }) => isWorkload(from) && idOf(from) === idOf(prometheus) && because.includes('metrics'),
  },
  { title: 'Between systems', text: 'Everything else.', takes: () => true },
];

/** The tables, sorted, with a line feed at the end. */
export function renderFlows(flows: readonly Flow[]): string {
  const left = [...flows];
  const parts: string[] = [];
  for (const { title, text, takes } of SECTIONS) {
    const taken = left.filter(takes);
    for (const flow of taken) left.splice(left.indexOf(flow), 1);
    if (taken.length === 0) continue;
    parts.push(`## ${title}\n\n${text}\n\n| from | to | ports | because |\n| --- | --- | --- | --- |\n${rowsOf(taken).join('\n')}`);
  }
  return `${parts.join('\n\n')}\n`;
}

function rowsOf(flows: readonly Flow[]): string[] {
  const rows = new Map<string, Row>();
  for (const { from, to, ports, because } of flows) {
    const row: Row = { from: new Set(), to: show(to), ports: ports.map(showPort).join(', '), because };
    const key = JSON.stringify([row.to, row.ports, because]);
    const known = rows.get(key);
    if (!known) rows.set(key, row);
    (known ?? row).from.add(show(from));
  }
  return [...rows.values()].map((row) => `| ${[...row.from].sort().join(', ')} | ${row.to} | ${row.ports} | ${row.because} |`).sort();
}

function show(peer: Peer): string {
  if (isWorkload(peer)) return `\`${idOf(peer)}\``;
  if (isGroup(peer)) return 'every game server';
  switch (peer.outside) {
    case 'api-server':
      return 'the API server';
    case 'nodes':
      return 'the nodes';
    case 'internet':
      return 'the Internet';
    case 'anywhere':
      return 'anybody';
    case 'address':
      return peer.cidr;
  }
}

function idOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

function showPort({ port, endPort, protocol }: FlowPort): string {
  return `${protocol ?? 'TCP'} ${port}${endPort ? `–${endPort}` : ''}`;
}
