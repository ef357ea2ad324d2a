/**
 * K8up: where the operator that backs volumes up lives; what is backed up is charts/world-backups.ts.
 * It deliberately adds nothing to the upstream chart (argocd/catalog/k8up.ts) but its namespace.
 */
import type { Component } from '../lib/component';

export const k8up: Component = {
  name: 'k8up',
  summary: 'Namespace of K8up.',
  enabled: (cluster) => cluster.backups !== undefined || 'there is no backup store (backups is not set): worlds are not backed up',
  namespaces: () => [{ name: 'k8up', podSecurity: 'restricted' }],
  applications: () => [],
};
