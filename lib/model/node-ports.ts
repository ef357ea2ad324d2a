/**
 * UDP ports that nodes of a homelab use themselves: a game server's host port there would take packets from the cluster's own network.
 * It deliberately is one list for worlds and instances alike; ports below 1024 that matter are in it too.
 */

const USERS: ReadonlyMap<number, string> = new Map([
  [53, 'DNS'],
  [67, 'DHCP'],
  [68, 'DHCP'],
  [123, 'NTP'],
  [4789, 'VXLAN of Calico, Cilium and Talos'],
  [7946, "MetalLB's speakers"],
  [8472, 'VXLAN of Flannel, k3s and Cilium'],
  [51820, 'WireGuard'],
  [51821, 'WireGuard'],
]);
/** Most host ports of instances: many routers take one forwarding rule a port. */
export const MOST_INSTANCE_PORTS = 200;

/** kube-proxy's range of NodePorts, unless the API server is told another. */
const NODE_PORTS = { first: 30000, last: 32767 };

/** What nodes use the range for, port by port (NodePorts as one); empty when the range is free. */
export function usedByNodes(first: number, last: number = first): { readonly port: number; readonly user: string }[] {
  const used = [...USERS].filter(([port]) => port >= first && port <= last).map(([port, user]) => ({ port, user }));
  const nodePort = Math.max(first, NODE_PORTS.first);
  return nodePort <= Math.min(last, NODE_PORTS.last) ? [...used, { port: nodePort, user: 'NodePorts of Services (30000-32767)' }] : used;
}
