/**
 * Network flows, declared once, and the NetworkPolicies that follow from them at both ends.
 * It deliberately knows no component: who talks to whom is declared by the components, and a flow that nobody declared does not exist.
 */

/** Pods of one kind in one namespace: the unit that a NetworkPolicy selects. */
export interface Workload {
  /** Name of the NetworkPolicy; unique in the namespace. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Workloads of several namespaces that carry the same labels, named as one peer, so that adding a realm changes no other component's policies. */
export interface WorkloadGroup {
  /** Labels of the namespaces; every member's namespace must carry them. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Labels of the pods; every member must carry them. */
  readonly podLabels: Readonly<Record<string, string>>;
  readonly members: readonly Workload[];
}

/** Ends that are not pods. */
export type Outside =
  /** The API server, at the addresses of the description. */
  | { readonly outside: 'api-server' }
  /** The nodes, at the addresses of the description (kubelet, host-network pods, and the API server calling webhooks). */
  | { readonly outside: 'nodes' }
  /** Everything but private networks. */
  | { readonly outside: 'internet' }
  /** Anybody, in the cluster or not: players, and clients behind a load balancer. */
  | { readonly outside: 'anywhere' }
  /** One address or block, such as the LAN's. */
  | { readonly outside: 'address'; readonly cidr: string };

export type Peer = Workload | WorkloadGroup | Outside;

export interface FlowPort {
  /** Number of the container's port, not of the Service's: policies act after the Service's translation. */
  readonly port: number;
  /** Last port of a range. @default none */
  readonly endPort?: number;
  /** @default TCP */
  readonly protocol?: 'TCP' | 'UDP';
}

export interface Flow {
  readonly from: Peer;
  readonly to: Peer;
  readonly ports: readonly FlowPort[];
  /** Why the flow exists, for docs/reference/flows.md and for whoever reviews a new one. */
  readonly because: string;
}
