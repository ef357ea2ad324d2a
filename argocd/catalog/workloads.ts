/**
 * The pods of upstream charts by name, so that flows can name a peer in another chart, and the few shapes of flow that every operator repeats.
 * It deliberately is a table and not a look-up in the entries: entries use it, and an entry that another entry imports would be an import cycle.
 * A test proves that the table says what the entries' records say, and `npm run charts:verify` that the records say what the charts render.
 */
import type { Flow, FlowPort, Peer, Workload } from '../../lib/flows';
import type { Cluster } from '../../lib/model/cluster';

/** Namespace and pod labels of the workloads of one chart. */
interface ChartWorkloads {
  readonly namespace: string;
  readonly pods: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const name = 'app.kubernetes.io/name';
const instance = 'app.kubernetes.io/instance';
const component = 'app.kubernetes.io/component';

const table = {
  'argo-cd': {
    namespace: 'argocd',
    pods: {
      'argocd-application-controller': { [name]: 'argocd-application-controller', [instance]: 'argo-cd' },
      'argocd-applicationset-controller': { [name]: 'argocd-applicationset-controller', [instance]: 'argo-cd' },
      'argocd-redis': { [name]: 'argocd-redis', [instance]: 'argo-cd' },
      'argocd-redis-secret-init': { [name]: 'argocd-redis-secret-init', [instance]: 'argo-cd' },
      'argocd-repo-server': { [name]: 'argocd-repo-server', [instance]: 'argo-cd' },
      'argocd-server': { [name]: 'argocd-server', [instance]: 'argo-cd' },
    },
  },
  'sealed-secrets': {
    namespace: 'sealed-secrets',
    pods: { 'sealed-secrets-controller': { [name]: 'sealed-secrets', [instance]: 'sealed-secrets' } },
  },
  'cert-manager': {
    namespace: 'cert-manager',
    pods: {
      'cert-manager': { [component]: 'controller', [instance]: 'cert-manager' },
      'cert-manager-cainjector': { [component]: 'cainjector', [instance]: 'cert-manager' },
      'cert-manager-webhook': { [component]: 'webhook', [instance]: 'cert-manager' },
    },
  },
  'metrics-server': {
    namespace: 'metrics-server',
    pods: { 'metrics-server': { [name]: 'metrics-server', [instance]: 'metrics-server' } },
  },
  metallb: {
    namespace: 'metallb-system',
    pods: {
      'metallb-controller': { [name]: 'metallb', [component]: 'controller' },
      'metallb-speaker': { [name]: 'metallb', [component]: 'speaker' },
    },
  },
  traefik: {
    namespace: 'traefik',
    pods: { traefik: { [name]: 'traefik', [instance]: 'traefik-traefik' } },
  },
  agones: {
    namespace: 'agones-system',
    pods: {
      'agones-controller': { 'agones.dev/role': 'controller', app: 'agones' },
      'agones-extensions': { 'agones.dev/role': 'extensions', app: 'agones' },
    },
  },
  'kube-prometheus-stack': {
    namespace: 'monitoring',
    pods: {
      alertmanager: { [name]: 'alertmanager' },
      grafana: { [name]: 'grafana', [instance]: 'kube-prometheus-stack' },
      'kube-state-metrics': { [name]: 'kube-state-metrics', [instance]: 'kube-prometheus-stack' },
      'monitoring-operator': { app: 'kube-prometheus-stack-operator', release: 'kube-prometheus-stack' },
      'node-exporter': { [name]: 'prometheus-node-exporter' },
      prometheus: { [name]: 'prometheus' },
    },
  },
  loki: { namespace: 'monitoring', pods: { loki: { [name]: 'loki', [component]: 'single-binary' } } },
  alloy: { namespace: 'monitoring', pods: { alloy: { [name]: 'alloy', [instance]: 'alloy' } } },
  'cloudnative-pg': {
    namespace: 'cnpg-system',
    pods: { 'cloudnative-pg': { [name]: 'cloudnative-pg', [instance]: 'cloudnative-pg' } },
  },
  'plugin-barman-cloud': {
    namespace: 'cnpg-system',
    pods: { 'plugin-barman-cloud': { [name]: 'plugin-barman-cloud', [instance]: 'plugin-barman-cloud' } },
  },
  'external-dns': {
    namespace: 'external-dns',
    pods: { 'external-dns': { [name]: 'external-dns', [instance]: 'external-dns' } },
  },
  k8up: { namespace: 'k8up', pods: { k8up: { [name]: 'k8up', [instance]: 'k8up' } } },
} as const satisfies Record<string, ChartWorkloads>;

/** Charts whose workloads flows may name. */
export const chartsWithWorkloads: readonly string[] = Object.keys(table);

/** Names of the workloads of a chart. */
export function workloadNames(chart: string): readonly string[] {
  return Object.keys((table as Record<string, ChartWorkloads>)[chart]?.pods ?? {});
}

/**
 * The pods of an upstream chart, as flows name them.
 * @param chartName name of the Application, such as `traefik`
 * @param workloadName name of the Deployment, StatefulSet or DaemonSet; `prometheus` and the like for pods that an operator makes
 * @throws when the table has no such workload: a typing mistake that would otherwise be a flow to nobody
 */
export function workload(chartName: string, workloadName: string): Workload {
  const chart = (table as Record<string, ChartWorkloads>)[chartName];
  if (!chart) throw new Error(`argocd/catalog/workloads.ts has no chart '${chartName}'; it has ${chartsWithWorkloads.join(', ')}.`);
  const labels = chart.pods[workloadName];
  if (!labels) {
    throw new Error(
      `argocd/catalog/workloads.ts has no workload '${workloadName}' of chart '${chartName}'; it has ${workloadNames(chartName).join(', ')}.`,
    );
  }
  return { name: workloadName, namespace: chart.namespace, labels };
}

/** A flow from a workload to the API server: every operator's first need. */
export function toApiServer(cluster: Cluster, from: Workload, because: string): Flow {
  return { from, to: { outside: 'api-server' }, ports: [{ port: cluster.kubernetes.apiServer.port }], because };
}

/**
 * Flows from the API server to a webhook or an aggregated API.
 * From the nodes as well: the API server runs in the host network, and what the pod sees is the address of a node, also where a tunnel or the CNI translates it.
 */
export function fromApiServer(to: Workload, ports: readonly FlowPort[], because: string): readonly Flow[] {
  const ends: readonly Peer[] = [{ outside: 'api-server' }, { outside: 'nodes' }];
  return ends.map((from) => ({ from, to, ports, because }));
}

/** A flow from Prometheus to a workload's metrics ports. */
export function scraped(to: Workload, ...ports: readonly number[]): Flow {
  return {
    from: workload('kube-prometheus-stack', 'prometheus'),
    to,
    ports: ports.map((port) => ({ port })),
    because: 'Prometheus reads its metrics.',
  };
}
