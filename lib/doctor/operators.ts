/**
 * The upstream operators: their CRDs are served and their workloads run, by what the catalogue says of each chart.
 * It deliberately names the chart and not every object: Argo CD shows those.
 */
import type { UpstreamChart } from '../../argocd/catalog/types';
import type { PlainObject } from '../emit/manifest';
import { type Finding, failed, type LiveContext, type LiveGroup, ok, some } from './types';

const WORKLOADS = { Deployment: 'deployments.apps', StatefulSet: 'statefulsets.apps', DaemonSet: 'daemonsets.apps' } as const;

export const operators: LiveGroup = {
  name: 'operators',
  scope: 'live',
  look: async (context) => [await definitions(context), ...(await controllers(context))],
};

async function definitions({ list, cluster, built }: LiveContext): Promise<Finding> {
  const wanted = new Set(built().charts.flatMap((chart) => chart.provides(cluster).crds));
  const served = new Set(
    (await list('customresourcedefinitions.apiextensions.k8s.io')).filter(isEstablished).map(({ metadata }) => metadata.name),
  );
  const missing = [...wanted].filter((name) => !served.has(name)).sort();
  return missing.length === 0
    ? ok('definitions', `All ${wanted.size} CRDs of the operators are served.`)
    : failed(
        'definitions',
        `${missing.length} of ${wanted.size} CRDs are not served: ${some(missing)}.`,
        'Their charts bring them: look at Argo CD’s Applications of earlier waves first.',
      );
}

function isEstablished({ status }: PlainObject): boolean {
  return ((status?.conditions ?? []) as { type: string; status: string }[]).some(
    ({ type, status: is }) => type === 'Established' && is === 'True',
  );
}

async function controllers({ list, cluster, built }: LiveContext): Promise<Finding[]> {
  const lists = await Promise.all(Object.entries(WORKLOADS).map(async ([kind, resource]) => ({ kind, objects: await list(resource) })));
  const live = new Map(
    lists.flatMap(({ kind, objects }) =>
      objects.map((object) => [`${kind} ${object.metadata.namespace}/${object.metadata.name}`, object] as const),
    ),
  );
  const judged = built().charts.map((chart) => ({ chart, problems: problemsOf(chart, cluster, live) }));
  const broken = judged.filter(({ problems }) => problems.length > 0);
  if (broken.length === 0) return [ok('controllers', `The workloads of all ${judged.length} charts run.`)];
  return broken.map(({ chart, problems }) =>
    failed(
      'controllers',
      `${chart.name}: ${some(problems)}.`,
      `kubectl -n argocd get application ${chart.name}, then: kubectl -n ${chart.namespace} get pods`,
    ),
  );
}

function problemsOf(chart: UpstreamChart, cluster: LiveContext['cluster'], live: ReadonlyMap<string, PlainObject>): string[] {
  return chart.provides(cluster).pods.flatMap(({ kind, name, namespace = chart.namespace }) => {
    if (!(kind in WORKLOADS)) return [];
    const object = live.get(`${kind} ${namespace}/${name}`);
    if (!object) return [`${kind} ${name} is missing`];
    const status = object.status ?? {};
    const [ready, wanted] =
      kind === 'DaemonSet'
        ? [status.numberReady ?? 0, status.desiredNumberScheduled ?? 0]
        : [status.readyReplicas ?? 0, object.spec?.replicas ?? 1];
    return ready >= wanted ? [] : [`${kind} ${name} has ${ready} of ${wanted} pods ready`];
  });
}
