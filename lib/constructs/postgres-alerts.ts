/**
 * Alert rules of the database: that it serves, that it is on several machines, and that it can be restored.
 * It deliberately uses only metrics of the operator's exporter (default queries of CloudNativePG 1.30), of the Barman Cloud plugin, and of the kubelet.
 */
import type { PrometheusRuleSpecGroupsRules } from '../../imports/monitoring.coreos.com';
import type { Cluster } from '../model/cluster';
import { longestGapHours } from '../model/cron';
import { databaseCluster, NAMESPACES } from '../platform';
import { alertRule as alert } from './alerts';

/** Hours after which the last base backup is too old: two days, or what the schedule leaves between two, and a day more. */
export const oldestBaseBackupHours = ({ databaseSchedule }: { readonly databaseSchedule: string }): number =>
  Math.max(48, longestGapHours(databaseSchedule) + 24);

/** Rules that fit the cluster: of replicas only with several instances, of archives only with backups. */
export function postgresAlerts(cluster: Cluster): PrometheusRuleSpecGroupsRules[] {
  const instances = cluster.databaseInstances;
  const name = databaseCluster(cluster.database.generation);
  const namespace = `namespace="${NAMESPACES.database}"`;
  // An earlier generation may still be there, with pods that are cut off and volumes that fill: nobody is woken for those.
  const here = `${namespace},pod=~"${name}-[0-9]+"`;
  const volumes = `${namespace},persistentvolumeclaim=~"${name}-[0-9]+"`;
  return [
    alert(
      'PostgresDown',
      'critical',
      '2m',
      // Exactly one instance is not in recovery: the primary.
      `absent(cnpg_pg_replication_in_recovery{${here}} == 0)`,
      'PostgreSQL has no primary that answers.',
      `Accounts and queues cannot be read or written. Look at Cluster ${name} in namespace ${NAMESPACES.database}: its status and the log of its pods.`,
    ),
    ...(instances > 1
      ? [
          alert(
            'PostgresReplicaMissing',
            'warning',
            '15m',
            `max(cnpg_pg_replication_streaming_replicas{${here}}) < ${instances - 1}`,
            `Only {{ $value }} of ${instances - 1} replicas follow the primary.`,
            'A failover has fewer machines to go to, or none. Look for instances that are not ready and for nodes that are away.',
          ),
          alert(
            'PostgresReplicaBehind',
            'warning',
            '10m',
            `max by (pod) (cnpg_pg_replication_lag{${here}}) > 60`,
            'Replica {{ $labels.pod }} is {{ $value | humanizeDuration }} behind the primary.',
            'Look at the disk and the network of its node.',
          ),
        ]
      : []),
    alert(
      'PostgresVolumeFilling',
      'critical',
      '5m',
      `min by (persistentvolumeclaim) (kubelet_volume_stats_available_bytes{${volumes}} / kubelet_volume_stats_capacity_bytes{${volumes}}) < 0.15`,
      'Volume {{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} left.',
      'PostgreSQL stops when it is full. Raise database.storage in the description where the storage class can grow; if the write-ahead log fills it, look at archiving first.',
    ),
    alert(
      'PostgresConnectionsScarce',
      'warning',
      '5m',
      `max by (pod) (sum by (pod) (cnpg_backends_total{${here}}) / on (pod) cnpg_pg_settings_setting{${here},name="max_connections"}) > 0.85`,
      'Instance {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its connections.',
      'Somebody holds connections beside the broker, or a pool leaks.',
    ),
    ...(cluster.backups
      ? [
          alert(
            'PostgresArchivingFails',
            'critical',
            '15m',
            `max(cnpg_pg_stat_archiver_last_failed_time{${here}} - cnpg_pg_stat_archiver_last_archived_time{${here}}) > 0`,
            'The write-ahead log is not archived.',
            'What is written now could not be restored, and the log fills the volume. Look at container plugin-barman-cloud of the primary, at the credentials and at the object store.',
          ),
          alert(
            'PostgresBackupTooOld',
            'critical',
            '1h',
            `time() - max(barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{${here}}) > ${oldestBaseBackupHours(cluster.backups)} * 3600`,
            `The last base backup is more than ${oldestBaseBackupHours(cluster.backups)} hours old, or there is none.`,
            'Look at the Backups in namespace database and at container plugin-barman-cloud.',
          ),
        ]
      : []),
  ];
}
