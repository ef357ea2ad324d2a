/**
 * Routes that carry streams of events never hold them back, public routes limit rates and set security headers, and a route uses Middlewares of its own namespace only.
 * It deliberately leaves a route that only redirects alone (Traefik answers it, and no Service is reached), and refuses kinds that would route game traffic.
 */
import { BROKER_STREAMING_PATHS } from '../broker-contract';
import type { BuiltObject } from '../build';
import { Report } from './report';
import { mayMatch, type PrioritizedRoute, priorityOf } from './route-match';
import type { Check, CheckInput } from './types';

/** Entry points that the router forwards to. */
const PUBLIC = new Set(['web', 'websecure']);

/** What breaks a stream. */
const HOLD_BACK: Readonly<Record<string, string>> = {
  buffering: 'keeps the answer until it is complete, which a stream never is',
  inFlightReq: 'counts every waiting player as a request in flight, and refuses the next ones',
  compress: 'collects events until there is enough to compress',
  retry: 'opens the stream again after an error, and events arrive twice',
};

interface MiddlewareReference {
  readonly name: string;
  readonly namespace?: string;
}

interface Route extends PrioritizedRoute {
  readonly middlewares?: readonly MiddlewareReference[];
}

export const eventStreams: Check = {
  id: 'event-streams',
  why: 'A login queue and the list of realms are streams: one that is buffered shows players nothing until it ends, and a public route without limits serves whoever asks most.',
  run: (input) => {
    const report = new Report(input, eventStreams);
    for (const kind of ['IngressRouteUDP', 'IngressRouteTCP']) {
      for (const object of input.ofKind(kind)) {
        report.say(
          object,
          'kind',
          `${kind} routes traffic that is not HTTP through Traefik: a game server would see Traefik's address instead of its players', and every packet would take a detour.`,
          'Publish it by a Service of type LoadBalancer with a pinned address.',
        );
      }
    }
    const routes = input.ofKind('IngressRoute');
    for (const object of routes) each(report, input, object);
    streams(report, input, routes);
    return report.violations;
  },
};

function each(report: Report, input: CheckInput, object: BuiltObject): void {
  const { metadata, spec } = object.manifest;
  const entryPoints: readonly string[] = spec?.entryPoints ?? [];
  // Without entry points a route is on all of them.
  const isPublic = entryPoints.length === 0 || entryPoints.some((entryPoint) => PUBLIC.has(entryPoint));
  ((spec?.routes ?? []) as Route[]).forEach((route, index) => {
    const at = `spec.routes[${index}].middlewares`;
    for (const { name, namespace } of route.middlewares ?? []) {
      if (name.includes('@'))
        report.say(
          object,
          `${at}[${name}]`,
          `The Middleware '${name}' comes from another provider.`,
          "Make the Middleware an object in the route's namespace.",
        );
      else if (namespace !== undefined && namespace !== metadata.namespace) {
        report.say(
          object,
          `${at}[${name}].namespace`,
          `The Middleware '${name}' is in namespace '${namespace}', but the route is in '${metadata.namespace}': Traefik refuses references to other namespaces, and the route answers 404.`,
          `Make the Middleware in '${metadata.namespace}' and leave the namespace out.`,
        );
      }
    }
    if (!isPublic) return;
    const chained = chain(input, object, route.middlewares ?? []);
    if (redirects(chained)) return;
    if (!chained.some(({ spec: middleware }) => middleware.rateLimit !== undefined)) {
      report.say(
        object,
        at,
        `The public route ${route.match} has no rate limit: one address can take all of the Service.`,
        'Chain a Middleware with rateLimit, by address (publicRoute in lib/constructs/routes.ts).',
      );
    }
    if (!chained.some(({ spec: middleware }) => middleware.headers !== undefined)) {
      report.say(
        object,
        at,
        `The public route ${route.match} sets no security headers.`,
        'Chain a Middleware with headers (publicRoute in lib/constructs/routes.ts).',
      );
    }
  });
}

/** The route that a stream takes is the first that matches host and path, and only that. */
function streams(report: Report, input: CheckInput, objects: readonly BuiltObject[]): void {
  const host = input.built.cluster.hosts.broker;
  const candidates = objects.flatMap((object) =>
    ((object.manifest.spec?.routes ?? []) as Route[]).map((route, index) => ({
      object,
      route,
      index,
      entryPoints: (object.manifest.spec?.entryPoints ?? []) as string[],
    })),
  );
  const seen = new Set<Route>();
  for (const path of BROKER_STREAMING_PATHS) {
    for (const entryPoint of PUBLIC) {
      const [first] = candidates
        .filter(
          ({ route, entryPoints }) =>
            (entryPoints.length === 0 || entryPoints.includes(entryPoint)) && mayMatch(route.match ?? '', host, path),
        )
        .sort((a, b) => priorityOf(b.route) - priorityOf(a.route));
      if (first === undefined || seen.has(first.route)) continue;
      seen.add(first.route);
      const chained = chain(input, first.object, first.route.middlewares ?? []);
      if (redirects(chained)) continue;
      for (const { name, spec } of chained) {
        for (const [kind, consequence] of Object.entries(HOLD_BACK)) {
          if (spec[kind] === undefined) continue;
          report.say(
            first.object,
            `spec.routes[${first.index}].middlewares[${name}]`,
            `The stream ${path} goes through the Middleware '${name}', whose ${kind} ${consequence}.`,
            `Take '${name}' out of this route, or give ${path} a route of its own (streamingPaths of publicRoute).`,
          );
        }
      }
    }
  }
}

/** Traefik answers with a redirect, and no Service is reached. */
function redirects(chained: readonly ChainedMiddleware[]): boolean {
  return chained.some(({ spec }) => spec.redirectScheme !== undefined || spec.redirectRegex !== undefined);
}

interface ChainedMiddleware {
  /** Name by which the route refers to it, or to the chain that it is in. */
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Middlewares of a route, chains resolved. One that does not exist is `resolved-references`'. */
function chain(input: CheckInput, object: BuiltObject, references: readonly MiddlewareReference[]): ChainedMiddleware[] {
  const chained: ChainedMiddleware[] = [];
  const resolve = (
    { name, namespace = object.manifest.metadata.namespace }: MiddlewareReference,
    shown: string,
    above: readonly string[],
  ): void => {
    const id = `${namespace}/${name}`;
    const spec = input.find('Middleware', namespace, name)?.manifest.spec;
    if (spec === undefined || above.includes(id)) return;
    chained.push({ name: shown, spec });
    for (const inner of (spec.chain?.middlewares ?? []) as MiddlewareReference[]) resolve({ namespace, ...inner }, shown, [...above, id]);
  };
  for (const reference of references) resolve(reference, reference.name, []);
  return chained;
}
