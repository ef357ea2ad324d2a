/**
 * Dashboards of Grafana, written as a list of panels, and their JSON in Grafana's own schema.
 * It deliberately covers the few kinds of panel that we use; what all panels share (source, place, legend) is decided here, once.
 */

/** Uid of the source that kube-prometheus-stack provisions; `$__rate_interval` follows from its scrape interval. */
const PROMETHEUS_SOURCE = { type: 'prometheus', uid: 'prometheus' } as const;
/** Uid of the source of logs (argocd/catalog/kube-prometheus-stack.ts). */
const LOKI_SOURCE = { type: 'loki', uid: 'loki' } as const;
/** The page to which every dashboard links for more of its logs. */
export const LOGS_UID = 'mmo-logs';
/** Levels that people look at when something is wrong, in a selector of streams. */
export const BAD_LEVELS = 'level=~"warn|warning|error|fatal|panic"';

/** Tag by which our dashboards find each other: each links to all that have it. */
const DASHBOARD_TAG = 'mmo';

/** The dashboard schema (of Grafana 12 and 13) that the JSON is written in; Grafana lifts older ones at each load. */
const SCHEMA_VERSION = 42;
/** Columns of Grafana's grid. */
const COLUMNS = 24;

/** Units by Grafana's ids, of those that we use. */
export type Unit =
  /** A count. */
  | 'short'
  /** A share; 1 is 100 %. */
  | 'percentunit'
  /** Seconds, shown as the unit that fits. */
  | 's'
  /** Seconds as a long time: days and hours. */
  | 'dtdurations'
  | 'bytes'
  | 'Bps'
  /** Requests, packets, or anything else, per second. */
  | 'reqps'
  | 'pps'
  | 'ops'
  /** Cores of a CPU. */
  | 'suffix: cores'
  /** Text; for tables. */
  | 'string';

export interface Target {
  /** PromQL, or LogQL in a panel of logs; `$__rate_interval`, `$__auto` for logs, and the dashboard's variables may stand in it. */
  readonly expr: string;
  /** Name of the series, such as `{{pod}}`. @default Prometheus' own name of the series */
  readonly legend?: string;
}

/** One number: red from there on. Two: yellow from the first, red from the second. `above` includes the number itself, `below` does not. */
export type Thresholds = { readonly above: Limits } | { readonly below: Limits };
type Limits = readonly [number] | readonly [number, number];

