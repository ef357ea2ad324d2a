/**
 * Sealed Secrets: where the controller lives, and the sealed credentials that upstream charts' values refer to.
 * It deliberately holds no secrets of our own components: each has its own beside the objects that use them.
 */
import type { Component } from '../lib/component';
import type { SecretSpec } from '../lib/secrets/spec';
import { EXTERNAL_DNS_PASSWORD } from './pihole';

const GRAFANA_ADMIN: SecretSpec = {
  namespace: 'monitoring',
  name: 'grafana-admin',
  keys: {
    'admin-user': { value: 'grafana/admin-user', source: { literal: 'admin' } },
    'admin-password': { value: 'grafana/admin-password', source: { generate: 'password' } },
  },
  purpose: "Grafana's first account; dashboards and logs are behind it.",
};

export const sealedSecrets: Component = {
  name: 'sealed-secrets',
  summary: 'Namespace of the controller, and sealed credentials of upstream charts.',
  namespaces: () => [{ name: 'sealed-secrets', podSecurity: 'restricted' }],
  applications: () => [
    {
      name: 'sealed-credentials',
      project: 'platform',
      namespace: 'sealed-secrets',
      needs: ['sealed-secrets'],
      build: (chart, context) => {
        context.secret(chart, GRAFANA_ADMIN);
        if (context.cluster.hasDns) context.secret(chart, EXTERNAL_DNS_PASSWORD);
      },
    },
  ],
};
