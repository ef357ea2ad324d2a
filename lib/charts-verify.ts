/**
 * `npm run charts:verify`: renders every pinned chart with our values for every cluster, twice, and proves that the catalogue's records say what the charts render.
 * It deliberately changes nothing. It needs Helm and the charts, and is therefore no part of the tests, which prove its parts on small charts of their own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UpstreamChart } from '../argocd/catalog/types';
import { type ChartVersion, charts as pinned } from '../versions';
import { readObjects, validateCustomResources } from './charts-verify/custom-resources';
import { Helm, HelmError, readChartSource } from './charts-verify/helm';
import { findBlindMonitors } from './charts-verify/monitors';
import { compareRecord, compareRenders, type Difference } from './charts-verify/record';
import { type Manifest, readManifests, workloadsOf } from './charts-verify/rendered';
import { type ChartSource, repeatedDefaults, unknownValues } from './charts-verify/values';
import type { Cluster } from './model/cluster';

export interface VerifyOptions {
  readonly clusters: readonly Cluster[];
  readonly catalog: readonly UpstreamChart[];
  /** Path or name of the helm program. */
  readonly helm: string;
  /** Folder of unpacked charts, `<charts>/<name>/`. @default each is fetched from its repository */
  readonly charts?: string;
  /** Folder that holds our own objects. @default none, and custom resources are not validated */
  readonly dist?: string;
  /** Names of the charts to look at. @default all */
  readonly only?: readonly string[];
}

/** What was found for one chart in one cluster. */
export interface ChartReport {
  readonly cluster: string;
  readonly chart: string;
  readonly version: string;
  /** Why this cluster does not get the chart; then nothing was rendered. */
  readonly off?: string;
  readonly bytes: number;
  readonly objects: number;
  readonly crds: number;
  readonly services: number;
  readonly workloads: number;
  readonly secrets: number;
  readonly hooks: number;
  /** Values that repeat the chart's default: allowed, for the reader to know. */
  readonly repeated: readonly string[];
  readonly differences: readonly Difference[];
}

export interface VerifyReport {
  readonly helm: string;
  readonly charts: readonly ChartReport[];
  /** Objects of dist/ that were validated against the charts' CRDs; undefined when there is no dist/. */
  readonly customResources?: number;
  /** Differences that are of no single chart. */
  readonly differences: readonly Difference[];
}

/** Kubernetes version that templates see: the oldest that every operator supports. */
export const KUBE_VERSION = '1.34.0';

/** What templates ask the cluster about. Each must be served by a CRD of the catalogue, because Argo CD tells templates what the real cluster has. */
const API_VERSIONS = [
  'cert-manager.io/v1',
  'monitoring.coreos.com/v1',
  'monitoring.coreos.com/v1/PodMonitor',
  'monitoring.coreos.com/v1/PrometheusRule',
  'monitoring.coreos.com/v1/ServiceMonitor',
] as const;

/** Charts that are rendered at once: more than the cores of a small machine would only wait for each other. */
const AT_ONCE = 2;

/**
 * Renders and compares everything.
 * @throws HelmError when Helm is missing; a chart that cannot be fetched or rendered is a difference of that chart, so that the others are still looked at
 */
