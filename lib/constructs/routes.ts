/**
 * HTTPS routes through Traefik: `publicRoute` for the host that players use, `adminRoute` for admin pages, each with its certificate, TLS options and Middlewares.
 * It deliberately knows no Service by name and routes no game traffic: UDP never passes through Traefik.
 *
 * Everything lands in the Service's namespace, because Traefik is told to refuse references to other namespaces: a namespace cannot borrow another's certificate or Middleware.
 */
import type { Chart } from 'cdk8s';
import { externalDnsAnnotationPrefix } from '../../argocd/catalog/external-dns';
import { entryPoints } from '../../argocd/catalog/traefik';
import {
  Certificate,
  CertificateSpecPrivateKeyAlgorithm,
  CertificateSpecPrivateKeyRotationPolicy,
  CertificateSpecUsages,
} from '../../imports/cert-manager.io';
import {
  IngressRoute,
  type IngressRouteSpecRoutes,
  IngressRouteSpecRoutesKind,
  IngressRouteSpecRoutesServicesPort,
  Middleware,
  type MiddlewareSpec,
  TlsOption,
  type TlsOptionSpec,
} from '../../imports/traefik.io';
import { type BuildContext, labels, syncWave } from '../component';
import { add } from '../emit/manifest';
import { PRIVATE_NETWORKS } from '../model/addresses';

/** Where a host name leads. */
export interface Route {
  /** The Service's namespace; the route's objects are made there. */
  readonly namespace: string;
  /** Prefix of the names of all objects of the route. */
  readonly name: string;
  /** The full host name. */
  readonly host: string;
  /** The Service, and the number of its port (not the container's). */
  readonly service: { readonly name: string; readonly port: number };
  /**
   * Path prefixes that answer with a stream of events or a WebSocket. Buffering would hold a stream back until it ends, and a limit on concurrent requests would count every waiting player.
   * @default none
   */
  readonly streamingPaths?: readonly string[];
}

/** Which address ExternalDNS gives to the hosts of an IngressRoute; an IngressRoute without it gets no name. */
const EXTERNAL_DNS_TARGET = `${externalDnsAnnotationPrefix}target`;

/**
 * TLS 1.2 and later, only cipher suites with forward secrecy and authenticated encryption (TLS 1.3 chooses its own), and no answer to a client that names no known host.
 * Curves are left to Traefik, whose defaults begin with a post-quantum one.
 */
export const MODERN_TLS: TlsOptionSpec = {
  minVersion: 'VersionTLS12',
  cipherSuites: [
    'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
    'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
  ],
  sniStrict: true,
};

/** Largest body of a request to the broker, in bytes. Its largest is a registration: some hundred bytes. Kept in memory, because Traefik would write more than that to disk. */
const LARGEST_BODY = 1024 * 1024;
/** Requests per second and burst of one address: several players behind one router, each loading a page of a few dozen files. */
const RATE = { average: 25, burst: 100 };
/** Requests of one address that may be answered at the same time. */
const CONCURRENT = 64;
/** One year in seconds, the least that browsers' preload lists take. */
const ONE_YEAR = 31_536_000;

/**
 * Wave of a route's Certificate within its Application: after everything else, because Argo CD waits for the health of every wave but the last.
 * A certificate that cannot be issued yet (the router forwards no port, the DNS provider is down) must not hold up the Deployment behind it.
 */
const CERTIFICATE_WAVE = 100;

/**
 * Publishes a Service to players: entry points `websecure` and `web` (which redirects).
 * @throws when the host is not the domain or below it, or is that of an admin page, which must never be reachable from the Internet
 */
export function publicRoute(chart: Chart, context: BuildContext, route: Route): void {
  const { cluster } = context;
  assertHost(context, route);
  const { broker: _, ...admin } = cluster.hosts;
  if (Object.values(admin).includes(route.host)) {
    throw new Error(
      `Route '${route.name}' in namespace '${route.namespace}' would publish the admin page '${route.host}' on the entry point that is forwarded to the Internet; use adminRoute instead of publicRoute.`,
    );
  }
  const common = { namespace: route.namespace, labels: labels(route.name, 'route') };
  const middleware = middlewareOf(chart, route);
  const headers = middleware('headers', { headers: securityHeaders(cluster.publicIssuer, 'DENY') });
  const rateLimit = middleware('rate-limit', { rateLimit: { ...RATE, sourceCriterion: perAddress } });
  // Without a criterion Traefik counts by host: one limit for all players together.
  const inFlight = middleware('in-flight', { inFlightReq: { amount: CONCURRENT, sourceCriterion: perAddress } });
  const body = middleware('body-limit', { buffering: { maxRequestBodyBytes: LARGEST_BODY, memRequestBodyBytes: LARGEST_BODY } });
  const redirect = middleware('redirect', { redirectScheme: { scheme: 'https', permanent: true } });

  certificate(chart, route, cluster.publicIssuer);
  tlsOption(chart, route);
  const streams = route.streamingPaths ?? [];
  add(chart, IngressRoute, {
    metadata: { name: route.name, ...common, annotations: dnsTarget(context, cluster.network.ingress) },
    spec: {
      entryPoints: [entryPoints.websecure],
      routes: [
        rule(route, `Host(\`${route.host}\`)`, [headers, rateLimit, inFlight, body]),
        // The longer rule has the higher priority.
        ...(streams.length > 0
          ? [
              rule(route, `Host(\`${route.host}\`) && (${streams.map((path) => `PathPrefix(\`${path}\`)`).join(' || ')})`, [
                headers,
                rateLimit,
              ]),
            ]
          : []),
      ],
      tls: tls(route),
    },
  });
  add(chart, IngressRoute, {
    metadata: { name: `${route.name}-redirect`, ...common, annotations: dnsTarget(context, cluster.network.ingress) },
    spec: {
      entryPoints: [entryPoints.web],
      // The lowest priority, so that the paths of an ACME challenge, which cert-manager adds as an Ingress, win.
      routes: [{ ...rule(route, `Host(\`${route.host}\`)`, [redirect]), priority: 1 }],
    },
  });
}

