/**
 * kube-prometheus-stack: Prometheus, Alertmanager, Grafana and the exporters that every cluster needs, with the rules and dashboards that upstream maintains.
 * It deliberately holds no rules and dashboards of the game: those are ours and live beside the components they watch.
 */

import type { Workload } from '../../lib/flows';
import { quantityValue } from '../../lib/model/quantities';
import { LABELS } from '../../lib/platform';
import { alertmanagerConfig, NOTIFY_SECRET, notifySecret } from './alertmanager';
import { grafanaLoginMounts, grafanaLoginPorts, grafanaLoginSecret, grafanaLoginSettings } from './grafana-login';
import type { UpstreamChart } from './types';
import { fromApiServer, scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'monitoring';
/** Short and stable, because it begins the names of Services (`monitoring-prometheus`, `monitoring-alertmanager`) that others write down. */
const FULL_NAME = 'monitoring';
/** Role of Grafana's side container, rendered through the chart's extraManifests. */
const DASHBOARDS_ROLE = 'grafana-dashboards';

export const kubePrometheusStack: UpstreamChart = {
  name: 'kube-prometheus-stack',
  project: 'observability',
  chart: 'kube-prometheus-stack',
  namespace: NAMESPACE,
  summary: 'Prometheus, Alertmanager, Grafana, node-exporter and kube-state-metrics.',
  values: (cluster) => ({
    fullnameOverride: FULL_NAME,
    // Without it the custom resources repeat themselves: prometheus-monitoring-prometheus-0.
    cleanPrometheusOperatorObjectNames: true,
    // They come from prometheus-operator-crds, in the first wave.
    crds: { enabled: false },

    // Components that kubeadm, k3s and kind bind to 127.0.0.1 of the node, or run inside of one process: their targets would be down for ever, and their alerts would fire.
    kubeControllerManager: { enabled: false },
    kubeScheduler: { enabled: false },
    kubeProxy: { enabled: false },
    kubeEtcd: { enabled: false },
    // It would make a Service in kube-system, whose pods are not ours: a policy for them there would also have to allow everybody's DNS.
    coreDns: { enabled: false },
    // One cause, one alert: ours (charts/monitoring.ts) say what it means for players and leave out what is meant to be so.
    defaultRules: {
      disabled: { KubePersistentVolumeFillingUp: true, KubeDeploymentReplicasMismatch: true, KubeStatefulSetReplicasMismatch: true },
    },

    prometheusOperator: {
      admissionWebhooks: {
        // cert-manager makes and injects the certificate; the hook Jobs of the default hang syncs of Argo CD.
        certManager: { enabled: true },
        patch: { enabled: false },
        // A broken rule is refused while the operator runs; while it does not (first install, node drain), rules must not block every sync.
        failurePolicy: 'Ignore',
      },
      resources: resources('20m', '96Mi', '256Mi'),
      // Each Prometheus and Alertmanager pod has one more container; without limits it would be the only one that has none.
      prometheusConfigReloader: { resources: resources('10m', '32Mi', '64Mi') },
    },

    prometheus: {
      prometheusSpec: {
        // Everything in the cluster is ours: monitors and rules are found by being there, not by a label that one forgets.
        serviceMonitorSelectorNilUsesHelmValues: false,
        podMonitorSelectorNilUsesHelmValues: false,
        probeSelectorNilUsesHelmValues: false,
        ruleSelectorNilUsesHelmValues: false,
        scrapeConfigSelectorNilUsesHelmValues: false,
        retention: `${cluster.monitoring.metricsRetentionDays}d`,
        retentionSize: retentionSize(cluster.monitoring.metricsStorage),
        storageSpec: { volumeClaimTemplate: claim(cluster.storage.class, cluster.monitoring.metricsStorage) },
        resources: resources('200m', '768Mi', '2Gi'),
      },
    },

    alertmanager: {
      // It never calls the API.
      serviceAccount: { automountServiceAccountToken: false },
      config: alertmanagerConfig(cluster),
      alertmanagerSpec: {
        automountServiceAccountToken: false,
        ...(notifySecret(cluster) ? { secrets: [NOTIFY_SECRET.name] } : {}),
        // Silences and what was already sent; without it every restart sends everything again.
        storage: { volumeClaimTemplate: claim(cluster.storage.class, '1Gi') },
        resources: resources('10m', '64Mi', '128Mi'),
      },
    },

    'kube-state-metrics': {
      fullnameOverride: 'kube-state-metrics',
      // It needs no right to read Secrets and ConfigMaps: nothing asks for their metrics, and the right shows their content.
      collectorsExclude: ['secrets', 'configmaps'],
      // Labels that alerts and dashboards join on: the kind of a backup's Job, and what a game server is.
      metricLabelsAllowlist: [
        'jobs=[k8up.io/type]',
        `pods=[${[LABELS.realm, LABELS.continent, LABELS.contentType, LABELS.build].join(',')}]`,
      ],
      resources: resources('10m', '64Mi', '192Mi'),
    },

    'prometheus-node-exporter': {
      fullnameOverride: 'node-exporter',
      resources: resources('20m', '32Mi', '96Mi'),
      containerSecurityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    },
    // Rules and dashboards of operating systems that no node runs.
    nodeExporter: { operatingSystems: { aix: { enabled: false }, darwin: { enabled: false } } },

    grafana: {
      fullnameOverride: 'grafana',
      // A Secret of ours: the chart's default would put a well-known password into the manifests.
      admin: { existingSecret: 'grafana-admin' },
      // Helm's test pods.
      testFramework: { enabled: false },
      defaultDashboardsEditable: false,
      sidecar: {
        // Dashboards are ConfigMaps labelled grafana_dashboard: "1", all in this namespace, so that no right to other namespaces is needed.
        dashboards: { searchNamespace: NAMESPACE, resource: 'configmap', skipReload: true },
        // Three fixed sources need no second side container: they are written into the configuration below.
        datasources: { enabled: false },
        securityContext: { readOnlyRootFilesystem: true },
        resources: resources('10m', '96Mi', '192Mi'),
      },
      // The chart's own Role reads all Secrets of the namespace; ours reads ConfigMaps.
      rbac: { namespaced: true, useExistingRole: DASHBOARDS_ROLE },
      datasources: { 'datasources.yaml': datasources() },
      'grafana.ini': {
        server: { domain: cluster.hosts.grafana, root_url: `https://${cluster.hosts.grafana}` },
        // Nothing is fetched from or sent to the vendor: Grafana has no way to the Internet.
        analytics: { reporting_enabled: false, check_for_updates: false, check_for_plugin_updates: false },
        // The image brings the plugins of all three sources. Updating them at the start stops them first and then fails on the read-only file system, and the sources are gone.
        plugins: { preinstall_disabled: true, public_key_retrieval_disabled: true },
        news: { news_feed_enabled: false },
        security: { cookie_secure: true, disable_gravatar: true },
        users: { allow_sign_up: false },
        'auth.anonymous': { enabled: false },
        ...grafanaLoginSettings(cluster),
      },
      ...grafanaLoginMounts(cluster),
      containerSecurityContext: { readOnlyRootFilesystem: true },
      // The root file system is read-only; SQLite and uploads need a place for temporary files.
      extraEmptyDirMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      // Every data source that the image brings is a process of its own.
      resources: resources('50m', '256Mi', '1Gi'),
    },

    extraManifests: [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: DASHBOARDS_ROLE, namespace: NAMESPACE },
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] }],
      },
    ],
  }),
  needs: () => ['namespaces', 'prometheus-operator-crds', 'cert-manager', 'sealed-credentials'],
  exceptions: () => [
    {
      container: 'node-exporter/node-exporter',
      rules: ['no-host-namespaces', 'no-host-paths'],
      because:
        "It reports the node's own network, processes and file systems, which it sees in no other way; it reads them as nobody, without rights.",
    },
  ],
  provides: () => ({
    crds: [],
    services: [
      {
        name: 'monitoring-operator',
        ports: [{ name: 'https', port: 443 }],
        labels: { 'app.kubernetes.io/instance': 'kube-prometheus-stack' },
      },
      {
        name: 'monitoring-prometheus',
        ports: [
          { name: 'http-web', port: 9090 },
          { name: 'reloader-web', port: 8080 },
        ],
        labels: { 'app.kubernetes.io/instance': 'kube-prometheus-stack' },
      },
      {
        name: 'monitoring-alertmanager',
        ports: [
          { name: 'http-web', port: 9093 },
          { name: 'reloader-web', port: 8080 },
        ],
        labels: { 'app.kubernetes.io/instance': 'kube-prometheus-stack' },
      },
      { name: 'grafana', ports: [{ name: 'http-web', port: 80 }], labels: { 'app.kubernetes.io/instance': 'kube-prometheus-stack' } },
      {
        name: 'kube-state-metrics',
        ports: [{ name: 'http', port: 8080 }],
        labels: { 'app.kubernetes.io/instance': 'kube-prometheus-stack' },
      },
      {
        name: 'node-exporter',
        ports: [{ name: 'http-metrics', port: 9100 }],
        labels: { 'app.kubernetes.io/instance': 'kube-prometheus-stack' },
      },
    ],
    pods: [
      {
        name: 'monitoring-operator',
        kind: 'Deployment',
        labels: operator().labels,
        ports: [{ name: 'https', port: 10250 }],
        serviceAccount: 'monitoring-operator',
      },
      // Prometheus and Alertmanager are custom resources; their pods are made by the operator, with labels and ports of its own.
      {
        name: 'prometheus',
        kind: 'Operator',
        labels: workload('kube-prometheus-stack', 'prometheus').labels,
        ports: [
          { name: 'http-web', port: 9090 },
          { name: 'reloader-web', port: 8080 },
        ],
        serviceAccount: 'monitoring-prometheus',
      },
      {
        name: 'alertmanager',
        kind: 'Operator',
        labels: alertmanager().labels,
        ports: [
          { name: 'http-web', port: 9093 },
          { name: 'mesh-tcp', port: 9094 },
          { name: 'mesh-udp', port: 9094, protocol: 'UDP' },
          { name: 'reloader-web', port: 8080 },
        ],
        serviceAccount: 'monitoring-alertmanager',
      },
      {
        name: 'grafana',
        kind: 'Deployment',
        labels: grafana().labels,
        ports: [
          { name: 'grafana', port: 3000 },
          { name: 'gossip-tcp', port: 9094 },
          { name: 'gossip-udp', port: 9094, protocol: 'UDP' },
          { name: 'profiling', port: 6060 },
        ],
        serviceAccount: 'grafana',
      },
      {
        name: 'kube-state-metrics',
        kind: 'Deployment',
        labels: kubeStateMetrics().labels,
        ports: [
          { name: 'http', port: 8080 },
          { name: 'metrics', port: 8081 },
        ],
        serviceAccount: 'kube-state-metrics',
      },
      {
        name: 'node-exporter',
        kind: 'DaemonSet',
        labels: workload('kube-prometheus-stack', 'node-exporter').labels,
        ports: [{ name: 'http-metrics', port: 9100 }],
        serviceAccount: 'node-exporter',
        hostNetwork: true,
      },
    ],
    secrets: [`${NAMESPACE}/alertmanager-monitoring`],
    configMaps: [`${NAMESPACE}/grafana`],
    serviceAccounts: [
      'grafana',
      'kube-state-metrics',
      'monitoring-alertmanager',
      'monitoring-operator',
      'monitoring-prometheus',
      'node-exporter',
    ].map((account) => `${NAMESPACE}/${account}`),
    clusterKinds: [
      'admissionregistration.k8s.io/MutatingWebhookConfiguration',
      'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
  }),
  flows: (cluster) => {
    const prometheus = workload('kube-prometheus-stack', 'prometheus');
    const notify = cluster.monitoring.notify;
    const loginPorts = grafanaLoginPorts(cluster);
    return [
      toApiServer(cluster, operator(), 'It watches Prometheus, Alertmanager, monitors and rules, and writes the configuration.'),
      ...fromApiServer(operator(), [{ port: 10250 }], 'The API server asks the webhook about rules and Alertmanager configurations.'),
      scraped(operator(), 10250),

      toApiServer(cluster, prometheus, "It discovers targets, and reads the API server's own metrics."),
      {
        from: prometheus,
        to: { outside: 'nodes' },
        ports: [{ port: 10250 }, { port: 9100 }],
        because: 'It reads the metrics of kubelets and node-exporters.',
      },
      scraped(prometheus, 9090, 8080),

      { from: prometheus, to: alertmanager(), ports: [{ port: 9093 }], because: 'It sends alerts.' },
      ...(notify?.discord || notify?.deadMansSwitch
        ? [
            {
              from: alertmanager(),
              to: { outside: 'internet' } as const,
              ports: [{ port: 443 }],
              because: 'It tells people of alerts, and the service that waits for its signs of life.',
            },
          ]
        : []),
      ...(notify?.email
        ? [
            {
              from: alertmanager(),
              to: { outside: 'anywhere' } as const,
              ports: [{ port: notify.email.port }],
              because: 'It mails alerts; the mail server may be in the home.',
            },
          ]
        : []),
      scraped(alertmanager(), 9093, 8080),

      toApiServer(cluster, grafana(), 'Its side container watches the ConfigMaps that hold dashboards.'),
      { from: grafana(), to: prometheus, ports: [{ port: 9090 }], because: 'Dashboards show metrics.' },
      { from: grafana(), to: alertmanager(), ports: [{ port: 9093 }], because: 'Grafana shows alerts and silences.' },
      {
        from: workload('traefik', 'traefik'),
        to: grafana(),
        ports: [{ port: 3000 }],
        because: 'Administrators open Grafana through the admin entry point.',
      },
      ...(loginPorts.length > 0
        ? [
            {
              from: grafana(),
              to: { outside: 'anywhere' } as const,
              ports: loginPorts.map((port) => ({ port })),
              because: 'It asks the provider of logins, in the home or on the Internet, who somebody is.',
            },
          ]
        : []),
      scraped(grafana(), 3000),

      toApiServer(cluster, kubeStateMetrics(), 'It turns objects into metrics.'),
      scraped(kubeStateMetrics(), 8080),
    ];
  },
  // Sections and keys of Grafana's own configuration; the chart shows the few that it sets.
  freeValues: [
    'defaultRules.disabled',
    'grafana.grafana.ini',
    'grafana.grafana.ini.server',
    'grafana.grafana.ini.analytics',
    'alertmanager.config',
  ],
  secrets: (cluster) => ({
    [`${NAMESPACE}/grafana-admin`]: ['admin-user', 'admin-password'],
    ...Object.fromEntries(
      [notifySecret(cluster), grafanaLoginSecret(cluster)].flatMap((secret) =>
        secret ? [[`${secret.namespace}/${secret.name}`, Object.keys(secret.keys)]] : [],
      ),
    ),
  }),
};

