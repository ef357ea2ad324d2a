/**
 * What the catalogue says of one upstream Helm chart: where it comes from, the few values that we set, and the record of what it really renders.
 * It deliberately renders nothing: Argo CD does; `npm run charts:verify` proves the record against the pinned chart.
 */
import type { IgnoredDifference, ProjectName } from '../../lib/component';
import type { Flow } from '../../lib/flows';
import type { Cluster } from '../../lib/model/cluster';

/** A Service that the chart renders, with its port numbers and names. */
export interface ProvidedService {
  readonly name: string;
  /** @default the chart's namespace */
  readonly namespace?: string;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol?: 'TCP' | 'UDP' }[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** Pods that the chart renders: labels as NetworkPolicies and monitors select them, and container ports. */
export interface ProvidedPods {
  /** Name of the workload; also of the NetworkPolicy that we emit for it. */
  readonly name: string;
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'Operator';
  /** @default the chart's namespace */
  readonly namespace?: string;
  /** The labels that we select by: a subset of the pod template's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol?: 'TCP' | 'UDP' }[];
  readonly serviceAccount?: string;
  /** Host-network pods are not subject to NetworkPolicies. */
  readonly hostNetwork?: boolean;
}

export interface Provides {
  /** Full names, `<plural>.<group>`. */
  readonly crds: readonly string[];
  /** API groups whose objects the chart's webhooks judge and refuse while they do not run (`failurePolicy: Fail`): what uses them is synced later. @default none */
  readonly webhooks?: readonly string[];
  readonly services: readonly ProvidedService[];
  readonly pods: readonly ProvidedPods[];
  /** `<namespace>/<name>` of Secrets, ConfigMaps and ServiceAccounts that others refer to. */
  readonly secrets?: readonly string[];
  readonly configMaps?: readonly string[];
  readonly serviceAccounts?: readonly string[];
  readonly ingressClasses?: readonly string[];
  /** Cluster-scoped kinds that the chart renders, `<group>/<Kind>` (`/Namespace` for the core group): the AppProject allows exactly these. */
  readonly clusterKinds?: readonly string[];
  /** Namespaces other than its own that the chart writes to, such as kube-system. */
  readonly namespaces?: readonly string[];
}

/** What the project asks of every container; a chart that cannot keep one of them needs an exception. */
export type HardeningRule =
  | 'non-root'
  | 'read-only-root'
  | 'no-escalation'
  | 'no-capabilities'
  | 'seccomp'
  | 'requests'
  | 'memory-limit'
  | 'no-host-namespaces'
  | 'no-host-paths'
  | 'no-host-ports';

/** Rules that one container of a chart does not keep, and why that is right or cannot be helped. */
export interface HardeningException {
  /** `<workload>/<container>`. */
  readonly container: string;
  readonly rules: readonly HardeningRule[];
  readonly because: string;
}

export interface UpstreamChart {
  /** Name of the Argo CD Application, and the Helm release name. */
  readonly name: string;
  /** The AppProject of its Application. */
  readonly project: ProjectName;
  /** Key in versions.ts `charts`. */
  readonly chart: string;
  readonly namespace: string;
  /** One sentence for the docs. */
  readonly summary: string;
  /** Whether this cluster gets it: true, or the reason why not (printed by the synth). @default true */
  readonly enabled?: (cluster: Cluster) => true | string;
  /** Only values that differ from the chart's defaults, each with its reason in a comment. */
  readonly values: (cluster: Cluster) => object;
  /** Names of Applications that must be healthy before (their CRDs, webhooks, certificates or secrets are used). */
  readonly needs: (cluster: Cluster) => readonly string[];
  /** What the chart renders with our values for this cluster. */
  readonly provides: (cluster: Cluster) => Provides;
  /** Flows of its pods: API server, webhooks, metrics, its peers. */
  readonly flows: (cluster: Cluster) => readonly Flow[];
  /** Helm hooks that the chart renders and that may stay, `<Kind>/<name>`: why Argo CD running them is right. `npm run charts:verify` refuses any other hook. @default none */
  readonly acceptedHooks?: Readonly<Record<string, string>>;
  /** Containers that fall short of the project's rules; `npm run charts:verify` refuses any other shortfall, and an exception that is no longer needed. @default none */
  readonly exceptions?: (cluster: Cluster) => readonly HardeningException[];
  /** Fields that something in the cluster writes and that are therefore no difference. @default none */
  readonly ignoreDifferences?: (cluster: Cluster) => readonly IgnoredDifference[];
  /** Paths of values, such as `configs.cm`, below which the chart takes any key although its values.yaml lists some; elsewhere `npm run charts:verify` refuses keys that the chart does not know. @default none */
  readonly freeValues?: readonly string[];
  /** Secrets (sealed by us) that its values refer to, `<namespace>/<name>`: keys. */
  readonly secrets?: (cluster: Cluster) => Readonly<Record<string, readonly string[]>>;
}
