/**
 * The connect broker's workloads: the Deployment that serves, what scales and guards it, and the Job that migrates the database before it.
 * It deliberately holds no values of its own: ports, paths and environment are lib/broker-contract.ts, so that program and manifests cannot drift apart.
 */
import type { Chart } from 'cdk8s';
import {
  Certificate,
  CertificateSpecPrivateKeyAlgorithm,
  CertificateSpecPrivateKeyRotationPolicy,
  CertificateSpecUsages,
} from '../../imports/cert-manager.io';
import { imageReference } from '../../versions';
import {
  BROKER_COMMANDS,
  BROKER_ENVIRONMENT,
  BROKER_FILES,
  BROKER_OPERATIONS,
  BROKER_PORT_NAMES,
  BROKER_SHUTDOWN_SECONDS,
  BROKER_USER,
} from '../broker-contract';
import { labels, syncWave } from '../component';
import { add } from '../emit/manifest';
import { CONFIG_HASH_ANNOTATION, configHash } from '../game-contract';
import {
  type Container,
  IntOrString,
  KubeConfigMap,
  KubeDeployment,
  KubeHorizontalPodAutoscalerV2,
  KubeJob,
  KubePodDisruptionBudget,
  KubeServiceAccount,
  type PodSpec,
  type Probe,
  Quantity,
  type Volume,
  type VolumeMount,
} from '../k8s';
import type { Cluster } from '../model/cluster';
import { BROKER_PORTS, BROKER_SERVICE, NAMESPACES, WORKLOADS } from '../platform';
import { brokerConfig } from './broker-config';
import { CLUSTER_ISSUER } from './postgres';
import { PRIORITY } from './priority';

/** Names of what the pods mount, in the broker's namespace. */
export const BROKER_OBJECTS = {
  config: 'connect-broker-config',
  databaseCa: 'database-ca',
  applicationCredentials: 'database-broker',
  ownerCredentials: 'database-owner',
  sessionKeys: 'session-keys',
  netcodeKeys: 'netcode-keys',
  openId: 'openid-clients',
  mail: 'mail',
} as const;

/**
 * Waves within the Application's sync. Configuration and credentials are there before the migration, the migration is through before the new program starts.
 * A PreSync hook would run before its Secrets exist, and wait for them for ever at the first sync.
 */
export const BROKER_WAVES = { prerequisites: -1, migration: 0, server: 1 } as const;

const namespace = NAMESPACES.broker;
const SERVER = WORKLOADS.broker;
const MIGRATION = WORKLOADS.brokerMigration;

/** ServiceAccounts, configuration and the certificate of the database's authority: all that the pods mount, less the Secrets. */
export function addBrokerPrerequisites(chart: Chart, cluster: Cluster): void {
  const annotations = syncWave(BROKER_WAVES.prerequisites);
  for (const workload of [SERVER, MIGRATION]) {
    add(chart, KubeServiceAccount, {
      metadata: { name: workload.name, namespace, labels: { ...workload.labels, ...labels(SERVER.name) }, annotations },
      automountServiceAccountToken: false,
    });
  }
  add(chart, KubeConfigMap, {
    metadata: { name: BROKER_OBJECTS.config, namespace, labels: labels(SERVER.name, 'config'), annotations },
    data: configData(cluster),
  });
  // Only for its ca.crt, the certificate of the authority that signs the database's. The pair itself is mounted nowhere and says who asked for it, nothing more.
  add(chart, Certificate, {
    metadata: { name: BROKER_OBJECTS.databaseCa, namespace, labels: labels(SERVER.name, 'database'), annotations },
    spec: {
      secretName: BROKER_OBJECTS.databaseCa,
      issuerRef: { kind: 'ClusterIssuer', name: CLUSTER_ISSUER },
      commonName: `${SERVER.name}.${namespace}`,
      usages: [CertificateSpecUsages.CLIENT_AUTH],
      privateKey: {
        algorithm: CertificateSpecPrivateKeyAlgorithm.ECDSA,
        size: 256,
        rotationPolicy: CertificateSpecPrivateKeyRotationPolicy.ALWAYS,
      },
    },
  });
}

