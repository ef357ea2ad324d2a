/**
 * The PostgreSQL of the backend: one CloudNativePG Cluster with its server certificate, and, where there is an object store, its archive and base backups.
 * It deliberately has no pooler (the broker keeps a bounded pool to the primary) and no schema: the broker's migration makes that.
 */
import type { Chart } from 'cdk8s';
import {
  ObjectStore,
  ObjectStoreSpecConfigurationDataCompression,
  ObjectStoreSpecConfigurationWalCompression,
  ObjectStoreSpecInstanceSidecarConfigurationResourcesLimits,
  ObjectStoreSpecInstanceSidecarConfigurationResourcesRequests,
} from '../../imports/barmancloud.cnpg.io';
import {
  Certificate,
  CertificateSpecPrivateKeyAlgorithm,
  CertificateSpecPrivateKeyRotationPolicy,
  CertificateSpecUsages,
} from '../../imports/cert-manager.io';
import {
  type ClusterSpecBootstrap,
  type ClusterSpecExternalClusters,
  ClusterSpecManagedRolesEnsure,
  ClusterSpecPostgresqlSynchronousDataDurability,
  ClusterSpecPostgresqlSynchronousMethod,
  ClusterSpecResourcesLimits,
  ClusterSpecResourcesRequests,
  Cluster as PostgresCluster,
  ScheduledBackup,
  ScheduledBackupSpecBackupOwnerReference,
  ScheduledBackupSpecMethod,
} from '../../imports/postgresql.cnpg.io';
import { imageReference } from '../../versions';
import { BROKER_DATABASE_CONNECTIONS } from '../broker-contract';
import { labels, PROTECTED, syncWave } from '../component';
import { add } from '../emit/manifest';
import type { Cluster } from '../model/cluster';
import { DATABASE, databaseCluster, NAMESPACES } from '../platform';
import { postgresParameters } from './postgres-parameters';
import { PRIORITY } from './priority';

/** Full name of the Service that leads to the primary, as the server's certificate carries it. */
export function databaseHost(cluster: Cluster): string {
  return `${databaseCluster(cluster.database.generation)}-rw.${NAMESPACES.database}.svc.cluster.local`;
}

/** The ClusterIssuer of the cluster's own authority, which signs what only machines of the cluster look at. */
export const CLUSTER_ISSUER = 'cluster-ca';

/** Names of the Secrets in the database's namespace. */
export const DATABASE_SECRETS = {
  owner: 'role-broker-owner',
  application: 'role-broker',
  backup: 'backup-s3',
  certificate: 'postgres-server',
} as const;

/** Keys of the Secret with the object store's credentials. */
export const BACKUP_KEYS = { id: 'access-key-id', secret: 'secret-access-key' } as const;

/** Name under which the operator knows the Barman Cloud plugin. */
const BARMAN = 'barman-cloud.cloudnative-pg.io';
const OBJECT_STORE = 'backups';

/** Waves within the Application: the certificate, credentials and store that the Cluster waits for, the Cluster, and what needs it running. */
export const DATABASE_WAVES = { before: -1, after: 1 } as const;

/** Under which name a generation archives: its Cluster's. Never used twice: an archive that is not empty is refused, or worse, is continued by another history. */
export const archiveName = databaseCluster;

/** CloudNativePG counts seconds too: '15 3 * * *' is 03:15 to cron and, unchanged, would be 15 seconds after minute 3 of every hour. */
export function sixFieldSchedule(schedule: string): string {
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== 5)
    throw new Error(
      `'${schedule}' has ${fields.length} fields; a cron schedule has five, such as '15 3 * * *', and the seconds are added here.`,
    );
  return `0 ${fields.join(' ')}`;
}

/** Region of an S3 endpoint of the common form `s3.<region>.<provider>`, which the signature must name; undefined for others, whose region is not checked. */
export function regionOf(endpoint: string): string | undefined {
  return /^s3\.([a-z0-9-]+)\.[a-z0-9-]+\.[a-z]/.exec(new URL(endpoint).hostname)?.[1];
}

/** Connections of all replicas of the broker at their most: those that autoscaling may start and the one that an update adds. */
function brokerConnections(cluster: Cluster): number {
  return (cluster.broker.maxReplicas + 1) * (BROKER_DATABASE_CONNECTIONS.pool + BROKER_DATABASE_CONNECTIONS.listener);
}

/**
 * Adds the Cluster and what belongs to it. Secrets are the chart's.
 * @throws when a recovered generation has no backups to come from
 */
