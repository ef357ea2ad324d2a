/**
 * The kinds of objects that the project emits: one list, from which bindings and validation schemas are generated.
 * It deliberately says nothing about where a definition comes from (cdk8s.yaml lists the addresses): an address is
 * upstream's and changes with each upgrade, this list changes when a chart emits something new. It names the version
 * too, because an address often serves several, and `cdk8s import` gives the plain class name to the first of them,
 * which may be the deprecated one.
 */

/** The kinds of one API group and version. */
export interface KindList {
  /** As objects write it: `v1`, `apps/v1`, `argoproj.io/v1alpha1`. */
  readonly apiVersion: string;
  readonly kinds: readonly string[];
}

/** Custom resources: each gets bindings (`imports/<group>.ts`) and a validation schema. */
export const CUSTOM_KINDS: readonly KindList[] = [
  { apiVersion: 'agones.dev/v1', kinds: ['Fleet'] },
  { apiVersion: 'argoproj.io/v1alpha1', kinds: ['AppProject', 'Application'] },
  { apiVersion: 'autoscaling.agones.dev/v1', kinds: ['FleetAutoscaler'] },
  { apiVersion: 'barmancloud.cnpg.io/v1', kinds: ['ObjectStore'] },
  { apiVersion: 'bitnami.com/v1alpha1', kinds: ['SealedSecret'] },
  {
    apiVersion: 'cert-manager.io/v1',
    kinds: ['Certificate', 'ClusterIssuer'],
  },
  { apiVersion: 'k8up.io/v1', kinds: ['Backup', 'PodConfig', 'Restore', 'Schedule'] },
  {
    apiVersion: 'metallb.io/v1beta1',
    kinds: ['IPAddressPool', 'L2Advertisement'],
  },
  {
    apiVersion: 'monitoring.coreos.com/v1',
    kinds: ['PodMonitor', 'PrometheusRule', 'ServiceMonitor'],
  },
  {
    apiVersion: 'postgresql.cnpg.io/v1',
    kinds: ['Cluster', 'ScheduledBackup'],
  },
  {
    apiVersion: 'traefik.io/v1alpha1',
    kinds: ['IngressRoute', 'Middleware', 'TLSOption'],
  },
];

/**
 * Kubernetes' own kinds: each gets a validation schema only, because cdk8s-plus-28 brings their classes. `Secret` alone
 * is never emitted: it is here so that the check that refuses one is all that is said of it, and not that it is unknown.
 */
export const BUILT_IN_KINDS: readonly KindList[] = [
  {
    apiVersion: 'v1',
    kinds: ['ConfigMap', 'Namespace', 'PersistentVolumeClaim', 'Secret', 'Service', 'ServiceAccount'],
  },
  { apiVersion: 'apps/v1', kinds: ['Deployment', 'StatefulSet'] },
  { apiVersion: 'autoscaling/v2', kinds: ['HorizontalPodAutoscaler'] },
  { apiVersion: 'batch/v1', kinds: ['Job'] },
  {
    apiVersion: 'networking.k8s.io/v1',
    kinds: ['NetworkPolicy'],
  },
  { apiVersion: 'policy/v1', kinds: ['PodDisruptionBudget'] },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kinds: ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  },
  { apiVersion: 'scheduling.k8s.io/v1', kinds: ['PriorityClass'] },
];
