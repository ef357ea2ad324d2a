/**
 * Loki: keeps the logs of all pods on one volume, in one process. Alloy brings them, Grafana reads them.
 * It deliberately has no object store, caches or gateway: those are for more logs than a home produces.
 */
import { LOG_RULES } from '../../lib/constructs/log-alerts';
import type { Workload } from '../../lib/flows';
import type { Cluster } from '../../lib/model/cluster';
import { NAMESPACES } from '../../lib/platform';
import type { UpstreamChart } from './types';
import { scraped, workload } from './workloads';

const NAMESPACE = 'monitoring';
/** Where pods push and query, inside of the cluster. */
export const lokiUrl = `http://loki.${NAMESPACE}.svc.cluster.local:3100`;

export const loki: UpstreamChart = {
  name: 'loki',
  project: 'observability',
  chart: 'loki',
  namespace: NAMESPACE,
  summary: 'Keeps the logs of all pods on one volume, for the days that the description says.',
  values: (cluster) => ({
    // The chart's default of today, which has been another: a change of mode would move the volume.
    deploymentMode: 'Monolithic',
    loki: {
      // One tenant: who may read logs is decided at Grafana, and who may push by NetworkPolicies.
      auth_enabled: false,
      commonConfig: {
        replication_factor: 1,
        // The compactor is in the same process; by its Service it would take the way through the cluster's network back to itself.
        compactor_grpc_address: '127.0.0.1:9095',
      },
      storage: { type: 'filesystem' },
      schemaConfig: {
        // The date only has to lie before the first log; changing it, or anything else of a period that holds logs, makes those unreadable.
        configs: [
          { from: '2025-01-01', store: 'tsdb', object_store: 'filesystem', schema: 'v13', index: { prefix: 'loki_index_', period: '24h' } },
        ],
      },
      // The compactor is what deletes; retention without it only hides.
      compactor: { retention_enabled: true, delete_request_store: 'filesystem' },
      limits_config: { retention_period: days(cluster.monitoring.logsRetentionDays), retention_stream: tiers(cluster) },
      // Alerts on logs (lib/constructs/log-alerts.ts), evaluated by this one process. The chart leaves its own rulerConfig out unless the ruler is a workload.
      structuredConfig: {
        ruler: {
          storage: { type: 'local', local: { directory: RULES } },
          // Where it copies what it found, because the rules themselves are read-only.
          rule_path: '/var/loki/rules-temp',
          alertmanager_url: `http://monitoring-alertmanager.${NAMESPACE}.svc.cluster.local:9093`,
          // Alerts lead to the lines that fired them.
          external_url: `https://${cluster.hosts.grafana}`,
          datasource_uid: 'loki',
          ring: { kvstore: { store: 'inmemory' } },
        },
      },
      // No usage reports: Loki has no way to the Internet.
      analytics: { reporting_enabled: false },
    },
    singleBinary: {
      replicas: 1,
      persistence: {
        size: cluster.monitoring.logsStorage,
        ...(cluster.storage.class ? { storageClass: cluster.storage.class } : {}),
        // Off by default, and then Kubernetes' own default is hidden; said here, so that logs outlive the StatefulSet.
        enableStatefulSetAutoDeletePVC: true,
        whenDeleted: 'Retain',
        whenScaled: 'Retain',
      },
      extraVolumes: [{ name: 'rules', configMap: { name: LOG_RULES.configMap } }],
      extraVolumeMounts: [{ name: 'rules', mountPath: `${RULES}/${TENANT}`, readOnly: true }],
      resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
      // One replica: a budget would only make the drain of its node impossible or mean nothing.
      podDisruptionBudget: { enabled: false },
    },
    // The chart renders the other modes, too, unless each of their parts is counted to none.
    backend: { replicas: 0 },
    read: { replicas: 0 },
    write: { replicas: 0 },
    // The ruler is part of the one process; neither a workload of its own, nor the side container that would watch the API for rules.
    ruler: { enabled: false },
    sidecar: { rules: { enabled: false } },
    // It never calls the API.
    serviceAccount: { automountServiceAccountToken: false },
    defaults: { automountServiceAccountToken: false },
    // One process is reached at its own Service.
    gateway: { enabled: false },
    // Two memcached of 1 and 8 GiB.
    chunksCache: { enabled: false },
    resultsCache: { enabled: false },
    // It writes logs all day to measure Loki, on every node.
    lokiCanary: { enabled: false },
    // Helm's test pod, which needs the canary.
    test: { enabled: false },
    monitoring: { serviceMonitor: { enabled: true } },
  }),
  // The ConfigMap with its rules is a volume of its pod.
  needs: () => ['namespaces', 'prometheus-operator-crds', 'monitoring-config'],
  provides: () => ({
    crds: [],
    services: [
      {
        name: 'loki',
        ports: [
          { name: 'http-metrics', port: 3100 },
          { name: 'grpc', port: 9095 },
          { name: 'grpclb', port: 9096 },
        ],
        labels: { 'app.kubernetes.io/name': 'loki' },
      },
      {
        name: 'loki-headless',
        ports: [
          { name: 'http-metrics', port: 3100 },
          { name: 'grpc', port: 9095 },
          { name: 'grpclb', port: 9096 },
        ],
        labels: { 'app.kubernetes.io/name': 'loki' },
      },
      { name: 'loki-memberlist', ports: [{ name: 'tcp', port: 7946 }], labels: { 'app.kubernetes.io/name': 'loki' } },
    ],
    pods: [
      {
        name: 'loki',
        kind: 'StatefulSet',
        labels: pods().labels,
        ports: [
          { name: 'http-metrics', port: 3100 },
          { name: 'grpc', port: 9095 },
          { name: 'http-memberlist', port: 7946 },
        ],
        serviceAccount: 'loki',
      },
    ],
    configMaps: [`${NAMESPACE}/loki`, `${NAMESPACE}/loki-runtime`],
    // The second is rendered although both memcached are off.
    serviceAccounts: [`${NAMESPACE}/loki`, `${NAMESPACE}/loki-memcached`],
    clusterKinds: ['rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/ClusterRoleBinding'],
  }),
  flows: () => [
    { from: workload('alloy', 'alloy'), to: pods(), ports: [{ port: 3100 }], because: 'Alloy pushes the logs of all pods.' },
    { from: workload('kube-prometheus-stack', 'grafana'), to: pods(), ports: [{ port: 3100 }], because: 'Grafana shows logs.' },
    { from: pods(), to: workload('kube-prometheus-stack', 'alertmanager'), ports: [{ port: 9093 }], because: 'It sends alerts on logs.' },
    scraped(pods(), 3100),
  ],
};

const pods = (): Workload => workload('loki', 'loki');

const RULES = '/etc/loki/rules';
/** What Loki calls its only tenant while `auth_enabled` is false. */
const TENANT = 'fake';

const days = (count: number): string => `${count * 24}h`;

/** Streams that are kept for another time than the rest; of several that fit the highest priority counts. */
function tiers({ monitoring }: Cluster): object[] {
  return [
    { selector: `{app=~"connect-broker|game-server"}`, priority: 1, period: days(monitoring.gameLogsRetentionDays) },
    { selector: `{namespace="${NAMESPACES.database}"}`, priority: 1, period: days(monitoring.gameLogsRetentionDays) },
    { selector: `{app="traefik"}`, priority: 1, period: days(monitoring.accessLogsRetentionDays) },
    // A day is the least that Loki takes.
    { selector: `{level=~"debug|trace"}`, priority: 2, period: days(1) },
  ];
}
