/**
 * Sealed Secrets: where the controller lives, and the sealed credentials that upstream charts' values refer to.
 * It deliberately holds no secrets of our own components: each has its own beside the objects that use them.
 */
import { notifySecret } from '../argocd/catalog/alertmanager';
import { grafanaLoginSecret } from '../argocd/catalog/grafana-login';
import type { Component } from '../lib/component';
import { type Alert, alertRules } from '../lib/constructs/alerts';
import { NAMESPACES } from '../lib/platform';
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

/** The day is written into the rule: nothing in the cluster knows of a drill, which is made away from it. */
function drillAlert(due: Date, cluster: string): Alert {
  return {
    name: 'RecoveryDrillDue',
    expr: `vector(time()) > ${due.getTime() / 1000}`,
    for: '1h',
    severity: 'warning',
    summary: 'A recovery drill is due: nobody knows whether the backup of the sealing key still opens everything.',
    description: `Fetch the key from where its backup is kept, then: npm run seal -- --cluster ${cluster} --verify --key FILE, npm run synth, commit.`,
  };
}

export const sealedSecrets: Component = {
  name: 'sealed-secrets',
  summary: 'Namespace of the controller, and sealed credentials of upstream charts.',
  namespaces: () => [{ name: 'sealed-secrets', podSecurity: 'restricted' }],
  applications: () => [
    {
      name: 'sealed-credentials',
      project: 'platform',
      namespace: 'sealed-secrets',
      needs: ['sealed-secrets', 'prometheus-operator-crds'],
      build: (chart, context) => {
        const { recoveryDrillDue: due } = context;
        if (due) alertRules(chart, NAMESPACES.monitoring, 'recovery-drill', [drillAlert(due, context.cluster.name)]);
        context.secret(chart, GRAFANA_ADMIN);
        for (const secret of [notifySecret(context.cluster), grafanaLoginSecret(context.cluster)])
          if (secret) context.secret(chart, secret);
        if (context.cluster.hasDns) context.secret(chart, EXTERNAL_DNS_PASSWORD);
      },
    },
  ],
};
