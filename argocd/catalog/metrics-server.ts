/**
 * metrics-server: CPU and memory of pods for autoscaling and `kubectl top`, where the distribution does not bring it.
 */

import type { UpstreamChart } from './types';
import { fromApiServer, scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'metrics-server';

export const metricsServer: UpstreamChart = {
  name: 'metrics-server',
  project: 'platform',
  chart: 'metrics-server',
  namespace: NAMESPACE,
  summary: 'Serves CPU and memory of pods to the autoscaler.',
  enabled: (cluster) =>
    cluster.kubernetes.metricsServer === 'install' || 'the distribution brings metrics-server (kubernetes.metricsServer is "provided")',
  values: () => ({
    args: [
      // kubeadm, kind and Talos give kubelets self-signed serving certificates unless their rotation is turned on and somebody approves the requests.
      // The price: somebody who can answer for a node's address in the LAN can forge usage figures, and learns a token that reads nodes' metrics.
      '--kubelet-insecure-tls',
    ],
    // The chart's default lets the API server trust any certificate; cert-manager issues one and writes its CA into the APIService.
    tls: { type: 'cert-manager' },
    apiService: { insecureSkipTLSVerify: false },
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '200Mi' } },
    metrics: { enabled: true },
    serviceMonitor: { enabled: true },
  }),
  // cert-manager issues the certificate of its API.
  needs: () => ['namespaces', 'prometheus-operator-crds', 'cert-manager'],
  provides: () => ({
    crds: [],
    services: [{ name: 'metrics-server', ports: [{ name: 'https', port: 443 }], labels: { 'app.kubernetes.io/name': 'metrics-server' } }],
    pods: [
      {
        name: 'metrics-server',
        kind: 'Deployment',
        labels: workload('metrics-server', 'metrics-server').labels,
        ports: [{ name: 'https', port: 10250 }],
        serviceAccount: 'metrics-server',
      },
    ],
    serviceAccounts: [`${NAMESPACE}/metrics-server`],
    clusterKinds: [
      'apiregistration.k8s.io/APIService',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
    // The API server's certificate authority for its callers is in a ConfigMap there, which a RoleBinding lets it read.
    namespaces: ['kube-system'],
  }),
  flows: (cluster) => {
    const server = workload('metrics-server', 'metrics-server');
    return [
      toApiServer(cluster, server, 'It lists nodes and pods and has the callers of its API authenticated.'),
      { from: server, to: { outside: 'nodes' }, ports: [{ port: 10250 }], because: "It reads the kubelets' figures." },
      ...fromApiServer(server, [{ port: 10250 }], 'The API server passes requests for metrics.k8s.io on to it.'),
      scraped(server, 10250),
    ];
  },
};