export function addPostgres(chart: Chart, cluster: Cluster): void {
  const { generation, resources, storage } = cluster.database;
  const instances = cluster.databaseInstances;
  const namespace = NAMESPACES.database;
  const memory = resources.memoryLimit ?? resources.memory;

  addServerCertificate(chart, cluster);
  add(chart, PostgresCluster, {
    metadata: {
      name: databaseCluster(generation),
      namespace,
      labels: labels(DATABASE.name, 'database'),
      annotations: { ...PROTECTED },
    },
    spec: {
      description: 'Accounts, sessions, characters and queues of the connect broker.',
      imageName: imageReference('postgresql'),
      instances,
      priorityClassName: PRIORITY.core,
      inheritedMetadata: { labels: { 'app.kubernetes.io/part-of': 'mmo' } },
      bootstrap: bootstrap(cluster),
      ...(generation > 1 ? { externalClusters: [previousGeneration(cluster)] } : {}),
      certificates: { serverTlsSecret: DATABASE_SECRETS.certificate, serverCaSecret: DATABASE_SECRETS.certificate },
      managed: {
        roles: [
          {
            name: DATABASE.application,
            comment: 'The serving connect broker; its rights are granted by the migration.',
            login: true,
            // The next two are defaults. Inside of a list Argo CD's default diff does not know them, and would find the Cluster OutOfSync for ever (measured, 3.2.11).
            ensure: ClusterSpecManagedRolesEnsure.PRESENT,
            inherit: true,
            connectionLimit: brokerConnections(cluster),
            passwordSecret: { name: DATABASE_SECRETS.application },
          },
        ],
      },
      postgresql: {
        parameters: postgresParameters({ memory, storage, clientConnections: brokerConnections(cluster) }),
        // The operator's own rules (replication by certificate, the local socket) come before these; its last rule would let any role in, and without TLS.
        pgHba: [
          ...[DATABASE.application, DATABASE.owner].map((role) => `hostssl ${DATABASE.database} ${role} all scram-sha-256`),
          'host all all all reject',
        ],
        ...(instances > 1
          ? {
              // A commit is on two machines before the broker answers, so that a failover loses no account and no hand-over; it does not wait for a replica that is away.
              synchronous: {
                method: ClusterSpecPostgresqlSynchronousMethod.ANY,
                number: 1,
                dataDurability: ClusterSpecPostgresqlSynchronousDataDurability.PREFERRED,
              },
            }
          : {}),
      },
      resources: {
        requests: { cpu: ClusterSpecResourcesRequests.fromString(resources.cpu), memory: ClusterSpecResourcesRequests.fromString(memory) },
        limits: { memory: ClusterSpecResourcesLimits.fromString(memory) },
      },
      storage: { size: storage, ...(cluster.storage.class ? { storageClass: cluster.storage.class } : {}) },
      ...(instances > 1
        ? { affinity: { podAntiAffinityType: instances <= cluster.nodes.length ? 'required' : 'preferred' } }
        : // The budget of a primary without a replica could never be met: draining its node would hang.
          { enablePdb: false }),
      ...(cluster.backups
        ? {
            plugins: [
              // `enabled` is a default inside of a list, as above.
              {
                name: BARMAN,
                enabled: true,
                isWalArchiver: true,
                parameters: { barmanObjectName: OBJECT_STORE, serverName: archiveName(generation) },
              },
            ],
          }
        : {}),
    },
  });
  if (cluster.backups) addBackups(chart, cluster, cluster.backups);
}

/**
 * The first generation is made empty; a later one is recovered from the archive of the one before it.
 * Read by the operator at creation only, and a later change of it is accepted and means nothing (its webhook compares no bootstrap).
 */
function bootstrap(cluster: Cluster): ClusterSpecBootstrap {
  const { generation, recoverTo } = cluster.database;
  const application = { database: DATABASE.database, owner: DATABASE.owner, secret: { name: DATABASE_SECRETS.owner } };
  if (generation === 1) return { initdb: { ...application, dataChecksums: true } };
  return {
    recovery: {
      ...application,
      source: archiveName(generation - 1),
      ...(recoverTo ? { recoveryTarget: { targetTime: recoverTo } } : {}),
    },
  };
}

