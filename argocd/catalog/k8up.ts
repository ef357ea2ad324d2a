/**
 * K8up: backs up the worlds' volumes with restic, on the schedules that realms bring. The Schedules are ours and live in the realms' namespaces.
 */
import type { Workload } from '../../lib/flows';
import type { UpstreamChart } from './types';
import { scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'k8up';
const CLEANUP =
  'No value turns the clean-up of version 1 off. After each sync, and after the Application is deleted, it deletes RoleBindings and Roles of names that are not used here, then its own objects.';

export const k8up: UpstreamChart = {
  name: 'k8up',
  project: 'data',
  chart: 'k8up',
  namespace: NAMESPACE,
  summary: "Backs up the worlds' volumes to the object store of the description's backups.",
  enabled: (cluster) => cluster.backups !== undefined || "the description has no backups: worlds' volumes are not saved",
  values: () => ({
    k8up: {
      // Claims opt in with the annotation k8up.io/backup: "true"; otherwise every volume of a namespace with a Schedule would be uploaded.
      skipWithoutAnnotation: true,
      // Schedules are written in UTC; the default is whatever the node thinks.
      timezone: 'UTC',
      envVars: [
        // The chart's clean-up Job deletes the old default name in every namespace at every sync, and with it the rights of a backup that runs.
        { name: 'BACKUP_PODEXECROLENAME', value: 'k8up-executor' },
        // Empty: there is no push gateway, and the default makes every backup report to a port of its own pod.
        { name: 'BACKUP_PROMURL' },
      ],
    },
    podSecurityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    metrics: {
      serviceMonitor: { enabled: true },
      prometheusRule: { enabled: true },
    },
    cleanup: { resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '192Mi' } } },
  }),
  needs: () => ['namespaces', 'prometheus-operator-crds'],
  provides: () => ({
    crds: [
      'archives.k8up.io',
      'backups.k8up.io',
      'checks.k8up.io',
      'podconfigs.k8up.io',
      'prebackuppods.k8up.io',
      'prunes.k8up.io',
      'restores.k8up.io',
      'schedules.k8up.io',
      'snapshots.k8up.io',
    ],
    services: [{ name: 'k8up-metrics', ports: [{ name: 'http', port: 8080 }], labels: { 'app.kubernetes.io/name': 'k8up' } }],
    pods: [{ name: 'k8up', kind: 'Deployment', labels: pods().labels, ports: [{ name: 'http', port: 8080 }], serviceAccount: 'k8up' }],
    serviceAccounts: [`${NAMESPACE}/k8up`],
    clusterKinds: [
      'apiextensions.k8s.io/CustomResourceDefinition',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
  }),
  acceptedHooks: {
    'Job/k8up-cleanup': CLEANUP,
    'ServiceAccount/cleanup-service-account': CLEANUP,
    'ClusterRole/k8up-cleanup-roles': CLEANUP,
    'ClusterRoleBinding/cleanup-rolebinding': CLEANUP,
  },
  // The chart's clean-up Job (a Helm hook that no value turns off) carries the operator's labels and has therefore the same flows.
  flows: (cluster) => [
    toApiServer(cluster, pods(), 'It watches schedules and makes the Jobs of backups, checks and restores.'),
    scraped(pods(), 8080),
  ],
};

const pods = (): Workload => workload('k8up', 'k8up');
