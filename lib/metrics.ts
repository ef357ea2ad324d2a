/**
 * Every metric that a rule or a panel of ours reads, with the program that has it: a name that is not here does not exist for the project.
 * It deliberately holds names, types and meanings only; the broker's and the game server's are contracts that the programs are written against.
 */

/** Programs that expose metrics, and where the names were looked up. */
export const EXPORTERS = {
  'connect-broker': "the connect broker's /metrics; this list is its contract",
  'game-server': 'worlds and instances; the contract is docs/game-server.md',
  prometheus: 'Prometheus itself, of each target',
  'kube-state-metrics': 'objects of the Kubernetes API as metrics (2.20)',
  kubelet: "each node's kubelet: volumes",
  cadvisor: "each node's kubelet, at /metrics/cadvisor: containers",
  'node-exporter': 'the nodes: processor, memory, clock (1.12)',
  'argo-cd': "Argo CD's application controller (3.4)",
  'sealed-secrets': 'the controller of Sealed Secrets (0.38)',
  'cert-manager': "cert-manager's controller (1.21)",
  metallb: "MetalLB's controller and speakers (0.16)",
  traefik: 'Traefik (3.7)',
  agones: "Agones' controller and extensions (1.59), by OpenCensus: a name is the view's with agones_ before it",
  cloudnativepg: 'the exporter in each PostgreSQL pod, with the default queries of CloudNativePG 1.30',
  'barman-cloud': "the Barman Cloud plugin's side container (0.13), through the exporter of CloudNativePG",
  'external-dns': 'ExternalDNS (0.21)',
  loki: 'Loki (3.7)',
  alloy: 'Alloy (1.18)',
  blackbox: "the blackbox exporter (0.28), of what it asked; our monitor adds the question's name as probe",
} as const;

export type Exporter = keyof typeof EXPORTERS;

export interface Metric {
  readonly exporter: Exporter;
  /** A histogram named `x` is read as `x_bucket`, `x_sum` and `x_count`. */
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Labels of its own, without those of the target (namespace, pod, …). Of upstream's metrics, those that we use. @default none */
  readonly labels?: readonly string[];
  /** One line: what a sample says, with the values of its labels where they are few. */
  readonly meaning: string;
}

/**
 * The broker's contract. No label names an account, a character, a session or an address: there would be as many series.
 * With several replicas counters are added up; gauges that all read from the database (queues) are the same at each, so their maximum counts.
 */
