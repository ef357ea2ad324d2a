/**
 * What the router at home must forward so that players on the Internet get in: computed from the model, for people and for Terraform's output.
 * It deliberately lists what is needed and nothing else: admin pages, DNS and the API server are never in it.
 */
import type { Cluster } from './cluster';

export interface PortForward {
  readonly protocol: 'TCP' | 'UDP';
  /** First and last port; the same for one port. The router sends them on unchanged, because tokens carry the number that players dial. */
  readonly first: number;
  readonly last: number;
  /** Address in the LAN. */
  readonly to: string;
  /** What comes in there, for whoever reads the router's list in two years. */
  readonly purpose: string;
}

/**
 * In the order of a router's list: the entry point, the worlds by port, the instances.
 * Empty without `network.publicAddress`: players are in the LAN only, or every node has a public address of its own and there is no router between.
 */
export function portForwards(cluster: Cluster): PortForward[] {
  const { network, nodes } = cluster;
  if (network.publicAddress === undefined) return [];
  const behindRouter = nodes.filter((node) => node.publicAddress === undefined || node.publicAddress === network.publicAddress);
  const forwards: PortForward[] = [];
  const forward = (protocol: PortForward['protocol'], first: number, last: number, to: string | undefined, purpose: string): void => {
    if (to !== undefined) forwards.push({ protocol, first, last, to, purpose });
  };
  // Without a load balancer, Traefik is on the ports of the nodes.
  const ingress = network.ingress ?? behindRouter[0]?.address;
  forward('TCP', 443, 443, ingress, "players' page and connect broker");
  forward('TCP', 80, 80, ingress, 'redirect to HTTPS, and HTTP-01 challenges');
  const worlds = cluster.realms.flatMap((realm) =>
    realm.continents
      .filter((continent) => continent.state === 'active')
      .filter((continent) => realm.exposure.type !== 'host-port' || behindRouter.some((node) => node.name === continent.node))
      .map((continent) => ({ port: continent.port, to: continent.lanAddress, purpose: `world ${realm.name}/${continent.name}` })),
  );
  for (const { port, to, purpose } of worlds.sort((a, b) => a.port - b.port)) forward('UDP', port, port, to, purpose);
  if (cluster.instances.length > 0) {
    const node =
      behindRouter.find(({ name }) => name === network.instanceNode) ?? (behindRouter.length === 1 ? behindRouter[0] : undefined);
    const { first, last } = network.instancePorts;
    forward('UDP', first, last, node?.address, `instances on ${node?.name}`);
  }
  return forwards;
}
