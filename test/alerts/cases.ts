/**
 * For every alert: series with which it fires, and series with which it does not, as close to the first as the difference that matters.
 * It deliberately holds data alone; test/alerts/promtool.ts turns it into promtool's form.
 *
 * Time begins at the Unix time 0 and series have a sample a minute, so an event in the past has a negative time stamp.
 */

/** Series by name and labels, with their samples in promtool's notation: `0+6x30` begins at 0 and adds 6 thirty times, `_` is a missing sample. */
export type Series = Readonly<Record<string, string>>;

export interface Firing {
  /** Needed where an alert has several: what is special about this one. */
  readonly because?: string;
  readonly series: Series;
  /** The first minute at which it fires: a minute before it must not, which proves how long it waits. 0 has none before. */
  readonly at: number;
  /** Without `alertname` and `severity`, which are the rule's own. */
  readonly labels: Readonly<Record<string, string>>;
  /** As it is sent, with everything filled in. */
  readonly summary: string;
}

export interface Quiet {
  readonly because: string;
  readonly series: Series;
  /** Judged at every tenth minute up to this one. @default 120 */
  readonly until?: number;
}

export interface Cases {
  readonly fires: readonly [Firing, ...Firing[]];
  readonly quiet: readonly [Quiet, ...Quiet[]];
}

/** The same value for longer than any test takes. */
const flat = (value: number): string => `${value}+0x130`;
/** From 0, so much more each minute. */
const rising = (perMinute: number): string => `0+${perMinute}x130`;

const broker = (pod: string): string => `namespace="connect-broker",pod="connect-broker-${pod}"`;
const brokerTarget = (pod: string): string => `up{job="connect-broker-metrics",${broker(pod)}}`;
const brokerAnswers = (status: number): string =>
  `mmo_broker_http_requests_total{${broker('a')},route="/v1/login",method="POST",status="${status}"}`;
const allocations = (fleet: string, result: string): string =>
  `mmo_broker_allocations_total{${broker('a')},fleet="${fleet}",result="${result}"}`;
const reaped = (reason: string): string => `mmo_broker_instances_reaped_total{${broker('a')},fleet="dungeon",reason="${reason}"}`;
const ofWorldAtBroker = `${broker('a')},realm="aurora",continent="eldermoor"`;
const asleep = `mmo_broker_world_asleep{${ofWorldAtBroker}}`;
const waiting = `mmo_broker_queue_length{${ofWorldAtBroker}}`;
const migration = (condition: string): string =>
  `kube_job_failed{namespace="connect-broker",job_name="connect-broker-migrate",condition="${condition}"}`;

const lokiUp = 'up{namespace="monitoring",job="loki",pod="loki-0"}';
const logRules = (what: string): string =>
  `loki_prometheus_rule_${what}_total{namespace="monitoring",pod="loki-0",user="fake",rule_group="game"}`;

/** A counter or gauge of the broker at replica a, with its own labels. */
const ofBroker = (metric: string, labels: string): string => `mmo_broker_${metric}{${broker('a')},${labels}}`;
const logins = (result: string): string => ofBroker('logins_total', `result="${result}"`);
const tokens = (result: string): string => ofBroker('tokens_total', `kind="world",target="aurora/eldermoor",result="${result}"`);
const claims = (result: string): string => ofBroker('claims_total', `kind="world",target="aurora/eldermoor",result="${result}"`);
const played = (pod: string): string => `mmo_broker_session_seconds_total{${broker(pod)},kind="world",target="aurora/eldermoor"}`;
const cut = (because: string, pod = 'a'): string =>
  `mmo_broker_sessions_ended_total{${broker(pod)},kind="world",target="aurora/eldermoor",because="${because}"}`;
const waits = (bucket: string): string => `mmo_broker_allocation_duration_seconds_bucket{${broker('a')},fleet="dungeon",le="${bucket}"}`;
const waited = `mmo_broker_allocation_duration_seconds_count{${broker('a')},fleet="dungeon"}`;
const firstWaits = (pod: string): string => `mmo_broker_queue_oldest_seconds{${broker(pod)},realm="aurora",continent="eldermoor"}`;

const database = (instance: number | string): string => `namespace="database",pod="postgres-1-${instance}"`;
const claim = (namespace: string, name: string): string => `{namespace="${namespace}",persistentvolumeclaim="${name}"}`;
const available = (namespace: string, name: string): string => `kubelet_volume_stats_available_bytes${claim(namespace, name)}`;
const capacity = (namespace: string, name: string): string => `kubelet_volume_stats_capacity_bytes${claim(namespace, name)}`;
const backends = (user: string): string => `cnpg_backends_total{${database(1)},datname="broker",usename="${user}",state="idle"}`;
const maxConnections = `cnpg_pg_settings_setting{${database(1)},name="max_connections"}`;

const deploymentAvailable = (name: string): string =>
  `kube_deployment_status_replicas_available{namespace="agones-system",deployment="${name}"}`;
const certificate = (metric: string, more = ''): string =>
  `certmanager_certificate_${metric}{namespace="cert-manager",exported_namespace="connect-broker",name="connect-broker-tls"${more}}`;
const ofCertificate = { exported_namespace: 'connect-broker', name: 'connect-broker-tls' };

const fleet = (type: string, name = 'dungeon'): string => `agones_fleets_replicas_count{name="${name}",type="${type}"}`;
const rooms = (type: string, name = 'dungeon'): string => `agones_fleet_counters{name="${name}",counter="rooms",type="${type}"}`;
const servers = (state: string): string => `agones_gameservers_count{fleet_name="dungeon",type="${state}"}`;
const everServers = (state: string): string => `agones_gameservers_total{fleet_name="dungeon",type="${state}"}`;

const service = (type: string): string => `kube_service_spec_type{namespace="realm-aurora",service="eldermoor-public",type="${type}"}`;
const monitoringPod = (pod: string): string => `up{namespace="monitoring",pod="${pod}"}`;
const desired = (daemonSet: string): string =>
  `kube_daemonset_status_desired_number_scheduled{namespace="monitoring",daemonset="${daemonSet}"}`;
const application = (sync: string, health: string): string =>
  `argocd_app_info{namespace="argocd",name="realms",project="game",sync_status="${sync}",health_status="${health}"}`;
const ofRealm = (operation: string): string =>
  `argocd_app_info{namespace="argocd",name="realm-aurora",project="game",sync_status="OutOfSync",health_status="Healthy",operation="${operation}"}`;
const windowed = 'argocd_app_labels{namespace="argocd",name="realm-aurora",project="game",label_mmo_sync_window="true"}';
const sealed = 'sealed_secrets_controller_condition_info{namespace="realm-aurora",name="netcode-key",condition="Synced"}';
const restarts = 'kube_pod_container_status_restarts_total{namespace="realm-aurora",pod="eldermoor-0",container="game"}';

const ofWorld = { namespace: 'realm-aurora', mmo_continent: 'eldermoor', pod: 'eldermoor-0' };
const world = (metric: string, more = ''): string =>
  `mmo_game_${metric}{namespace="realm-aurora",mmo_continent="eldermoor",pod="eldermoor-0"${more}}`;
const refused = ofBroker('allocations_total', 'fleet="dungeon",result="unallocated"');
const heard = 'mmo_game_packets_received_total{namespace="realm-aurora",mmo_realm="aurora",mmo_continent="eldermoor",pod="eldermoor-0"}';
const statefulSet = (metric: string, namespace = 'realm-aurora', name = 'eldermoor'): string =>
  `kube_statefulset_${metric}{namespace="${namespace}",statefulset="${name}"}`;