const BROKER: Readonly<Record<string, Metric>> = {
  mmo_broker_http_requests_total: {
    exporter: 'connect-broker',
    type: 'counter',
    labels: ['route', 'method', 'status'],
    meaning: "Requests that were answered. `route` is the route's pattern and never the path; `status` the three digits.",
  },
  mmo_broker_client_requests_total: {
    exporter: 'connect-broker',
    type: 'counter',
    labels: ['network'],
    meaning:
      'Requests of players by where they seem to come from: `internet`, `private` (the LAN), or `node`, which means that players’ addresses were replaced on the way.',
  },
  mmo_broker_http_request_duration_seconds: {
    exporter: 'connect-broker',
    type: 'histogram',
    labels: ['route', 'method'],
    meaning: 'Time from the request to the end of the answer; event streams are left out.',
  },
  mmo_broker_logins_total: {
    exporter: 'connect-broker',
    type: 'counter',
    labels: ['result'],
    meaning:
      'Attempts to log in: `ok`, `wrong-credentials`, `locked`, `banned`, `throttled` (too many from one address), `overloaded` (too many passwords wait) or `error`.',
  },
  mmo_broker_password_queue_length: {
    exporter: 'connect-broker',
    type: 'gauge',
    meaning: 'Passwords that wait to be hashed; hashing is slow on purpose and bounded.',
  },
  mmo_broker_tokens_total: {
    exporter: 'connect-broker',
    type: 'counter',
    labels: ['kind', 'target', 'result'],
    meaning:
      'Answers to connect: `kind` is `world` or `instance`, `target` is realm/continent or the content type, `result` is `issued`, `queued`, `starting`, `outdated`, `refused` or `error`.',
  },
  mmo_broker_claims_total: {
    exporter: 'connect-broker',
    type: 'counter',
    labels: ['kind', 'target', 'result'],
    meaning:
      'Claims of sessions by game servers; `result` is `accepted`, `superseded`, `banned`, `expired`, `claimed`, `mismatch` or `error`.',
  },
  mmo_broker_sessions: {
    exporter: 'connect-broker',
    type: 'gauge',
    labels: ['kind', 'target'],
    meaning: 'Sessions that are played now. Read from the database: the same at each replica.',
  },
  mmo_broker_session_seconds_total: {
    exporter: 'connect-broker',
    type: 'counter',
    labels: ['kind', 'target'],
    meaning: 'Time that was played: one second for each session and second. Each replica counts all of it.',
  },
  mmo_broker_sessions_ended_total: {
    exporter: 'connect-broker',
    type: 'counter',
    labels: ['kind', 'target', 'because'],
    meaning:
      'Sessions that were played and are over: `disconnected` (their server lost the connection), `lost` (their server no longer named them, or fell silent), `drained` (either of these before a planned stop), `logged-out`, `handed-over`, `superseded`, `kicked` or `banned`. Each replica counts all of them.',
  },
  mmo_broker_queue_length: {
    exporter: 'connect-broker',
    type: 'gauge',
    labels: ['realm', 'continent'],
    meaning: 'Players who wait for a place in a world.',
  },
  mmo_broker_queue_oldest_seconds: {
    exporter: 'connect-broker',
    type: 'gauge',
    labels: ['realm', 'continent'],
    meaning: 'How long the first of them has waited; 0 when nobody waits.',
  },
  mmo_broker_world_asleep: {
    exporter: 'connect-broker',
    type: 'gauge',
    labels: ['realm', 'continent'],
    meaning: '1 while a world is scaled to zero: it sleeps, or somebody has stopped it; otherwise 0.',
  },
  mmo_broker_allocations_total: {
    exporter: 'connect-broker',
    type: 'counter',
    labels: ['fleet', 'result'],
    meaning: 'Requests to Agones for an instance: `allocated`, `unallocated`, `contention` or `error`.',
  },
  mmo_broker_allocation_duration_seconds: {
    exporter: 'connect-broker',
    type: 'histogram',
    labels: ['fleet'],
    meaning: 'Time from the request for an instance until players may enter it.',
  },
  mmo_broker_instances_reaped_total: {
    exporter: 'connect-broker',
    type: 'counter',
    labels: ['fleet', 'reason'],
    meaning:
      'Game servers that the broker deleted because they did not end by themselves: `duplicate`, `ended`, `never-ready`, `never-joined`, `empty`, `lifetime` or `unknown`.',
  },
  mmo_broker_database_up: { exporter: 'connect-broker', type: 'gauge', meaning: '1 when the last query succeeded, otherwise 0.' },
  mmo_broker_database_connections: {
    exporter: 'connect-broker',
    type: 'gauge',
    labels: ['state'],
    meaning: 'Connections of the pool: `idle`, `busy`, and requests that are `waiting` for one.',
  },
  mmo_broker_view_age_seconds: {
    exporter: 'connect-broker',
    type: 'gauge',
    meaning: 'Seconds since the Kubernetes API was last heard; worlds and instances are known as of then.',
  },
};

/** The game server's contract; the monitors add the labels mmo_realm and mmo_continent, or mmo_content_type, and mmo_build. */
const GAME_SERVER: Readonly<Record<string, Metric>> = {
  mmo_game_players: { exporter: 'game-server', type: 'gauge', meaning: 'Players connected.' },
  mmo_game_capacity: { exporter: 'game-server', type: 'gauge', meaning: 'Players at once.' },
  mmo_game_packets_received_total: { exporter: 'game-server', type: 'counter', meaning: 'Datagrams from players.' },
  mmo_game_tick_duration_seconds: {
    exporter: 'game-server',
    type: 'histogram',
    meaning: 'Time of one tick of the simulation; has a bucket at 0.1, where players begin to feel it.',
  },
  mmo_game_last_save_timestamp_seconds: { exporter: 'game-server', type: 'gauge', meaning: 'Unix time of the last good save (worlds).' },
};