/** The Job that brings the schema up to date, at every sync that changes something: `BeforeHookCreation` makes way for the next run and keeps the last one's log. */
export function addBrokerMigration(chart: Chart): void {
  add(chart, KubeJob, {
    metadata: {
      name: MIGRATION.name,
      namespace,
      labels: labels(SERVER.name, 'migrate'),
      annotations: {
        'argocd.argoproj.io/hook': 'Sync',
        'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
        ...syncWave(BROKER_WAVES.migration),
      },
    },
    spec: {
      // The database may just be failing over, and its roles are made a moment after it is up.
      backoffLimit: 8,
      activeDeadlineSeconds: 900,
      template: {
        metadata: { labels: labels(SERVER.name, 'migrate') },
        spec: {
          ...podSpec(MIGRATION.name),
          restartPolicy: 'Never',
          containers: [
            {
              name: 'migrate',
              ...containerBase(BROKER_COMMANDS.migrate, 96),
              resources: {
                requests: { cpu: Quantity.fromString('50m'), memory: Quantity.fromString('192Mi') },
                limits: { memory: Quantity.fromString('192Mi') },
              },
              volumeMounts: mounts(COMMON_MOUNTS),
            },
          ],
          volumes: commonVolumes(BROKER_OBJECTS.ownerCredentials),
        },
      },
    },
  });
}

/** The serving program and what scales and guards it. */
export function addBrokerServer(chart: Chart, cluster: Cluster): void {
  const annotations = syncWave(BROKER_WAVES.server);
  const metadata = { name: BROKER_SERVICE, namespace, labels: labels(SERVER.name, 'server'), annotations };
  add(chart, KubeDeployment, {
    metadata,
    spec: {
      // No replicas: the autoscaler owns the number, and a number here would undo its work at every sync.
      selector: { matchLabels: { ...SERVER.labels } },
      strategy: { rollingUpdate: { maxSurge: IntOrString.fromNumber(1), maxUnavailable: IntOrString.fromNumber(0) } },
      template: {
        metadata: {
          labels: labels(SERVER.name, 'server'),
          annotations: { [CONFIG_HASH_ANNOTATION]: configHash(configData(cluster)) },
        },
        spec: {
          ...podSpec(SERVER.name),
          // It asks the API who a game server is, watches worlds and allocates instances.
          automountServiceAccountToken: true,
          terminationGracePeriodSeconds: BROKER_SHUTDOWN_SECONDS.grace,
          topologySpreadConstraints: [
            {
              // Soft: with one node, or one node left, both replicas on it are better than one.
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: { ...SERVER.labels } },
              // Counts the pods of one revision, otherwise an update is spread against the pods that it replaces.
              matchLabelKeys: ['pod-template-hash'],
            },
          ],
          priorityClassName: PRIORITY.core,
          containers: [
            {
              name: 'broker',
              ...containerBase(BROKER_COMMANDS.serve, 224),
              ports: Object.entries(BROKER_PORT_NAMES).map(([port, name]) => ({
                name,
                containerPort: BROKER_PORTS[port as keyof typeof BROKER_PORTS],
              })),
              resources: {
                requests: { cpu: Quantity.fromString('200m'), memory: Quantity.fromString('384Mi') },
                limits: { memory: Quantity.fromString('384Mi') },
              },
              // Two minutes: the first synchronisation with the API server is not part of it.
              startupProbe: { ...probe(BROKER_OPERATIONS.startup), periodSeconds: 2, failureThreshold: 60 },
              readinessProbe: { ...probe(BROKER_OPERATIONS.ready), periodSeconds: 5 },
              livenessProbe: { ...probe(BROKER_OPERATIONS.live), timeoutSeconds: 5 },
              volumeMounts: mounts([
                ...COMMON_MOUNTS,
                { name: 'netcode-keys', mountPath: BROKER_FILES.netcodeKeys },
                { name: 'session-keys', mountPath: BROKER_FILES.sessionKeys },
                ...(cluster.broker.openId.length > 0 ? [{ name: 'openid', mountPath: BROKER_FILES.openId }] : []),
                ...(cluster.broker.mail ? [{ name: 'mail', mountPath: directory(BROKER_FILES.smtpUrl) }] : []),
              ]),
            },
          ],
          volumes: [
            ...commonVolumes(BROKER_OBJECTS.applicationCredentials),
            secretVolume('netcode-keys', BROKER_OBJECTS.netcodeKeys),
            secretVolume('session-keys', BROKER_OBJECTS.sessionKeys),
            ...(cluster.broker.openId.length > 0 ? [secretVolume('openid', BROKER_OBJECTS.openId)] : []),
            ...(cluster.broker.mail ? [secretVolume('mail', BROKER_OBJECTS.mail)] : []),
          ],
        },
      },
    },
  });
  add(chart, KubePodDisruptionBudget, {
    metadata,
    // A replica that cannot serve (its database is away) must not keep a node from being drained.
    spec: {
      maxUnavailable: IntOrString.fromNumber(1),
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { ...SERVER.labels } },
    },
  });
  add(chart, KubeHorizontalPodAutoscalerV2, {
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: BROKER_SERVICE },
      minReplicas: cluster.statelessReplicas,
      maxReplicas: cluster.broker.maxReplicas,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
      behavior: {
        // Password hashing comes in bursts: a replica more each minute while it lasts, one less every five minutes after ten quiet ones (every end of a replica cuts event streams).
        scaleUp: { stabilizationWindowSeconds: 30, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
        scaleDown: { stabilizationWindowSeconds: 600, policies: [{ type: 'Pods', value: 1, periodSeconds: 300 }] },
      },
    },
  });
}

