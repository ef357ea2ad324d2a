/**
 * What a field means when it is left out (most of it is filled in by the API server, a CRD's schema or an operator's webhook), for the kinds that we emit.
 * It deliberately leaves out what a reader or Argo CD needs although it is a default: volumeMode and the retention policy of claims, what a NetworkPolicy isolates
 * (policyTypes), CNPG's reclaim policies and instances, the action of a monitor's relabelings (filled in within a list, it is a difference that never goes away), whether a pod gets a token, and every field of Argo CD's own kinds.
 * Sources: k8s.io/kubernetes pkg/apis/<group>/v1/defaults.go; the `default` of the pinned CRDs; Agones pkg/apis/{agones,autoscaling}/v1, ApplyDefaults.
 */
import type { FieldTree, Leaf } from './fields';

/** A leaf answers with the default that it found, for the sentence. */
export type Defaults = FieldTree<string>;

const is =
  (wanted: unknown): Leaf<string> =>
  (value) =>
    value === wanted ? JSON.stringify(wanted) : undefined;

const emptyText: Leaf<string> = (value) => (value === '' ? '""' : undefined);

const probe: Defaults = {
  initialDelaySeconds: is(0),
  periodSeconds: is(10),
  timeoutSeconds: is(1),
  successThreshold: is(1),
  failureThreshold: is(3),
  httpGet: { scheme: is('HTTP') },
  grpc: { service: emptyText },
};

const hook: Defaults = { httpGet: { scheme: is('HTTP') } };

const keyReference: Defaults = { optional: is(false) };

/** Always for `latest` and for no tag at all, otherwise IfNotPresent. */
const imagePullPolicy: Leaf<string> = (value, container) => {
  const image = String(container.image ?? '');
  const byDigest = image.includes('@');
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  const filledIn = !byDigest && (tag === undefined || tag === 'latest') ? 'Always' : 'IfNotPresent';
  return value === filledIn ? JSON.stringify(filledIn) : undefined;
};

const container: Defaults = {
  imagePullPolicy,
  terminationMessagePath: is('/dev/termination-log'),
  terminationMessagePolicy: is('File'),
  stdin: is(false),
  stdinOnce: is(false),
  tty: is(false),
  ports: { protocol: is('TCP'), hostPort: is(0) },
  env: { valueFrom: { fieldRef: { apiVersion: is('v1') }, secretKeyRef: keyReference, configMapKeyRef: keyReference } },
  envFrom: { secretRef: keyReference, configMapRef: keyReference },
  volumeMounts: { readOnly: is(false) },
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: { preStop: hook, postStart: hook },
  securityContext: { privileged: is(false), procMount: is('Default') },
};

/** 0644, as JSON writes it. */
const defaultMode = is(0o644);

/** A pod's spec, whatever makes it, less the restart policy, which differs. */
const pod: Defaults = {
  dnsPolicy: is('ClusterFirst'),
  schedulerName: is('default-scheduler'),
  terminationGracePeriodSeconds: is(30),
  enableServiceLinks: is(true),
  preemptionPolicy: is('PreemptLowerPriority'),
  hostNetwork: is(false),
  hostPID: is(false),
  hostIPC: is(false),
  hostUsers: is(true),
  shareProcessNamespace: is(false),
  setHostnameAsFQDN: is(false),
  securityContext: { fsGroupChangePolicy: is('Always'), supplementalGroupsPolicy: is('Merge') },
  containers: container,
  initContainers: container,
  ephemeralContainers: container,
  topologySpreadConstraints: { minDomains: is(1), nodeAffinityPolicy: is('Honor'), nodeTaintsPolicy: is('Ignore') },
  volumes: {
    secret: { defaultMode, optional: is(false) },
    configMap: { defaultMode, optional: is(false) },
    downwardAPI: { defaultMode },
    projected: {
      defaultMode,
      sources: { serviceAccountToken: { expirationSeconds: is(3600) }, secret: keyReference, configMap: keyReference },
    },
    emptyDir: { medium: emptyText },
    hostPath: { type: emptyText },
    persistentVolumeClaim: { readOnly: is(false) },
  },
};

const restarted: Defaults = { ...pod, restartPolicy: is('Always') };

const job: Defaults = {
  backoffLimit: is(6),
  completions: is(1),
  parallelism: is(1),
  completionMode: is('NonIndexed'),
  podReplacementPolicy: is('TerminatingOrFailed'),
  suspend: is(false),
  manualSelector: is(false),
  template: { spec: pod },
};

const gameServer: Defaults = {
  ports: { portPolicy: is('Dynamic'), protocol: is('UDP'), range: is('default') },
  // The only container is meant without saying so.
  container: (value, spec) => {
    const containers = (spec.template as { spec?: { containers?: { name: string }[] } } | undefined)?.spec?.containers ?? [];
    return containers.length === 1 && containers[0]?.name === value ? JSON.stringify(value) : undefined;
  },
  health: { disabled: is(false), periodSeconds: is(5), failureThreshold: is(3), initialDelaySeconds: is(5) },
  scheduling: is('Packed'),
  sdkServer: { logLevel: is('Info'), grpcPort: is(9357), httpPort: is(9358) },
  eviction: { safe: is('Never') },
  counters: { '*': { count: is(0), capacity: is(1000) } },
  lists: { '*': { capacity: is(1000) } },
  immutableReplicas: is(1),
  template: { spec: pod },
};

const autoscalerBuffer: Defaults = { minReplicas: is(0) };
const autoscalerPolicy: Defaults = {
  buffer: autoscalerBuffer,
  counter: { minCapacity: is(0) },
  list: { minCapacity: is(0) },
  wasm: { function: is('scale') },
};

