/**
 * Backups of worlds: per realm a K8up Schedule (back up, check, prune) into a restic repository of its own, outside of the cluster.
 * It deliberately backs up files as they are, without a freeze: a world saves into a new file and renames it, so a copy at any moment restores (docs/game-server.md).
 */
import type { Chart } from 'cdk8s';
import {
  PodConfig,
  type PodConfigSpecTemplateSpec,
  PodConfigSpecTemplateSpecContainersResourcesLimits,
  PodConfigSpecTemplateSpecContainersResourcesRequests,
  Schedule,
} from '../imports/k8up.io';
import { type BuildContext, type Component, labels, workload } from '../lib/component';
import { type Alert, alertRules } from '../lib/constructs/alerts';
import { add, type SharedKind, sameEverywhere } from '../lib/emit/manifest';
import type { Flow, Workload } from '../lib/flows';
import { KubeRole, KubeRoleBinding, KubeServiceAccount } from '../lib/k8s';
import type { Cluster, Realm } from '../lib/model/cluster';
import { longestGapHours } from '../lib/model/cron';
import { backupStore, NAMESPACES } from '../lib/platform';

/** Name of each realm's Schedule, PodConfig and ServiceAccount of backups. */
export const WORLD_BACKUP = 'world-backup';
const NAME = WORLD_BACKUP;

/** Secret with the key that encrypts the repository. Without it every backup is noise. */
const RESTIC_SECRET = 'world-backup-encryption';
/** Secret with the credentials of the object store. */
const STORE_SECRET = 'world-backup-store';

/** Identity of the password of a realm's repository: one per realm, so that a leaked one opens only that realm's backups. */
function resticPasswordIdentity(realm: { readonly name: string }): string {
  return `backups/world/restic-password/${realm.name}`;
}

/** The repository within the bucket; K8up joins it to the endpoint as `s3:<endpoint>/<bucket>`, and restic reads what follows the bucket as a path. */
export function repositoryOf(bucket: string, realm: { readonly name: string }): string {
  return `${bucket}/worlds/${realm.name}`;
}

/**
 * Newest snapshots that a prune keeps whatever their age. The daily ones keep the last of each day alone,
 * so without it a world that broke at noon could only go back to yesterday.
 */
const KEEP_LAST = 12;

export const worldBackups: Component = {
  name: 'world-backups',
  summary: 'Scheduled, encrypted backups of the worlds’ volumes to an object store outside of the cluster.',
  enabled: (cluster) => {
    if (cluster.backups === undefined) return 'the cluster has no backup store (backups is not set): a lost disk loses its worlds';
    return cluster.realms.length > 0 || 'the cluster has no persistent worlds (realms is empty)';
  },
  flows: (cluster) =>
    cluster.realms.map(backupPods).flatMap((pods): Flow[] => [
      { from: pods, to: backupStore(cluster), ports: [{ port: storePort(cluster) }], because: 'Backups go to the object store.' },
      {
        from: pods,
        to: { outside: 'api-server' },
        ports: [{ port: cluster.kubernetes.apiServer.port }],
        because: 'K8up keeps a Snapshot object for every restic snapshot.',
      },
    ]),
  applications: (cluster) => [
    {
      name: 'world-backups',
      project: 'game',
      namespace: NAMESPACES.monitoring,
      needs: ['k8up', 'sealed-secrets', 'prometheus-operator-crds'],
      build: (chart, context) => {
        const { backups } = cluster;
        if (backups === undefined) return;
        const kinds = { podConfig: podConfigOf(cluster), schedule: scheduleOf(backups) };
        // Retired realms too: their volumes stay, and the last state should be in the store when they go.
        for (const realm of cluster.realms) addBackups(chart, context, realm, backups, kinds);
        alertRules(chart, NAMESPACES.monitoring, 'world-backups', backupAlerts(oldestWorldBackupHours(backups)));
      },
    },
  ],
};