function previousGeneration(cluster: Cluster): ClusterSpecExternalClusters {
  const { generation } = cluster.database;
  if (!cluster.backups) {
    throw new Error(
      `database.generation is ${generation}, which means recovered from the backups of generation ${generation - 1}, but cluster '${cluster.name}' has no backups; set it to 1 for a new and empty database, or describe the backups.`,
    );
  }
  const name = archiveName(generation - 1);
  // Defaults inside of a list, as in managed.roles.
  return {
    name,
    plugin: { name: BARMAN, enabled: true, isWalArchiver: false, parameters: { barmanObjectName: OBJECT_STORE, serverName: name } },
  };
}

/** Signed by the cluster's own authority and not by the operator's, whose certificate the broker could not read: it is a Secret of another namespace. */
function addServerCertificate(chart: Chart, cluster: Cluster): void {
  const services = ['rw', 'r', 'ro'].map((kind) => `${databaseCluster(cluster.database.generation)}-${kind}`);
  const { database: namespace } = NAMESPACES;
  add(chart, Certificate, {
    metadata: {
      name: DATABASE_SECRETS.certificate,
      namespace,
      labels: labels(DATABASE.name, 'database'),
      annotations: syncWave(DATABASE_WAVES.before),
    },
    spec: {
      secretName: DATABASE_SECRETS.certificate,
      // Instances load a renewed certificate by themselves only from Secrets with this label.
      secretTemplate: { labels: { 'cnpg.io/reload': 'true' } },
      issuerRef: { kind: 'ClusterIssuer', name: CLUSTER_ISSUER },
      usages: [CertificateSpecUsages.SERVER_AUTH],
      dnsNames: services.flatMap((service) => [
        service,
        `${service}.${namespace}`,
        `${service}.${namespace}.svc`,
        `${service}.${namespace}.svc.cluster.local`,
      ]),
      privateKey: {
        algorithm: CertificateSpecPrivateKeyAlgorithm.ECDSA,
        size: 256,
        rotationPolicy: CertificateSpecPrivateKeyRotationPolicy.ALWAYS,
      },
    },
  });
}

function addBackups(chart: Chart, cluster: Cluster, backups: NonNullable<Cluster['backups']>): void {
  const name = databaseCluster(cluster.database.generation);
  const common = { namespace: NAMESPACES.database, labels: labels(DATABASE.name, 'backup') };
  const region = regionOf(backups.endpoint);
  add(chart, ObjectStore, {
    metadata: { name: OBJECT_STORE, ...common, annotations: { ...PROTECTED, ...syncWave(DATABASE_WAVES.before) } },
    spec: {
      retentionPolicy: `${backups.databaseRetentionDays}d`,
      configuration: {
        destinationPath: `s3://${backups.bucket}/database`,
        endpointUrl: backups.endpoint,
        s3Credentials: {
          accessKeyId: { name: DATABASE_SECRETS.backup, key: BACKUP_KEYS.id },
          secretAccessKey: { name: DATABASE_SECRETS.backup, key: BACKUP_KEYS.secret },
        },
        data: { compression: ObjectStoreSpecConfigurationDataCompression.GZIP },
        wal: { compression: ObjectStoreSpecConfigurationWalCompression.GZIP },
      },
      instanceSidecarConfiguration: {
        env: [
          // Checksums that the client adds by itself are refused by many stores other than Amazon's.
          { name: 'AWS_REQUEST_CHECKSUM_CALCULATION', value: 'when_required' },
          { name: 'AWS_RESPONSE_CHECKSUM_VALIDATION', value: 'when_required' },
          ...(region ? [{ name: 'AWS_DEFAULT_REGION', value: region }] : []),
        ],
        resources: {
          requests: {
            cpu: ObjectStoreSpecInstanceSidecarConfigurationResourcesRequests.fromString('50m'),
            memory: ObjectStoreSpecInstanceSidecarConfigurationResourcesRequests.fromString('128Mi'),
          },
          limits: { memory: ObjectStoreSpecInstanceSidecarConfigurationResourcesLimits.fromString('512Mi') },
        },
      },
    },
  });
  add(chart, ScheduledBackup, {
    // Named after the generation: only a new object makes its first backup at once.
    metadata: { name, ...common, annotations: syncWave(DATABASE_WAVES.after) },
    spec: {
      cluster: { name },
      schedule: sixFieldSchedule(backups.databaseSchedule),
      // An archive without a base backup restores nothing, so the first one does not wait for the night.
      immediate: true,
      backupOwnerReference: ScheduledBackupSpecBackupOwnerReference.SELF,
      method: ScheduledBackupSpecMethod.PLUGIN,
      pluginConfiguration: { name: BARMAN },
    },
  });
}