export interface Panel {
  /** lines: over time. stat: the newest value, large. bars: the newest value of each series. table: the labels of each series. logs: lines of logs. */
  readonly kind: 'lines' | 'stat' | 'bars' | 'table' | 'logs';
  readonly title: string;
  /** What it shows and what to do when it looks wrong; Grafana shows it at the panel's corner. */
  readonly description: string;
  readonly unit: Unit;
  readonly targets: readonly Target[];
  /** Whom the panel asks. @default prometheus; loki for kind `logs` */
  readonly source?: 'prometheus' | 'loki';
  /** Columns of 24. @default logs 24, lines and tables 12, bars 8, stat 4 */
  readonly width?: number;
  /** Rows of the grid. @default stat 4, logs 12, others 8 */
  readonly height?: number;
  /** Where green ends. @default none: no judgement */
  readonly thresholds?: Thresholds;
  /** Lowest value of the axis. @default 0, which keeps small changes small */
  readonly min?: number;
  /** Highest value of the axis. @default what fits */
  readonly max?: number;
  /** Adds the series up, for parts of a whole. @default false */
  readonly stacked?: boolean;
  /** Tables: labels that are columns, with their headings. */
  readonly columns?: Readonly<Record<string, string>>;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A choice at the top of the dashboard, of the values that a label has (all are chosen at first), or a field for words to look for. */
export type Variable = { readonly name: string; readonly label: string } & (
  | {
      /** Selector of a metric whose label gives the values, such as `mmo_game_players{mmo_realm!=""}`. */
      readonly metric: string;
      readonly valuesOf: string;
    }
  /** A label of logs whose values are the choice. */
  | { readonly logLabel: string }
  /** A field, and what stands in it at first. */
  | { readonly text: string }
);

/** From which ages of the last backup on a panel warns, in hours. */
export interface BackupAges {
  /** One that was due is missing. */
  readonly late: number;
  /** The alert fires. */
  readonly tooOld: number;
}

export interface Dashboard {
  /** In the address for ever: links and bookmarks name it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables?: readonly Variable[];
  readonly rows: readonly Row[];
  /** Whose logs belong to it: a selector of streams without braces, such as `app="connect-broker"`. They become its last row, and a link to the page of logs. @default none */
  readonly logs?: { readonly selector: string; readonly app: string };
}

const WIDTH = { lines: 12, table: 12, bars: 8, stat: 4, logs: 24 } as const;
const HEIGHT = { lines: 8, table: 8, bars: 8, stat: 4, logs: 12 } as const;
const TYPE = { lines: 'timeseries', stat: 'stat', bars: 'bargauge', table: 'table', logs: 'logs' } as const;

/** The dashboard's file: JSON with two spaces, keys in a fixed order, a line feed at the end. */
export function dashboardJson(dashboard: Dashboard): string {
  return `${JSON.stringify(render(dashboard), null, 2)}\n`;
}

function render(dashboard: Dashboard): object {
  return {
    uid: dashboard.uid,
    title: dashboard.title,
    description: dashboard.description,
    tags: [DASHBOARD_TAG],
    schemaVersion: SCHEMA_VERSION,
    editable: false,
    // One crosshair over all panels: what happened at the same time.
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'MMO',
        icon: 'dashboard',
        tooltip: 'Dashboards of the game',
        tags: [DASHBOARD_TAG],
        asDropdown: false,
        includeVars: false,
        keepTime: true,
        targetBlank: false,
      },
      ...(dashboard.logs
        ? [
            {
              type: 'link',
              title: 'Logs',
              icon: 'doc',
              tooltip: 'All lines of these programs',
              tags: [],
              url: `/d/${LOGS_UID}/logs?var-app=${encodeURIComponent(dashboard.logs.app)}`,
              asDropdown: false,
              includeVars: false,
              keepTime: true,
              targetBlank: false,
            },
          ]
        : []),
    ],
    templating: { list: (dashboard.variables ?? []).map(renderVariable) },
    panels: place([...dashboard.rows, ...(dashboard.logs ? [logsRow(dashboard.logs.selector)] : [])]),
  };
}

/** What went wrong, in the words of the programs themselves. */
function logsRow(selector: string): Row {
  return {
    title: 'What the logs say',
    panels: [
      {
        kind: 'logs',
        title: 'Warnings and errors',
        description: 'Lines at level warn or worse. The link Logs at the top shows the others, too.',
        unit: 'short',
        targets: [{ expr: `{${selector}, ${BAD_LEVELS}}` }],
      },
    ],
  };
}

function renderVariable(variable: Variable): object {
  const { name, label } = variable;
  if ('text' in variable) {
    const value = { selected: true, text: variable.text, value: variable.text };
    return { type: 'textbox', name, label, query: variable.text, current: value, options: [value] };
  }
  const query = 'metric' in variable ? `label_values(${variable.metric}, ${variable.valuesOf})` : `label_values(${variable.logLabel})`;
  return {
    type: 'query',
    name,
    label,
    datasource: 'metric' in variable ? PROMETHEUS_SOURCE : LOKI_SOURCE,
    query: 'metric' in variable ? { qryType: 1, query, refId: name } : { type: 1, label: variable.logLabel, stream: '', refId: name },
    definition: query,
    multi: true,
    includeAll: true,
    // Not the list of all values: a new realm is in it before the list is read again. Loki refuses a selector that fits streams without any label.
    allValue: '.+',
    current: { selected: true, text: ['All'], value: ['$__all'] },
    // When the time range changes, so that a removed realm disappears.
    refresh: 2,
    sort: 1,
  };
}