/** K8up labels every pod of its jobs (back up, check, prune, restore) so. */
function backupPods(realm: Realm): Workload {
  return workload(realm.namespace, NAME, { k8upjob: 'true' });
}

function storePort(cluster: Cluster): number {
  const url = new URL(cluster.backups?.endpoint ?? 'https://store.invalid');
  return url.port === '' ? 443 : Number(url.port);
}

type Backups = NonNullable<Cluster['backups']>;

/** What the realms' backups have in common. */
interface Kinds {
  readonly podConfig: SharedKind;
  /** Without the bucket, which has a folder for each realm. */
  readonly schedule: SharedKind;
}

function podConfigOf(cluster: Cluster): SharedKind {
  return sameEverywhere(PodConfig, { spec: { template: { spec: worldBackupPod(cluster) } } });
}

/** The pod of every job of K8up (back up, check, prune, restore). */
export function worldBackupPod(cluster: Cluster): PodConfigSpecTemplateSpec {
  return {
    serviceAccountName: NAME,
    // The worlds' own user, who alone may read their files.
    securityContext: {
      runAsNonRoot: true,
      runAsUser: cluster.game.user,
      runAsGroup: cluster.game.user,
      fsGroup: cluster.game.user,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    // K8up overwrites name, image and command, adds the volumes (the claims read-only, folders for its own files), and keeps the rest.
    containers: [
      {
        name: 'backup',
        resources: {
          requests: {
            cpu: PodConfigSpecTemplateSpecContainersResourcesRequests.fromString('100m'),
            memory: PodConfigSpecTemplateSpecContainersResourcesRequests.fromString('128Mi'),
          },
          // restic holds the index of the repository in memory.
          limits: { memory: PodConfigSpecTemplateSpecContainersResourcesLimits.fromString('1Gi') },
        },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      },
    ],
  };
}

function backendWithoutBucket({ endpoint }: Backups) {
  return {
    repoPasswordSecretRef: { name: RESTIC_SECRET, key: 'password' },
    s3: {
      endpoint,
      accessKeyIdSecretRef: { name: STORE_SECRET, key: 'access-key-id' },
      secretAccessKeySecretRef: { name: STORE_SECRET, key: 'secret-access-key' },
    },
  };
}

/** The repository of a realm's worlds, as every kind of K8up names it. */
export function worldBackend(backups: Backups, realm: { readonly name: string }) {
  const backend = backendWithoutBucket(backups);
  return { ...backend, s3: { ...backend.s3, bucket: repositoryOf(backups.bucket, realm) } };
}

function scheduleOf(backups: Backups): SharedKind {
  const { daily, weekly, monthly } = backups.worldRetention;
  return sameEverywhere(Schedule, {
    spec: {
      backend: backendWithoutBucket(backups),
      podConfigRef: { name: NAME },
      backup: { schedule: backups.worldSchedule },
      // K8up turns these into a time that follows from the namespace's name, so that realms do not all begin at once.
      check: { schedule: '@weekly-random' },
      prune: {
        schedule: '@daily-random',
        retention: {
          keepLast: KEEP_LAST,
          keepDaily: daily,
          ...(weekly > 0 ? { keepWeekly: weekly } : {}),
          ...(monthly > 0 ? { keepMonthly: monthly } : {}),
        },
      },
    },
  });
}

const BackupRole = sameEverywhere(KubeRole, {
  rules: [
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
    { apiGroups: ['k8up.io'], resources: ['snapshots'], verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'] },
  ],
});

function addBackups(chart: Chart, context: BuildContext, realm: Realm, backups: Backups, kinds: Kinds): void {
  const metadata = { name: NAME, namespace: realm.namespace, labels: labels(NAME) };
  context.secret(chart, {
    namespace: realm.namespace,
    name: RESTIC_SECRET,
    keys: {
      password: {
        value: resticPasswordIdentity(realm),
        source: { generate: 'password' },
        whenReplaced: `Backups of realm '${realm.name}' that exist open with the old password only, and the next one fails until the store's repository is emptied or its password is changed with restic itself.`,
      },
    },
    purpose: `encrypts the backups of realm '${realm.name}'; without it they cannot be restored`,
    protected: true,
  });
  context.secret(chart, {
    namespace: realm.namespace,
    name: STORE_SECRET,
    keys: {
      'access-key-id': {
        value: 'backups/s3/access-key-id',
        source: { ask: `Access key id of the object store ${backups.endpoint} (bucket ${backups.bucket})` },
      },
      'secret-access-key': {
        value: 'backups/s3/secret-access-key',
        source: { ask: `Secret access key of the object store ${backups.endpoint}` },
      },
    },
    purpose: `lets the backups of realm '${realm.name}' into the object store`,
    protected: true,
  });
  // An identity of ours: K8up's own (pod-executor) may execute commands in every pod of the namespace, which copying files does not need.
  add(chart, KubeServiceAccount, { metadata });
  add(chart, BackupRole, { metadata });
  add(chart, KubeRoleBinding, {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: NAME },
    subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: realm.namespace }],
  });
  add(chart, kinds.podConfig, { metadata });
  const { manifest: schedule } = add(chart, kinds.schedule, { metadata });
  const { backend } = schedule.spec;
  // Set as data: all else is the same for every realm.
  schedule.spec = { ...schedule.spec, backend: { ...backend, s3: { ...backend.s3, bucket: repositoryOf(backups.bucket, realm) } } };
}

