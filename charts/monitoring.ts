/**
 * Monitoring: the namespace of Prometheus, Grafana, Loki and Alloy, alerts about the platform itself, and dashboards.
 * It deliberately holds no alerts of single systems (each component brings its own), and repeats none that kube-prometheus-stack brings
 * unless ours knows more of what it means for players.
 */
import type { Chart } from 'cdk8s';
import { metallb } from '../argocd/catalog/metallb';
import { type Component, labels } from '../lib/component';
import { type Alert, alertRules } from '../lib/constructs/alerts';
import { addLogRules } from '../lib/constructs/log-alerts';
import { dashboardsOf } from '../lib/dashboards';
import { type Dashboard, dashboardJson } from '../lib/dashboards/dashboard';
import { add } from '../lib/emit/manifest';
import { KubeConfigMap } from '../lib/k8s';
import { NAMESPACES } from '../lib/platform';

const namespace = NAMESPACES.monitoring;
/** By this label Grafana's side container finds dashboards. */
const DASHBOARD_LABEL = { grafana_dashboard: '1' } as const;

export const monitoring: Component = {
  name: 'monitoring',
  summary: 'Namespace of the monitoring stack, platform alerts and dashboards.',
  namespaces: () => [
    {
      name: namespace,
      podSecurity: 'privileged',
      because: "node-exporter reads the nodes' own file systems and network, which needs the host's namespaces",
    },
  ],
  applications: (cluster) => [
    {
      name: 'monitoring-config',
      project: 'observability',
      namespace,
      // Not the stack itself: rules and dashboards can be there before it, and then it starts with them.
      needs: ['prometheus-operator-crds'],
      build: (chart) => {
        alertRules(chart, namespace, 'platform', PLATFORM_ALERTS);
        alertRules(chart, namespace, 'monitoring', MONITORING_ALERTS);
        addLogRules(chart);
        for (const dashboard of dashboardsOf(cluster)) addDashboard(chart, dashboard);
      },
    },
  ],
};

function addDashboard(chart: Chart, dashboard: Dashboard): void {
  add(chart, KubeConfigMap, {
    metadata: { name: `dashboard-${dashboard.uid}`, namespace, labels: labels('grafana', 'dashboard', DASHBOARD_LABEL) },
    data: { [`${dashboard.uid}.json`]: dashboardJson(dashboard) },
  });
}

const FREE = 'min by (namespace, persistentvolumeclaim) (kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes)';

const failedSyncs = (offset = ''): string => `sum by (name) (argocd_app_sync_total{phase=~"Error|Failed"}${offset})`;

