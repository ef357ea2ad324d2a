/**
 * The router's list as `npm run ports` prints it: what is forwarded (lib/model/port-forwards.ts, which Terraform's output reads as well), and what never may be.
 * It deliberately computes no rule itself, asks no router and changes nothing.
 */
import type { Cluster } from './model/cluster';
import { type PortForward, portForwards } from './model/port-forwards';

export interface Forwarding {
  /** Empty where no router is between players on the Internet and the cluster. */
  readonly forward: readonly PortForward[];
  /** Addresses that must stay unreachable from the Internet. */
  readonly never: readonly { readonly address: string; readonly because: string }[];
}

export function forwarding(cluster: Cluster): Forwarding {
  const { network, kubernetes } = cluster;
  const never = [
    { address: network.adminIngress, because: 'admin pages' },
    { address: network.dns, because: 'an open resolver is abused within hours' },
    ...kubernetes.apiServer.addresses.map((address) => ({ address: `${address}:${kubernetes.apiServer.port}`, because: 'the API server' })),
  ];
  return {
    forward: portForwards(cluster),
    never: never.flatMap(({ address, because }) => (address === undefined ? [] : [{ address, because }])),
  };
}

/** As a table for people, a line each. */
export function forwardingText(name: string, { forward, never }: Forwarding): string {
  const ports = ({ first, last }: PortForward) => (first === last ? String(first) : `${first}-${last}`);
  const rows = forward.map((each) => [`${each.protocol} ${ports(each)}`, `to ${each.to}`, each.purpose]);
  const width = (column: number) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  return [
    forward.length === 0 ? `${name}: nothing is forwarded, because no router is in the way.` : `${name}: forward, to the same ports`,
    ...rows.map(([what = '', to = '', purpose = '']) => `  ${what.padEnd(width(0))}  ${to.padEnd(width(1))}  ${purpose}`),
    `${name}: never forward`,
    ...never.map(({ address, because }) => `  ${address}  ${because}`),
  ].join('\n');
}
