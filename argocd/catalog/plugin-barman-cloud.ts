/**
 * The Barman Cloud plugin of CloudNativePG: archives the database to an object store and restores it from there. Object stores are ours and come after it.
 */
import type { Workload } from '../../lib/flows';
import type { UpstreamChart } from './types';
import { toApiServer, workload } from './workloads';

/** The operator looks for plugins in its own namespace only. */
const NAMESPACE = 'cnpg-system';

export const pluginBarmanCloud: UpstreamChart = {
  name: 'plugin-barman-cloud',
  project: 'data',
  chart: 'plugin-barman-cloud',
  namespace: NAMESPACE,
  summary: "Archives PostgreSQL to the object store of the description's backups, and restores from it.",
  enabled: (cluster) => cluster.backups !== undefined || 'the description has no backups: databases are not archived',
  values: () => ({
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '192Mi' } },
  }),
  // The chart makes a self-signed Issuer and the two Certificates of the connection between operator and plugin.
  needs: () => ['namespaces', 'cert-manager', 'cloudnative-pg'],
  provides: () => ({
    crds: ['objectstores.barmancloud.cnpg.io'],
    services: [{ name: 'barman-cloud', ports: [{ port: 9090 }], labels: { 'cnpg.io/pluginName': 'barman-cloud.cloudnative-pg.io' } }],
    pods: [
      {
        name: 'plugin-barman-cloud',
        kind: 'Deployment',
        labels: pods().labels,
        ports: [{ port: 9090 }],
        serviceAccount: 'plugin-barman-cloud',
      },
    ],
    configMaps: [`${NAMESPACE}/plugin-barman-cloud-config`],
    serviceAccounts: [`${NAMESPACE}/plugin-barman-cloud`],
    clusterKinds: [
      'apiextensions.k8s.io/CustomResourceDefinition',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
  }),
  flows: (cluster) => [
    toApiServer(cluster, pods(), 'It watches object stores and backups and grants the instances access to them.'),
    {
      from: workload('cloudnative-pg', 'cloudnative-pg'),
      to: pods(),
      ports: [{ port: 9090 }],
      because: 'The operator asks the plugin what to add to the pods of a Cluster.',
    },
  ],
};

const pods = (): Workload => workload('plugin-barman-cloud', 'plugin-barman-cloud');
