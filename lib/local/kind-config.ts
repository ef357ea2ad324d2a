/**
 * kind's configuration for a cluster of one node without a load balancer: every port that the cluster uses on its node, published on this machine alone.
 * It deliberately finds the ports in what was built, so that a port which is added anywhere is published too.
 */
import type { BuiltCluster } from '../build';
import type { Cluster } from '../model/cluster';

interface PortMapping {
  readonly containerPort: number;
  readonly hostPort: number;
  readonly protocol?: 'UDP';
  readonly listenAddress: string;
}

export interface KindConfig {
  readonly kind: 'Cluster';
  readonly apiVersion: 'kind.x-k8s.io/v1alpha4';
  readonly name: string;
  readonly nodes: readonly { readonly role: 'control-plane'; readonly extraPortMappings: readonly PortMapping[] }[];
}

/** Whether kind can make the cluster as it is described: one node, called as kind calls it, with everything on the node's ports. */
export function fitsKind({ name, nodes, hasLoadBalancer }: Cluster): boolean {
  return !hasLoadBalancer && nodes.length === 1 && nodes[0]?.name === `${name}-control-plane`;
}

export function kindConfig(built: BuiltCluster): KindConfig {
  const { cluster } = built;
  const ports = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { hostPort, protocol } = value as { hostPort?: unknown; protocol?: unknown };
    if (typeof hostPort === 'number') ports.add(`${protocol === 'UDP' ? 'UDP' : 'TCP'} ${hostPort}`);
    Object.values(value).forEach(look);
  };
  for (const { manifest } of built.objects) look(manifest);
  if (cluster.instances.length > 0) {
    const { first, last } = cluster.network.instancePorts;
    for (let port = first; port <= last; port += 1) ports.add(`UDP ${port}`);
  }
  const mappings = [...ports]
    .map((text) => ({ protocol: text.slice(0, 3), port: Number(text.slice(4)) }))
    .sort((a, b) => (a.protocol === b.protocol ? a.port - b.port : a.protocol < b.protocol ? -1 : 1))
    .map(
      ({ protocol, port }): PortMapping => ({
        // The same number outside, because tokens carry the one that players dial.
        containerPort: port,
        hostPort: port,
        ...(protocol === 'UDP' ? { protocol } : {}),
        // A laptop's cluster lets anybody register.
        listenAddress: '127.0.0.1',
      }),
    );
  return {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    name: cluster.name,
    nodes: [{ role: 'control-plane', extraPortMappings: mappings }],
  };
}
