/**
 * Alerts and dashboards of whole clusters against the registry of metrics, and against promtool where it is installed.
 * It deliberately judges form alone: whether an alert fires when it should is for tests with series.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clusters as own } from '../apps';
import { buildCluster } from '../lib/build';
import { toYaml } from '../lib/emit/yaml';
import { EXPORTERS, METRICS, metricOfSeries } from '../lib/metrics';
import { type ClusterDescription, resolveCluster } from '../lib/model/cluster';
import { metricNames } from '../lib/promql';
import { memoryStore } from '../lib/secrets/store';
import { LOG_ALERTING } from './alerts/emitted';
import { exampleHomelab, exampleLocal } from './examples';

interface Rule {
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: { readonly summary?: string; readonly description?: string };
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource: { readonly uid: string };
  readonly fieldConfig: { readonly defaults: { readonly unit?: string } };
  readonly targets: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

interface DashboardFile {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly datasource?: { readonly uid: string }; readonly query: unknown }[];
  };
}

/** Uids of the sources that Grafana is given (argocd/catalog/kube-prometheus-stack.ts). */
const SOURCES = ['prometheus', 'alertmanager', 'loki'];

const read = (name: string, description: ClusterDescription) => {
  const { objects } = buildCluster(resolveCluster(description), { store: memoryStore('everything') });
  const manifests = objects.map(({ manifest }) => manifest);
  const prometheusRules = manifests.filter(({ kind }) => kind === 'PrometheusRule');
  const rules: Rule[] = prometheusRules.flatMap(({ spec }) => spec.groups.flatMap((group: { rules: Rule[] }) => group.rules));
  const dashboards: DashboardFile[] = manifests
    .filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.labels?.grafana_dashboard === '1')
    .flatMap(({ data }) => Object.values<string>(data).map((text) => JSON.parse(text)));
  const panels = dashboards.flatMap(({ uid, panels: all }) => all.filter(({ type }) => type !== 'row').map((panel) => ({ uid, panel })));
  const ofPrometheus = panels.filter(({ panel }) => panel.datasource.uid === 'prometheus');
  const expressions = [
    ...rules.map(({ alert, expr }) => ({ place: `alert ${alert}`, expr })),
    ...ofPrometheus.flatMap(({ uid, panel }) => panel.targets.map(({ expr }) => ({ place: `panel '${panel.title}' of ${uid}`, expr }))),
    ...dashboards.flatMap(({ uid, templating }) =>
      templating.list
        .filter(({ datasource }) => datasource?.uid === 'prometheus')
        .map(({ name, query }) => ({ place: `variable ${name} of ${uid}`, expr: selectorOf((query as { query: string }).query) })),
    ),
  ];
  return { name, prometheusRules, rules, dashboards, panels, ofPrometheus, expressions };
};
/** Between them they have every alert and dashboard that there is. */
const examples = [read('the example homelab', exampleHomelab), read('the example local', exampleLocal)];
/** What must hold whatever people describe. */
const clusters = [...examples, ...own.map((description) => read(`${description.name} of apps`, description))];
const all = examples.flatMap(({ expressions }) => expressions);

/** Grafana's function takes a selector and a label; only the first is PromQL. */
function selectorOf(query: string): string {
  const match = /^label_values\((.+), ([A-Za-z_]\w*)\)$/.exec(query);
  if (!match?.[1]) throw new Error(`'${query}' is not label_values(selector, label).`);
  return match[1];
}

