/**
 * Sealed Secrets: turns the sealed values in Git into Secrets. The key is the project's own, brought by the bootstrap before the controller starts.
 */

import type { UpstreamChart } from './types';
import { scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'sealed-secrets';
/** What kubeseal and most documentation expect the controller to be called. */
const NAME = 'sealed-secrets-controller';

export const sealedSecrets: UpstreamChart = {
  name: 'sealed-secrets',
  project: 'platform',
  chart: 'sealed-secrets',
  namespace: NAMESPACE,
  summary: 'Decrypts SealedSecrets into Secrets with a key that never is in Git.',
  values: () => ({
    fullnameOverride: NAME,
    // No rotation: a backup of the key that was taken once must open everything that was ever committed. Values are re-sealed when the key is replaced on purpose.
    keyrenewperiod: '0',
    // kubeseal works offline against the committed certificate; nobody needs to reach the controller through the API server.
    rbac: { serviceProxier: { create: false } },
    resources: { requests: { cpu: '10m', memory: '48Mi' }, limits: { memory: '128Mi' } },
    metrics: { serviceMonitor: { enabled: true } },
  }),
  needs: () => ['namespaces', 'prometheus-operator-crds'],
  provides: () => ({
    crds: ['sealedsecrets.bitnami.com'],
    services: [
      { name: NAME, ports: [{ name: 'http', port: 8080 }] },
      { name: `${NAME}-metrics`, ports: [{ name: 'metrics', port: 8081 }], labels: { 'app.kubernetes.io/component': 'metrics' } },
    ],
    pods: [
      {
        name: NAME,
        kind: 'Deployment',
        labels: workload('sealed-secrets', NAME).labels,
        ports: [
          { name: 'http', port: 8080 },
          { name: 'metrics', port: 8081 },
        ],
        serviceAccount: NAME,
      },
    ],
    serviceAccounts: [`${NAMESPACE}/${NAME}`],
    clusterKinds: [
      'apiextensions.k8s.io/CustomResourceDefinition',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
  }),
  flows: (cluster) => {
    const controller = workload('sealed-secrets', NAME);
    return [toApiServer(cluster, controller, 'It watches SealedSecrets and writes Secrets.'), scraped(controller, 8081)];
  },
};