const KUBERNETES: Readonly<Record<string, Metric>> = {
  up: {
    exporter: 'prometheus',
    type: 'gauge',
    labels: ['job', 'namespace', 'pod'],
    meaning: '1 when the target answered the last scrape, otherwise 0.',
  },

  kube_daemonset_status_desired_number_scheduled: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'daemonset'],
    meaning: 'Nodes that should run the pod.',
  },
  kube_daemonset_status_number_unavailable: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'daemonset'],
    meaning: 'Nodes that should run the pod and have none that is available.',
  },
  kube_deployment_spec_replicas: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'deployment'],
    meaning: 'Pods that are wanted.',
  },
  kube_deployment_status_replicas_available: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'deployment'],
    meaning: 'Pods that are available.',
  },
  kube_job_failed: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'job_name', 'condition'],
    meaning: '1 at condition="true" when the Job has failed for good.',
  },
  kube_job_created: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'job_name'],
    meaning: 'Unix time at which the Job was made.',
  },
  kube_job_status_completion_time: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'job_name'],
    meaning: 'Unix time at which the Job succeeded.',
  },
  kube_node_status_allocatable: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['node', 'resource', 'unit'],
    meaning: 'What pods may have of a node: cores, bytes.',
  },
  kube_pod_container_resource_requests: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'pod', 'container', 'node', 'resource', 'unit'],
    meaning: 'What a container has reserved: cores, bytes.',
  },
  kube_pod_container_status_restarts_total: {
    exporter: 'kube-state-metrics',
    type: 'counter',
    labels: ['namespace', 'pod', 'container'],
    meaning: 'How often the container was started again.',
  },
  kube_service_spec_type: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'service', 'type'],
    meaning: '1 for the type of each Service.',
  },
  kube_service_status_load_balancer_ingress: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'service', 'ip'],
    meaning: '1 for each address that a Service has been given.',
  },
  kube_statefulset_created: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'statefulset'],
    meaning: 'Unix time at which the StatefulSet was made.',
  },
  kube_statefulset_replicas: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'statefulset'],
    meaning: 'Pods that are wanted.',
  },
  kube_statefulset_status_replicas_ready: {
    exporter: 'kube-state-metrics',
    type: 'gauge',
    labels: ['namespace', 'statefulset'],
    meaning: 'Pods that are ready.',
  },

  kubelet_volume_stats_available_bytes: {
    exporter: 'kubelet',
    type: 'gauge',
    labels: ['namespace', 'persistentvolumeclaim'],
    meaning: 'Bytes that are free on a mounted volume.',
  },
  kubelet_volume_stats_capacity_bytes: {
    exporter: 'kubelet',
    type: 'gauge',
    labels: ['namespace', 'persistentvolumeclaim'],
    meaning: 'Size of a mounted volume, in bytes.',
  },
  container_cpu_usage_seconds_total: {
    exporter: 'cadvisor',
    type: 'counter',
    labels: ['namespace', 'pod', 'container'],
    meaning: 'Processor time that the container has used, in seconds of one core.',
  },
  container_memory_working_set_bytes: {
    exporter: 'cadvisor',
    type: 'gauge',
    labels: ['namespace', 'pod', 'container'],
    meaning: 'Memory that the kernel cannot take back; at the limit the container is killed.',
  },

  node_cpu_seconds_total: {
    exporter: 'node-exporter',
    type: 'counter',
    labels: ['instance', 'cpu', 'mode'],
    meaning: 'Seconds that a core spent in a mode, `idle` among them.',
  },
  node_memory_MemAvailable_bytes: {
    exporter: 'node-exporter',
    type: 'gauge',
    labels: ['instance'],
    meaning: 'Memory that programs can still get.',
  },
  node_memory_MemTotal_bytes: { exporter: 'node-exporter', type: 'gauge', labels: ['instance'], meaning: 'Memory of the node.' },
  node_time_seconds: { exporter: 'node-exporter', type: 'gauge', labels: ['instance'], meaning: "The node's clock, as Unix time." },
};