describe.each(clusters)('in $name', ({ rules, dashboards, panels, expressions }) => {
  test('every metric that a rule or a panel reads is in the registry', () => {
    const unknown = expressions.flatMap(({ place, expr }) =>
      metricNames(expr)
        .filter((series) => !metricOfSeries(series))
        .map((series) => `${place} reads ${series}`),
    );
    expect(unknown).toEqual([]);
  });

  test('every expression reads at least one metric, or the time', () => {
    expect(expressions.filter(({ expr }) => metricNames(expr).length === 0 && !/\btime\(\)/.test(expr))).toEqual([]);
  });

  test('every rule is an alert with a severity, a summary and a description', () => {
    const incomplete = rules.filter(
      ({ alert, labels, annotations }) =>
        !alert || !['critical', 'warning'].includes(labels?.severity ?? '') || !annotations?.summary || !annotations.description,
    );
    expect(incomplete).toEqual([]);
  });

  test('no two alerts have one name', () => {
    const names = rules.map(({ alert }) => alert);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('no two dashboards have one uid', () => {
    const uids = dashboards.map(({ uid }) => uid);
    expect(uids).toEqual([...new Set(uids)]);
  });

  test('every panel and every query asks a source that Grafana has', () => {
    const asked = panels.flatMap(({ panel }) => [panel.datasource.uid, ...panel.targets.map(({ datasource }) => datasource.uid)]);
    expect(asked.filter((uid) => !SOURCES.includes(uid))).toEqual([]);
  });

  test('every panel has a unit and a description', () => {
    const bare = panels.filter(({ panel }) => !panel.fieldConfig.defaults.unit || !panel.description);
    expect(bare.map(({ uid, panel }) => `${uid}: ${panel.title}`)).toEqual([]);
  });

  test('every variable that an expression names is one of its dashboard', () => {
    const unknown = dashboards.flatMap(({ uid, panels: own, templating }) => {
      const known = new Set(['__rate_interval', '__auto', ...templating.list.map(({ name }) => name)]);
      const used = own.flatMap(({ targets = [] }) =>
        targets.flatMap(({ expr }) => [...expr.matchAll(/\$([A-Za-z_]\w*)/g)].map(([, name]) => name)),
      );
      return used.filter((name) => name && !known.has(name)).map((name) => `${uid}: $${name}`);
    });
    expect(unknown).toEqual([]);
  });
});

test('the clusters have alerts and dashboards at all', () => {
  expect(clusters.every(({ rules, dashboards }) => rules.length > 0 && dashboards.length > 0)).toBe(true);
});

test('every metric of the registry is read by some rule or panel', () => {
  const used = new Set(all.flatMap(({ expr }) => metricNames(expr).map(metricOfSeries)));
  expect(Object.keys(METRICS).filter((name) => !used.has(name))).toEqual([]);
});

test('every program of the registry has a metric there', () => {
  const named = new Set(Object.values(METRICS).map(({ exporter }) => exporter));
  expect(Object.keys(EXPORTERS).filter((exporter) => !named.has(exporter as keyof typeof EXPORTERS))).toEqual([]);
});

test.each([
  ['connect-broker', 'mmo_broker_'],
  ['game-server', 'mmo_game_'],
])('metrics of the %s, and no others, begin with %s', (exporter, prefix) => {
  const ofExporter = Object.keys(METRICS).filter((name) => METRICS[name]?.exporter === exporter);
  expect(ofExporter).toEqual(Object.keys(METRICS).filter((name) => name.startsWith(prefix)));
});

test("the names of our own metrics say their type, as Prometheus' conventions want it", () => {
  const own = Object.entries(METRICS).filter(([name]) => name.startsWith('mmo_'));
  expect(own.filter(([name, { type }]) => (type === 'counter') !== name.endsWith('_total'))).toEqual([]);
});

test.each([
  ['docs/game-server.md', 'mmo_game_'],
  ['docs/reference/broker-manifests.md', 'mmo_broker_'],
])('%s says the same of our metrics as the registry', (page, prefix) => {
  const rows = [...readFileSync(path.join(__dirname, '..', page), 'utf8').matchAll(/^\| `(mmo_\w+)` \| (gauge|counter|histogram)\b/gm)];
  const said = rows.map(([, name, type]) => [name, type]);
  expect(said).toEqual(said.map(([name]) => [name, METRICS[name ?? '']?.type]));
  expect(said.every(([name]) => name?.startsWith(prefix))).toBe(true);
});

test('the contract of the game server lists every metric of it', () => {
  const page = readFileSync(path.join(__dirname, '..', 'docs/game-server.md'), 'utf8');
  expect(Object.keys(METRICS).filter((name) => name.startsWith('mmo_game_') && !page.includes(`| \`${name}\` |`))).toEqual([]);
});

test.each([
  ['a histogram by its buckets', 'mmo_game_tick_duration_seconds_bucket', 'mmo_game_tick_duration_seconds'],
  ['a histogram by its count', 'mmo_game_tick_duration_seconds_count', 'mmo_game_tick_duration_seconds'],
  ['a gauge whose own name ends like a part of a histogram', 'agones_fleets_replicas_count', 'agones_fleets_replicas_count'],
])('%s is found', (_, series, metric) => {
  expect(metricOfSeries(series)).toBe(metric);
});

test.each(['mmo_game_tick_duration_seconds', 'mmo_game_players_bucket', 'mmo_game_no_such_metric'])('%s is not a series', (series) => {
  expect(metricOfSeries(series)).toBeUndefined();
});

describe('docs/reference/alerts.md', () => {
  const listed = [
    ...readFileSync(path.join(__dirname, '../docs/reference/alerts.md'), 'utf8').matchAll(/^\| `(\w+)` \| (critical|warning) \|/gm),
  ];
  const alerts: readonly Rule[] = [...examples.flatMap(({ rules }) => rules), ...LOG_ALERTING];
  const severities = new Map(alerts.map(({ alert, labels }) => [alert, labels?.severity]));

  test('lists every alert, each once, with its severity', () => {
    expect(listed.map(([, name, severity]) => `${name} ${severity}`).sort()).toEqual(
      [...severities].map(([name, severity]) => `${name} ${severity}`).sort(),
    );
  });
});

describe('promtool', () => {
  const promtool = process.env.PROMTOOL ?? 'promtool';
  const installed = spawnSync(promtool, ['--version']).status === 0;
  if (!installed)
    process.stderr.write(
      'promtool is not installed (Debian: prometheus): rules and queries are not checked by it. PROMTOOL may name it.\n',
    );
  const testWithPromtool = installed ? test : test.skip;

  /** What promtool says of rules; empty when it accepts them. */
  const complaintsAbout = (spec: Readonly<Record<string, unknown>>): string => {
    const folder = mkdtempSync(path.join(tmpdir(), 'rules-'));
    try {
      const file = path.join(folder, 'rules.yaml');
      writeFileSync(file, toYaml(spec));
      const { status, stdout, stderr } = spawnSync(promtool, ['check', 'rules', file], { encoding: 'utf8' });
      return status === 0 ? '' : stdout + stderr;
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  testWithPromtool.each(clusters)('accepts every rule of $name', ({ prometheusRules }) => {
    const groups = prometheusRules.flatMap(({ metadata, spec }) =>
      spec.groups.map((group: { name: string }) => ({ ...group, name: `${metadata.namespace}/${group.name}` })),
    );
    expect(complaintsAbout({ groups })).toBe('');
  });

  testWithPromtool('accepts every query of the dashboards', () => {
    const expressions = clusters.flatMap(({ ofPrometheus }) => ofPrometheus.flatMap(({ panel }) => panel.targets.map(({ expr }) => expr)));
    const rules = [...new Set(expressions)].map((expr, index) => ({
      record: `query:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replace(/\$[a-z_]+/g, '.+'),
    }));
    expect(complaintsAbout({ groups: [{ name: 'dashboards', rules }] })).toBe('');
  });

  testWithPromtool('refuses a rule that is not PromQL, so that its silence means something', () => {
    expect(complaintsAbout({ groups: [{ name: 'broken', rules: [{ alert: 'Broken', expr: 'sum by (' }] }] })).toContain(
      'could not parse expression',
    );
  });
});