/** What everything stands on: Git, secrets, volumes, clocks, and pods in general. */
const PLATFORM_ALERTS: readonly Alert[] = [
  {
    name: 'ApplicationOutOfSync',
    // An Application with a sync window waits for it, unless it had its turn and failed. Worlds that are updated in turns take as long as they take; one that does
    // not come up has an alert of its own. A counter that was not there before is no increase to Prometheus, hence the two times.
    expr: [
      'max by (name) (argocd_app_info{sync_status="OutOfSync"}) == 1',
      'unless on (name) max by (name) (argocd_app_info{name=~"realm-.+", operation="sync"}) == 1',
      'unless on (name) (',
      '  max by (name) (argocd_app_labels{label_mmo_sync_window="true"}) == 1',
      `  unless on (name) ${failedSyncs()} > (${failedSyncs(' offset 6h')} or 0 * ${failedSyncs()})`,
      ')',
    ].join('\n'),
    for: '15m',
    severity: 'warning',
    summary: 'Application {{ $labels.name }} has not been what Git says for 15 minutes.',
    description:
      'Its sync fails, or something else writes to its objects; later waves wait for it. The difference and the last error: kubectl -n argocd describe application {{ $labels.name }}',
  },
  {
    name: 'ApplicationUnknown',
    expr: 'max by (name) (argocd_app_info{sync_status="Unknown"}) == 1',
    for: '15m',
    severity: 'warning',
    summary: 'Argo CD has not been able to compare {{ $labels.name }} with Git for 15 minutes.',
    description:
      'No commit reaches it. When all are Unknown, look at the way to the repository and at the conversion webhooks; when one is, at the conditions of its Application.',
  },
  {
    name: 'ApplicationDegraded',
    expr: 'max by (name) (argocd_app_info{health_status=~"Degraded|Missing"}) == 1',
    for: '15m',
    severity: 'warning',
    summary: 'Something in Application {{ $labels.name }} has been broken for 15 minutes.',
    description: 'Argo CD shows which object, and why: kubectl -n argocd get application {{ $labels.name }} -o yaml',
  },
  {
    name: 'ArgoCdSilent',
    expr: 'absent(argocd_app_info)',
    for: '15m',
    severity: 'warning',
    summary: 'Argo CD says nothing about any Application.',
    description:
      'Its application controller does not run or is not reached: what is in the cluster goes on, but no commit arrives, and the alerts about Applications cannot fire.',
  },
  {
    name: 'SealedSecretNotUnsealed',
    expr: 'min by (namespace, name) (sealed_secrets_controller_condition_info{condition="Synced"}) < 1',
    for: '10m',
    severity: 'warning',
    summary: 'Secret {{ $labels.namespace }}/{{ $labels.name }} could not be unsealed.',
    description:
      'It is sealed to another key, or for another name or namespace. A Secret that was there before stays as it was; a new one is missing, and pods wait for it. Seal it again: npm run seal',
  },
  {
    name: 'VolumeFilling',
    expr: [
      `${FREE} < 0.15`,
      'and',
      'min by (namespace, persistentvolumeclaim) (predict_linear(kubelet_volume_stats_available_bytes[6h], 4 * 86400)) < 0',
    ].join('\n'),
    for: '1h',
    severity: 'warning',
    summary: 'Volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} will be full within four days.',
    description:
      '{{ $value | humanizePercentage }} of it is free, and it fills as it did in the last six hours. Raise its size in the description where the storage class can grow.',
  },
  {
    name: 'VolumeNearlyFull',
    // The database has an alert of its own, which is earlier.
    expr: `${FREE.replaceAll('_bytes', `_bytes{namespace!="${NAMESPACES.database}"}`)} < 0.05`,
    for: '5m',
    severity: 'critical',
    summary: 'Volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} left.',
    description:
      'When it is full, nothing on it can be written: a world cannot be saved, Prometheus and Loki stop. Raise its size in the description, or free some of it.',
  },
  {
    name: 'ClockSkew',
    // Both times are of the same scrape, which takes far less than the limit. The kernel's own estimate (node_timex) is 0 where nothing keeps the time.
    expr: 'max by (instance) (abs(node_time_seconds - timestamp(node_time_seconds))) > 5',
    for: '2m',
    severity: 'critical',
    summary: 'The clock of node {{ $labels.instance }} is {{ $value | humanizeDuration }} off.',
    description:
      'Compared with the node that Prometheus runs on: when all others are named, it is that one. Connect tokens live for half a minute; servers on a wrong clock refuse them. See: timedatectl status',
  },
  {
    name: 'ContainerRestarting',
    // By the count and not by CrashLoopBackOff: a container that dies every quarter of an hour never is in it.
    expr: 'sum by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[1h])) >= 4',
    severity: 'warning',
    summary:
      'Container {{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} was restarted {{ $value | humanize }} times in an hour.',
    description:
      'Why the last one ended: kubectl -n {{ $labels.namespace }} describe pod {{ $labels.pod }} (OOMKilled: its memory limit is too low), and its log with --previous.',
  },
  {
    name: 'WorkloadNotReady',
    // Worlds, Pi-hole and MetalLB's speakers have alerts of their own, which say what it means.
    expr: [
      'max by (namespace, workload) (',
      '  label_replace(kube_deployment_spec_replicas - kube_deployment_status_replicas_available, "workload", "$1", "deployment", "(.+)")',
      `  or label_replace(kube_statefulset_replicas{namespace!~"realm-.+|${NAMESPACES.pihole}"} - kube_statefulset_status_replicas_ready, "workload", "$1", "statefulset", "(.+)")`,
      `  or label_replace(kube_daemonset_status_number_unavailable{namespace!="${metallb.namespace}"}, "workload", "$1", "daemonset", "(.+)")`,
      ') > 0',
    ].join('\n'),
    for: '15m',
    severity: 'warning',
    summary: '{{ $labels.namespace }}/{{ $labels.workload }} has had {{ $value }} pods too few for 15 minutes.',
    description:
      'What keeps them from being ready: kubectl -n {{ $labels.namespace }} get pods, then describe the one that is not. Pending means that no node has room.',
  },
];

