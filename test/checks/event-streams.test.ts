/**
 * Cases of the check `event-streams`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { eventStreams } from '../../lib/checks/event-streams';
import { mayMatch, priorityOf } from '../../lib/checks/route-match';
import { changed, cluster, find, sentencesOf, withMore } from './fixture';

// biome-ignore lint/suspicious/noExplicitAny: tests break objects in ways that types forbid.
type Any = any;
const ROUTE = 'IngressRoute connect-broker/connect-broker';
const sentences = (objects?: Parameters<typeof sentencesOf>[1]) => sentencesOf(eventStreams, objects);
const route = (change: (route: Any, spec: Any) => void) => changed(ROUTE, ({ spec }) => change(spec.routes[0], spec));
const STREAM = `Host(\`${cluster.hosts.broker}\`) && PathPrefix(\`/v1/events\`)`;

/** The good objects with the route's rate limit replaced. */
function headersAre(spec: object) {
  const objects = changed('Middleware connect-broker/connect-broker-headers', (manifest) => void Object.assign(manifest.spec, spec));
  return objects;
}

describe('event-streams', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it.each(['buffering', 'inFlightReq', 'compress', 'retry'])('refuses %s where the stream goes', (kind) => {
    expect(sentences(headersAre({ [kind]: {} })).map((sentence) => sentence.split(': ')[0])).toEqual([
      `${ROUTE} spec.routes[0].middlewares[connect-broker-headers]`,
    ]);
  });

  it('says what holds the stream back', () => {
    expect(sentences(headersAre({ buffering: {} }))).toEqual([
      "IngressRoute connect-broker/connect-broker spec.routes[0].middlewares[connect-broker-headers]: The stream /v1/events goes through the Middleware 'connect-broker-headers', whose buffering keeps the answer until it is complete, which a stream never is.",
    ]);
  });

  it('takes buffering beside a route of the stream', () => {
    const objects = headersAre({ buffering: {} });
    const { routes } = find(objects, ROUTE).manifest.spec;
    objects.push({
      application: 'connect-broker',
      exceptions: [],
      manifest: {
        apiVersion: 'traefik.io/v1alpha1',
        kind: 'Middleware',
        metadata: { name: 'plain', namespace: 'connect-broker' },
        spec: { headers: {} },
      },
    });
    routes.push({ ...routes[0], match: STREAM, middlewares: [{ name: 'plain' }, { name: 'connect-broker-rate-limit' }] });
    expect(sentences(objects)).toEqual([]);
  });

  it("refuses buffering where a higher priority takes the stream's requests", () => {
    const objects = headersAre({ buffering: {} });
    const { routes } = find(objects, ROUTE).manifest.spec;
    routes[0].priority = 1000;
    routes.push({ ...routes[0], priority: undefined, match: STREAM, middlewares: [{ name: 'connect-broker-rate-limit' }] });
    expect(sentences(objects).filter((sentence) => sentence.includes('stream'))).toHaveLength(1);
  });

  it('looks into chains', () => {
    const middleware = (name: string, spec: object) => ({
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'Middleware',
      metadata: { name, namespace: 'connect-broker' },
      spec,
    });
    const objects = withMore(
      'connect-broker',
      middleware('all', { chain: { middlewares: [{ name: 'again' }, { name: 'all' }] } }),
      middleware('again', { retry: { attempts: 3 } }),
    );
    find(objects, ROUTE).manifest.spec.routes[0].middlewares.push({ name: 'all' });
    expect(sentences(objects)).toEqual([
      "IngressRoute connect-broker/connect-broker spec.routes[0].middlewares[all]: The stream /v1/events goes through the Middleware 'all', whose retry opens the stream again after an error, and events arrive twice.",
    ]);
  });

  it('asks a public route for a rate limit', () => {
    expect(sentences(route((each) => void each.middlewares.pop()))).toEqual([
      'IngressRoute connect-broker/connect-broker spec.routes[0].middlewares: The public route Host(`mmo.example.org`) has no rate limit: one address can take all of the Service.',
    ]);
  });

  it('asks a public route for security headers', () => {
    expect(sentences(route((each) => void each.middlewares.shift()))).toEqual([
      'IngressRoute connect-broker/connect-broker spec.routes[0].middlewares: The public route Host(`mmo.example.org`) sets no security headers.',
    ]);
  });

  it('takes a route without entry points for a public one', () => {
    const objects = changed('IngressRoute monitoring/grafana', ({ spec }) => {
      delete spec.entryPoints;
      spec.routes[0].middlewares.pop();
    });
    expect(sentences(objects)).toHaveLength(1);
  });

  it('asks an admin page for no rate limit', () => {
    expect(sentences(changed('IngressRoute monitoring/grafana', ({ spec }) => void spec.routes[0].middlewares.pop()))).toEqual([]);
  });

  it('asks a redirect for nothing else', () => {
    const objects = changed('IngressRoute connect-broker/connect-broker-redirect', ({ spec }) => {
      spec.routes[0].middlewares = [{ name: 'connect-broker-redirect' }];
    });
    expect(sentences(objects)).toEqual([]);
  });

  it('refuses a Middleware of another namespace', () => {
    expect(sentences(route((each) => void each.middlewares.push({ name: 'grafana-headers', namespace: 'monitoring' })))).toEqual([
      "IngressRoute connect-broker/connect-broker spec.routes[0].middlewares[grafana-headers].namespace: The Middleware 'grafana-headers' is in namespace 'monitoring', but the route is in 'connect-broker': Traefik refuses references to other namespaces, and the route answers 404.",
    ]);
  });

  it('refuses a Middleware of another provider', () => {
    expect(sentences(route((each) => void each.middlewares.push({ name: 'auth@file' })))).toEqual([
      "IngressRoute connect-broker/connect-broker spec.routes[0].middlewares[auth@file]: The Middleware 'auth@file' comes from another provider.",
    ]);
  });

  it.each(['IngressRouteUDP', 'IngressRouteTCP'])('refuses %s', (kind) => {
    const objects = withMore('realms', {
      apiVersion: 'traefik.io/v1alpha1',
      kind,
      metadata: { name: 'game', namespace: 'realm-aurora' },
      spec: {},
    });
    expect(sentences(objects)).toHaveLength(1);
  });

  it('says why game traffic does not go through Traefik', () => {
    const metadata = { name: 'game', namespace: 'realm-aurora' };
    expect(sentences(withMore('realms', { apiVersion: 'traefik.io/v1alpha1', kind: 'IngressRouteUDP', metadata, spec: {} }))).toEqual([
      "IngressRouteUDP realm-aurora/game kind: IngressRouteUDP routes traffic that is not HTTP through Traefik: a game server would see Traefik's address instead of its players', and every packet would take a detour.",
    ]);
  });
});