/** The file names are those under which it is mounted. */
function configData(cluster: Cluster): Record<string, string> {
  return { [fileName(BROKER_FILES.config)]: `${JSON.stringify(brokerConfig(cluster), undefined, 2)}\n` };
}

function podSpec(serviceAccountName: string): Omit<PodSpec, 'containers'> {
  return {
    serviceAccountName,
    automountServiceAccountToken: false,
    // Otherwise every Service of the namespace becomes an environment variable.
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: BROKER_USER,
      runAsGroup: BROKER_USER,
      // Secrets are readable by this group alone.
      fsGroup: BROKER_USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

function containerBase(args: readonly string[], heapMebibytes: number): Pick<Container, 'image' | 'args' | 'env' | 'securityContext'> {
  return {
    image: imageReference('connect-broker'),
    args: [...args],
    env: [
      { name: BROKER_ENVIRONMENT.config, value: BROKER_FILES.config },
      { name: BROKER_ENVIRONMENT.podName, valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: BROKER_ENVIRONMENT.runtimeOptions, value: `--max-old-space-size=${heapMebibytes}` },
    ],
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  };
}

const COMMON_MOUNTS: readonly VolumeMount[] = [
  { name: 'config', mountPath: directory(BROKER_FILES.config) },
  { name: 'database', mountPath: BROKER_FILES.databaseCredentials },
  { name: 'database-ca', mountPath: directory(BROKER_FILES.databaseCa) },
];

/** Whole directories and no subPath, which would never be renewed. */
function mounts(readOnly: readonly VolumeMount[]): VolumeMount[] {
  return [...readOnly.map((mount) => ({ ...mount, readOnly: true })), { name: 'tmp', mountPath: BROKER_FILES.temporary }];
}

function commonVolumes(credentials: string): Volume[] {
  const ca = fileName(BROKER_FILES.databaseCa);
  return [
    { name: 'config', configMap: { name: BROKER_OBJECTS.config } },
    secretVolume('database', credentials),
    {
      name: 'database-ca',
      secret: { secretName: BROKER_OBJECTS.databaseCa, items: [{ key: 'ca.crt', path: ca }], defaultMode: GROUP_MAY_READ },
    },
    { name: 'tmp', emptyDir: { sizeLimit: Quantity.fromString('64Mi') } },
  ];
}

const GROUP_MAY_READ = 0o440;

function secretVolume(name: string, secretName: string): Volume {
  return { name, secret: { secretName, defaultMode: GROUP_MAY_READ } };
}

function probe(path: string): Probe {
  return { httpGet: { path, port: IntOrString.fromString(BROKER_PORT_NAMES.metrics) } };
}

function directory(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