const operator = (): Workload => workload('kube-prometheus-stack', 'monitoring-operator');
const alertmanager = (): Workload => workload('kube-prometheus-stack', 'alertmanager');
const grafana = (): Workload => workload('kube-prometheus-stack', 'grafana');
const kubeStateMetrics = (): Workload => workload('kube-prometheus-stack', 'kube-state-metrics');

/** Requests and the memory limit; never a CPU limit, which would only throttle. */
function resources(cpu: string, memory: string, memoryLimit: string): object {
  return { requests: { cpu, memory }, limits: { memory: memoryLimit } };
}

/** A complete claim; the class is left to the cluster's default when the description names none. */
function claim(storageClass: string | undefined, storage: string): object {
  return {
    spec: {
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Filesystem',
      ...(storageClass ? { storageClassName: storageClass } : {}),
      resources: { requests: { storage } },
    },
  };
}

/** Prometheus forgets old blocks at 80 % of the volume, because the write-ahead log and compaction come on top, and a full volume stops it. */
function retentionSize(storage: string): string {
  return `${Math.floor(((quantityValue(storage) ?? 0) * 0.8) / 1024 ** 2)}MiB`;
}

/** Grafana's sources, at names that dashboards may rely on: prometheus, alertmanager and loki are their uids. */
function datasources(): object {
  const service = (host: string, port: number): string => `http://${host}.${NAMESPACE}.svc.cluster.local:${port}`;
  return {
    apiVersion: 1,
    datasources: [
      {
        name: 'Prometheus',
        type: 'prometheus',
        uid: 'prometheus',
        access: 'proxy',
        url: service('monitoring-prometheus', 9090),
        isDefault: true,
        jsonData: { httpMethod: 'POST', timeInterval: '30s' },
      },
      {
        name: 'Alertmanager',
        type: 'alertmanager',
        uid: 'alertmanager',
        access: 'proxy',
        url: service('monitoring-alertmanager', 9093),
        jsonData: { implementation: 'prometheus', handleGrafanaManagedAlerts: false },
      },
      { name: 'Loki', type: 'loki', uid: 'loki', access: 'proxy', url: service('loki', 3100) },
    ],
  };
}
