/** Issuers: the cluster's own authority always, Let's Encrypt where it is asked for, and the challenges of each. */
import { certManager } from '../../charts/cert-manager';
import { type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import { validateObject } from '../../lib/schemas';
import { exampleHomelab as homelab, exampleLocal as local } from '../examples';
import { built, homelabWith } from './game-harness';

const withHttp01 = homelabWith({ certificates: { issuer: 'letsencrypt', email: 'you@homelab.io' } });
const example = built(certManager, homelab);

const issuers = (description: ClusterDescription) =>
  built(certManager, description)
    .objects.filter(({ kind }) => kind === 'ClusterIssuer')
    .map(({ metadata }) => metadata.name);
const issuer = (description: ClusterDescription, name: string) => {
  const found = built(certManager, description).objects.find(({ kind, metadata }) => kind === 'ClusterIssuer' && metadata.name === name);
  if (!found) throw new Error(`There is no ClusterIssuer ${name}.`);
  return found;
};

test("Let's Encrypt's production issuer of the example", () => {
  expect(issuer(homelab, 'letsencrypt-production')).toMatchSnapshot();
});

test("the cluster's own authority", () => {
  expect(example.get('Certificate', 'cert-manager/cluster-ca')).toMatchSnapshot();
});

test.each([
  ['the example', homelab],
  ['the laptop', local],
  ['a cluster with HTTP-01 alone', withHttp01],
])('every object of %s is valid against the schemas', (_, description) => {
  expect(built(certManager, description).objects.flatMap(validateObject)).toEqual([]);
});

test('a laptop has its own authority and nothing of the Internet', () => {
  expect(issuers(local)).toEqual(['cluster-ca-bootstrap', 'cluster-ca']);
});

test("a public cluster has its own authority too, beside both of Let's Encrypt's directories", () => {
  expect(issuers(homelab)).toEqual(['cluster-ca-bootstrap', 'cluster-ca', 'letsencrypt-staging', 'letsencrypt-production']);
});

test.each(['letsencrypt-staging', 'letsencrypt-production'])('%s does not hold up the cluster when the Internet is away', (name) => {
  expect(issuer(homelab, name).metadata.annotations?.['argocd.argoproj.io/ignore-healthcheck']).toBe('true');
});

test('the authority must be healthy before anything is issued by it', () => {
  expect(issuer(homelab, 'cluster-ca').metadata.annotations).toEqual({ 'argocd.argoproj.io/sync-wave': '2' });
});

test('each directory has an account of its own', () => {
  const account = (name: string) => issuer(homelab, name).spec.acme.privateKeySecretRef.name;
  expect(account('letsencrypt-staging')).not.toBe(account('letsencrypt-production'));
});

test('the key of the authority survives its renewal, so that what it signed stays valid', () => {
  expect(example.get('Certificate', 'cert-manager/cluster-ca').spec.privateKey.rotationPolicy).toBe('Never');
});

test('the authority is protected from pruning and deletion', () => {
  expect(example.get('Certificate', 'cert-manager/cluster-ca').metadata.annotations?.['argocd.argoproj.io/sync-options']).toBe(
    'Prune=false,Delete=false',
  );
});

test('the Secret of the authority is where cert-manager looks for a ClusterIssuer’s', () => {
  expect(example.get('Certificate', 'cert-manager/cluster-ca').spec.secretName).toBe(issuer(homelab, 'cluster-ca').spec.ca.secretName);
});

test('DNS-01 answers for its zone, HTTP-01 for any other name', () => {
  const [dns01, http01] = issuer(homelab, 'letsencrypt-production').spec.acme.solvers;
  expect(dns01.selector).toEqual({ dnsZones: ['homelab.io'] });
  expect(http01).not.toHaveProperty('selector');
});

test('without DNS-01 there is HTTP-01 alone', () => {
  expect(issuer(withHttp01, 'letsencrypt-production').spec.acme.solvers.map(Object.keys)).toEqual([['http01']]);
});

test('the pods of HTTP-01 fit into a restricted namespace', () => {
  const [{ http01 }] = issuer(withHttp01, 'letsencrypt-production').spec.acme.solvers;
  expect(http01.ingress.podTemplate.spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
});

test('challenges go through the class that Traefik serves', () => {
  const [{ http01 }] = issuer(withHttp01, 'letsencrypt-production').spec.acme.solvers;
  expect(http01.ingress.ingressClassName).toBe('traefik');
});

test('the API token is sealed under the key that the solver reads', () => {
  const [secret] = example.secrets;
  const { name, key } = issuer(homelab, 'letsencrypt-production').spec.acme.solvers[0].dns01.cloudflare.apiTokenSecretRef;
  expect([secret?.namespace, secret?.name, Object.keys(secret?.keys ?? {})]).toEqual(['cert-manager', name, [key]]);
});

test('no API token is asked for where none is used', () => {
  expect(built(certManager, withHttp01).secrets).toEqual([]);
});

test('Traefik reaches the pods that answer HTTP-01, in the namespace of the public certificate', () => {
  expect(certManager.flows?.(resolveCluster(withHttp01))).toEqual([
    expect.objectContaining({
      from: expect.objectContaining({ namespace: 'traefik' }),
      to: expect.objectContaining({ namespace: 'connect-broker', labels: { 'acme.cert-manager.io/http01-solver': 'true' } }),
      ports: [{ port: 8089 }],
    }),
  ]);
});

test.each([
  ['DNS-01', homelab],
  ['an own authority', local],
])('with %s there is no such flow', (_, description) => {
  expect(certManager.flows?.(resolveCluster(description))).toEqual([]);
});