/**
 * Serves an admin page: entry point `admin` alone, and only to private networks.
 * Bodies and concurrent requests are not limited: Argo CD and Grafana stream, and whoever gets here is an admin.
 * @throws when the host is not below the domain, or is the players' own
 */
export function adminRoute(chart: Chart, context: BuildContext, route: Route): void {
  const { cluster } = context;
  assertHost(context, route);
  if (route.host === cluster.hosts.broker) {
    throw new Error(
      `Route '${route.name}' in namespace '${route.namespace}' would hide the players' host '${route.host}' behind the admin entry point; use publicRoute instead of adminRoute.`,
    );
  }
  const middleware = middlewareOf(chart, route);
  const privateOnly = middleware('private-networks', { ipAllowList: { sourceRange: [...PRIVATE_NETWORKS] } });
  const headers = middleware('headers', { headers: securityHeaders(cluster.adminIssuer, 'SAMEORIGIN') });

  certificate(chart, route, cluster.adminIssuer);
  tlsOption(chart, route);
  add(chart, IngressRoute, {
    metadata: {
      name: route.name,
      namespace: route.namespace,
      labels: labels(route.name, 'route'),
      annotations: dnsTarget(context, cluster.network.adminIngress),
    },
    spec: {
      entryPoints: [entryPoints.admin],
      routes: [rule(route, `Host(\`${route.host}\`)`, [privateOnly, headers])],
      tls: tls(route),
    },
  });
}

/** Counts by the address that the connection comes from; headers that a client can write are not trusted. */
const perAddress = { ipStrategy: { depth: 0 } } as const;

function assertHost(context: BuildContext, route: Route): void {
  const { domain } = context.cluster;
  if (route.host !== domain && !route.host.endsWith(`.${domain}`)) {
    throw new Error(
      `Host '${route.host}' of route '${route.name}' in namespace '${route.namespace}' is outside of the domain '${domain}'; use the domain or a name below it, such as '${route.name}.${domain}'.`,
    );
  }
}

function middlewareOf(chart: Chart, route: Route): (suffix: string, spec: MiddlewareSpec) => string {
  return (suffix, spec) => {
    const name = `${route.name}-${suffix}`;
    add(chart, Middleware, { metadata: { name, namespace: route.namespace, labels: labels(route.name, 'route') }, spec });
    return name;
  };
}

function rule(route: Route, match: string, middlewares: readonly string[]): IngressRouteSpecRoutes {
  return {
    kind: IngressRouteSpecRoutesKind.RULE,
    match,
    middlewares: middlewares.map((name) => ({ name })),
    services: [{ name: route.service.name, port: IngressRouteSpecRoutesServicesPort.fromNumber(route.service.port) }],
  };
}

/**
 * Headers for any web page. What a page may load (Content-Security-Policy) is for the service to say, which knows its files.
 * @param issuer decides about Strict-Transport-Security: with a certificate that browsers do not trust, it would take away the button that goes on regardless
 */
function securityHeaders(issuer: string, frames: 'DENY' | 'SAMEORIGIN'): MiddlewareSpec['headers'] {
  return {
    contentTypeNosniff: true,
    customFrameOptionsValue: frames,
    referrerPolicy: 'same-origin',
    permissionsPolicy: 'camera=(), geolocation=(), microphone=()',
    ...(issuer === 'letsencrypt-production' ? { stsSeconds: ONE_YEAR } : {}),
  };
}

function secretName(route: Route): string {
  return `${route.name}-tls`;
}

function tls(route: Route): { secretName: string; options: { name: string } } {
  return { secretName: secretName(route), options: { name: secretName(route) } };
}

function tlsOption(chart: Chart, route: Route): void {
  add(chart, TlsOption, {
    metadata: { name: secretName(route), namespace: route.namespace, labels: labels(route.name, 'route') },
    spec: MODERN_TLS,
  });
}

function certificate(chart: Chart, route: Route, issuer: string): void {
  add(chart, Certificate, {
    metadata: {
      name: secretName(route),
      namespace: route.namespace,
      labels: labels(route.name, 'route'),
      annotations: {
        ...syncWave(CERTIFICATE_WAVE),
        // Nor may it hold up the Applications of later waves (worlds among them); an alert says that it is missing.
        'argocd.argoproj.io/ignore-healthcheck': 'true',
      },
    },
    spec: {
      secretName: secretName(route),
      dnsNames: [route.host],
      issuerRef: { kind: 'ClusterIssuer', name: issuer },
      privateKey: {
        algorithm: CertificateSpecPrivateKeyAlgorithm.ECDSA,
        size: 256,
        // A new key with each certificate: a key that leaked is worth nothing after the next renewal.
        rotationPolicy: CertificateSpecPrivateKeyRotationPolicy.ALWAYS,
      },
      usages: [CertificateSpecUsages.DIGITAL_SIGNATURE, CertificateSpecUsages.SERVER_AUTH],
    },
  });
}

function dnsTarget(context: BuildContext, address: string | undefined): Record<string, string> | undefined {
  return context.cluster.hasDns && address ? { [EXTERNAL_DNS_TARGET]: address } : undefined;
}
