/**
 * Every dashboard's JSON against Grafana's own schema, as the types that Grafana publishes: a field that it does not know, or a value that it does not take, is an error of the compiler.
 * It deliberately starts no Grafana: none can be installed from a package. What panels look like is for whoever opens them.
 */
import path from 'node:path';
import ts from 'typescript';
import { dashboardsOf } from '../../lib/dashboards';
import { type Dashboard, dashboardJson, type Panel } from '../../lib/dashboards/dashboard';
import { resolveCluster } from '../../lib/model/cluster';
import { exampleHomelab, exampleLocal } from '../examples';

const RAW = '@grafana/schema/dist/esm/raw/composable';

/** Grafana's types, of JSON instead of TypeScript: enumerations are their words, and each kind of panel has its own options. */
const TYPES = `
import type { DashboardLink, DataSourceRef, FieldConfig, RowPanel, Dashboard as Whole, Panel as AnyPanel, VariableModel } from '@grafana/schema';
import type { Options as TimeSeries, FieldConfig as LineStyle } from '${RAW}/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type { Options as Stat } from '${RAW}/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as BarGauge } from '${RAW}/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as Table } from '${RAW}/table/panelcfg/x/TablePanelCfg_types.gen';
import type { Options as Logs } from '${RAW}/logs/panelcfg/x/LogsPanelCfg_types.gen';

type Plain<T> = T extends string ? \`\${T}\` : T extends readonly (infer E)[] ? Plain<E>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
/** What every query has; the rest is the source's own. */
type Query<Source, More> = { refId: string; datasource: { type: Source; uid: string }; expr: string; legendFormat?: string } & More;
type Prometheus = Query<'prometheus', { format: 'time_series' | 'table' | 'heatmap'; instant: boolean; range: boolean }>;
type Loki = Query<'loki', { queryType: 'range' | 'instant' }>;
type Defaults<Custom> = Plain<Omit<FieldConfig, 'custom' | 'thresholds' | 'color'>> & {
  custom?: Custom;
  color?: { mode: 'thresholds' | 'palette-classic' };
  // The schema's own type has numbers alone; its first step is null in every JSON that Grafana writes.
  thresholds?: { mode: 'absolute' | 'percentage'; steps: { color: string; value: number | null }[] };
};
type Kind<Type extends string, Options, Custom = never> = Omit<Plain<AnyPanel>, 'type' | 'options' | 'fieldConfig' | 'targets' | 'id'> & {
  id: number;
  type: Type;
  options: Partial<Plain<Options>>;
  fieldConfig: { defaults: Defaults<Custom>; overrides: [] };
  targets: (Prometheus | Loki)[];
};
type OurPanel =
  | Kind<'timeseries', TimeSeries, Partial<Plain<LineStyle>>>
  | Kind<'stat', Stat>
  | Kind<'bargauge', BarGauge>
  | Kind<'table', Table>
  | Kind<'logs', Logs>
  | Plain<RowPanel>;
export type Json = Omit<Plain<Whole>, 'panels' | 'refresh' | 'timezone' | 'templating' | 'links'> & {
  panels: OurPanel[];
  refresh: string;
  timezone: 'browser' | 'utc';
  links: Partial<Plain<DashboardLink>>[];
  templating: { list: (Plain<Omit<VariableModel, 'datasource' | 'current' | 'options' | 'query' | 'refresh' | 'sort'>> & { [key: string]: unknown; datasource?: DataSourceRef })[] };
};
`;

/** What the compiler says of each dashboard, by its name; those without a mistake are absent. */
function mistakesOf(dashboards: Readonly<Record<string, Dashboard>>): Map<string, string[]> {
  const folder = path.resolve('test/charts');
  const files = new Map([[path.join(folder, 'grafana-types.ts'), TYPES]]);
  for (const [name, dashboard] of Object.entries(dashboards))
    files.set(
      path.join(folder, `${name}.dashboard.ts`),
      `import type { Json } from './grafana-types';\nexport const dashboard: Json = ${dashboardJson(dashboard)};\n`,
    );
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
    lib: ['lib.es2022.d.ts'],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => files.has(file) || fileExists.call(host, file);
  host.readFile = (file) => files.get(file) ?? readFile.call(host, file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = files.get(file);
    return text === undefined ? getSourceFile.call(host, file, version, ...rest) : ts.createSourceFile(file, text, version);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const mistakes = new Map<string, string[]>();
  for (const { file, messageText, start } of ts.getPreEmitDiagnostics(program)) {
    const name = path.basename(file?.fileName ?? 'types').replace(/\.dashboard\.ts$/, '');
    const line = file && start !== undefined ? `line ${file.getLineAndCharacterOfPosition(start).line}: ` : '';
    mistakes.set(name, [...(mistakes.get(name) ?? []), line + ts.flattenDiagnosticMessageText(messageText, '\n')]);
  }
  return mistakes;
}

const of = (cluster: string, dashboards: readonly Dashboard[]) =>
  dashboards.map((dashboard) => [`${cluster}-${dashboard.uid}`, dashboard] as const);
const real = [...of('homelab', dashboardsOf(resolveCluster(exampleHomelab))), ...of('local', dashboardsOf(resolveCluster(exampleLocal)))];
const wrong = (name: string, panel: object, more: object = {}) =>
  [
    name,
    {
      uid: 'x',
      title: 'X',
      description: 'X.',
      rows: [
        {
          title: 'Row',
          panels: [{ kind: 'stat', title: 'T', description: 'D.', unit: 'short', targets: [{ expr: 'up' }], ...panel } as Panel],
        },
      ],
      ...more,
    } as Dashboard,
  ] as const;
const mistakes = mistakesOf(
  Object.fromEntries([
    ...real,
    wrong('wrong-width', { width: 'wide' }),
    wrong('wrong-limit', { max: 'a hundred' }),
    wrong('wrong-description', {}, { description: 5 }),
    wrong('right', {}),
  ]),
);

test.each(real)('%s is what Grafana takes', (name) => {
  expect(mistakes.get(name) ?? []).toEqual([]);
});

test.each(['wrong-width', 'wrong-limit', 'wrong-description'])('%s is found, so that silence means something', (name) => {
  expect(mistakes.get(name)).toHaveLength(1);
});

test('the types themselves are understood, and a small dashboard fits them', () => {
  expect([mistakes.get('types'), mistakes.get('grafana-types.ts'), mistakes.get('right')]).toEqual([undefined, undefined, undefined]);
});
