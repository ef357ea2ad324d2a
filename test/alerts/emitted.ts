/** The alert rules that the example clusters emit, as tests of this folder read them. It deliberately judges nothing. */
import { parse } from 'yaml';
import { buildCluster } from '../../lib/build';
import { LOG_RULES } from '../../lib/constructs/log-alerts';
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

const namesOf = (rules: readonly AlertingRule[]): readonly string[] => [...new Set(rules.map(({ alert }) => alert))].sort();

/** Names of all alerts of Prometheus, each once. */
export const ALERT_NAMES = namesOf(EMITTED.flatMap(({ rules }) => rules));

/** The file of rules that Loki is given, the same in every cluster. */
export const LOG_RULES_FILE: string = manifestsOf(exampleHomelab).find(
  ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === LOG_RULES.configMap,
)?.data[LOG_RULES.file];

/** The alerts that it holds. */
export const LOG_ALERTING: readonly AlertingRule[] = parse(LOG_RULES_FILE).groups.flatMap(
  (group: { rules: AlertingRule[] }) => group.rules,
);

/** Names of all alerts, whoever evaluates them. */
export const EVERY_ALERT_NAME = namesOf([...EMITTED.flatMap(({ rules }) => rules), ...LOG_ALERTING]);

/** `Kind name` of every object of the example homelab, whose names the pages of docs/runbooks use. */
export const HOMELAB_OBJECTS: ReadonlySet<string> = new Set(
  manifestsOf(exampleHomelab).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
);