/** The monitoring's own parts. Each is missed by what it would have reported, so that nothing is silent because nobody looks. */
const MONITORING_ALERTS: readonly Alert[] = [
  {
    name: 'PrometheusDown',
    expr: down('prometheus-monitoring-[0-9]+'),
    for: '5m',
    severity: 'warning',
    summary: 'Prometheus does not reach itself.',
    description:
      'It runs, for it evaluates this rule, but cannot read its own metrics: the NetworkPolicies of namespace monitoring are the first thing to look at, since they then stop other scrapes too.',
  },
  {
    name: 'KubeStateMetricsDown',
    expr: down('kube-state-metrics-.+'),
    for: '5m',
    severity: 'critical',
    summary: 'Half of all alerts cannot fire: kube-state-metrics is not reached.',
    description:
      'Worlds that are down, backups that are too old and pods that do not start would go unnoticed. See: kubectl -n monitoring describe deployment kube-state-metrics',
  },
  {
    name: 'NodeExporterMissing',
    expr: missingOnNodes('node-exporter'),
    for: '15m',
    severity: 'warning',
    summary: 'Prometheus knows nothing of {{ $value }} nodes.',
    description:
      'Their node-exporter is not reached: clocks, memory and processor are not watched there. Either the node is away, or its firewall closes port 9100 to the others.',
  },
  {
    name: 'LokiDown',
    expr: down('loki-[0-9]+'),
    for: '10m',
    severity: 'warning',
    summary: 'Loki does not answer: no log can be read, and none is kept.',
    description:
      'Alloy holds lines back for a while and then loses them. Look for a full volume and for a pod that was killed for memory: kubectl -n monitoring describe pod loki-0',
  },
  {
    name: 'LokiDroppingLines',
    expr: `sum by (reason) (increase(loki_discarded_samples_total{namespace="${namespace}"}[15m])) > 0`,
    for: '15m',
    severity: 'warning',
    summary: 'Loki throws lines of logs away: {{ $labels.reason }}.',
    description:
      'A limit in argocd/catalog/loki.ts, or a program that writes very much. The dashboard Logs shows which app writes how much.',
  },
  {
    // Loki's own rules cannot say that they are not evaluated; the second half is a ruler that has none, or does not run.
    name: 'LogAlertsNotEvaluated',
    expr: [
      `sum(increase(loki_prometheus_rule_evaluation_failures_total{namespace="${namespace}"}[15m])) > 0`,
      `or (count(up{namespace="${namespace}", pod=~"loki-[0-9]+"} == 1) > 0`,
      `unless sum(increase(loki_prometheus_rule_evaluations_total{namespace="${namespace}"}[15m])) > 0)`,
    ].join('\n'),
    for: '15m',
    severity: 'warning',
    summary: 'Alerts on logs are not evaluated: what only a log says goes unnoticed.',
    description: `Either a rule fails, or Loki has none. Its log says why: kubectl -n ${namespace} logs loki-0 -c loki | grep ruler`,
  },
  {
    name: 'AlloyDroppingLines',
    expr: `sum by (reason) (increase(loki_write_dropped_entries_total{namespace="${namespace}"}[15m])) > 0`,
    for: '15m',
    severity: 'warning',
    summary: 'Alloy gives lines of logs up: {{ $labels.reason }}.',
    description: 'They will never be in Loki; kubectl logs has them for a while. Loki refuses them, or does not answer.',
  },
  {
    name: 'AlloyMissing',
    expr: missingOnNodes('alloy'),
    for: '15m',
    severity: 'warning',
    summary: 'The logs of {{ $value }} nodes are not collected.',
    description:
      'Alloy is not reached there. Logs of pods that end meanwhile are lost: kubectl -n monitoring get pods -l app.kubernetes.io/name=alloy -o wide',
  },
  {
    name: 'GrafanaDown',
    expr: down('grafana-.+'),
    for: '15m',
    severity: 'warning',
    summary: 'Grafana does not answer: dashboards cannot be seen.',
    description: 'Alerts go on. See: kubectl -n monitoring describe deployment grafana',
  },
];

/** No pod of that name in the monitoring's namespace answers. */
function down(pod: string): string {
  return `absent(up{namespace="${namespace}", pod=~"${pod}"} == 1)`;
}

/** How many pods of a DaemonSet do not answer; also when none does. As many are wanted as the DaemonSet has nodes, which tainted ones may not be among. */
function missingOnNodes(daemonSet: string): string {
  const wanted = `sum(kube_daemonset_status_desired_number_scheduled{namespace="${namespace}", daemonset="${daemonSet}"})`;
  return `${wanted} - (count(up{namespace="${namespace}", pod=~"${daemonSet}-.+"} == 1) or vector(0)) > 0`;
}
