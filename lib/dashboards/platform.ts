/**
 * The dashboard of what everything stands on: whether Git has arrived in the cluster, and whether nodes, volumes, certificates and logs are well.
 * It deliberately repeats nothing that the dashboards of kube-prometheus-stack show in depth; it is the page to look at first.
 */
import { entryPoints } from '../../argocd/catalog/traefik';
import { NAMESPACES } from '../platform';
import type { BackupAges, Dashboard, Panel } from './dashboard';

const PLAYERS = `entrypoint="${entryPoints.websecure}"`;

/** Whose backups there are, each with the ages from which on a panel warns; undefined leaves its panel out. */
interface PlatformBackups {
  readonly worlds: BackupAges | undefined;
  readonly database: BackupAges | undefined;
}

export const platform = (backups: PlatformBackups): Dashboard => ({
  uid: 'mmo-platform',
  title: 'Platform',
  description: 'Sync with Git, nodes, volumes, backups, certificates, secrets, the entry point and logs.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Not in sync',
          description: 'Applications whose state in the cluster is not the one in Git, or is not known. The table below names them.',
          unit: 'short',
          thresholds: { above: [1, 3] },
          targets: [{ expr: 'count(argocd_app_info{sync_status!="Synced"}) or vector(0)' }],
        },
        {
          kind: 'stat',
          title: 'Not healthy',
          description: 'Applications that something in the cluster keeps from working. Later waves wait for them.',
          unit: 'short',
          thresholds: { above: [1, 3] },
          targets: [{ expr: 'count(argocd_app_info{health_status!~"Healthy|Suspended"}) or vector(0)' }],
        },
        {
          kind: 'stat',
          title: 'Secrets not unsealed',
          description: 'Sealed secrets that the controller could not open: sealed to another key, or to another name.',
          unit: 'short',
          thresholds: { above: [1] },
          targets: [{ expr: 'count(sealed_secrets_controller_condition_info{condition="Synced"} != 1) or vector(0)' }],
        },
        {
          kind: 'stat',
          title: 'Next certificate to end',
          description: 'Certificates are renewed thirty days before their end; less than that is a renewal that fails.',
          unit: 'dtdurations',
          thresholds: { below: [1_814_400, 604_800] },
          targets: [{ expr: 'min(certmanager_certificate_expiration_timestamp_seconds) - time()' }],
        },
        {
          kind: 'stat',
          title: 'Targets down',
          description: 'What Prometheus should read and does not reach: alerts about it cannot fire.',
          unit: 'short',
          thresholds: { above: [1, 5] },
          targets: [{ expr: 'count(up == 0) or vector(0)' }],
        },
        {
          kind: 'stat',
          title: 'Errors at the entry point',
          description: 'Share of the requests of players that Traefik answered with 5xx, in five minutes.',
          unit: 'percentunit',
          thresholds: { above: [0.01, 0.05] },
          targets: [
            {
              expr: `sum(rate(traefik_entrypoint_requests_total{${PLAYERS}, code=~"5.."}[5m])) / sum(rate(traefik_entrypoint_requests_total{${PLAYERS}}[5m]))`,
            },
          ],
        },
      ],
    },
    ...(backups.worlds || backups.database ? [{ title: 'Backups', panels: backupPanels(backups) }] : []),
    {
      title: 'Git and cluster',
      panels: [
        {
          kind: 'table',
          title: 'Applications that need a look',
          description: 'Every Application that is not Synced or not Healthy. An empty table is what it should be.',
          unit: 'string',
          columns: { name: 'Application', project: 'Project', sync_status: 'Sync', health_status: 'Health' },
          targets: [
            {
              expr: 'max by (name, project, sync_status, health_status) (argocd_app_info{sync_status!="Synced"} or argocd_app_info{health_status!="Healthy"})',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Containers that were started again',
          description: 'Restarts within an hour, of containers that had any.',
          unit: 'short',
          targets: [
            {
              expr: 'sum by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[1h])) > 0.5',
              legend: '{{namespace}}/{{pod}} {{container}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Nodes',
      panels: [
        {
          kind: 'lines',
          title: 'Processor',
          description: 'Share of the time in which the cores of each node were not idle.',
          unit: 'percentunit',
          max: 1,
          targets: [
            { expr: '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', legend: '{{instance}}' },
          ],
        },
        {
          kind: 'lines',
          title: 'Memory',
          description: 'Share of the memory of each node that is in use. Near 100 % the kernel kills something.',
          unit: 'percentunit',
          max: 1,
          thresholds: { above: [0.85, 0.95] },
          targets: [{ expr: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes', legend: '{{instance}}' }],
        },
        {
          kind: 'bars',
          title: 'Memory that is reserved',
          description: 'Requests of all pods as a share of what each node can give. At 100 % no further world fits.',
          unit: 'percentunit',
          width: 12,
          max: 1,
          thresholds: { above: [0.85, 0.95] },
          targets: [
            {
              expr: 'sum by (node) (kube_pod_container_resource_requests{resource="memory"}) / sum by (node) (kube_node_status_allocatable{resource="memory"})',
              legend: '{{node}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Clocks',
          description:
            "Difference between each node's clock and that of the node with Prometheus. Connect tokens live for half a minute: seconds matter.",
          unit: 's',
          min: -5,
          targets: [{ expr: 'max by (instance) (node_time_seconds - timestamp(node_time_seconds))', legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Volumes, entry point, logs',
      panels: [
        {
          kind: 'bars',
          title: 'Fullest volumes',
          description: 'Share that is taken, of the ten fullest.',
          unit: 'percentunit',
          width: 12,
          max: 1,
          thresholds: { above: [0.8, 0.9] },
          targets: [
            {
              expr: 'topk(10, 1 - min by (namespace, persistentvolumeclaim) (kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes))',
              legend: '{{namespace}}/{{persistentvolumeclaim}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Requests at the entry points',
          description: 'By entry point and status. 404 on the public one is the Internet looking around.',
          unit: 'reqps',
          stacked: true,
          targets: [
            {
              expr: 'sum by (entrypoint, code) (rate(traefik_entrypoint_requests_total[$__rate_interval]))',
              legend: '{{entrypoint}} {{code}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Questions of a client',
          description: 'Seconds until DNS and the entry point answered the probes; a gap is a question that had no right answer.',
          unit: 's',
          targets: [{ expr: 'max by (probe) (probe_duration_seconds and probe_success == 1)', legend: '{{probe}}' }],
        },
        {
          kind: 'lines',
          title: 'Lines of logs',
          description: 'Lines that Loki received. None is Alloy that does not read, or cannot push.',
          unit: 'ops',
          targets: [{ expr: 'sum(rate(loki_distributor_lines_received_total[$__rate_interval]))', legend: 'received' }],
        },
        {
          kind: 'lines',
          title: 'Lines thrown away',
          description: 'Lines that Loki refused, by reason: a limit in its configuration, or logs that are too old.',
          unit: 'ops',
          stacked: true,
          targets: [{ expr: 'sum by (reason) (rate(loki_discarded_samples_total[$__rate_interval]))', legend: '{{reason}}' }],
        },
      ],
    },
  ],
});

/** The age of what would be restored if everything were lost now. */
function backupPanels({ worlds, database }: PlatformBackups): Panel[] {
  const age = (title: string, description: string, { late, tooOld }: BackupAges, last: string): Panel => ({
    kind: 'stat',
    title,
    description,
    unit: 'dtdurations',
    thresholds: { above: [late * 3600, tooOld * 3600] },
    targets: [{ expr: `time() - ${last}` }],
  });
  return [
    ...(worlds
      ? [
          age(
            'Oldest backup of a realm',
            'Age of the last good backup, in the realm where it is oldest. Yellow: one was missed. Red: WorldBackupTooOld.',
            worlds,
            'min(max by (namespace) (kube_job_status_completion_time{namespace=~"realm-.+", job_name=~"backup-.+"}))',
          ),
        ]
      : []),
    ...(database
      ? [
          age(
            'Last base backup of the database',
            'Its age; the log since then is archived as well. Yellow: one was missed. Red: PostgresBackupTooOld.',
            database,
            `max(barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{namespace="${NAMESPACES.database}"} > 0)`,
          ),
        ]
      : []),
  ];
}
