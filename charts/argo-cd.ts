/**
 * Argo CD: where it lives. Its Applications are argocd/root.ts's, its route is charts/traefik.ts's.
 * It deliberately adds nothing to the upstream chart (argocd/catalog/argo-cd.ts) but its namespace.
 */
import type { Component } from '../lib/component';

export const argoCd: Component = {
  name: 'argo-cd',
  summary: 'Namespace of Argo CD.',
  namespaces: () => [{ name: 'argocd', podSecurity: 'restricted' }],
  applications: () => [],
};
