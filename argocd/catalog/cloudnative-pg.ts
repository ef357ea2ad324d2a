/**
 * CloudNativePG: the operator that runs PostgreSQL. The Cluster is ours and comes after it.
 */
import type { Workload } from '../../lib/flows';
import type { UpstreamChart } from './types';
import { fromApiServer, scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'cnpg-system';

export const cloudnativePg: UpstreamChart = {
  name: 'cloudnative-pg',
  project: 'data',
  chart: 'cloudnative-pg',
  namespace: NAMESPACE,
  summary: 'Runs PostgreSQL: instances, failover, users and archiving.',
  values: () => ({
    resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '384Mi' } },
    monitoring: { podMonitorEnabled: true },
    config: {
      data: {
        // An update of the operator replaces the instance manager inside of running pods; otherwise every database would restart with it.
        ENABLE_INSTANCE_MANAGER_INPLACE_UPDATES: 'true',
      },
    },
  }),
  needs: () => ['namespaces', 'prometheus-operator-crds'],
  provides: () => ({
    crds: [
      'backups.postgresql.cnpg.io',
      'clusterimagecatalogs.postgresql.cnpg.io',
      'clusters.postgresql.cnpg.io',
      'databaseroles.postgresql.cnpg.io',
      'databases.postgresql.cnpg.io',
      'failoverquorums.postgresql.cnpg.io',
      'imagecatalogs.postgresql.cnpg.io',
      'poolers.postgresql.cnpg.io',
      'publications.postgresql.cnpg.io',
      'scheduledbackups.postgresql.cnpg.io',
      'subscriptions.postgresql.cnpg.io',
    ],
    webhooks: ['postgresql.cnpg.io'],
    services: [
      {
        name: 'cnpg-webhook-service',
        ports: [{ name: 'webhook-server', port: 443 }],
        labels: { 'app.kubernetes.io/name': 'cloudnative-pg' },
      },
    ],
    pods: [
      {
        name: 'cloudnative-pg',
        kind: 'Deployment',
        labels: pods().labels,
        ports: [
          { name: 'metrics', port: 8080 },
          { name: 'webhook-server', port: 9443 },
        ],
        serviceAccount: 'cloudnative-pg',
      },
    ],
    configMaps: [`${NAMESPACE}/cnpg-controller-manager-config`, `${NAMESPACE}/cnpg-default-monitoring`],
    serviceAccounts: [`${NAMESPACE}/cloudnative-pg`],
    clusterKinds: [
      'admissionregistration.k8s.io/MutatingWebhookConfiguration',
      'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
      'apiextensions.k8s.io/CustomResourceDefinition',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
  }),
  flows: (cluster) => [
    toApiServer(cluster, pods(), 'It watches Clusters and makes their pods, claims, Services and Secrets.'),
    ...fromApiServer(pods(), [{ port: 9443 }], 'The API server asks the webhooks about every Cluster, Database and backup.'),
    scraped(pods(), 8080),
  ],
};

const pods = (): Workload => workload('cloudnative-pg', 'cloudnative-pg');
