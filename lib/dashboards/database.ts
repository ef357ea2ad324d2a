/**
 * The dashboard of PostgreSQL: whether it serves, whether replicas follow, whether it could be restored, and where it gets slow.
 * It deliberately shows the described generation and earlier ones alike: after a recovery one wants to see both.
 */
import { NAMESPACES } from '../platform';
import type { BackupAges, Dashboard } from './dashboard';

const HERE = `namespace="${NAMESPACES.database}"`;
const FREE = `kubelet_volume_stats_available_bytes{${HERE}} / kubelet_volume_stats_capacity_bytes{${HERE}}`;

/** @param backups ages of the last base backup, in hours: from `late` on one was missed, from `tooOld` on PostgresBackupTooOld fires; undefined where nothing is archived, because panels of archives would be empty */
export function database(backups: BackupAges | undefined): Dashboard {
  return {
    uid: 'mmo-database',
    title: 'Database',
    description: 'PostgreSQL by CloudNativePG: primary and replicas, connections, transactions, volumes, and what could be restored.',
    logs: { selector: HERE, app: 'postgresql' },
    rows: [
      {
        title: 'Now',
        panels: [
          {
            kind: 'stat',
            title: 'Primaries',
            description: 'Instances that take writes. One is right; none means that nobody can log in.',
            unit: 'short',
            thresholds: { below: [1] },
            targets: [{ expr: `count(cnpg_pg_replication_in_recovery{${HERE}} == 0) or vector(0)` }],
          },
          {
            kind: 'stat',
            title: 'Replicas that follow',
            description: 'Replicas that are connected to the primary.',
            unit: 'short',
            targets: [{ expr: `max(cnpg_pg_replication_streaming_replicas{${HERE}})` }],
          },
          {
            kind: 'stat',
            title: 'Furthest behind',
            description: 'Seconds by which the slowest replica is behind.',
            unit: 's',
            thresholds: { above: [10, 60] },
            targets: [{ expr: `max(cnpg_pg_replication_lag{${HERE}})` }],
          },
          {
            kind: 'stat',
            title: 'Connections in use',
            description: 'Share of max_connections, at the instance where it is highest.',
            unit: 'percentunit',
            thresholds: { above: [0.7, 0.85] },
            targets: [
              {
                expr: `max(sum by (pod) (cnpg_backends_total{${HERE}}) / on (pod) cnpg_pg_settings_setting{${HERE}, name="max_connections"})`,
              },
            ],
          },
          {
            kind: 'stat',
            title: 'Least free',
            description: 'Share of the fullest volume that is free.',
            unit: 'percentunit',
            thresholds: { below: [0.3, 0.15] },
            targets: [{ expr: `min(${FREE})` }],
          },
          ...(backups
            ? [
                {
                  kind: 'stat',
                  title: 'Last base backup',
                  description: 'Its age. Yellow: one was missed. Red: PostgresBackupTooOld.',
                  unit: 'dtdurations',
                  thresholds: { above: [backups.late * 3600, backups.tooOld * 3600] },
                  targets: [{ expr: `time() - max(barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{${HERE}} > 0)` }],
                } as const,
              ]
            : []),
        ],
      },
      {
        title: 'Work',
        panels: [
          {
            kind: 'lines',
            title: 'Transactions',
            description: 'Per second, of all databases. Rollbacks that rise are requests that fail.',
            unit: 'ops',
            targets: [
              { expr: `sum(rate(cnpg_pg_stat_database_xact_commit{${HERE}}[$__rate_interval]))`, legend: 'committed' },
              { expr: `sum(rate(cnpg_pg_stat_database_xact_rollback{${HERE}}[$__rate_interval]))`, legend: 'rolled back' },
            ],
          },
          {
            kind: 'lines',
            title: 'Connections',
            description: 'By state. Many that are "idle in transaction" hold locks and do nothing.',
            unit: 'short',
            stacked: true,
            targets: [{ expr: `sum by (state) (cnpg_backends_total{${HERE}})`, legend: '{{state}}' }],
          },
          {
            kind: 'lines',
            title: 'Longest transaction',
            description: 'Seconds that the oldest open transaction has taken, by user. Minutes mean that something hangs.',
            unit: 's',
            targets: [{ expr: `max by (usename) (cnpg_backends_max_tx_duration_seconds{${HERE}})`, legend: '{{usename}}' }],
          },
          {
            kind: 'lines',
            title: 'Waiting for a lock',
            description: 'Connections that wait for another one. Now and then one is usual.',
            unit: 'short',
            targets: [{ expr: `sum by (pod) (cnpg_backends_waiting_total{${HERE}})`, legend: '{{pod}}' }],
          },
          {
            kind: 'lines',
            title: 'Read from memory',
            description: 'Share of the pages that needed no disk. What falls below 95 % for long wants more memory.',
            unit: 'percentunit',
            max: 1,
            targets: [
              {
                expr: [
                  `sum by (pod) (rate(cnpg_pg_stat_database_blks_hit{${HERE}}[$__rate_interval]))`,
                  `  / (sum by (pod) (rate(cnpg_pg_stat_database_blks_hit{${HERE}}[$__rate_interval])) + sum by (pod) (rate(cnpg_pg_stat_database_blks_read{${HERE}}[$__rate_interval])))`,
                ].join('\n'),
                legend: '{{pod}}',
              },
            ],
          },
          {
            kind: 'lines',
            title: 'Deadlocks',
            description: 'Within an hour. PostgreSQL ends one of the two transactions; the broker tries it again.',
            unit: 'short',
            targets: [{ expr: `sum by (datname) (increase(cnpg_pg_stat_database_deadlocks{${HERE}}[1h]))`, legend: '{{datname}}' }],
          },
        ],
      },
      {
        title: 'Keeping it',
        panels: [
          {
            kind: 'lines',
            title: 'Size',
            description: 'Of each database.',
            unit: 'bytes',
            targets: [{ expr: `max by (datname) (cnpg_pg_database_size_bytes{${HERE}})`, legend: '{{datname}}' }],
          },
          {
            kind: 'lines',
            title: 'Free space of volumes',
            description: 'PostgreSQL stops when one is full. A line that falls without players is a log that is not archived.',
            unit: 'percentunit',
            max: 1,
            targets: [{ expr: `min by (persistentvolumeclaim) (${FREE})`, legend: '{{persistentvolumeclaim}}' }],
          },
          {
            kind: 'lines',
            title: 'Replicas behind',
            description: 'Seconds, by replica.',
            unit: 's',
            targets: [{ expr: `max by (pod) (cnpg_pg_replication_lag{${HERE}})`, legend: '{{pod}}' }],
          },
          ...(backups
            ? [
                {
                  kind: 'lines',
                  title: 'Age of what is archived',
                  description:
                    'How long ago the last file of the write-ahead log was archived: what a lost cluster would lose at most. Five minutes are usual.',
                  unit: 's',
                  thresholds: { above: [600, 1800] },
                  targets: [{ expr: `time() - max by (pod) (cnpg_pg_stat_archiver_last_archived_time{${HERE}} > 0)`, legend: '{{pod}}' }],
                } as const,
              ]
            : []),
        ],
      },
    ],
  };
}