/** A backup takes a while, and one that was missed may come with the next: nobody is woken before a day is lost. */
const LEAST_HOURS = 26;

/** Hours after which the last backup of a world is too old: a day, or what the schedule leaves between two, and two hours more. */
export const oldestWorldBackupHours = ({ worldSchedule }: Backups): number => Math.max(LEAST_HOURS, longestGapHours(worldSchedule) + 2);

/** By kube-state-metrics: K8up's own counters start anew with its pod and know nothing of a backup that never ran. */
const backupAlerts = (hours: number): readonly Alert[] => [
  {
    name: 'WorldBackupTooOld',
    expr: [
      `(time() - max by (namespace) (kube_statefulset_created{namespace=~"realm-.+"}) > ${hours * 3600})`,
      'unless on (namespace)',
      `(time() - max by (namespace) (kube_job_status_completion_time{namespace=~"realm-.+", job_name=~"backup-.+"}) < ${hours * 3600})`,
    ].join('\n'),
    for: '30m',
    severity: 'critical',
    summary: `The last good backup of {{ $labels.namespace }} is more than ${hours} hours old, or there is none.`,
    description:
      'A lost disk would lose everything of its worlds since then. See: kubectl -n {{ $labels.namespace }} get backups.k8up.io,jobs',
  },
  {
    // K8up has one job for the worlds on each node: the last good one of a realm says nothing of a world on another node.
    name: 'WorldBackupFailed',
    expr: [
      'max by (namespace, job_name) (kube_job_failed{namespace=~"realm-.+", job_name=~"backup-.+", condition="true"}) > 0',
      `and on (namespace, job_name) time() - max by (namespace, job_name) (kube_job_created{namespace=~"realm-.+"}) < ${hours * 3600}`,
    ].join('\n'),
    severity: 'warning',
    summary: 'A backup of {{ $labels.namespace }} failed ({{ $labels.job_name }}).',
    description:
      'One world of the realm at least was not copied; others may have been. Read the log of the job: kubectl -n {{ $labels.namespace }} logs job/{{ $labels.job_name }}',
  },
  {
    name: 'WorldBackupUnreadable',
    expr: 'max by (namespace, job_name) (kube_job_failed{namespace=~"realm-.+", job_name=~"(check|prune)-.+", condition="true"}) > 0',
    severity: 'critical',
    summary: 'The backup repository of {{ $labels.namespace }} failed its check ({{ $labels.job_name }}).',
    description:
      'What it holds may not restore. Read the log of the job before the next prune: kubectl -n {{ $labels.namespace }} logs job/{{ $labels.job_name }}',
  },
];
