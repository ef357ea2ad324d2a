/**
 * The alert rules of one component as one PrometheusRule: a flat list in, with the annotations and the severity that every alert of ours has.
 * It deliberately knows no metric; each component writes the expressions of what it knows best.
 */
import type { Chart } from 'cdk8s';
import { PrometheusRule, type PrometheusRuleSpecGroupsRules, PrometheusRuleSpecGroupsRulesExpr } from '../../imports/monitoring.coreos.com';
import { labels } from '../component';
import { add } from '../emit/manifest';

export interface Alert {
  /** CamelCase, unique over all components. */
  readonly name: string;
  /** PromQL. Aggregate so that one cause is one alert. */
  readonly expr: string;
  /** How long the condition must hold, such as `10m`. @default none: at the first evaluation */
  readonly for?: string;
  /** critical: players are, or soon will be, kept out or lose something; somebody should get up. warning: to be looked at within a day. */
  readonly severity: 'critical' | 'warning';
  /** One line, as a message on a phone shows it. */
  readonly summary: string;
  /** What it means and what to do first. */
  readonly description: string;
}

/** Adds the PrometheusRule `<name>` with one group of the same name. */
export function alertRules(chart: Chart, namespace: string, name: string, alerts: readonly Alert[]): void {
  add(chart, PrometheusRule, {
    metadata: { name, namespace, labels: labels(name, 'alerts') },
    spec: {
      groups: [
        {
          name,
          rules: alerts.map((alert) => alertRule(alert.name, alert.severity, alert.for, alert.expr, alert.summary, alert.description)),
        },
      ],
    },
  });
}

/**
 * The page that says what to do, as a path within this repository and not as an address: whoever repairs has the repository at hand (it holds the cluster),
 * perhaps no network, and rules stay the same in every fork and on every branch.
 */
export function runbookOf(alert: string): string {
  return `docs/runbooks/${alert}.md`;
}

/** One alert as the operator's kind has it; the one place that gives an alert its label and its annotations. Arguments as the fields of `Alert`. */
export function alertRule(
  name: string,
  severity: Alert['severity'],
  duration: string | undefined,
  expr: string,
  summary: string,
  description: string,
): PrometheusRuleSpecGroupsRules {
  return {
    alert: name,
    expr: PrometheusRuleSpecGroupsRulesExpr.fromString(expr),
    for: duration,
    labels: { severity },
    annotations: { summary, description, runbook: runbookOf(name) },
  };
}