const PLATFORM: Readonly<Record<string, Metric>> = {
  argocd_app_labels: {
    exporter: 'argo-cd',
    type: 'gauge',
    labels: ['name', 'label_mmo_sync_window'],
    meaning: '1 for each Application, with those of its labels that the chart’s values name; empty where the Application has none.',
  },
  argocd_app_info: {
    exporter: 'argo-cd',
    type: 'gauge',
    labels: ['name', 'project', 'sync_status', 'health_status', 'operation'],
    meaning:
      '1 for each Application; sync_status is Synced, OutOfSync or Unknown, health_status Healthy, Progressing, Suspended, Degraded, Missing or Unknown, operation sync while one is under way.',
  },
  argocd_app_sync_total: {
    exporter: 'argo-cd',
    type: 'counter',
    labels: ['name', 'phase'],
    meaning: 'Syncs that have ended; phase is Succeeded, Failed or Error.',
  },
  sealed_secrets_controller_condition_info: {
    exporter: 'sealed-secrets',
    type: 'gauge',
    labels: ['namespace', 'name', 'condition'],
    meaning: 'Condition of each SealedSecret: 1 true, 0 unknown, -1 false; `Synced` is the one that it has.',
  },
  certmanager_certificate_expiration_timestamp_seconds: {
    exporter: 'cert-manager',
    type: 'gauge',
    labels: ['name', 'namespace'],
    meaning: "Unix time at which the certificate ends. Its namespace arrives as exported_namespace, beside the target's own.",
  },
  certmanager_certificate_ready_status: {
    exporter: 'cert-manager',
    type: 'gauge',
    labels: ['name', 'namespace', 'condition'],
    meaning: '1 at the condition (True, False, Unknown) that the certificate has.',
  },
  metallb_k8s_client_config_stale_bool: {
    exporter: 'metallb',
    type: 'gauge',
    meaning: '1 when the newest configuration was refused and an older one is in use.',
  },
  traefik_entrypoint_requests_total: {
    exporter: 'traefik',
    type: 'counter',
    labels: ['entrypoint', 'code', 'method', 'protocol'],
    meaning: 'Requests that were answered, by entry point and status.',
  },
  external_dns_controller_last_sync_timestamp_seconds: {
    exporter: 'external-dns',
    type: 'gauge',
    meaning: 'Unix time at which names were last written without an error.',
  },
  probe_success: { exporter: 'blackbox', type: 'gauge', labels: ['probe'], meaning: '1 when the answer was as it should be, otherwise 0.' },
  probe_duration_seconds: { exporter: 'blackbox', type: 'gauge', labels: ['probe'], meaning: 'Seconds until the answer was there.' },
  loki_distributor_lines_received_total: {
    exporter: 'loki',
    type: 'counter',
    labels: ['tenant'],
    meaning: 'Lines of logs that were received.',
  },
  loki_prometheus_rule_evaluations_total: {
    exporter: 'loki',
    type: 'counter',
    labels: ['user', 'rule_group'],
    meaning: 'Rules on logs that were evaluated.',
  },
  loki_prometheus_rule_evaluation_failures_total: {
    exporter: 'loki',
    type: 'counter',
    labels: ['user', 'rule_group'],
    meaning: 'Rules on logs whose evaluation failed.',
  },
  loki_write_dropped_entries_total: {
    exporter: 'alloy',
    type: 'counter',
    labels: ['reason'],
    meaning: 'Lines of logs that Alloy gave up: Loki refused them, or did not answer for too long.',
  },
  loki_discarded_samples_total: {
    exporter: 'loki',
    type: 'counter',
    labels: ['reason', 'tenant'],
    meaning: 'Lines of logs that were received and thrown away, by reason.',
  },
};

const INSTANCES: Readonly<Record<string, Metric>> = {
  agones_fleets_replicas_count: {
    exporter: 'agones',
    type: 'gauge',
    labels: ['name', 'type'],
    meaning: 'Servers of a Fleet, by type: total, desired, ready, allocated, reserved.',
  },
  agones_fleet_counters: {
    exporter: 'agones',
    type: 'gauge',
    labels: ['name', 'counter', 'type'],
    meaning: 'Sum of a Counter over a Fleet: total_count, total_capacity, allocated_count, allocated_capacity.',
  },
  agones_fleet_autoscalers_limited: {
    exporter: 'agones',
    type: 'gauge',
    labels: ['name', 'fleet_name'],
    meaning: '1 when the autoscaler wants more, or fewer, than its limits allow.',
  },
  agones_gameservers_count: {
    exporter: 'agones',
    type: 'gauge',
    labels: ['fleet_name', 'type'],
    meaning: 'Servers in a state: Scheduled, Ready, Allocated, Unhealthy, ….',
  },
  agones_gameservers_total: {
    exporter: 'agones',
    type: 'counter',
    labels: ['fleet_name', 'type'],
    meaning: 'How many servers have ever come into a state.',
  },
  agones_gameserver_allocations_duration_seconds: {
    exporter: 'agones',
    type: 'histogram',
    labels: ['fleet_name', 'status'],
    meaning: "Time that Agones took for an allocation, by the allocation's state (Allocated, UnAllocated, Contention).",
  },
  agones_gameserver_state_duration: {
    exporter: 'agones',
    type: 'histogram',
    labels: ['fleet_name', 'type'],
    meaning: 'Seconds that a server was in a state, counted when it leaves it.',
  },
};

