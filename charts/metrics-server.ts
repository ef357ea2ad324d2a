/**
 * metrics-server: where the upstream chart of the resource metrics API lives.
 * It deliberately adds nothing to the upstream chart (argocd/catalog/metrics-server.ts) but its namespace.
 */
import type { Component } from '../lib/component';

export const metricsServer: Component = {
  name: 'metrics-server',
  summary: 'Namespace of metrics-server.',
  enabled: (cluster) => cluster.kubernetes.metricsServer === 'install' || 'the Kubernetes distribution brings metrics-server',
  namespaces: () => [{ name: 'metrics-server', podSecurity: 'restricted' }],
  applications: () => [],
};
