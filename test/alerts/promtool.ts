/**
 * Runs cases of alerts through promtool, all at once: rules and cases are written into a folder that does not outlive the run.
 * It deliberately leaves descriptions out of the rules that are run: promtool would want each written down twice. The summary stays, as what a person reads first.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Cases, Firing, Quiet } from './cases';
import type { AlertingRule, EmittedRules } from './emitted';

const PROMTOOL = process.env.PROMTOOL ?? 'promtool';

/** Whether promtool can be run; PROMTOOL may name it. */
export function promtoolIsInstalled(): boolean {
  return spawnSync(PROMTOOL, ['--version']).status === 0;
}

/** One case of one alert on one cluster. */
export interface Trial {
  readonly cluster: string;
  readonly alert: string;
  /** Unique over all trials, and a sentence. */
  readonly name: string;
  readonly group: object;
}

/** Every case of every alert that a cluster has. */
export function trialsOf({ cluster, rules }: EmittedRules, cases: Readonly<Record<string, Cases>>): Trial[] {
  return rules.flatMap((rule) => {
    const { alert } = rule;
    const { fires, quiet } = cases[alert] ?? { fires: [], quiet: [] };
    return [
      ...fires.map((each) => trial(cluster, alert, `fires${each.because ? ` when ${each.because}` : ''}`, each, firingAlerts(rule, each))),
      ...quiet.map((each) => trial(cluster, alert, `is quiet when ${each.because}`, each, quietAlerts(alert, each))),
    ];
  });
}

function trial(cluster: string, alert: string, says: string, { series }: Firing | Quiet, expected: object[]): Trial {
  const name = `${cluster}: ${alert} ${says}`;
  const inputs = Object.entries(series).map(([each, values]) => ({ series: each, values }));
  return { cluster, alert, name, group: { name, interval: '1m', input_series: inputs, alert_rule_test: expected } };
}

function firingAlerts({ alert, labels: { severity } }: AlertingRule, { at, labels, summary }: Firing): object[] {
  const fired = {
    eval_time: `${at}m`,
    alertname: alert,
    exp_alerts: [{ exp_labels: { ...labels, severity }, exp_annotations: { summary } }],
  };
  return at === 0 ? [fired] : [{ eval_time: `${at - 1}m`, alertname: alert, exp_alerts: [] }, fired];
}

function quietAlerts(alert: string, { until = 120 }: Quiet): object[] {
  return Array.from({ length: Math.floor(until / 10) }, (_, index) => ({
    eval_time: `${(index + 1) * 10}m`,
    alertname: alert,
    exp_alerts: [],
  }));
}

/**
 * What promtool says of trials, by their names; those that it agrees with are absent.
 * @throws when promtool fails in a way that is not about a trial (rules that it cannot read, a crash), with its words
 */
export function failuresOf(clusters: readonly EmittedRules[], trials: readonly Trial[]): ReadonlyMap<string, string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'alerts-'));
  try {
    // A file for each alert: promtool evaluates all rules of a file at every minute of every case.
    const files = clusters.flatMap(({ cluster, rules }) =>
      rules.map(({ annotations, ...rule }) => {
        const name = `${cluster}.${rule.alert}`;
        const bare = { ...rule, annotations: { summary: annotations.summary } };
        // JSON is YAML, and needs no writer that might change what the rules say.
        writeFileSync(path.join(folder, `${name}.rules.yaml`), JSON.stringify({ groups: [{ name: 'alerts', rules: [bare] }] }));
        const tests = trials.filter((each) => each.cluster === cluster && each.alert === rule.alert).map(({ group }) => group);
        writeFileSync(
          path.join(folder, `${name}.tests.yaml`),
          JSON.stringify({ rule_files: [`${name}.rules.yaml`], evaluation_interval: '1m', tests }),
        );
        return `${name}.tests.yaml`;
      }),
    );
    const { status, stdout, stderr, error } = spawnSync(PROMTOOL, ['test', 'rules', ...files], { encoding: 'utf8', cwd: folder });
    if (error) throw error;
    const failures = failuresIn(stdout + stderr, trials);
    if (status !== 0 && failures.size === 0)
      throw new Error(`promtool failed without naming a case (exit status ${status}):\n${stdout}${stderr}`);
    return failures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** promtool begins each failure with `name: <the group's name>,` on a line of its own. */
function failuresIn(output: string, trials: readonly Trial[]): Map<string, string> {
  const known = new Set(trials.map(({ name }) => name));
  const failures = new Map<string, string>();
  let current: string | undefined;
  for (const line of output.split('\n')) {
    const named = /^\s*name: (.+),$/.exec(line)?.[1];
    if (named !== undefined && known.has(named)) current = named;
    else if (current !== undefined && line.trim() !== '') failures.set(current, `${failures.get(current) ?? ''}${line.trim()}\n`);
  }
  return failures;
}
