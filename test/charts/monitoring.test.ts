/** Platform alerts and dashboards: what the component emits, and the traps of Grafana's and Prometheus' files. */
import { monitoring } from '../../charts/monitoring';
import { dashboardsOf } from '../../lib/dashboards';
import { type Dashboard, dashboardJson } from '../../lib/dashboards/dashboard';
import { toYaml } from '../../lib/emit/yaml';
import { resolveCluster } from '../../lib/model/cluster';
import { validateObject } from '../../lib/schemas';
import { built, homelab, local, localWith } from './game-harness';

const example = built(monitoring, homelab);
const dashboardMaps = example.objects.filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.labels?.grafana_dashboard === '1');
const alerts = example.objects
  .filter(({ kind }) => kind === 'PrometheusRule')
  .flatMap(({ spec }) => spec.groups.flatMap((group: { rules: { alert: string; expr: string; for?: string }[] }) => group.rules));
const expressionOf = (name: string): string => alerts.find(({ alert }) => alert === name)?.expr ?? '';

interface Placed {
  readonly id: number;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

const one = (panel: Partial<Dashboard['rows'][0]['panels'][0]>): Dashboard => ({
  uid: 'one',
  title: 'One',
  description: 'One panel.',
  rows: [
    {
      title: 'Row',
      panels: [{ kind: 'lines', title: 'Up', description: 'What is up.', unit: 'short', targets: [{ expr: 'up' }], ...panel }],
    },
  ],
});
const panelOf = (dashboard: Dashboard) => JSON.parse(dashboardJson(dashboard)).panels[1];

test('the rules about the monitoring itself', () => {
  expect(example.get('PrometheusRule', 'monitoring/monitoring')).toMatchSnapshot();
});

test('a dashboard of one row, one variable and one panel', () => {
  const dashboard = one({ thresholds: { above: [1, 2] } });
  expect(
    dashboardJson({ ...dashboard, variables: [{ name: 'realm', label: 'Realm', metric: 'mmo_game_players', valuesOf: 'mmo_realm' }] }),
  ).toMatchSnapshot();
});

test.each([
  ['the example', homelab],
  ['the laptop', local],
])('every object of %s is valid against the schemas', (_, description) => {
  expect(built(monitoring, description).objects.flatMap(validateObject)).toEqual([]);
});

test('there is a dashboard for players, the platform, the broker, the database, logs, realms and instances', () => {
  expect(dashboardMaps.map(({ metadata }) => metadata.name)).toEqual([
    'dashboard-mmo-players',
    'dashboard-mmo-platform',
    'dashboard-mmo-broker',
    'dashboard-mmo-database',
    'dashboard-mmo-logs',
    'dashboard-mmo-realms',
    'dashboard-mmo-instances',
  ]);
});

/** Where the age of a backup is shown, and the thresholds in hours. */
const backupAges = (description: typeof homelab) =>
  dashboardsOf(resolveCluster(description)).flatMap(({ title: page, rows }) =>
    rows
      .flatMap(({ panels }) => panels)
      .filter(({ kind, title }) => kind === 'stat' && /^(Oldest|Last base) backup/.test(title))
      .map(({ title, thresholds }) => [
        page,
        title,
        ...(thresholds && 'above' in thresholds ? thresholds.above.map((seconds) => seconds / 3600) : []),
      ]),
  );

test('the age of a backup is red when its alert fires, and yellow when one was missed', () => {
  const backups = { endpoint: 'https://s3.example.com', bucket: 'home', databaseSchedule: '0 4 * * 0', worldSchedule: '17 3 * * 0' };
  expect(backupAges({ ...homelab, backups })).toEqual([
    ['Platform', 'Oldest backup of a realm', 169, 170],
    ['Platform', 'Last base backup of the database', 169, 192],
    ['Database', 'Last base backup', 169, 192],
    ['Realms', 'Oldest backup', 169, 170],
  ]);
});

test('the ages of backups are left out where there are none', () => {
  const { backups: _, ...without } = homelab;
  expect(backupAges(without)).toEqual([]);
});

test('a cluster without instances has no empty page for them', () => {
  expect(dashboardsOf(resolveCluster(localWith({ instances: [] }))).map(({ uid }) => uid)).not.toContain('mmo-instances');
});

test("every dashboard has the label by which Grafana's side container finds it, in the namespace that it may read", () => {
  expect(dashboardMaps.map(({ metadata }) => [metadata.namespace, metadata.labels?.grafana_dashboard])).toEqual(
    dashboardMaps.map(() => ['monitoring', '1']),
  );
});

test.each(dashboardMaps.map((map) => [map.metadata.name, map] as const))('%s is written as a readable block', (_, map) => {
  expect(toYaml(map)).toMatch(/^ {2}mmo-[a-z]+\.json: \|\n {4}\{\n {6}"uid":/m);
});

test('dashboards cannot be edited in the browser, where a change would be lost', () => {
  expect(dashboardsOf(example.cluster).every((dashboard) => JSON.parse(dashboardJson(dashboard)).editable === false)).toBe(true);
});

test('the same dashboard gives the same bytes', () => {
  expect(dashboardsOf(resolveCluster(homelab)).map(dashboardJson)).toEqual(dashboardsOf(example.cluster).map(dashboardJson));
});

describe.each(dashboardsOf(example.cluster).map((dashboard) => [dashboard.uid, dashboard] as const))('%s', (_, dashboard) => {
  const panels: Placed[] = JSON.parse(dashboardJson(dashboard)).panels;

  test('no panel leaves the grid', () => {
    expect(panels.filter(({ gridPos: { x, w } }) => x < 0 || x + w > 24)).toEqual([]);
  });

  test('no two panels overlap', () => {
    const overlapping = panels.filter(({ id, gridPos: a }) =>
      panels.some(({ id: other, gridPos: b }) => other > id && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h),
    );
    expect(overlapping).toEqual([]);
  });

  test('every panel has an id of its own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});

test.each([
  [
    'one limit from above',
    { above: [5] },
    [
      ['green', null],
      ['red', 5],
    ],
  ],
  [
    'two limits from above',
    { above: [5, 9] },
    [
      ['green', null],
      ['yellow', 5],
      ['red', 9],
    ],
  ],
  [
    'one limit from below',
    { below: [5] },
    [
      ['red', null],
      ['green', 5],
    ],
  ],
  [
    'two limits from below',
    { below: [9, 5] },
    [
      ['red', null],
      ['yellow', 5],
      ['green', 9],
    ],
  ],
] as const)('colours of %s', (_, thresholds, steps) => {
  const rendered: { color: string; value: number | null }[] = panelOf(one({ kind: 'stat', thresholds })).fieldConfig.defaults.thresholds
    .steps;
  expect(rendered.map(({ color, value }) => [color, value])).toEqual(steps);
});

test('a table asks for the newest values alone and hides time and value', () => {
  const panel = panelOf(one({ kind: 'table', unit: 'string', columns: { job: 'Job' } }));
  expect([panel.targets[0].instant, panel.targets[0].format, panel.transformations[0].options.excludeByName]).toEqual([
    true,
    'table',
    { Time: true, Value: true },
  ]);
});

test('rules are there before the stack, so that it never runs without them', () => {
  expect(monitoring.applications(example.cluster).map(({ needs }) => needs)).toEqual([['prometheus-operator-crds']]);
});

test.each(['ApplicationOutOfSync', 'ApplicationUnknown', 'ApplicationDegraded'])(
  '%s waits a quarter of an hour, as long as a sync may take',
  (name) => {
    expect(alerts.find(({ alert }) => alert === name)?.for).toBe('15m');
  },
);

test('a sealed secret whose condition is unknown counts as not unsealed', () => {
  expect(expressionOf('SealedSecretNotUnsealed')).toContain('< 1');
});

test('missing exporters are noticed although their series are gone', () => {
  expect(expressionOf('NodeExporterMissing')).toContain('or vector(0)');
});

test.each(['VolumeNearlyFull', 'WorkloadNotReady'])('%s leaves out what has an earlier or clearer alert of its own', (name) => {
  expect(expressionOf(name)).toMatch(/namespace!/);
});
