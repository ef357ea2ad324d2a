/** The alert rules that the example clusters emit, as tests of this folder read them. It deliberately judges nothing. */
import { buildCluster } from '../../lib/build';
import { type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import { memoryStore } from '../../lib/secrets/store';
import { exampleHomelab, exampleLocal } from '../examples';

export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook?: string };
}

export interface EmittedRules {
  /** Of the cluster. */
  readonly cluster: string;
  readonly rules: readonly AlertingRule[];
}

function manifestsOf(description: ClusterDescription) {
  return buildCluster(resolveCluster(description), { store: memoryStore('everything') }).objects.map(({ manifest }) => manifest);
}

function emitted(description: ClusterDescription): EmittedRules {
  const rules = manifestsOf(description)
    .filter(({ kind }) => kind === 'PrometheusRule')
    .flatMap(({ spec }) => spec.groups.flatMap((group: { rules: AlertingRule[] }) => group.rules));
  return { cluster: description.name, rules };
}

/** Between them they have every alert that there is. */
export const EMITTED: readonly EmittedRules[] = [emitted(exampleHomelab), emitted(exampleLocal)];

/** The same without rules that an earlier cluster has, word for word: one run proves them for both. */
export const DISTINCT: readonly EmittedRules[] = EMITTED.map(({ cluster, rules }, index) => {
  const earlier = new Set(EMITTED.slice(0, index).flatMap((each) => each.rules.map((rule) => JSON.stringify(rule))));
  return { cluster, rules: rules.filter((rule) => !earlier.has(JSON.stringify(rule))) };
});

/** Names of all alerts, each once. */
export const ALERT_NAMES: readonly string[] = [...new Set(EMITTED.flatMap(({ rules }) => rules.map(({ alert }) => alert)))].sort();

/** `Kind name` of every object of the example homelab, whose names the pages of docs/runbooks use. */
export const HOMELAB_OBJECTS: ReadonlySet<string> = new Set(
  manifestsOf(exampleHomelab).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
);