const DATABASE: Readonly<Record<string, Metric>> = {
  cnpg_backends_total: {
    exporter: 'cloudnativepg',
    type: 'gauge',
    labels: ['datname', 'usename', 'state'],
    meaning: 'Connections to the instance.',
  },
  cnpg_backends_max_tx_duration_seconds: {
    exporter: 'cloudnativepg',
    type: 'gauge',
    labels: ['datname', 'usename', 'state'],
    meaning: 'Seconds that the oldest open transaction has taken.',
  },
  cnpg_backends_waiting_total: { exporter: 'cloudnativepg', type: 'gauge', meaning: 'Connections that wait for a lock.' },
  cnpg_pg_database_size_bytes: {
    exporter: 'cloudnativepg',
    type: 'gauge',
    labels: ['datname'],
    meaning: 'Size of a database on disk.',
  },
  cnpg_pg_stat_database_xact_commit: {
    exporter: 'cloudnativepg',
    type: 'counter',
    labels: ['datname'],
    meaning: 'Transactions that were committed.',
  },
  cnpg_pg_stat_database_xact_rollback: {
    exporter: 'cloudnativepg',
    type: 'counter',
    labels: ['datname'],
    meaning: 'Transactions that were rolled back.',
  },
  cnpg_pg_stat_database_blks_hit: {
    exporter: 'cloudnativepg',
    type: 'counter',
    labels: ['datname'],
    meaning: 'Pages that were found in memory.',
  },
  cnpg_pg_stat_database_blks_read: {
    exporter: 'cloudnativepg',
    type: 'counter',
    labels: ['datname'],
    meaning: 'Pages that were asked of the disk.',
  },
  cnpg_pg_stat_database_deadlocks: {
    exporter: 'cloudnativepg',
    type: 'counter',
    labels: ['datname'],
    meaning: 'Deadlocks that were found.',
  },
  cnpg_pg_settings_setting: {
    exporter: 'cloudnativepg',
    type: 'gauge',
    labels: ['name'],
    meaning: "PostgreSQL's own settings, such as max_connections.",
  },
  cnpg_pg_replication_in_recovery: { exporter: 'cloudnativepg', type: 'gauge', meaning: '1 on a replica, 0 on the primary.' },
  cnpg_pg_replication_streaming_replicas: {
    exporter: 'cloudnativepg',
    type: 'gauge',
    meaning: 'Replicas that are connected to the instance.',
  },
  cnpg_pg_replication_lag: { exporter: 'cloudnativepg', type: 'gauge', meaning: 'Seconds by which a replica is behind.' },
  cnpg_pg_stat_archiver_last_archived_time: {
    exporter: 'cloudnativepg',
    type: 'gauge',
    meaning: 'Unix time of the last file of the log that was archived.',
  },
  cnpg_pg_stat_archiver_last_failed_time: {
    exporter: 'cloudnativepg',
    type: 'gauge',
    meaning: 'Unix time of the last failure to archive one.',
  },
  barman_cloud_cloudnative_pg_io_last_available_backup_timestamp: {
    exporter: 'barman-cloud',
    type: 'gauge',
    meaning: 'Unix time of the newest base backup in the object store; 0 when there is none.',
  },
};

/** All metrics by name. */
export const METRICS: Readonly<Record<string, Metric>> = {
  ...BROKER,
  ...GAME_SERVER,
  ...KUBERNETES,
  ...PLATFORM,
  ...INSTANCES,
  ...DATABASE,
};

/** The metric that a series belongs to, or undefined when there is none: `x_bucket` belongs to histogram `x`, and a histogram is never read by its bare name. */
export function metricOfSeries(series: string): string | undefined {
  const base = series.replace(/_(?:bucket|sum|count)$/, '');
  if (base !== series && METRICS[base]?.type === 'histogram') return base;
  return METRICS[series] && METRICS[series].type !== 'histogram' ? series : undefined;
}
