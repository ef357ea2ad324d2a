/**
 * `npm run charts:verify`: parses its options and prints what lib/charts-verify.ts found; nothing else.
 */
import { clusters } from '../apps';
import { catalog } from '../argocd/catalog';
import { type ChartReport, countDifferences, KUBE_VERSION, type VerifyReport, verifyCharts } from '../lib/charts-verify';
import { HelmError } from '../lib/charts-verify/helm';
import { DescriptionError, resolveCluster } from '../lib/model/cluster';
import { readOptions, runCommand, UsageError } from './options';

const HELP = `Usage: npm run charts:verify -- [--charts DIR] [--helm PATH] [--chart NAME]... [--json]

Renders every pinned chart with our values for every cluster, twice, and compares what comes out with the catalogue's
records (argocd/catalog): CRDs, Services, ports, labels, Secrets, Helm hooks, values that the chart does not know, and
our own custom resources in dist/ against the charts' CRDs.

  --charts DIR  take unpacked charts from DIR/<name>/ instead of fetching them
  --helm PATH   the helm program; otherwise the environment variable HELM, otherwise helm of the PATH
  --chart NAME  only this chart; may be given several times, and then dist/ is not looked at
  --json        print the report as JSON: { "helm", "charts": [...], "customResources", "differences": [...] }
  --help        print this

Exit code: 0 when records and charts agree, 1 when not, 2 for a wrong option.
`;

/** @returns the exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runCommand(async () => {
    const parsed = readOptions(args, HELP, {
      charts: { type: 'string' },
      helm: { type: 'string' },
      chart: { type: 'string', multiple: true },
      json: { type: 'boolean' },
    });
    if (!parsed) return 0;
    const { charts, helm, chart: only, json } = parsed.values;
    const unknown = (only ?? []).filter((name) => !catalog.some((entry) => entry.name === name));
    if (unknown.length > 0) {
      const known = catalog.map((entry) => entry.name).join(', ');
      throw new UsageError(`The catalogue has no chart ${unknown.map((name) => `'${name}'`).join(', ')}; it has ${known}.`);
    }
    try {
      const report = await verifyCharts({
        clusters: clusters.map(resolveCluster),
        catalog,
        helm: helm ?? process.env.HELM ?? 'helm',
        dist: 'dist',
        ...(charts === undefined ? {} : { charts }),
        ...(only === undefined ? {} : { only }),
      });
      console.log(json ? JSON.stringify(report, null, 2) : describe(report));
      return countDifferences(report) === 0 ? 0 : 1;
    } catch (error) {
      if (!(error instanceof HelmError) && !(error instanceof DescriptionError)) throw error;
      console.error(error.message);
      return 1;
    }
  });
}

/** The report for people: a table, then every difference. */
function describe(report: VerifyReport): string {
  const head = ['cluster', 'chart', 'version', 'KiB', 'objects', 'CRDs', 'Services', 'workloads', 'Secrets', 'hooks', 'differences'];
  const rows = report.charts.map((chart) =>
    chart.off === undefined
      ? [
          chart.cluster,
          chart.chart,
          chart.version,
          String(Math.round(chart.bytes / 1024)),
          ...[chart.objects, chart.crds, chart.services, chart.workloads, chart.secrets, chart.hooks, chart.differences.length].map(String),
        ]
      : [chart.cluster, chart.chart, chart.version, `off: ${chart.off}`],
  );
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.filter((row) => row.length === head.length).map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(row.length === head.length ? (widths[column] ?? 0) : 0),
      )
      .join('  ');
  // What differs in every cluster is said once.
  const clustersOf = new Map<string, string[]>();
  for (const { cluster, chart, differences: found } of report.charts) {
    for (const each of found) {
      const text = `${chart}: ${each.place}: ${each.message} [${each.rule}]`;
      clustersOf.set(text, [...(clustersOf.get(text) ?? []), cluster]);
    }
  }
  const differences = [
    ...[...clustersOf].map(([text, names]) => `${names.join(', ')}: ${text}`),
    ...report.differences.map((each) => `${each.place}: ${each.message} [${each.rule}]`),
  ];
  const rendered = report.charts.filter((chart) => chart.off === undefined);
  return [
    line(head),
    ...rows.map(line),
    '',
    ...differences,
    ...(differences.length > 0 ? [''] : []),
    report.customResources === undefined
      ? 'dist/ was not looked at (there is none, or --chart was given): our own custom resources were not validated.'
      : `${report.customResources} custom resources of dist/ validated against the CRDs of the charts.`,
    `${distinct(rendered)} charts verified in ${new Set(report.charts.map((chart) => chart.cluster)).size} clusters (${rendered.length} renders, each twice; ${report.helm}, Kubernetes ${KUBE_VERSION}): ${
      differences.length === 0 ? 'no differences' : `${differences.length} difference${differences.length === 1 ? '' : 's'}`
    }.`,
  ].join('\n');
}

function distinct(charts: readonly ChartReport[]): number {
  return new Set(charts.map((chart) => chart.chart)).size;
}
