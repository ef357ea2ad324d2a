/** Who logs in to Grafana: the sealed admin always, a provider's people where one is described, and nobody else. */
import { grafanaLoginPorts, grafanaLoginSecret } from '../../../argocd/catalog/grafana-login';
import { kubePrometheusStack } from '../../../argocd/catalog/kube-prometheus-stack';
import { resolveCluster } from '../../../lib/model/cluster';
import { exampleHomelab } from '../../examples';

const LOGIN = {
  title: 'Authelia',
  clientId: 'grafana',
  authorizationUrl: 'https://auth.homelab.io/api/oidc/authorization',
  tokenUrl: 'https://auth.homelab.io:9091/api/oidc/token',
  userinfoUrl: 'https://auth.homelab.io:9091/api/oidc/userinfo',
  adminGroup: 'admins',
};
const clusterWith = (login?: Partial<typeof LOGIN> & { viewerGroup?: string }) =>
  resolveCluster({ ...exampleHomelab, monitoring: login ? { login: { ...LOGIN, ...login } } : {} });
// biome-ignore lint/suspicious/noExplicitAny: values of a chart, read as they are.
const grafana = (login?: Parameters<typeof clusterWith>[0]): any =>
  (kubePrometheusStack.values(clusterWith(login)) as { grafana: object }).grafana;
const oauth = (login: Parameters<typeof clusterWith>[0] = {}) => grafana(login)['grafana.ini']['auth.generic_oauth'];

test.each([
  ['with a provider', {}],
  ['without one', undefined],
] as const)('nobody gets in without logging in, %s', (_, login) => {
  expect(grafana(login)['grafana.ini']['auth.anonymous']).toEqual({ enabled: false });
});

test.each([
  ['with a provider', {}],
  ['without one', undefined],
] as const)("the admin's password is the sealed one, %s", (_, login) => {
  expect(grafana(login).admin).toEqual({ existingSecret: 'grafana-admin' });
});

test('without a provider there is no section for one', () => {
  expect(grafana()['grafana.ini']).not.toHaveProperty('auth.generic_oauth');
});

test('the client secret is a file of the sealed Secret, and no text', () => {
  const [mount] = grafana({}).extraSecretMounts;
  const secret = grafanaLoginSecret(clusterWith({}));
  expect([oauth().client_secret, mount.secretName]).toEqual([
    `$__file{${mount.mountPath}/${Object.keys(secret?.keys ?? {})[0]}}`,
    secret?.name,
  ]);
});

test('whoever is in the group of admins is one, everybody else looks', () => {
  expect(oauth().role_attribute_path).toBe("contains(groups[*], 'admins') && 'Admin' || 'Viewer'");
});

test('with a group of viewers everybody else is refused', () => {
  expect([oauth({ viewerGroup: 'players' }).role_attribute_path, oauth().role_attribute_strict]).toEqual([
    "contains(groups[*], 'admins') && 'Admin' || contains(groups[*], 'players') && 'Viewer' || ''",
    true,
  ]);
});

test('the port of the provider is the one that Grafana itself asks', () => {
  expect(grafanaLoginPorts(clusterWith({}))).toEqual([9091]);
});

test('a provider on the usual port is asked there', () => {
  expect(grafanaLoginPorts(clusterWith({ tokenUrl: 'https://auth.homelab.io/token', userinfoUrl: 'https://auth.homelab.io/me' }))).toEqual([
    443,
  ]);
});

test('Grafana may reach the provider', () => {
  const flows = kubePrometheusStack.flows(clusterWith({}));
  expect(flows.filter(({ because }) => because.includes('provider of logins')).map(({ ports }) => ports)).toEqual([[{ port: 9091 }]]);
});
