/**
 * How people log in to Grafana through an OpenID Connect provider, out of `monitoring.login`.
 * It deliberately leaves the sealed admin's login as it is: a provider that is down must not lock out whoever repairs it.
 */
import type { Cluster } from '../../lib/model/cluster';
import type { SecretSpec } from '../../lib/secrets/spec';

const SECRET = { name: 'grafana-login', key: 'client-secret' } as const;
const FOLDER = '/etc/secrets/login';

/** What has to be sealed for it, or undefined when only the admin logs in. */
export function grafanaLoginSecret(cluster: Cluster): SecretSpec | undefined {
  const login = cluster.monitoring.login;
  if (!login) return undefined;
  return {
    namespace: 'monitoring',
    name: SECRET.name,
    keys: {
      [SECRET.key]: { value: 'grafana/login', source: { ask: `Client secret of Grafana (client ${login.clientId}) at ${login.title}` } },
    },
    purpose: 'with which Grafana proves itself to the provider of logins',
  };
}

/** Values of Grafana's chart; none without a provider. */
export function grafanaLoginMounts(cluster: Cluster): object {
  return cluster.monitoring.login
    ? { extraSecretMounts: [{ name: 'login', secretName: SECRET.name, defaultMode: 0o440, mountPath: FOLDER, readOnly: true }] }
    : {};
}

/** Sections of grafana.ini. */
export function grafanaLoginSettings(cluster: Cluster): object {
  const login = cluster.monitoring.login;
  if (!login) return {};
  const among = (group: string) => `contains(groups[*], '${group}')`;
  return {
    'auth.generic_oauth': {
      enabled: true,
      name: login.title,
      client_id: login.clientId,
      client_secret: `$__file{${FOLDER}/${SECRET.key}}`,
      scopes: login.scopes.join(' '),
      auth_url: login.authorizationUrl,
      token_url: login.tokenUrl,
      api_url: login.userinfoUrl,
      use_pkce: true,
      allow_sign_up: true,
      // Without a role nobody gets in: an empty answer is refused, and not turned into the default role.
      role_attribute_path: `${among(login.adminGroup)} && 'Admin' || ${login.viewerGroup ? `${among(login.viewerGroup)} && 'Viewer' || ''` : "'Viewer'"}`,
      role_attribute_strict: true,
      allow_assign_grafana_admin: false,
    },
  };
}

/** Ports on which the provider is asked: 443 unless its URLs say another. The browser opens the first one, Grafana the others. */
export function grafanaLoginPorts(cluster: Cluster): readonly number[] {
  const login = cluster.monitoring.login;
  if (!login) return [];
  return [...new Set([login.tokenUrl, login.userinfoUrl].map((url) => Number(new URL(url).port || 443)))].sort((a, b) => a - b);
}
