/**
 * The database: PostgreSQL by CloudNativePG, its roles' credentials, its backups, its monitoring.
 * It deliberately knows nothing of the schema and has one client, the connect broker.
 */
import type { Chart } from 'cdk8s';
import { workload } from '../argocd/catalog/workloads';
import { PodMonitor, PrometheusRule } from '../imports/monitoring.coreos.com';
import { type BuildContext, type Component, labels, syncWave } from '../lib/component';
import { addPostgres, BACKUP_KEYS, DATABASE_SECRETS, DATABASE_WAVES } from '../lib/constructs/postgres';
import { postgresAlerts } from '../lib/constructs/postgres-alerts';
import { applicationPassword, ownerPassword } from '../lib/constructs/postgres-secrets';
import { add } from '../lib/emit/manifest';
import type { Flow } from '../lib/flows';
import type { Cluster } from '../lib/model/cluster';
import { backupStore, DATABASE, NAMESPACES, POSTGRES_PORT, WORKLOADS } from '../lib/platform';
import type { SecretKey } from '../lib/secrets/spec';

/** Ports of an instance's container beside PostgreSQL's own: its manager's status (TLS), and the exporter. */
const INSTANCE_PORTS = { status: 8000, metrics: 9187 } as const;

const namespace = NAMESPACES.database;

export const database: Component = {
  name: 'database',
  summary: 'PostgreSQL for accounts, sessions, characters and queues, replicated over the nodes and archived outside of the cluster.',
  // CloudNativePG's pods and the plugin's sidecar keep all rules of `restricted` (their security contexts at the pinned versions).
  namespaces: () => [{ name: namespace, podSecurity: 'restricted' }],
  flows,
  applications: (cluster) => [
    {
      name: 'database',
      project: 'data',
      namespace,
      needs: [
        'cert-manager-config',
        'cloudnative-pg',
        'prometheus-operator-crds',
        'sealed-secrets',
        ...(cluster.backups ? ['plugin-barman-cloud'] : []),
      ],
      policiesOf: [namespace],
      build: (chart, context) => {
        addSecrets(chart, context);
        addPostgres(chart, cluster);
        addMonitoring(chart, cluster);
      },
    },
  ],
};

function flows(cluster: Cluster): readonly Flow[] {
  const instances = WORKLOADS.database(cluster);
  return [
    {
      from: workload('cloudnative-pg', 'cloudnative-pg'),
      to: instances,
      ports: [{ port: POSTGRES_PORT }, { port: INSTANCE_PORTS.status }],
      because: "The operator asks each instance's manager for its state and orders switch-overs.",
    },
    {
      from: instances,
      to: instances,
      ports: [{ port: POSTGRES_PORT }, { port: INSTANCE_PORTS.status }],
      because: 'Replicas follow the primary and are cloned from it; a primary that is cut off looks for the others.',
    },
    {
      from: instances,
      to: { outside: 'api-server' },
      ports: [{ port: cluster.kubernetes.apiServer.port }],
      because: "An instance's manager reads its Cluster and credentials and writes its status.",
    },
    {
      from: workload('kube-prometheus-stack', 'prometheus'),
      to: instances,
      ports: [{ port: INSTANCE_PORTS.metrics }],
      because: 'Prometheus reads the metrics of every instance.',
    },
    ...(cluster.backups
      ? [
          {
            from: instances,
            to: backupStore(cluster),
            ports: [{ port: endpointPort(cluster.backups.endpoint) }],
            because: 'The write-ahead log and base backups go to the object store outside of the cluster.',
          },
        ]
      : []),
  ];
}

/** Port of an https endpoint. @default 443 */
export function endpointPort(endpoint: string): number {
  return Number(new URL(endpoint).port || 443);
}

function addSecrets(chart: Chart, context: BuildContext): void {
  const annotations = syncWave(DATABASE_WAVES.before);
  const role = (name: string, username: string, password: SecretKey, purpose: string): void =>
    context.secret(chart, {
      namespace,
      name,
      type: 'kubernetes.io/basic-auth',
      keys: { username: { value: `database/${username}-username`, source: { literal: username } }, password },
      // Without the label a changed password reaches PostgreSQL only at the next restart.
      labels: { 'cnpg.io/reload': 'true' },
      annotations,
      protected: true,
      purpose,
    });
  role(DATABASE_SECRETS.owner, DATABASE.owner, ownerPassword, 'role that owns the database; PostgreSQL gets its password from here');
  role(
    DATABASE_SECRETS.application,
    DATABASE.application,
    applicationPassword,
    'role with which the broker serves; PostgreSQL gets its password from here',
  );
  const { backups } = context.cluster;
  if (!backups) return;
  const ask = (value: string, what: string): SecretKey => ({ value, source: { ask: what } });
  context.secret(chart, {
    namespace,
    name: DATABASE_SECRETS.backup,
    keys: {
      [BACKUP_KEYS.id]: ask('backups/s3/access-key-id', `access key id for bucket '${backups.bucket}' at ${backups.endpoint}`),
      [BACKUP_KEYS.secret]: ask('backups/s3/secret-access-key', `secret access key for bucket '${backups.bucket}' at ${backups.endpoint}`),
    },
    annotations,
    protected: true,
    purpose: 'access to the object store that the database is archived to',
  });
}

/** A PodMonitor of ours: the operator's own (enablePodMonitor) is deprecated. */
function addMonitoring(chart: Chart, cluster: Cluster): void {
  const metadata = { name: DATABASE.name, namespace, labels: labels(DATABASE.name, 'metrics') };
  add(chart, PodMonitor, {
    metadata,
    spec: { selector: { matchLabels: { ...WORKLOADS.database(cluster).labels } }, podMetricsEndpoints: [{ port: 'metrics' }] },
  });
  add(chart, PrometheusRule, { metadata, spec: { groups: [{ name: DATABASE.name, rules: postgresAlerts(cluster) }] } });
}
