/**
 * CloudNativePG: where the operator of the database and its backup plugin live; the database itself is charts/database.ts.
 * It deliberately adds nothing to the upstream chart (argocd/catalog/cloudnative-pg.ts) but its namespace.
 */
import type { Component } from '../lib/component';

export const cloudnativePg: Component = {
  name: 'cloudnative-pg',
  summary: 'Namespace of CloudNativePG and its backup plugin.',
  namespaces: () => [{ name: 'cnpg-system', podSecurity: 'restricted' }],
  applications: () => [],
};