const backupDone = 'kube_job_status_completion_time{namespace="realm-aurora",job_name="backup-world-backup-backup-1"}';
const realmJobFailed = (name: string): string => `kube_job_failed{namespace="realm-aurora",job_name="${name}",condition="true"}`;
const realmJobCreated = (job: string): string => `kube_job_created{namespace="realm-aurora",job_name="${job}"}`;
const traefik = (code: number): string =>
  `traefik_entrypoint_requests_total{namespace="traefik",pod="traefik-a",entrypoint="websecure",code="${code}",method="GET",protocol="http"}`;

const asked = (probe: string): string => `probe_success{namespace="probes",probe="${probe}"}`;

const HOUR = 3600;
const DAY = 24 * HOUR;
const GB = 1e9;

export const CASES: Readonly<Record<string, Cases>> = {
  // Worlds and instances
  WorldDown: {
    fires: [
      {
        series: { [statefulSet('replicas')]: flat(1), [statefulSet('status_replicas_ready')]: flat(0) },
        at: 12,
        labels: { namespace: 'realm-aurora', statefulset: 'eldermoor' },
        summary: 'World eldermoor of realm-aurora has been down for 12 minutes.',
      },
    ],
    quiet: [
      { because: 'it is ready', series: { [statefulSet('replicas')]: flat(1), [statefulSet('status_replicas_ready')]: flat(1) } },
      {
        because: 'it sleeps, or is retired',
        series: { [statefulSet('replicas')]: flat(0), [statefulSet('status_replicas_ready')]: flat(0) },
      },
      {
        because: 'it loads for ten minutes at each start',
        series: { [statefulSet('replicas')]: flat(1), [statefulSet('status_replicas_ready')]: '0+0x9 1+0x9 0+0x9 1+0x90' },
      },
    ],
  },
  WorldNotWoken: {
    fires: [
      {
        series: { [asleep]: flat(1), [waiting]: flat(2) },
        at: 2,
        labels: { realm: 'aurora', continent: 'eldermoor' },
        summary: 'World eldermoor of aurora is scaled to zero, and players have waited for it for 2 minutes.',
      },
    ],
    quiet: [
      { because: 'nobody waits', series: { [asleep]: flat(1), [waiting]: flat(0) } },
      { because: 'it runs, and is full', series: { [asleep]: flat(0), [waiting]: flat(2) } },
      { because: 'it is woken within two minutes', series: { [asleep]: '1+0x1 0+0x120', [waiting]: '2+0x1 0+0x120' } },
      {
        because: 'players wait for another world',
        series: { [asleep]: flat(1), [waiting.replace('eldermoor', 'sunreach')]: flat(2) },
      },
    ],
  },
  WorldNotSaved: {
    fires: [
      {
        series: { [world('last_save_timestamp_seconds')]: flat(-301) },
        at: 5,
        labels: ofWorld,
        summary: 'World eldermoor of realm-aurora has not been saved for more than 5 minutes.',
      },
    ],
    quiet: [
      { because: 'it is saved every minute', series: { [world('last_save_timestamp_seconds')]: '-60+60x130' } },
      { because: 'it went to sleep after its last save', series: { [world('last_save_timestamp_seconds')]: '-60+60x10 stale' } },
    ],
  },
  WorldSilent: {
    fires: [
      {
        because: 'everybody was thrown out, and nobody comes in again',
        series: { [heard]: '0+600x20 12000+0x120', [tokens('issued')]: '5+0x20 5+1x120' },
        at: 27,
        labels: { namespace: 'realm-aurora', mmo_realm: 'aurora', mmo_continent: 'eldermoor' },
        summary: 'Players get tokens for world eldermoor of realm-aurora, and it receives no packet at all.',
      },
    ],
    quiet: [
      { because: 'packets come', series: { [heard]: rising(60), [tokens('issued')]: rising(1) } },
      { because: 'nobody wants to play', series: { [heard]: flat(1000), [tokens('issued')]: flat(5) } },
      { because: 'one player tried twice', series: { [heard]: flat(1000), [tokens('issued')]: '5 6 7+0x120' } },
      {
        because: 'players of another world get tokens',
        series: { [heard]: flat(1000), [tokens('issued').replace('eldermoor', 'sunreach')]: rising(1) },
      },
    ],
  },
  WorldSlow: {
    fires: [
      {
        series: {
          [world('tick_duration_seconds_bucket', ',le="0.1"')]: rising(980),
          [world('tick_duration_seconds_bucket', ',le="0.25"')]: rising(1000),
          [world('tick_duration_seconds_bucket', ',le="+Inf"')]: rising(1000),
        },
        at: 11,
        labels: { namespace: 'realm-aurora', mmo_continent: 'eldermoor' },
        summary: 'World eldermoor of realm-aurora takes more than 100 ms for one tick in a hundred.',
      },
    ],
    quiet: [
      {
        because: 'one tick in two hundred is slow',
        series: {
          [world('tick_duration_seconds_bucket', ',le="0.1"')]: rising(995),
          [world('tick_duration_seconds_bucket', ',le="0.25"')]: rising(1000),
          [world('tick_duration_seconds_bucket', ',le="+Inf"')]: rising(1000),
        },
      },
    ],
  },
  WorldFull: {
    fires: [
      {
        series: { [world('players')]: flat(480), [world('capacity')]: flat(500) },
        at: 30,
        labels: ofWorld,
        summary: 'World eldermoor of realm-aurora has been full for half an hour.',
      },
    ],
    quiet: [{ because: 'a tenth is free', series: { [world('players')]: flat(450), [world('capacity')]: flat(500) } }],
  },
  WorldBackupTooOld: {
    fires: [
      {
        because: 'the last is old',
        series: { [statefulSet('created')]: flat(-30 * DAY), [backupDone]: flat(-26 * HOUR) },
        at: 30,
        labels: { namespace: 'realm-aurora' },
        summary: 'The last good backup of realm-aurora is more than 26 hours old, or there is none.',
      },
      {
        because: 'there never was one',
        series: { [statefulSet('created')]: flat(-26 * HOUR - 1) },
        at: 30,
        labels: { namespace: 'realm-aurora' },
        summary: 'The last good backup of realm-aurora is more than 26 hours old, or there is none.',
      },
    ],
    quiet: [
      { because: 'the last is of this day', series: { [statefulSet('created')]: flat(-30 * DAY), [backupDone]: flat(-20 * HOUR) } },
      { because: 'the realm is of this day', series: { [statefulSet('created')]: flat(-20 * HOUR) } },
    ],
  },
  WorldBackupFailed: {
    fires: [
      {
        because: 'one job of two failed, and the other was well',
        series: {
          [realmJobFailed('backup-world-backup-backup-1-0')]: '0+0x4 1+0x20',
          [realmJobCreated('backup-world-backup-backup-1-0')]: flat(0),
          [realmJobFailed('backup-world-backup-backup-1-1')]: flat(0),
          [realmJobCreated('backup-world-backup-backup-1-1')]: flat(0),
        },
        at: 5,
        labels: { namespace: 'realm-aurora', job_name: 'backup-world-backup-backup-1-0' },
        summary: 'A backup of realm-aurora failed (backup-world-backup-backup-1-0).',
      },
    ],
    quiet: [
      {
        because: 'all jobs are well',
        series: {
          [realmJobFailed('backup-world-backup-backup-1-0')]: flat(0),
          [realmJobCreated('backup-world-backup-backup-1-0')]: flat(0),
        },
      },
      {
        because: 'it failed days ago, and is kept for its log',
        series: {
          [realmJobFailed('backup-world-backup-backup-1-0')]: flat(1),
          [realmJobCreated('backup-world-backup-backup-1-0')]: flat(-200000),
        },
      },
      {
        because: 'it is a check that failed',
        series: { [realmJobFailed('check-world-backup-check-1')]: flat(1), [realmJobCreated('check-world-backup-check-1')]: flat(0) },
      },
    ],
  },
  WorldBackupUnreadable: {
    fires: [
      {
        series: { [realmJobFailed('check-world-backup-check-1')]: '0+0x4 1+0x20' },
        at: 5,
        labels: { namespace: 'realm-aurora', job_name: 'check-world-backup-check-1' },
        summary: 'The backup repository of realm-aurora failed its check (check-world-backup-check-1).',
      },
    ],
    quiet: [
      { because: 'the check is well', series: { [realmJobFailed('check-world-backup-check-1')]: flat(0) } },
      { because: 'it is a backup that failed', series: { [realmJobFailed('backup-world-backup-backup-1')]: flat(1) } },
    ],
  },
  InstancesExhausted: {
    fires: [
      {
        because: 'all rooms are taken',
        series: {
          [fleet('ready')]: flat(0),
          [refused]: rising(15),
          [rooms('total_capacity')]: flat(20),
          [rooms('total_count')]: flat(20),
          [rooms('allocated_capacity')]: flat(20),
          [rooms('allocated_count')]: flat(20),
        },
        at: 6,
        labels: { name: 'dungeon' },
        summary: "Players have waited for a server of 'dungeon' for 5 minutes, and none is free.",
      },
      {
        because: 'servers start and none becomes ready',
        series: {
          [fleet('ready')]: flat(0),
          [refused]: rising(15),
          [rooms('total_capacity')]: flat(2),
          [rooms('total_count')]: flat(0),
          [rooms('allocated_capacity')]: flat(0),
          [rooms('allocated_count')]: flat(0),
        },
        at: 6,
        labels: { name: 'dungeon' },
        summary: "Players have waited for a server of 'dungeon' for 5 minutes, and none is free.",
      },
    ],
    quiet: [
      {
        because: 'it goes to zero, and nobody wants it',
        series: {
          [fleet('ready')]: flat(0),
          [rooms('allocated_capacity')]: flat(0),
          [rooms('allocated_count')]: flat(0),
          [refused]: flat(7),
        },
      },
      {
        because: 'it wakes from zero for somebody within two minutes',
        series: {
          [fleet('ready')]: flat(0),
          [rooms('allocated_capacity')]: flat(0),
          [rooms('allocated_count')]: flat(0),
          [refused]: '7 22 37+0x120',
        },
      },
      {
        because: 'an allocated server has a room left',
        series: {
          [fleet('ready', 'battleground')]: flat(0),
          [refused.replace('dungeon', 'battleground')]: rising(15),
          [rooms('total_capacity', 'battleground')]: flat(4),
          [rooms('total_count', 'battleground')]: flat(3),
          [rooms('allocated_capacity', 'battleground')]: flat(4),
          [rooms('allocated_count', 'battleground')]: flat(3),
        },
      },
      {
        because: 'a server is ready',
        series: { [fleet('ready')]: flat(1), [rooms('allocated_capacity')]: flat(1), [rooms('allocated_count')]: flat(1) },
      },
    ],
  },
  InstancesStuck: {
    fires: [
      {
        series: { [servers('Scheduled')]: flat(1) },
        at: 15,
        labels: { fleet_name: 'dungeon' },
        summary: "A server of 'dungeon' has been starting for 15 minutes.",
      },
    ],
    quiet: [{ because: 'it became ready after ten minutes', series: { [servers('Scheduled')]: '1+0x9 0+0x20' }, until: 30 }],
  },
  InstancesUnhealthy: {
    fires: [
      {
        series: { [everServers('Unhealthy')]: '0+0x5 1+1x2 3+0x20' },
        at: 8,
        labels: { fleet_name: 'dungeon' },
        summary: "Servers of 'dungeon' keep dying.",
      },
    ],
    quiet: [
      { because: 'two died', series: { [everServers('Unhealthy')]: '0+0x5 1+1x1 2+0x100' } },
      { because: 'servers end as they should', series: { [everServers('Shutdown')]: rising(1) } },
    ],
  },
  AgonesExtensionsDown: {
    fires: [
      {
        series: { [deploymentAvailable('agones-extensions')]: flat(0), [deploymentAvailable('agones-controller')]: flat(1) },
        at: 5,
        labels: {},
        summary: "Agones' extensions do not run: no instance can be allocated, and no Fleet can change.",
      },
    ],
    quiet: [{ because: 'a pod is available', series: { [deploymentAvailable('agones-extensions')]: flat(1) } }],
  },
  AgonesControllerDown: {
    fires: [
      {
        series: { [deploymentAvailable('agones-controller')]: flat(0), [deploymentAvailable('agones-extensions')]: flat(1) },
        at: 5,
        labels: {},
        summary: "Agones' controller does not run: no new instance starts.",
      },
    ],
    quiet: [{ because: 'a pod is available', series: { [deploymentAvailable('agones-controller')]: flat(1) } }],
  },

  // Getting in
  BrokerDown: {
    fires: [
      {
        because: 'its replicas do not answer',
        series: { [brokerTarget('a')]: flat(0), [brokerTarget('b')]: flat(0) },
        at: 2,
        labels: {},
        summary: 'No replica of the connect broker answers.',
      },
      { because: 'it has no replica', series: {}, at: 2, labels: {}, summary: 'No replica of the connect broker answers.' },
    ],
    quiet: [{ because: 'one replica answers', series: { [brokerTarget('a')]: flat(0), [brokerTarget('b')]: flat(1) } }],
  },
  BrokerDatabaseAway: {
    fires: [
      {
        series: { [`mmo_broker_database_up{${broker('a')}}`]: flat(0), [`mmo_broker_database_up{${broker('b')}}`]: flat(0) },
        at: 2,
        labels: {},
        summary: 'No replica of the connect broker reaches PostgreSQL.',
      },
    ],
    quiet: [
      {
        because: 'one replica reaches it',
        series: { [`mmo_broker_database_up{${broker('a')}}`]: flat(0), [`mmo_broker_database_up{${broker('b')}}`]: flat(1) },
      },
    ],
  },
  BrokerMigrationFailed: {
    fires: [{ series: { [migration('true')]: flat(1) }, at: 1, labels: {}, summary: 'The migration of the database failed.' }],
    quiet: [{ because: 'it has not failed', series: { [migration('true')]: flat(0), [migration('false')]: flat(1) } }],
  },
  BrokerViewStale: {
    fires: [
      {
        series: { [`mmo_broker_view_age_seconds{${broker('a')}}`]: flat(180), [`mmo_broker_view_age_seconds{${broker('b')}}`]: flat(5) },
        at: 2,
        labels: { pod: 'connect-broker-a' },
        summary: 'Replica connect-broker-a of the connect broker has not heard from the Kubernetes API for 3m 0s.',
      },
    ],
    quiet: [{ because: 'it heard within two minutes', series: { [`mmo_broker_view_age_seconds{${broker('a')}}`]: flat(119) } }],
  },
  BrokerErrors: {
    fires: [
      {
        series: { [brokerAnswers(500)]: rising(6), [brokerAnswers(200)]: rising(94) },
        at: 11,
        labels: {},
        summary: '6% of the connect broker’s answers are errors of its own.',
      },
    ],
    quiet: [
      { because: 'four in a hundred fail', series: { [brokerAnswers(500)]: rising(4), [brokerAnswers(200)]: rising(96) } },
      { because: 'players mistype', series: { [brokerAnswers(401)]: rising(50), [brokerAnswers(200)]: rising(50) } },
      { because: 'nobody asks', series: { [brokerAnswers(500)]: flat(7), [brokerAnswers(200)]: flat(90) } },
    ],
  },
  BrokerAllocationFailing: {
    fires: [
      {
        because: 'most fail',
        series: { [allocations('dungeon', 'unallocated')]: rising(3), [allocations('dungeon', 'allocated')]: rising(2) },
        at: 11,
        labels: { fleet: 'dungeon' },
        summary: 'Most allocations from Fleet dungeon fail.',
      },
      {
        because: 'none ever succeeded, and there is no series that says so',
        series: { [allocations('dungeon', 'error')]: rising(1) },
        at: 11,
        labels: { fleet: 'dungeon' },
        summary: 'Most allocations from Fleet dungeon fail.',
      },
    ],
    quiet: [
      {
        because: 'most succeed',
        series: { [allocations('dungeon', 'unallocated')]: rising(2), [allocations('dungeon', 'allocated')]: rising(3) },
      },
    ],
  },
  AllocationSlow: {
    fires: [
      {
        series: { [waits('60')]: rising(0), [waits('120')]: rising(1), [waits('+Inf')]: rising(1), [waited]: rising(1) },
        at: 8,
        labels: { fleet: 'dungeon' },
        summary: 'Groups wait more than 1m 57s for a server of dungeon.',
      },
    ],
    quiet: [
      {
        because: 'half a minute is what a start takes',
        series: { [waits('30')]: rising(1), [waits('60')]: rising(1), [waits('+Inf')]: rising(1), [waited]: rising(1) },
      },
      {
        because: 'one group in an hour waited, which says little',
        series: { [waits('60')]: flat(0), [waits('120')]: '0+0x30 1+0x100', [waits('+Inf')]: '0+0x30 1+0x100', [waited]: '0+0x30 1+0x100' },
      },
    ],
  },
  WorldQueueLong: {
    fires: [
      {
        series: { [firstWaits('a')]: flat(901), [firstWaits('b')]: flat(901) },
        at: 5,
        labels: { realm: 'aurora', continent: 'eldermoor' },
        summary: 'The first in the queue for aurora/eldermoor has waited 15m 1s.',
      },
    ],
    quiet: [{ because: 'the queue moves', series: { [firstWaits('a')]: '0+60x12 0+60x12 0+60x12 0+60x12 0+60x90' }, until: 60 }],
  },
  TokensNotClaimed: {
    fires: [
      {
        because: 'four in ten arrive',
        series: { [tokens('issued')]: rising(1), [claims('accepted')]: rising(0.4) },
        at: 15,
        labels: { kind: 'world', target: 'aurora/eldermoor' },
        summary: 'Players get tokens for aurora/eldermoor and do not arrive.',
      },
      {
        because: 'nobody ever arrived, and there is no series that says so',
        series: { [tokens('issued')]: rising(1) },
        at: 15,
        labels: { kind: 'world', target: 'aurora/eldermoor' },
        summary: 'Players get tokens for aurora/eldermoor and do not arrive.',
      },
    ],
    quiet: [
      { because: 'nearly all arrive', series: { [tokens('issued')]: rising(1), [claims('accepted')]: rising(0.9) } },
      { because: 'one player tried a few times', series: { [tokens('issued')]: '0 1 2 3 4 5 6+0x120' } },
      { because: 'they wait in a queue and have no tokens', series: { [tokens('queued')]: rising(5) } },
    ],
  },
  ClaimsRefused: {
    fires: [
      {
        series: { [claims('mismatch')]: rising(1), [claims('accepted')]: rising(3) },
        at: 10,
        labels: { target: 'aurora/eldermoor', result: 'mismatch' },
        summary: 'Players of aurora/eldermoor are turned away at the door: mismatch.',
      },
    ],
    quiet: [
      { because: 'one in ten is', series: { [claims('mismatch')]: rising(1), [claims('accepted')]: rising(9) } },
      { because: 'it were only three', series: { [claims('expired')]: '0 1 2 3+0x120' } },
    ],
  },
  PasswordGuessing: {
    fires: [
      {
        series: { [logins('wrong-credentials')]: rising(10), [logins('ok')]: rising(1) },
        at: 16,
        labels: {},
        summary: 'Somebody tries passwords: 160 failed log-ins in half an hour.',
      },
    ],
    quiet: [
      { because: 'on a busy evening many mistype', series: { [logins('wrong-credentials')]: rising(10), [logins('ok')]: rising(5) } },
      { because: 'somebody forgot a password', series: { [logins('wrong-credentials')]: rising(1), [logins('ok')]: flat(0) } },
    ],
  },
  LoginBudgetBurnsFast: {
    fires: [
      {
        because: 'one in ten fails',
        series: { [logins('error')]: rising(1), [logins('ok')]: rising(9) },
        at: 7,
        labels: {},
        summary: '10% of log-ins fail; what may fail in a month is used up in days.',
      },
      {
        because: 'four in a hundred fail for hours',
        series: { [logins('overloaded')]: '0+0x5 0+0.4x200', [logins('ok')]: '0+0x5 0+9.6x200' },
        at: 20,
        labels: {},
        summary: '4% of log-ins fail; what may fail in a month is used up in days.',
      },
    ],
    quiet: [
      { because: 'two in a hundred fail', series: { [logins('error')]: rising(0.2), [logins('ok')]: rising(9.8) } },
      {
        because: 'four of eight failed in the whole evening: too few to say',
        series: { [logins('error')]: '0 1 2 3 4+0x120', [logins('ok')]: '0 1 2 3 4+0x120' },
      },
      {
        because: 'passwords are wrong',
        series: { [logins('wrong-credentials')]: rising(5), [logins('ok')]: rising(5), [logins('error')]: flat(0) },
      },
      { because: 'it was over long ago', series: { [logins('error')]: '0+1x4 4+0x120', [logins('ok')]: rising(9) }, until: 120 },
    ],
  },
  LoginBudgetBurnsSlowly: {
    fires: [
      {
        because: 'two in a hundred fail',
        series: { [logins('error')]: rising(0.2), [logins('ok')]: rising(9.8) },
        at: 25,
        labels: {},
        summary: '2% of log-ins fail; what may fail in a month will not last.',
      },
    ],
    quiet: [
      { because: 'four in a thousand fail', series: { [logins('error')]: rising(0.04), [logins('ok')]: rising(9.96) } },
      { because: 'one failed, of three', series: { [logins('error')]: '0 1+0x125', [logins('ok')]: '0 1 2+0x125' } },
    ],
  },
  TokenBudgetBurnsFast: {
    fires: [
      {
        series: { [tokens('error')]: rising(1), [tokens('issued')]: rising(9) },
        at: 7,
        labels: {},
        summary: '10% of connects fail; what may fail in a month is used up in days.',
      },
    ],
    quiet: [
      {
        because: 'players are refused for reasons of their own',
        series: { [tokens('refused')]: rising(5), [tokens('outdated')]: rising(5), [tokens('issued')]: rising(1) },
      },
      { because: 'three failed', series: { [tokens('error')]: '0 1 2 3+0x120', [tokens('issued')]: flat(0) } },
    ],
  },
  TokenBudgetBurnsSlowly: {
    fires: [
      {
        series: { [tokens('error')]: rising(0.2), [tokens('issued')]: rising(9.8) },
        at: 25,
        labels: {},
        summary: '2% of connects fail; what may fail in a month will not last.',
      },
    ],
    quiet: [{ because: 'four in a thousand fail', series: { [tokens('error')]: rising(0.04), [tokens('issued')]: rising(9.96) } }],
  },
  ConnectionBudgetBurnsFast: {
    fires: [
      {
        because: 'a world with forty players crashes',
        series: { [played('a')]: rising(2400), [cut('lost')]: '0+0x30 40+0x95' },
        at: 33,
        labels: {},
        summary: 'Players are thrown out: 3.03% of the minutes that are played end in a cut; what may fail in a month is used up in days.',
      },
      {
        because: 'two replicas tell of the same cuts',
        series: {
          [played('a')]: rising(60),
          [played('b')]: rising(60),
          [cut('disconnected')]: rising(1),
          [cut('disconnected', 'b')]: rising(1),
        },
        at: 7,
        labels: {},
        summary: 'Players are thrown out: 100% of the minutes that are played end in a cut; what may fail in a month is used up in days.',
      },
    ],
    quiet: [
      {
        because: 'a world was stopped as planned',
        series: { [played('a')]: rising(2400), [cut('drained')]: '0+0x30 40+0x95', [cut('lost')]: flat(0) },
      },
      {
        because: 'the world changes hands all evening',
        series: { [played('a')]: rising(600), [cut('logged-out')]: rising(1), [cut('lost')]: flat(0) },
      },
      { because: 'two of fifty players have bad lines', series: { [played('a')]: rising(3000), [cut('disconnected')]: rising(0.1) } },
      { because: 'the only player drops four times', series: { [played('a')]: rising(60), [cut('disconnected')]: '0 1 2 3 4+0x120' } },
    ],
  },
  ConnectionBudgetBurnsSlowly: {
    fires: [
      {
        series: { [played('a')]: rising(3000), [cut('disconnected')]: rising(0.2) },
        at: 25,
        labels: {},
        summary: 'Players are thrown out: 0.4% of the minutes that are played end in a cut; what may fail in a month will not last.',
      },
    ],
    quiet: [{ because: 'one minute in two thousand does', series: { [played('a')]: rising(3000), [cut('disconnected')]: rising(0.025) } }],
  },
  InstancesNotEnding: {
    fires: [
      {
        series: { [reaped('ended')]: rising(1) },
        at: 9,
        labels: { fleet: 'dungeon' },
        summary: 'The broker had to delete 9 servers of dungeon within an hour.',
      },
    ],
    quiet: [
      { because: 'only duplicates were deleted', series: { [reaped('duplicate')]: rising(1) } },
      { because: 'three were', series: { [reaped('ended')]: '0+1x3 3+0x120' } },
    ],
  },
  TraefikDown: {
    fires: [
      {
        series: { 'up{namespace="traefik",pod="traefik-a"}': flat(0) },
        at: 5,
        labels: {},
        summary: 'No Traefik answers: nobody can log in.',
      },
    ],
    quiet: [{ because: 'one answers', series: { 'up{namespace="traefik",pod="traefik-a"}': flat(1) } }],
  },
  TraefikServerErrors: {
    fires: [
      {
        series: { [traefik(502)]: rising(6), [traefik(200)]: rising(94) },
        at: 11,
        labels: {},
        summary: "More than 5 % of players' requests end in an error.",
      },
    ],
    quiet: [
      { because: 'four in a hundred fail', series: { [traefik(502)]: rising(4), [traefik(200)]: rising(96) } },
      { because: 'players ask for what is not there', series: { [traefik(404)]: rising(50), [traefik(200)]: rising(50) } },
    ],
  },
  CertificateExpiresSoon: {
    fires: [
      {
        series: { [certificate('expiration_timestamp_seconds')]: flat(14 * DAY - 1) },
        at: 60,
        labels: ofCertificate,
        summary: 'Certificate connect-broker/connect-broker-tls expires in less than 14 days.',
      },
    ],
    quiet: [
      { because: 'it has fifteen days', series: { [certificate('expiration_timestamp_seconds')]: flat(15 * DAY) } },
      { because: 'it was never issued', series: { [certificate('expiration_timestamp_seconds')]: flat(0) } },
    ],
  },
  CertificateNotReady: {
    fires: [
      {
        series: {
          [certificate('ready_status', ',condition="True"')]: flat(0),
          [certificate('ready_status', ',condition="False"')]: flat(1),
        },
        at: 30,
        labels: ofCertificate,
        summary: 'Certificate connect-broker/connect-broker-tls is not ready.',
      },
    ],
    quiet: [
      {
        because: 'it is ready',
        series: {
          [certificate('ready_status', ',condition="True"')]: flat(1),
          [certificate('ready_status', ',condition="False"')]: flat(0),
        },
      },
    ],
  },
  LoadBalancerWithoutAddress: {
    fires: [
      {
        series: { [service('LoadBalancer')]: flat(1) },
        at: 5,
        labels: { namespace: 'realm-aurora', service: 'eldermoor-public', type: 'LoadBalancer' },
        summary: 'Service realm-aurora/eldermoor-public has no address: nobody outside of the cluster reaches it.',
      },
    ],
    quiet: [
      {
        because: 'it has one',
        series: {
          [service('LoadBalancer')]: flat(1),
          'kube_service_status_load_balancer_ingress{namespace="realm-aurora",service="eldermoor-public",ip="192.168.1.245"}': flat(1),
        },
      },
      { because: 'it needs none', series: { [service('ClusterIP')]: flat(1) } },
    ],
  },
  MetalLbConfigurationStale: {
    fires: [
      {
        series: { 'metallb_k8s_client_config_stale_bool{namespace="metallb-system",pod="metallb-speaker-a"}': flat(1) },
        at: 5,
        labels: { pod: 'metallb-speaker-a' },
        summary: 'metallb-speaker-a runs on an old configuration.',
      },
    ],
    quiet: [
      {
        because: 'it has the newest',
        series: { 'metallb_k8s_client_config_stale_bool{namespace="metallb-system",pod="metallb-speaker-a"}': flat(0) },
      },
    ],
  },
  MetalLbSpeakerMissing: {
    fires: [
      {
        series: { 'kube_daemonset_status_number_unavailable{namespace="metallb-system",daemonset="metallb-speaker"}': flat(2) },
        at: 10,
        labels: { namespace: 'metallb-system', daemonset: 'metallb-speaker' },
        summary: '2 MetalLB speakers are not running.',
      },
    ],
    quiet: [
      {
        because: 'all run',
        series: { 'kube_daemonset_status_number_unavailable{namespace="metallb-system",daemonset="metallb-speaker"}': flat(0) },
      },
    ],
  },
  PiholeDown: {
    fires: [
      {
        series: { [statefulSet('status_replicas_ready', 'pihole', 'pihole')]: flat(0) },
        at: 5,
        labels: { namespace: 'pihole', statefulset: 'pihole' },
        summary: 'Pi-hole does not answer: the LAN has no DNS.',
      },
    ],
    quiet: [{ because: 'it is ready', series: { [statefulSet('status_replicas_ready', 'pihole', 'pihole')]: flat(1) } }],
  },
  ExternalDnsStale: {
    fires: [
      {
        series: { 'external_dns_controller_last_sync_timestamp_seconds{namespace="external-dns",pod="external-dns-a"}': flat(-1801) },
        at: 10,
        labels: {},
        summary: 'Host names have not been written to Pi-hole for half an hour.',
      },
    ],
    quiet: [
      {
        because: 'they are written each minute',
        series: { 'external_dns_controller_last_sync_timestamp_seconds{namespace="external-dns",pod="external-dns-a"}': rising(60) },
      },
    ],
  },

  // Database
  PostgresDown: {
    fires: [
      {
        because: 'there are replicas alone',
        series: {
          [`cnpg_pg_replication_in_recovery{${database(1)}}`]: flat(1),
          [`cnpg_pg_replication_in_recovery{${database(2)}}`]: flat(1),
        },
        at: 2,
        labels: {},
        summary: 'PostgreSQL has no primary that answers.',
      },
      {
        because: 'the primary is one of another generation',
        series: { 'cnpg_pg_replication_in_recovery{namespace="database",pod="postgres-2-1"}': flat(0) },
        at: 2,
        labels: {},
        summary: 'PostgreSQL has no primary that answers.',
      },
    ],
    quiet: [
      {
        because: 'one is the primary',
        series: {
          [`cnpg_pg_replication_in_recovery{${database(1)}}`]: flat(0),
          [`cnpg_pg_replication_in_recovery{${database(2)}}`]: flat(1),
        },
      },
    ],
  },
  PostgresVolumeFilling: {
    fires: [
      {
        series: { [available('database', 'postgres-1-1')]: flat(1.4 * GB), [capacity('database', 'postgres-1-1')]: flat(10 * GB) },
        at: 5,
        labels: { persistentvolumeclaim: 'postgres-1-1' },
        summary: 'Volume postgres-1-1 has 14% left.',
      },
    ],
    quiet: [
      {
        because: 'a sixth is free',
        series: { [available('database', 'postgres-1-1')]: flat(1.6 * GB), [capacity('database', 'postgres-1-1')]: flat(10 * GB) },
      },
      {
        because: 'it is one of another generation',
        series: { [available('database', 'postgres-2-1')]: flat(1 * GB), [capacity('database', 'postgres-2-1')]: flat(10 * GB) },
      },
    ],
  },
  PostgresConnectionsScarce: {
    fires: [
      {
        series: { [backends('broker')]: flat(50), [backends('postgres')]: flat(13), [maxConnections]: flat(70) },
        at: 5,
        labels: { pod: 'postgres-1-1' },
        summary: 'Instance postgres-1-1 uses 90% of its connections.',
      },
    ],
    quiet: [
      {
        because: 'a fifth is free',
        series: { [backends('broker')]: flat(50), [backends('postgres')]: flat(6), [maxConnections]: flat(70) },
      },
    ],
  },
  PostgresReplicaMissing: {
    fires: [
      {
        series: {
          [`cnpg_pg_replication_streaming_replicas{${database(1)}}`]: flat(1),
          [`cnpg_pg_replication_streaming_replicas{${database(2)}}`]: flat(0),
        },
        at: 15,
        labels: {},
        summary: 'Only 1 of 2 replicas follow the primary.',
      },
    ],
    quiet: [
      {
        because: 'both follow',
        series: {
          [`cnpg_pg_replication_streaming_replicas{${database(1)}}`]: flat(2),
          [`cnpg_pg_replication_streaming_replicas{${database(2)}}`]: flat(0),
        },
      },
    ],
  },
  PostgresReplicaBehind: {
    fires: [
      {
        series: { [`cnpg_pg_replication_lag{${database(2)}}`]: flat(90) },
        at: 10,
        labels: { pod: 'postgres-1-2' },
        summary: 'Replica postgres-1-2 is 1m 30s behind the primary.',
      },
    ],
    quiet: [{ because: 'it is half a minute behind', series: { [`cnpg_pg_replication_lag{${database(2)}}`]: flat(30) } }],
  },
  PostgresArchivingFails: {
    fires: [
      {
        because: 'the last try failed',
        series: {
          [`cnpg_pg_stat_archiver_last_failed_time{${database(1)}}`]: flat(200),
          [`cnpg_pg_stat_archiver_last_archived_time{${database(1)}}`]: flat(100),
        },
        at: 15,
        labels: {},
        summary: 'The write-ahead log is not archived.',
      },
      {
        because: 'nothing was ever archived',
        series: {
          [`cnpg_pg_stat_archiver_last_failed_time{${database(1)}}`]: flat(200),
          [`cnpg_pg_stat_archiver_last_archived_time{${database(1)}}`]: flat(-1),
        },
        at: 15,
        labels: {},
        summary: 'The write-ahead log is not archived.',
      },
    ],
    quiet: [
      {
        because: 'a later try succeeded',
        series: {
          [`cnpg_pg_stat_archiver_last_failed_time{${database(1)}}`]: flat(200),
          [`cnpg_pg_stat_archiver_last_archived_time{${database(1)}}`]: flat(300),
        },
      },
      {
        because: 'nothing was to be archived yet',
        series: {
          [`cnpg_pg_stat_archiver_last_failed_time{${database(1)}}`]: flat(-1),
          [`cnpg_pg_stat_archiver_last_archived_time{${database(1)}}`]: flat(-1),
        },
      },
    ],
  },
  PostgresBackupTooOld: {
    fires: [
      {
        series: {
          [`barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{${database(1)}}`]: flat(-2 * DAY - 1),
          [`barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{${database(2)}}`]: flat(-3 * DAY),
        },
        at: 60,
        labels: {},
        summary: 'The last base backup is more than 48 hours old, or there is none.',
      },
    ],
    quiet: [
      {
        because: 'one is of yesterday',
        series: {
          [`barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{${database(1)}}`]: flat(-1 * DAY),
          [`barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{${database(2)}}`]: flat(-3 * DAY),
        },
      },
    ],
  },

  // Platform
  ApplicationOutOfSync: {
    fires: [
      {
        series: { [application('OutOfSync', 'Healthy')]: flat(1) },
        at: 15,
        labels: { name: 'realms' },
        summary: 'Application realms has not been what Git says for 15 minutes.',
      },
      {
        because: 'its sync failed in the maintenance window',
        series: {
          [ofRealm('')]: flat(1),
          [windowed]: flat(1),
          'argocd_app_sync_total{namespace="argocd",name="realm-aurora",project="game",phase="Failed"}': '_x4 1+0x120',
        },
        at: 19,
        labels: { name: 'realm-aurora' },
        summary: 'Application realm-aurora has not been what Git says for 15 minutes.',
      },
      {
        because: 'its worlds had their turns, and it is still not',
        series: { [ofRealm('')]: flat(1) },
        at: 15,
        labels: { name: 'realm-aurora' },
        summary: 'Application realm-aurora has not been what Git says for 15 minutes.',
      },
    ],
    quiet: [
      { because: 'it is in sync', series: { [application('Synced', 'Progressing')]: flat(1) } },
      {
        because: 'its change waits for a maintenance window',
        series: {
          [application('OutOfSync', 'Healthy')]: flat(1),
          'argocd_app_labels{namespace="argocd",name="realms",project="game",label_mmo_sync_window="true"}': flat(1),
        },
      },
      {
        because: 'its change waits for a window, and the syncs before were well',
        series: {
          [ofRealm('')]: flat(1),
          [windowed]: flat(1),
          'argocd_app_sync_total{namespace="argocd",name="realm-aurora",project="game",phase="Succeeded"}': flat(7),
        },
      },
      { because: 'its worlds are updated in turns', series: { [ofRealm('sync')]: flat(1) } },
      {
        because: 'a sync took ten minutes',
        series: {
          [application('OutOfSync', 'Healthy')]: `1+0x9 ${'_ '.repeat(20)}`.trim(),
          [application('Synced', 'Healthy')]: '_x9 1+0x20',
        },
        until: 30,
      },
    ],
  },
  ApplicationUnknown: {
    fires: [
      {
        series: { [application('Unknown', 'Healthy')]: flat(1) },
        at: 15,
        labels: { name: 'realms' },
        summary: 'Argo CD has not been able to compare realms with Git for 15 minutes.',
      },
    ],
    quiet: [{ because: 'it is compared', series: { [application('OutOfSync', 'Unknown')]: flat(1) } }],
  },
  ApplicationDegraded: {
    fires: [
      {
        series: { [application('Synced', 'Degraded')]: flat(1) },
        at: 15,
        labels: { name: 'realms' },
        summary: 'Something in Application realms has been broken for 15 minutes.',
      },
    ],
    quiet: [
      { because: 'it is healthy', series: { [application('Synced', 'Healthy')]: flat(1) } },
      { because: 'it is on its way', series: { [application('Synced', 'Progressing')]: flat(1) } },
    ],
  },
  ArgoCdSilent: {
    fires: [{ series: {}, at: 15, labels: {}, summary: 'Argo CD says nothing about any Application.' }],
    quiet: [{ because: 'it speaks of one', series: { [application('Unknown', 'Unknown')]: flat(1) } }],
  },
  RecoveryDrillDue: {
    // The day is in the rule; in memory, where these rules are made, it is the beginning of time.
    fires: [
      {
        series: {},
        at: 61,
        labels: {},
        summary: 'A recovery drill is due: nobody knows whether the backup of the sealing key still opens everything.',
      },
    ],
    quiet: [{ because: 'it has been due for less than an hour', series: {}, until: 60 }],
  },
  SealedSecretNotUnsealed: {
    fires: [
      {
        because: 'it could not be opened',
        series: { [sealed]: flat(-1) },
        at: 10,
        labels: { namespace: 'realm-aurora', name: 'netcode-key' },
        summary: 'Secret realm-aurora/netcode-key could not be unsealed.',
      },
      {
        because: 'nobody knows',
        series: { [sealed]: flat(0) },
        at: 10,
        labels: { namespace: 'realm-aurora', name: 'netcode-key' },
        summary: 'Secret realm-aurora/netcode-key could not be unsealed.',
      },
    ],
    quiet: [{ because: 'it was opened', series: { [sealed]: flat(1) } }],
  },
  VolumeFilling: {
    fires: [
      {
        series: {
          [available('realm-aurora', 'world-eldermoor-0')]: `${14 * GB}-5000000x130`,
          [capacity('realm-aurora', 'world-eldermoor-0')]: flat(100 * GB),
        },
        at: 61,
        labels: { namespace: 'realm-aurora', persistentvolumeclaim: 'world-eldermoor-0' },
        summary: 'Volume realm-aurora/world-eldermoor-0 will be full within four days.',
      },
    ],
    quiet: [
      {
        because: 'it does not fill',
        series: {
          [available('realm-aurora', 'world-eldermoor-0')]: flat(14 * GB),
          [capacity('realm-aurora', 'world-eldermoor-0')]: flat(100 * GB),
        },
      },
      {
        because: 'much is free',
        series: {
          [available('realm-aurora', 'world-eldermoor-0')]: `${40 * GB}-10000000x130`,
          [capacity('realm-aurora', 'world-eldermoor-0')]: flat(100 * GB),
        },
      },
    ],
  },
  VolumeNearlyFull: {
    fires: [
      {
        series: {
          [available('realm-aurora', 'world-eldermoor-0')]: flat(4 * GB),
          [capacity('realm-aurora', 'world-eldermoor-0')]: flat(100 * GB),
        },
        at: 5,
        labels: { namespace: 'realm-aurora', persistentvolumeclaim: 'world-eldermoor-0' },
        summary: 'Volume realm-aurora/world-eldermoor-0 has 4% left.',
      },
    ],
    quiet: [
      {
        because: 'six in a hundred are free',
        series: {
          [available('realm-aurora', 'world-eldermoor-0')]: flat(6 * GB),
          [capacity('realm-aurora', 'world-eldermoor-0')]: flat(100 * GB),
        },
      },
      {
        because: 'it is the database’s, which has an alert of its own',
        series: { [available('database', 'postgres-1-1')]: flat(0.1 * GB), [capacity('database', 'postgres-1-1')]: flat(10 * GB) },
      },
    ],
  },
  ClockSkew: {
    fires: [
      {
        because: 'it is ahead',
        series: { 'node_time_seconds{namespace="monitoring",instance="192.168.1.12:9100"}': '10+60x30' },
        at: 2,
        labels: { instance: '192.168.1.12:9100' },
        summary: 'The clock of node 192.168.1.12:9100 is 10s off.',
      },
      {
        because: 'it is behind',
        series: { 'node_time_seconds{namespace="monitoring",instance="192.168.1.12:9100"}': '-10+60x30' },
        at: 2,
        labels: { instance: '192.168.1.12:9100' },
        summary: 'The clock of node 192.168.1.12:9100 is 10s off.',
      },
    ],
    quiet: [
      {
        because: 'it is four seconds off',
        series: { 'node_time_seconds{namespace="monitoring",instance="192.168.1.12:9100"}': '4+60x130' },
      },
    ],
  },
  ContainerRestarting: {
    fires: [
      {
        series: { [restarts]: '0+0x5 1+1x3 4+0x20' },
        at: 9,
        labels: { namespace: 'realm-aurora', pod: 'eldermoor-0', container: 'game' },
        summary: 'Container game of realm-aurora/eldermoor-0 was restarted 4 times in an hour.',
      },
    ],
    quiet: [{ because: 'it was restarted three times', series: { [restarts]: '0+0x5 1+1x2 3+0x120' } }],
  },
  WorkloadNotReady: {
    fires: [
      {
        because: 'a Deployment lacks a pod',
        series: {
          'kube_deployment_spec_replicas{namespace="traefik",deployment="traefik"}': flat(2),
          'kube_deployment_status_replicas_available{namespace="traefik",deployment="traefik"}': flat(1),
        },
        at: 15,
        labels: { namespace: 'traefik', workload: 'traefik' },
        summary: 'traefik/traefik has had 1 pods too few for 15 minutes.',
      },
      {
        because: 'a StatefulSet lacks a pod',
        series: {
          [statefulSet('replicas', 'monitoring', 'loki')]: flat(1),
          [statefulSet('status_replicas_ready', 'monitoring', 'loki')]: flat(0),
        },
        at: 15,
        labels: { namespace: 'monitoring', workload: 'loki' },
        summary: 'monitoring/loki has had 1 pods too few for 15 minutes.',
      },
      {
        because: 'a DaemonSet lacks a pod',
        series: { 'kube_daemonset_status_number_unavailable{namespace="monitoring",daemonset="alloy"}': flat(1) },
        at: 15,
        labels: { namespace: 'monitoring', workload: 'alloy' },
        summary: 'monitoring/alloy has had 1 pods too few for 15 minutes.',
      },
    ],
    quiet: [
      {
        because: 'all are there',
        series: {
          'kube_deployment_spec_replicas{namespace="traefik",deployment="traefik"}': flat(2),
          'kube_deployment_status_replicas_available{namespace="traefik",deployment="traefik"}': flat(2),
        },
      },
      {
        because: 'it is a world, which has an alert of its own',
        series: { [statefulSet('replicas')]: flat(1), [statefulSet('status_replicas_ready')]: flat(0) },
      },
    ],
  },

  // Monitoring itself
  KubeStateMetricsDown: {
    fires: [
      {
        series: { [monitoringPod('kube-state-metrics-a')]: flat(0) },
        at: 5,
        labels: {},
        summary: 'Half of all alerts cannot fire: kube-state-metrics is not reached.',
      },
    ],
    quiet: [{ because: 'it answers', series: { [monitoringPod('kube-state-metrics-a')]: flat(1) } }],
  },
  PrometheusDown: {
    fires: [
      { series: { [monitoringPod('prometheus-monitoring-0')]: flat(0) }, at: 5, labels: {}, summary: 'Prometheus does not reach itself.' },
    ],
    quiet: [{ because: 'it answers', series: { [monitoringPod('prometheus-monitoring-0')]: flat(1) } }],
  },
  NodeExporterMissing: {
    fires: [
      {
        because: 'one does not answer',
        series: {
          [desired('node-exporter')]: flat(3),
          [monitoringPod('node-exporter-a')]: flat(1),
          [monitoringPod('node-exporter-b')]: flat(1),
          [monitoringPod('node-exporter-c')]: flat(0),
        },
        at: 15,
        labels: {},
        summary: 'Prometheus knows nothing of 1 nodes.',
      },
      {
        because: 'none is known',
        series: { [desired('node-exporter')]: flat(3) },
        at: 15,
        labels: {},
        summary: 'Prometheus knows nothing of 3 nodes.',
      },
    ],
    quiet: [
      {
        because: 'all answer',
        series: {
          [desired('node-exporter')]: flat(2),
          [monitoringPod('node-exporter-a')]: flat(1),
          [monitoringPod('node-exporter-b')]: flat(1),
        },
      },
    ],
  },
  LokiDown: {
    fires: [
      {
        series: { [monitoringPod('loki-0')]: flat(0) },
        at: 10,
        labels: {},
        summary: 'Loki does not answer: no log can be read, and none is kept.',
      },
    ],
    quiet: [{ because: 'it answers', series: { [monitoringPod('loki-0')]: flat(1) } }],
  },
  DnsFailing: {
    fires: [
      {
        series: { [asked('home-dns')]: flat(0), [asked('cluster-dns')]: flat(1) },
        at: 3,
        labels: { probe: 'home-dns' },
        summary: 'Names are not resolved: home-dns has failed for 3 minutes.',
      },
    ],
    quiet: [{ because: 'one question in three is lost', series: { [asked('home-dns')]: '0 1 1 0 1 1 0 1 1 0 1 1 1+0x110' } }],
  },
  EntryPointFails: {
    fires: [
      {
        series: { [asked('entry-point')]: flat(0) },
        at: 3,
        labels: {},
        summary: "The players' entry point does not answer as it should.",
      },
    ],
    quiet: [{ because: 'it answers', series: { [asked('entry-point')]: flat(1), [asked('home-dns')]: flat(0) } }],
  },
  ProbesDown: {
    fires: [
      {
        series: { 'up{namespace="probes",job="blackbox-exporter",probe="entry-point"}': flat(0) },
        at: 10,
        labels: {},
        summary: 'Nobody asks DNS and the entry point as a client would.',
      },
    ],
    quiet: [{ because: 'it is reached', series: { 'up{namespace="probes",job="blackbox-exporter",probe="entry-point"}': flat(1) } }],
  },
  LokiDroppingLines: {
    fires: [
      {
        series: { 'loki_discarded_samples_total{namespace="monitoring",pod="loki-0",tenant="fake",reason="rate_limited"}': rising(3) },
        at: 16,
        labels: { reason: 'rate_limited' },
        summary: 'Loki throws lines of logs away: rate_limited.',
      },
    ],
    quiet: [
      {
        because: 'it was one moment',
        series: {
          'loki_discarded_samples_total{namespace="monitoring",pod="loki-0",tenant="fake",reason="rate_limited"}': '0+0x10 9+0x110',
        },
      },
    ],
  },
  LogAlertsNotEvaluated: {
    fires: [
      {
        because: 'a rule fails',
        series: { [lokiUp]: flat(1), [logRules('evaluations')]: rising(4), [logRules('evaluation_failures')]: rising(1) },
        at: 15,
        labels: {},
        summary: 'Alerts on logs are not evaluated: what only a log says goes unnoticed.',
      },
      {
        because: 'Loki has no rules',
        series: { [lokiUp]: flat(1) },
        at: 15,
        labels: {},
        summary: 'Alerts on logs are not evaluated: what only a log says goes unnoticed.',
      },
    ],
    quiet: [
      {
        because: 'all are evaluated',
        series: { [lokiUp]: flat(1), [logRules('evaluations')]: rising(4), [logRules('evaluation_failures')]: flat(0) },
      },
      { because: 'Loki does not answer, which LokiDown says', series: { [lokiUp]: flat(0) } },
    ],
  },
  AlloyDroppingLines: {
    fires: [
      {
        series: { 'loki_write_dropped_entries_total{namespace="monitoring",pod="alloy-a",reason="ingester_error"}': rising(3) },
        at: 16,
        labels: { reason: 'ingester_error' },
        summary: 'Alloy gives lines of logs up: ingester_error.',
      },
    ],
    quiet: [
      {
        because: 'nothing was dropped',
        series: { 'loki_write_dropped_entries_total{namespace="monitoring",pod="alloy-a",reason="ingester_error"}': flat(5) },
      },
    ],
  },
  AlloyMissing: {
    fires: [
      {
        series: { [desired('alloy')]: flat(2), [monitoringPod('alloy-a')]: flat(1), [monitoringPod('alloy-b')]: flat(0) },
        at: 15,
        labels: {},
        summary: 'The logs of 1 nodes are not collected.',
      },
    ],
    quiet: [
      {
        because: 'all answer',
        series: { [desired('alloy')]: flat(2), [monitoringPod('alloy-a')]: flat(1), [monitoringPod('alloy-b')]: flat(1) },
      },
    ],
  },
  GrafanaDown: {
    fires: [
      {
        series: { [monitoringPod('grafana-a')]: flat(0) },
        at: 15,
        labels: {},
        summary: 'Grafana does not answer: dashboards cannot be seen.',
      },
    ],
    quiet: [{ because: 'it answers', series: { [monitoringPod('grafana-a')]: flat(1) } }],
  },
};