/** By `<apiVersion> <kind>`: defaults belong to a version. */
export const apiDefaults: Readonly<Record<string, Defaults>> = {
  'v1 Service': {
    spec: {
      type: is('ClusterIP'),
      sessionAffinity: is('None'),
      internalTrafficPolicy: is('Cluster'),
      externalTrafficPolicy: is('Cluster'),
      ipFamilyPolicy: is('SingleStack'),
      allocateLoadBalancerNodePorts: is(true),
      publishNotReadyAddresses: is(false),
      ports: {
        protocol: is('TCP'),
        targetPort: (value, port) => (value === port.port ? JSON.stringify(value) : undefined),
      },
    },
  },
  'v1 ServiceAccount': { automountServiceAccountToken: is(true) },
  'v1 ConfigMap': { immutable: is(false) },
  'apps/v1 Deployment': {
    spec: {
      replicas: is(1),
      minReadySeconds: is(0),
      paused: is(false),
      progressDeadlineSeconds: is(600),
      revisionHistoryLimit: is(10),
      strategy: { type: is('RollingUpdate'), rollingUpdate: { maxSurge: is('25%'), maxUnavailable: is('25%') } },
      template: { spec: restarted },
    },
  },
  'apps/v1 StatefulSet': {
    spec: {
      replicas: is(1),
      minReadySeconds: is(0),
      podManagementPolicy: is('OrderedReady'),
      revisionHistoryLimit: is(10),
      updateStrategy: { type: is('RollingUpdate'), rollingUpdate: { partition: is(0) } },
      template: { spec: restarted },
    },
  },
  'batch/v1 Job': { spec: job },
  'autoscaling/v2 HorizontalPodAutoscaler': {
    spec: {
      minReplicas: is(1),
      behavior: { scaleUp: { stabilizationWindowSeconds: is(0), selectPolicy: is('Max') }, scaleDown: { selectPolicy: is('Max') } },
    },
  },
  'policy/v1 PodDisruptionBudget': { spec: { unhealthyPodEvictionPolicy: is('IfHealthyBudget') } },
  'networking.k8s.io/v1 NetworkPolicy': {
    spec: { ingress: { ports: { protocol: is('TCP') } }, egress: { ports: { protocol: is('TCP') } } },
  },

  'agones.dev/v1 Fleet': {
    spec: {
      scheduling: is('Packed'),
      strategy: { type: is('RollingUpdate'), rollingUpdate: { maxSurge: is('25%'), maxUnavailable: is('25%') } },
      priorities: { order: is('Ascending') },
      template: { spec: gameServer },
    },
  },
  'autoscaling.agones.dev/v1 FleetAutoscaler': {
    spec: {
      sync: { fixedInterval: { seconds: is(30) } },
      policy: {
        ...autoscalerPolicy,
        schedule: { policy: autoscalerPolicy },
        chain: { ...autoscalerPolicy, schedule: { policy: autoscalerPolicy } },
      },
    },
  },
  'metallb.io/v1beta1 IPAddressPool': { spec: { autoAssign: is(true), avoidBuggyIPs: is(false) } },
  'cert-manager.io/v1 Certificate': { spec: { issuerRef: { group: is('cert-manager.io') } } },
  'postgresql.cnpg.io/v1 Cluster': {
    spec: {
      enablePDB: is(true),
      enableSuperuserAccess: is(false),
      failoverDelay: is(0),
      logLevel: is('info'),
      maxSyncReplicas: is(0),
      minSyncReplicas: is(0),
      postgresGID: is(26),
      postgresUID: is(26),
      primaryUpdateMethod: is('restart'),
      primaryUpdateStrategy: is('unsupervised'),
      smartShutdownTimeout: is(180),
      startDelay: is(3600),
      stopDelay: is(1800),
      switchoverDelay: is(3600),
      backup: { target: is('prefer-standby') },
      // Not here: what is defaulted inside of lists (managed.roles, plugins, externalClusters). Argo CD's default diff replaces a list of a custom resource as a
      // whole, so there the default is written or the Application is OutOfSync for ever (measured, 3.2.11).
      monitoring: { disableDefaultQueries: is(false), enablePodMonitor: is(false), tls: { enabled: is(false) } },
      nodeMaintenanceWindow: { inProgress: is(false), reusePVC: is(true) },
      primaryLease: {
        leaseDurationSeconds: is(15),
        releasedLeaseDurationSeconds: is(1),
        renewDeadlineSeconds: is(10),
        retryPeriodSeconds: is(2),
      },
      probes: { liveness: { isolationCheck: { connectionTimeout: is(1000), enabled: is(true), requestTimeout: is(1000) } } },
      replicationSlots: {
        highAvailability: { enabled: is(true), slotPrefix: is('_cnpg_') },
        synchronizeReplicas: { enabled: is(true) },
        updateInterval: is(30),
      },
      storage: { resizeInUseVolumes: is(true) },
      walStorage: { resizeInUseVolumes: is(true) },
      tablespaces: { temporary: is(false), storage: { resizeInUseVolumes: is(true) } },
    },
  },
  'postgresql.cnpg.io/v1 ScheduledBackup': {
    spec: { backupOwnerReference: is('none'), method: is('barmanObjectStore'), onlineConfiguration: { waitForArchive: is(true) } },
  },
  'barmancloud.cnpg.io/v1 ObjectStore': {
    spec: { instanceSidecarConfiguration: { logLevel: is('info'), retentionPolicyIntervalSeconds: is(1800) } },
  },
  'k8up.io/v1 PodConfig': { spec: { template: { spec: pod } } },
  'traefik.io/v1alpha1 IngressRoute': { spec: { routes: { observability: { traceVerbosity: is('minimal') } } } },
};
