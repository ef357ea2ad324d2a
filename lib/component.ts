/**
 * The contract of a component: one system of the backend, in one file of charts/, registered by one line in charts/index.ts.
 * It deliberately is a description that the build reads (namespaces, flows, Applications), never a thing that acts by itself.
 */
import type { Chart } from 'cdk8s';
import type { Flow, Workload } from './flows';
import type { Cluster } from './model/cluster';
import type { SecretSpec } from './secrets/spec';

/** A Namespace, which is a real object, protected from pruning. */
export interface NamespaceSpec {
  readonly name: string;
  /** Pod Security level that the namespace enforces. */
  readonly podSecurity: 'restricted' | 'baseline' | 'privileged';
  /** Why it is not `restricted`; required then, and shown as an annotation. */
  readonly because?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The AppProject of an Application: what may go wrong together, and what cluster-scoped kinds it may touch. */
export type ProjectName = 'platform' | 'observability' | 'data' | 'game';

/** Fields that Argo CD does not compare. */
export interface IgnoredDifference {
  readonly group?: string;
  readonly kind: string;
  readonly name?: string;
  readonly jsonPointers: readonly string[];
}

/** A window in which an Application is synced by itself: five cron fields in a time zone, and how long it stays open. */
export interface SyncWindow {
  /** IANA name. */
  readonly timeZone: string;
  readonly start: string;
  /** Such as `4h` or `1h30m`. */
  readonly duration: string;
}

/** One Argo CD Application of ours: a folder of dist/. */
export interface ApplicationSpec {
  /** Unique; the folder's name. */
  readonly name: string;
  readonly project: ProjectName;
  /** Destination namespace (each object still names its own). */
  readonly namespace: string;
  /** Names of Applications (ours or upstream charts') that must be synced and healthy before; `namespaces` is always among them. The waves follow from it. */
  readonly needs: readonly string[];
  /** In the wave after all others: worlds, whose start must not hold anything up. @default false */
  readonly last?: boolean;
  /** Namespaces whose NetworkPolicies (default deny and those that follow from the flows) this Application carries. @default none */
  readonly policiesOf?: readonly string[];
  /** @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** When it is synced by itself; a person may sync it at any time. @default always */
  readonly syncWindows?: readonly SyncWindow[];
  /**
   * Whether its objects carry sync waves that must hold in a retry, too. Then every sync applies all of its objects: with ApplyOutOfSyncOnly
   * a retry leaves out the wave that failed and starts the next (measured, Argo CD 3.2.11). @default false
   */
  readonly orderedWaves?: boolean;
  /** Fields that something in the cluster writes and that are therefore no difference. @default none */
  readonly ignoreDifferences?: (cluster: Cluster) => readonly IgnoredDifference[];
  /** Adds the objects to the chart. */
  readonly build: (chart: Chart, context: BuildContext) => void;
}

export interface BuildContext {
  readonly cluster: Cluster;
  /** Every Namespace that the cluster's components declare. */
  readonly namespaces: readonly NamespaceSpec[];
  /**
   * Declares a Secret of the cluster and adds its SealedSecret to the chart.
   * A secret without a sealed value is reported at the end of the build, all of them together, with the command that seals them.
   */
  secret(chart: Chart, spec: SecretSpec): void;
  /** When the next recovery drill is due; undefined where there is no key of the cluster's own to prove anything of. */
  readonly recoveryDrillDue: Date | undefined;
  /** Says something that whoever runs the synth should know and that is no mistake. */
  warn(message: string): void;
}

export interface Component {
  readonly name: string;
  /** One sentence for the docs and for the list in charts/index.ts. */
  readonly summary: string;
  /** Whether this cluster has it: true, or the reason why not, which the synth prints. @default true */
  readonly enabled?: (cluster: Cluster) => true | string;
  readonly namespaces?: (cluster: Cluster) => readonly NamespaceSpec[];
  /** Flows from or to its pods; a flow is declared once, by the component that offers the port. */
  readonly flows?: (cluster: Cluster) => readonly Flow[];
  readonly applications: (cluster: Cluster) => readonly ApplicationSpec[];
}

/** Labels of an object: what it is (name), which part of it (component), and that it is ours. Versions are no labels: they would change every object at each upgrade. */
export function labels(name: string, component?: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    'app.kubernetes.io/name': name,
    ...(component ? { 'app.kubernetes.io/component': component } : {}),
    'app.kubernetes.io/part-of': 'mmo',
    ...more,
  };
}

/** A workload as flows name it. */
export function workload(namespace: string, name: string, selector: Readonly<Record<string, string>>): Workload {
  return { namespace, name, labels: selector };
}

/** Keeps an object (and what it holds) when it leaves Git and when its Application is deleted: both options are needed (argo-cd#9853). */
export const PROTECTED: Readonly<Record<string, string>> = { 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false' };

/** The wave of an object within its Application's sync. */
export function syncWave(wave: number): Record<string, string> {
  return { 'argocd.argoproj.io/sync-wave': String(wave) };
}