describe('rules of Traefik', () => {
  it.each([
    ['Host(`a.example`)', true],
    ['Host(`b.example`)', false],
    ['Host(`b.example`) || Host(`A.example`)', true],
    ['Host(`a.example`) && PathPrefix(`/v1`)', true],
    ['Host(`a.example`) && PathPrefix(`/v2`)', false],
    ['Host(`a.example`) && (PathPrefix(`/v2`) || Path(`/v1/events`))', true],
    ['Host(`a.example`) && !PathPrefix(`/v1`)', false],
    ['Host(`a.example`) && !Method(`POST`)', true],
    ['Host(`b.example`) && Header(`X-A`, `b`)', false],
    ['PathRegexp(`^/v[0-9]+/events$`)', true],
    ['HostRegexp(`^.+\\.test$`)', false],
  ])('%s matches /v1/events of a.example: %s', (rule, expected) => {
    expect(mayMatch(rule, 'a.example', '/v1/events')).toBe(expected);
  });

  it('order routes by the length of the rule where no priority is written', () => {
    expect(priorityOf({ match: 'Host(`a`)' })).toBe(9);
  });

  it('order routes by the priority that is written', () => {
    expect(priorityOf({ match: 'Host(`a`)', priority: 1 })).toBe(1);
  });
});
