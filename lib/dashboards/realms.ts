/**
 * The dashboard of persistent worlds: who plays where, whether the simulation keeps up, and whether what happens is saved.
 * It deliberately names no realm: they are a variable, so that adding one changes nothing here.
 */
import type { BackupAges, Dashboard } from './dashboard';

/** Series of game servers, by the labels that their monitors add. */
const GAME = 'mmo_realm=~"$realm", mmo_continent=~"$continent"';
/** Series of Kubernetes' exporters, by the namespace of the realm. */
const NAMESPACE = 'namespace=~"realm-$realm"';
const WORLD = '{{mmo_realm}}/{{mmo_continent}}';

/** @param backups ages of the last backup, in hours: from `late` on one was missed, from `tooOld` on WorldBackupTooOld fires; undefined leaves the panels out, which would be empty */
export const realms = (backups: BackupAges | undefined): Dashboard => ({
  uid: 'mmo-realms',
  title: 'Realms',
  description: 'Persistent worlds: players, ticks, network, saves and backups.',
  variables: [
    { name: 'realm', label: 'Realm', metric: 'mmo_game_players{mmo_realm!=""}', valuesOf: 'mmo_realm' },
    { name: 'continent', label: 'Continent', metric: 'mmo_game_players{mmo_realm=~"$realm"}', valuesOf: 'mmo_continent' },
  ],
  logs: { selector: 'app="game-server", realm=~"$realm"', app: 'game-server' },
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Players',
          description: 'Players connected to the chosen worlds.',
          unit: 'short',
          targets: [{ expr: `sum(mmo_game_players{${GAME}})` }],
        },
        {
          kind: 'stat',
          title: 'Fullest world',
          description: 'Share of the places that is taken in the fullest of the chosen worlds. At 100 % newcomers wait in the queue.',
          unit: 'percentunit',
          thresholds: { above: [0.8, 0.95] },
          targets: [{ expr: `max(mmo_game_players{${GAME}} / mmo_game_capacity{${GAME}})` }],
        },
        {
          kind: 'stat',
          title: 'Worlds down',
          description: 'Worlds of the chosen realms that should run and do not serve players. Retired ones do not count.',
          unit: 'short',
          thresholds: { above: [1] },
          targets: [{ expr: `sum(kube_statefulset_replicas{${NAMESPACE}}) - sum(kube_statefulset_status_replicas_ready{${NAMESPACE}})` }],
        },
        {
          kind: 'stat',
          title: 'Slowest tick (99 %)',
          description: 'Time that one tick in a hundred takes longer than, in the slowest of the chosen worlds. Players feel 100 ms.',
          unit: 's',
          thresholds: { above: [0.05, 0.1] },
          targets: [
            {
              expr: `max(histogram_quantile(0.99, sum by (mmo_realm, mmo_continent, le) (rate(mmo_game_tick_duration_seconds_bucket{${GAME}}[$__rate_interval]))))`,
            },
          ],
        },
        {
          kind: 'stat',
          title: 'Oldest save',
          description:
            'Age of the last good save, in the world where it is oldest: what a crash would lose there. Saves are due every minute.',
          unit: 's',
          thresholds: { above: [120, 300] },
          targets: [{ expr: `max(time() - mmo_game_last_save_timestamp_seconds{${GAME}})` }],
        },
        ...(backups
          ? [
              {
                kind: 'stat',
                title: 'Oldest backup',
                description:
                  'Age of the last good backup, in the realm where it is oldest: what a lost disk would lose there. Yellow: one was missed. Red: WorldBackupTooOld.',
                unit: 'dtdurations',
                thresholds: { above: [backups.late * 3600, backups.tooOld * 3600] },
                targets: [
                  { expr: `max(time() - max by (namespace) (kube_job_status_completion_time{${NAMESPACE}, job_name=~"backup-.+"}))` },
                ],
              } as const,
            ]
          : []),
      ],
    },
    {
      title: 'Players',
      panels: [
        {
          kind: 'lines',
          title: 'Players by world',
          description: 'A sudden fall to zero is a world that went down, or players who lost their connection.',
          unit: 'short',
          stacked: true,
          targets: [{ expr: `sum by (mmo_realm, mmo_continent) (mmo_game_players{${GAME}})`, legend: WORLD }],
        },
        {
          kind: 'lines',
          title: 'Places taken',
          description:
            'Players as a share of the capacity in the description. What stays above 95 % wants more capacity or another continent.',
          unit: 'percentunit',
          max: 1,
          thresholds: { above: [0.8, 0.95] },
          targets: [
            {
              expr: `sum by (mmo_realm, mmo_continent) (mmo_game_players{${GAME}}) / sum by (mmo_realm, mmo_continent) (mmo_game_capacity{${GAME}})`,
              legend: WORLD,
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Packets received',
          description: 'Datagrams from players. None while players are connected means that UDP is lost on its way.',
          unit: 'pps',
          targets: [
            {
              expr: `sum by (mmo_realm, mmo_continent) (rate(mmo_game_packets_received_total{${GAME}}[$__rate_interval]))`,
              legend: WORLD,
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Players waiting',
          description: 'Length of the queue in front of each world, as the broker keeps it.',
          unit: 'short',
          targets: [
            {
              expr: 'max by (realm, continent) (mmo_broker_queue_length{realm=~"$realm", continent=~"$continent"})',
              legend: '{{realm}}/{{continent}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Simulation',
      panels: [
        {
          kind: 'lines',
          title: 'Tick, 99 % are faster',
          description:
            'When it rises with the players, the world is near its limit; when it rises alone, look at the processor of its node.',
          unit: 's',
          thresholds: { above: [0.05, 0.1] },
          targets: [
            {
              expr: `histogram_quantile(0.99, sum by (mmo_realm, mmo_continent, le) (rate(mmo_game_tick_duration_seconds_bucket{${GAME}}[$__rate_interval])))`,
              legend: WORLD,
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Ticks',
          description: 'Ticks per second. A world that cannot keep its rate does fewer.',
          unit: 'ops',
          targets: [
            {
              expr: `sum by (mmo_realm, mmo_continent) (rate(mmo_game_tick_duration_seconds_count{${GAME}}[$__rate_interval]))`,
              legend: WORLD,
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Processor',
          description: 'Cores that each world uses. A simulation usually cannot use more than a few, however many the node has.',
          unit: 'suffix: cores',
          targets: [
            {
              expr: `sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{${NAMESPACE}, container="game"}[$__rate_interval]))`,
              legend: '{{namespace}}/{{pod}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Memory',
          description: 'Memory that each world holds. At its limit it is killed, and what was not saved is lost.',
          unit: 'bytes',
          targets: [
            {
              expr: `sum by (namespace, pod) (container_memory_working_set_bytes{${NAMESPACE}, container="game"})`,
              legend: '{{namespace}}/{{pod}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Keeping it',
      panels: [
        {
          kind: 'lines',
          title: 'Age of the last save',
          description: 'A saw-tooth of about a minute. A line that rises is a world that cannot save: look at its log and its volume.',
          unit: 's',
          thresholds: { above: [120, 300] },
          targets: [{ expr: `time() - mmo_game_last_save_timestamp_seconds{${GAME}}`, legend: WORLD }],
        },
        {
          kind: 'lines',
          title: 'Free space of volumes',
          description: 'Share of each volume that is free. A full volume stops saving.',
          unit: 'percentunit',
          max: 1,
          targets: [
            {
              expr: `min by (namespace, persistentvolumeclaim) (kubelet_volume_stats_available_bytes{${NAMESPACE}} / kubelet_volume_stats_capacity_bytes{${NAMESPACE}})`,
              legend: '{{namespace}}/{{persistentvolumeclaim}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Restarts',
          description:
            'Restarts of the game within an hour that nobody ordered: crashes and kills. Updates make a new pod and do not count.',
          unit: 'short',
          targets: [
            {
              expr: `sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total{${NAMESPACE}, container="game"}[1h]))`,
              legend: '{{namespace}}/{{pod}}',
            },
          ],
        },
        ...(backups
          ? [
              {
                kind: 'lines',
                title: 'Age of the last backup',
                description: 'Falls to zero with each backup.',
                unit: 'dtdurations',
                targets: [
                  {
                    expr: `time() - max by (namespace) (kube_job_status_completion_time{${NAMESPACE}, job_name=~"backup-.+"})`,
                    legend: '{{namespace}}',
                  },
                ],
              } as const,
            ]
          : []),
      ],
    },
  ],
});