/** Puts panels side by side while they fit, and each row's heading above them. Ids are places in the list: stable while the list is. */
function place(rows: readonly Row[]): object[] {
  const out: object[] = [];
  let y = 0;
  for (const row of rows) {
    out.push({ id: out.length + 1, type: 'row', title: row.title, collapsed: false, gridPos: { h: 1, w: COLUMNS, x: 0, y }, panels: [] });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const panel of row.panels) {
      const w = panel.width ?? WIDTH[panel.kind];
      const h = panel.height ?? HEIGHT[panel.kind];
      if (x + w > COLUMNS) {
        y += lineHeight;
        x = 0;
        lineHeight = 0;
      }
      out.push(renderPanel(panel, out.length + 1, { h, w, x, y }));
      x += w;
      lineHeight = Math.max(lineHeight, h);
    }
    y += lineHeight;
  }
  return out;
}

function renderPanel(panel: Panel, id: number, gridPos: object): object {
  const datasource = (panel.source ?? (panel.kind === 'logs' ? 'loki' : 'prometheus')) === 'loki' ? LOKI_SOURCE : PROMETHEUS_SOURCE;
  return {
    id,
    type: TYPE[panel.kind],
    title: panel.title,
    description: panel.description,
    datasource,
    gridPos,
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        min: panel.kind === 'lines' || panel.kind === 'bars' ? (panel.min ?? 0) : undefined,
        max: panel.max,
        color: { mode: panel.thresholds && panel.kind !== 'lines' ? 'thresholds' : 'palette-classic' },
        thresholds: panel.thresholds && { mode: 'absolute', steps: steps(panel.thresholds) },
        custom: panel.kind === 'lines' ? lineStyle(panel) : undefined,
      },
      overrides: [],
    },
    options: OPTIONS[panel.kind],
    transformations: panel.columns && [{ id: 'organize', options: organize(panel.columns) }],
    targets: panel.targets.map((target, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr: target.expr,
      legendFormat: target.legend ?? '__auto',
      ...(datasource === LOKI_SOURCE
        ? { queryType: panel.kind === 'lines' || panel.kind === 'logs' ? 'range' : 'instant' }
        : { format: panel.kind === 'table' ? 'table' : 'time_series', instant: panel.kind !== 'lines', range: panel.kind === 'lines' }),
    })),
  };
}

/** Grafana colours from a step's value upwards; the first step has none. */
function steps(thresholds: Thresholds): object[] {
  const ascending = 'above' in thresholds;
  const limits = 'above' in thresholds ? [...thresholds.above] : [...thresholds.below];
  const colours = limits.length === 1 ? ['green', 'red'] : ['green', 'yellow', 'red'];
  if (!ascending) {
    colours.reverse();
    limits.reverse();
  }
  return colours.map((color, index) => ({ color, value: limits[index - 1] ?? null }));
}

function lineStyle(panel: Panel): object {
  return {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: panel.stacked ? 30 : 5,
    showPoints: 'never',
    // A gap is a gap: nothing was measured.
    spanNulls: false,
    stacking: { mode: panel.stacked ? 'normal' : 'none', group: 'A' },
    thresholdsStyle: { mode: panel.thresholds ? 'line' : 'off' },
  };
}

const NEWEST = { calcs: ['lastNotNull'], fields: '', values: false };
const OPTIONS: Readonly<Record<Panel['kind'], object>> = {
  lines: { legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] }, tooltip: { mode: 'multi', sort: 'desc' } },
  stat: { reduceOptions: NEWEST, colorMode: 'value', graphMode: 'none', justifyMode: 'auto', orientation: 'auto', textMode: 'auto' },
  bars: { reduceOptions: NEWEST, displayMode: 'basic', orientation: 'horizontal', showUnfilled: true, valueMode: 'color' },
  table: { cellHeight: 'sm', showHeader: true },
  logs: {
    dedupStrategy: 'none',
    enableLogDetails: true,
    prettifyLogMessage: false,
    showCommonLabels: false,
    showLabels: false,
    showTime: true,
    sortOrder: 'Descending',
    wrapLogMessage: true,
  },
};

function organize(columns: Readonly<Record<string, string>>): object {
  return {
    excludeByName: { Time: true, Value: true },
    indexByName: Object.fromEntries(Object.keys(columns).map((label, index) => [label, index])),
    renameByName: columns,
  };
}