export async function verifyCharts(options: VerifyOptions): Promise<VerifyReport> {
  const scratch = mkdtempSync(join(tmpdir(), 'charts-verify-'));
  try {
    const helm = new Helm(options.helm, scratch);
    const version = await helm.version();
    const entries = options.catalog.filter((entry) => options.only === undefined || options.only.includes(entry.name));
    const definitions = new Map<string, Manifest>();
    const charts = (
      await inTurn(entries, AT_ONCE, async (entry) => {
        const folder = await chartFolder(helm, entry, options.charts);
        const chart = folder instanceof HelmError ? folder : { folder, source: readChartSource(folder) };
        const reports: ChartReport[] = [];
        for (const cluster of options.clusters) reports.push(await verifyChart(helm, entry, cluster, chart, definitions));
        return reports;
      })
    ).flat();
    const objects = options.dist === undefined ? undefined : readObjects(options.dist);
    const resources = objects && options.only === undefined ? validateCustomResources(objects, [...definitions.values()]) : undefined;
    return {
      helm: version,
      charts,
      ...(resources ? { customResources: resources.validated } : {}),
      differences: [...(options.only === undefined ? unservedApis([...definitions.values()]) : []), ...(resources?.differences ?? [])],
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** How many differences a report has. */
export function countDifferences(report: VerifyReport): number {
  return report.charts.reduce((sum, chart) => sum + chart.differences.length, report.differences.length);
}

async function chartFolder(helm: Helm, entry: UpstreamChart, charts: string | undefined): Promise<string | HelmError> {
  try {
    return await helm.chartFolder(entry.name, versionOf(entry), charts);
  } catch (error) {
    if (error instanceof HelmError) return error;
    throw error;
  }
}

function versionOf(entry: UpstreamChart): ChartVersion {
  const version = (pinned as Record<string, ChartVersion>)[entry.chart];
  if (!version)
    throw new Error(
      `The catalogue entry '${entry.name}' names the chart '${entry.chart}', which versions.ts does not pin; it pins ${Object.keys(pinned).join(', ')}.`,
    );
  return version;
}

interface FoundChart {
  readonly folder: string;
  readonly source: ChartSource;
}

async function verifyChart(
  helm: Helm,
  entry: UpstreamChart,
  cluster: Cluster,
  chart: FoundChart | HelmError,
  definitions: Map<string, Manifest>,
): Promise<ChartReport> {
  const head = { cluster: cluster.name, chart: entry.name, version: versionOf(entry).version };
  const nothing = { bytes: 0, objects: 0, crds: 0, services: 0, workloads: 0, secrets: 0, hooks: 0, repeated: [], differences: [] };
  const enabled = entry.enabled?.(cluster) ?? true;
  if (enabled !== true) return { ...head, ...nothing, off: enabled };
  if (chart instanceof HelmError) return { ...head, ...nothing, differences: [unrendered(entry, chart)] };

  const values = entry.values(cluster);
  const { folder, source } = chart;
  const valueDifferences = unknownValues(values, source, entry.freeValues);
  const options = { name: entry.name, namespace: entry.namespace, kubeVersion: KUBE_VERSION, apiVersions: API_VERSIONS, values };
  try {
    const first = await helm.render(folder, options);
    const second = await helm.render(folder, options);
    const manifests = readManifests(first);
    for (const each of manifests) if (each.kind === 'CustomResourceDefinition') definitions.set(each.metadata.name, each);
    const count = (kind: string): number => manifests.filter((each) => each.kind === kind).length;
    return {
      ...head,
      bytes: Buffer.byteLength(first),
      objects: manifests.length,
      crds: count('CustomResourceDefinition'),
      services: count('Service'),
      workloads: workloadsOf(manifests, entry.namespace).length,
      secrets: count('Secret'),
      hooks: manifests.filter((each) => each.metadata.annotations?.['helm.sh/hook'] !== undefined).length,
      repeated: repeatedDefaults(values, source),
      differences: [
        ...valueDifferences,
        ...compareRecord(
          {
            namespace: entry.namespace,
            provides: entry.provides(cluster),
            acceptedHooks: entry.acceptedHooks,
            exceptions: entry.exceptions?.(cluster),
          },
          manifests,
        ),
        ...findBlindMonitors(manifests, entry.namespace),
        ...compareRenders(first, second, readManifests, entry.namespace),
      ],
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ...head, ...nothing, differences: [...valueDifferences, unrendered(entry, error)] };
  }
}

function unrendered(entry: UpstreamChart, error: Error): Difference {
  return { rule: 'not-rendered', place: entry.name, message: error.message };
}

function unservedApis(definitions: readonly Manifest[]): readonly Difference[] {
  const served = new Set(
    definitions.flatMap((each) => {
      const { group, names, versions } = each.spec as {
        group: string;
        names: { kind: string };
        versions: readonly { name: string; served: boolean }[];
      };
      return versions.filter((version) => version.served).flatMap(({ name }) => [`${group}/${name}`, `${group}/${name}/${names.kind}`]);
    }),
  );
  return API_VERSIONS.filter((version) => !served.has(version)).map((version) => ({
    rule: 'unserved-api',
    place: version,
    message:
      'Charts are rendered as if the cluster had this API, but no chart of the catalogue renders its CRD: correct API_VERSIONS or the catalogue.',
  }));
}

/** Runs a job for each item, a few at a time; results are in the order of the items. */
async function inTurn<Item, Result>(items: readonly Item[], atOnce: number, job: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at];
      if (item !== undefined) results[at] = await job(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}
