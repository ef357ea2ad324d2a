/**
 * From a cluster's model to every object of its dist: collects the components, runs their charts, adds what follows (namespaces, policies, Applications).
 * It deliberately writes nothing and judges nothing: the writer and the checks come after it.
 */
import { App, Chart } from 'cdk8s';
import { catalog } from '../argocd/catalog';
import type { UpstreamChart } from '../argocd/catalog/types';
import { emitRoot, ROOT } from '../argocd/root';
import { components as allComponents } from '../charts';
import type { ApplicationSpec, BuildContext, Component, NamespaceSpec } from './component';
import { type Exception, objectsOf, type PlainObject } from './emit/manifest';
import type { Flow } from './flows';
import type { Cluster } from './model/cluster';
import { NetworkPlan } from './network-policies';
import { emitSealedSecret } from './secrets/sealed-secret';
import type { MissingSecret, SecretSpec, SecretStore } from './secrets/spec';
import { computeWaves } from './waves';

/** One object and the Application that syncs it. */
export interface BuiltObject {
  readonly application: string;
  readonly manifest: PlainObject;
  readonly exceptions: readonly Exception[];
}

/** One Argo CD Application: a folder of ours, or an upstream chart. */
export interface BuiltApplication {
  readonly name: string;
  readonly wave: number;
  readonly needs: readonly string[];
  readonly spec: ApplicationSpec | UpstreamChart;
  /** Whether the source is an upstream chart (then it has no objects here). */
  readonly upstream: boolean;
}

export interface BuiltCluster {
  readonly cluster: Cluster;
  readonly applications: ReadonlyMap<string, BuiltApplication>;
  readonly objects: readonly BuiltObject[];
  readonly namespaces: readonly NamespaceSpec[];
  readonly flows: readonly Flow[];
  /** Upstream charts that this cluster has. */
  readonly charts: readonly UpstreamChart[];
  /** Every Secret that the cluster needs, sealed or not. */
  readonly secrets: readonly SecretSpec[];
  readonly missingSecrets: readonly MissingSecret[];
  /** What the cluster does not have, and why. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  readonly warnings: readonly string[];
}

export interface BuildOptions {
  readonly store: SecretStore;
  /** @default those of charts/index.ts; tests give their own */
  readonly components?: readonly Component[];
}

/** Builds a cluster. The result depends on the arguments alone. Throws on contradictions between components (a program's mistake, not an operator's). */
export function buildCluster(cluster: Cluster, options: BuildOptions): BuiltCluster {
  const { store } = options;
  const leftOut: { name: string; reason: string }[] = [];
  const has = (entry: { name: string; enabled?: (cluster: Cluster) => true | string }): boolean => {
    const answer = entry.enabled?.(cluster) ?? true;
    // A chart and its component are one system to whoever reads the list; the component's reason comes first.
    if (answer !== true && !leftOut.some((other) => other.name === entry.name)) leftOut.push({ name: entry.name, reason: answer });
    return answer === true;
  };
  const components = (options.components ?? allComponents).filter(has);
  const charts = catalog.filter(has);

  const namespaces = components.flatMap((component) => component.namespaces?.(cluster) ?? []);
  const flows = [
    ...components.flatMap((component) => component.flows?.(cluster) ?? []),
    ...charts.flatMap((chart) => chart.flows(cluster)),
  ];
  const specs = components.flatMap((component) => component.applications(cluster));
  const nodes = [
    ...specs.map((spec) => ({
      name: spec.name,
      needs: withNamespaces(spec.name, spec.needs),
      last: spec.last ?? false,
      spec,
      upstream: false,
    })),
    ...charts.map((chart) => ({
      name: chart.name,
      needs: withNamespaces(chart.name, chart.needs(cluster)),
      last: false,
      spec: chart,
      upstream: true,
    })),
  ];
  refuseDuplicates(
    'Application',
    nodes.map((node) => node.name),
  );
  refuseDuplicates(
    'Namespace',
    namespaces.map((namespace) => namespace.name),
  );
  const waves = computeWaves(nodes);
  const applications = new Map(
    nodes
      .map(({ last: _last, ...node }): [string, BuiltApplication] => [node.name, { ...node, wave: waves.get(node.name) ?? 0 }])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

  const secrets: SecretSpec[] = [];
  const missingSecrets: MissingSecret[] = [];
  const warnings: string[] = [];
  const context: BuildContext = {
    cluster,
    namespaces,
    recoveryDrillDue: store.drillDue(),
    warn: (message) => warnings.push(message),
    secret: (chart, spec) => {
      secrets.push(spec);
      missingSecrets.push(...emitSealedSecret(chart, spec, store));
    },
  };

  const plan = new NetworkPlan(cluster, flows);
  const owners = policyOwners(specs, namespaces);
  const app = new App();
  const objects: BuiltObject[] = [];
  const collect = (chart: Chart): void => {
    for (const { manifest, exceptions } of objectsOf(chart)) objects.push({ application: chart.node.id, manifest, exceptions });
  };
  for (const spec of specs) {
    const chart = new Chart(app, spec.name, { disableResourceNameHashes: true });
    spec.build(chart, context);
    for (const namespace of owners.get(spec.name) ?? []) plan.emit(chart, namespace);
    collect(chart);
  }
  const undeclared = plan.namespaces.filter((name) => !namespaces.some((namespace) => namespace.name === name));
  if (undeclared.length > 0) throw new Error(`Flows name namespaces that no component declares: ${undeclared.join(', ')}.`);

  const root = new Chart(app, ROOT, { disableResourceNameHashes: true });
  emitRoot(root, { cluster, applications: [...applications.values()], objects, charts });
  collect(root);

  return {
    cluster,
    applications,
    objects,
    namespaces,
    flows,
    charts,
    secrets,
    missingSecrets,
    leftOut,
    warnings: [...warnings, ...store.warnings(secrets)],
  };
}

/** Everything stands on its Namespace, so nobody has to say so. */
function withNamespaces(name: string, needs: readonly string[]): string[] {
  return name === 'namespaces' ? [...needs] : [...new Set(['namespaces', ...needs])];
}

/** Which Application carries the policies of which namespaces: the one that says so, otherwise `namespaces` (upstream charts start behind their policies). */
function policyOwners(specs: readonly ApplicationSpec[], namespaces: readonly NamespaceSpec[]): Map<string, string[]> {
  const owner = new Map<string, string>();
  for (const spec of specs) {
    for (const namespace of spec.policiesOf ?? []) {
      const other = owner.get(namespace);
      if (other) throw new Error(`Applications '${other}' and '${spec.name}' both claim the NetworkPolicies of namespace '${namespace}'.`);
      owner.set(namespace, spec.name);
    }
  }
  const byApplication = new Map<string, string[]>();
  for (const { name } of namespaces) {
    const application = owner.get(name) ?? 'namespaces';
    const list = byApplication.get(application);
    if (list) list.push(name);
    else byApplication.set(application, [name]);
  }
  return byApplication;
}

function refuseDuplicates(kind: string, names: readonly string[]): void {
  const seen = new Set<string>();
  const twice = names.filter((name) => seen.size === seen.add(name).size);
  if (twice.length > 0) throw new Error(`Two components declare the same ${kind}: ${twice.join(', ')}. One of them must own it.`);
}
