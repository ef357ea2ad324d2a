/** Routes through Traefik: what players reach, what admins reach, and what is refused. */
import { App, Chart } from 'cdk8s';
import { argoCd } from '../../argocd/catalog/argo-cd';
import { kubePrometheusStack } from '../../argocd/catalog/kube-prometheus-stack';
import { traefik as traefikChart } from '../../argocd/catalog/traefik';
import { traefik } from '../../charts/traefik';
import type { BuildContext } from '../../lib/component';
import { adminRoute, publicRoute, type Route } from '../../lib/constructs/routes';
import { objectsOf, type PlainObject } from '../../lib/emit/manifest';
import { type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import { validateObject } from '../../lib/schemas';
import { exampleHomelab as homelab, exampleLocal as local } from '../examples';
import { built, homelabWith } from './game-harness';

const players: Route = {
  namespace: 'connect-broker',
  name: 'connect-broker',
  host: 'mmo.homelab.io',
  service: { name: 'connect-broker', port: 80 },
  streamingPaths: ['/v1/queue', '/v1/events'],
};
const admins: Route = { namespace: 'pihole', name: 'pihole', host: 'pihole.mmo.homelab.io', service: { name: 'pihole-web', port: 80 } };

function routed(build: typeof publicRoute, route: Route, description: ClusterDescription = homelab): PlainObject[] {
  const chart = new Chart(new App(), 'x');
  build(chart, { cluster: resolveCluster(description) } as unknown as BuildContext, route);
  return objectsOf(chart).map(({ manifest }) => manifest);
}

const ofKind = (objects: readonly PlainObject[], kind: string) => objects.filter((object) => object.kind === kind);

function named(objects: readonly PlainObject[], kind: string, name: string): PlainObject {
  const object = ofKind(objects, kind).find((each) => each.metadata.name === name);
  if (!object)
    throw new Error(`There is no ${kind} ${name}; there are ${objects.map((each) => `${each.kind} ${each.metadata.name}`).join(', ')}.`);
  return object;
}

const withoutDns = homelabWith({ network: { ...homelab.network, dns: undefined } });
const withoutDns01 = homelabWith({ certificates: { issuer: 'letsencrypt', email: 'you@homelab.io' } });
const inStaging = homelabWith({ certificates: { issuer: 'letsencrypt', email: 'you@homelab.io', environment: 'staging' } });

describe('a route for players', () => {
  const objects = routed(publicRoute, players);
  const main = named(objects, 'IngressRoute', 'connect-broker');
  const [page, streams] = main.spec.routes;
  const middlewares = (route: { middlewares: { name: string }[] }) =>
    route.middlewares.map(({ name }) => named(objects, 'Middleware', name).spec);

  test('is one IngressRoute for HTTPS and one that redirects', () => {
    expect(ofKind(objects, 'IngressRoute').map(({ spec }) => spec)).toMatchSnapshot();
  });

  test('has these Middlewares', () => {
    expect(ofKind(objects, 'Middleware').map(({ metadata, spec }) => ({ name: metadata.name, spec }))).toMatchSnapshot();
  });

  test('is valid against the schemas', () => {
    expect(objects.flatMap(validateObject)).toEqual([]);
  });

  test('keeps everything in the namespace of its Service, because references to other namespaces are off', () => {
    expect(new Set(objects.map((object) => object.metadata.namespace))).toEqual(new Set(['connect-broker']));
  });

  test('never buffers a stream of events', () => {
    expect(middlewares(streams).some((spec) => 'buffering' in spec)).toBe(false);
    expect(middlewares(page).some((spec) => 'buffering' in spec)).toBe(true);
  });

  test('never counts waiting players as concurrent requests', () => {
    expect(middlewares(streams).some((spec) => 'inFlightReq' in spec)).toBe(false);
    expect(middlewares(page).some((spec) => 'inFlightReq' in spec)).toBe(true);
  });

  test('limits the rate of streams too', () => {
    expect(middlewares(streams).some((spec) => 'rateLimit' in spec)).toBe(true);
  });

  test('has no rule for streams where there are none', () => {
    const plain = routed(publicRoute, { ...players, streamingPaths: undefined });
    expect(named(plain, 'IngressRoute', 'connect-broker').spec.routes).toHaveLength(1);
  });

  test("counts concurrent requests by address, where Traefik's default would be one limit for all players", () => {
    expect(named(objects, 'Middleware', 'connect-broker-in-flight').spec.inFlightReq.sourceCriterion).toEqual({ ipStrategy: { depth: 0 } });
  });

  test('writes no body to disk: what may be sent fits into memory', () => {
    const { buffering } = named(objects, 'Middleware', 'connect-broker-body-limit').spec;
    expect(buffering.memRequestBodyBytes).toBe(buffering.maxRequestBodyBytes);
  });

  test('redirects with the lowest priority, so that the paths of ACME challenges win', () => {
    const redirect = named(objects, 'IngressRoute', 'connect-broker-redirect');
    expect(redirect.spec.entryPoints).toEqual(['web']);
    expect(redirect.spec.routes[0].priority).toBe(1);
  });

  test('leaves the priority of HTTPS rules to their length', () => {
    expect(main.spec.routes.every((route: object) => !('priority' in route))).toBe(true);
  });

  test('tells ExternalDNS the address of the ingress, on every IngressRoute', () => {
    expect(ofKind(objects, 'IngressRoute').map(({ metadata }) => metadata.annotations)).toEqual([
      { 'external-dns.alpha.kubernetes.io/target': '192.168.1.240' },
      { 'external-dns.alpha.kubernetes.io/target': '192.168.1.240' },
    ]);
  });

  test('tells ExternalDNS nothing where there is none', () => {
    expect(named(routed(publicRoute, players, withoutDns), 'IngressRoute', 'connect-broker').metadata.annotations).toBeUndefined();
  });

  test('refuses TLS below 1.2, and clients that name no host', () => {
    expect(named(objects, 'TLSOption', 'connect-broker-tls').spec).toMatchObject({ minVersion: 'VersionTLS12', sniStrict: true });
  });

  test('offers only cipher suites with forward secrecy and authenticated encryption', () => {
    const suites: string[] = named(objects, 'TLSOption', 'connect-broker-tls').spec.cipherSuites;
    expect(suites.filter((suite) => !/^TLS_ECDHE_.*(GCM|POLY1305)/.test(suite))).toEqual([]);
  });

  test('has a certificate of its own with a new key at each renewal', () => {
    expect(named(objects, 'Certificate', 'connect-broker-tls').spec).toMatchObject({
      secretName: 'connect-broker-tls',
      dnsNames: ['mmo.homelab.io'],
      issuerRef: { kind: 'ClusterIssuer', name: 'letsencrypt-production' },
      privateKey: { algorithm: 'ECDSA', rotationPolicy: 'Always' },
    });
    expect(main.spec.tls.secretName).toBe('connect-broker-tls');
  });

  test('does not wait for its certificate: neither the Application behind it nor the waves after', () => {
    expect(named(objects, 'Certificate', 'connect-broker-tls').metadata.annotations).toEqual({
      'argocd.argoproj.io/sync-wave': '100',
      'argocd.argoproj.io/ignore-healthcheck': 'true',
    });
  });

  test('asks browsers for HTTPS only, where they trust the certificate', () => {
    const seconds = (description: ClusterDescription) => {
      const { domain } = description;
      return named(routed(publicRoute, { ...players, host: domain }, description), 'Middleware', 'connect-broker-headers').spec.headers
        .stsSeconds;
    };
    expect(seconds(homelab)).toBe(31_536_000);
    expect(seconds(inStaging)).toBeUndefined();
    expect(seconds(local)).toBeUndefined();
  });

  test('is refused for the host of an admin page', () => {
    expect(() => routed(publicRoute, { ...players, host: 'grafana.mmo.homelab.io' })).toThrow(
      "Route 'connect-broker' in namespace 'connect-broker' would publish the admin page 'grafana.mmo.homelab.io' on the entry point that is forwarded to the Internet; use adminRoute instead of publicRoute.",
    );
  });

  test('is refused for a host outside of the domain', () => {
    expect(() => routed(publicRoute, { ...players, host: 'notmmo.homelab.io' })).toThrow(
      "Host 'notmmo.homelab.io' of route 'connect-broker'",
    );
  });
});

describe('a route for admins', () => {
  const objects = routed(adminRoute, admins);

  test('is on the admin entry point alone, behind the list of private networks', () => {
    expect(ofKind(objects, 'IngressRoute').map(({ metadata, spec }) => ({ annotations: metadata.annotations, spec }))).toMatchSnapshot();
  });

  test('is valid against the schemas', () => {
    expect(objects.flatMap(validateObject)).toEqual([]);
  });

  test('answers private networks alone, and not those that providers share', () => {
    expect(named(objects, 'Middleware', 'pihole-private-networks').spec.ipAllowList.sourceRange).toEqual([
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
    ]);
  });

  test('lets the list decide before anything else', () => {
    expect(named(objects, 'IngressRoute', 'pihole').spec.routes[0].middlewares[0]).toEqual({ name: 'pihole-private-networks' });
  });

  test('resolves to the address that is never forwarded', () => {
    expect(named(objects, 'IngressRoute', 'pihole').metadata.annotations?.['external-dns.alpha.kubernetes.io/target']).toBe(
      '192.168.1.242',
    );
  });

  test("has Let's Encrypt's certificate only with DNS-01, because HTTP-01 would need it open to the Internet", () => {
    const issuer = (description: ClusterDescription) =>
      named(routed(adminRoute, admins, description), 'Certificate', 'pihole-tls').spec.issuerRef.name;
    expect(issuer(homelab)).toBe('letsencrypt-production');
    expect(issuer(withoutDns01)).toBe('cluster-ca');
  });

  test("is refused for the players' host", () => {
    expect(() => routed(adminRoute, { ...admins, host: 'mmo.homelab.io' })).toThrow(
      "Route 'pihole' in namespace 'pihole' would hide the players' host 'mmo.homelab.io' behind the admin entry point; use publicRoute instead of adminRoute.",
    );
  });
});

describe('the component', () => {
  const { objects, cluster } = built(traefik, homelab);

  test('is valid against the schemas', () => {
    expect(objects.flatMap(validateObject)).toEqual([]);
  });

  test.each([
    ['argocd', argoCd],
    ['grafana', kubePrometheusStack],
  ])('leads to a Service and a port that the chart of %s really has', (name, chart) => {
    const { namespace } = named(objects, 'IngressRoute', name).metadata;
    const [service] = named(objects, 'IngressRoute', name).spec.routes[0].services;
    const record = chart.provides(cluster).services.find((each) => each.name === service.name);
    expect(record?.namespace ?? chart.namespace).toBe(namespace);
    expect(record?.ports.map(({ port }) => port)).toContain(service.port);
  });

  test('puts no admin page on the entry points for players', () => {
    expect(ofKind(objects, 'IngressRoute').flatMap(({ spec }) => spec.entryPoints)).toEqual(['admin', 'admin']);
  });

  test('keeps the default TLS options where Traefik looks for them', () => {
    const values = traefikChart.values(cluster) as { providers: { kubernetesCRD: { defaultTLSResourcesNamespace: string } } };
    expect(named(objects, 'TLSOption', 'default').metadata.namespace).toBe(values.providers.kubernetesCRD.defaultTLSResourcesNamespace);
  });

  test('names its TLS options "default" only once, because Traefik ignores two of them', () => {
    expect(ofKind(objects, 'TLSOption').filter(({ metadata }) => metadata.name === 'default')).toHaveLength(1);
  });

  test('restricts its namespace behind a load balancer', () => {
    expect(traefik.namespaces?.(cluster)).toEqual([{ name: 'traefik', podSecurity: 'restricted' }]);
  });

  test('says why its namespace is privileged without one', () => {
    const [namespace] = traefik.namespaces?.(resolveCluster(local)) ?? [];
    expect(namespace).toMatchObject({ podSecurity: 'privileged', because: expect.stringContaining('ports of the node') });
  });
});
