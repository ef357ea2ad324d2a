/**
 * The listener for players: the API under /v1, its OpenAPI document, and the page.
 * It deliberately lists its parts and contains none.
 */
import fastifyCookie from '@fastify/cookie';
import fastifyRateLimit from '@fastify/rate-limit';
import fastifySwagger from '@fastify/swagger';
import type { FastifyRequest } from 'fastify';
import { accountRoutes } from '../accounts/routes.ts';
import { adminRoutes } from '../admin/routes.ts';
import type { Broker } from '../broker.ts';
import { characterRoutes } from '../characters/routes.ts';
import { instanceRoutes } from '../instances/routes.ts';
import { openIdRoutes } from '../openid/routes.ts';
import { pageRoutes } from '../page/routes.ts';
import { connectRoutes } from '../play/connect-routes.ts';
import { Problem } from '../problem.ts';
import { realmRoutes } from '../realms/routes.ts';
import { windowCounter } from '../window-counter.ts';
import { type Application, makeApplication } from './application.ts';
import { type ClientNetwork, clientAddressKey, clientNetworkOf } from './client-address.ts';
import { operationOf, serveOpenApi } from './openapi.ts';
import { securityHeaders } from './security-headers.ts';

/** The largest body that a player sends is a password and some names. */
const BODY_LIMIT = 16 * 1024;
/** Requests of one address (IPv6: one /64) in ten seconds, over all routes of one replica: far above what a household of players needs. */
const RATE = { most: 300, windowMs: 10_000 };

export async function publicApplication(broker: Broker): Promise<Application> {
  const { settings, metrics, log } = broker;
  const requests = windowCounter(RATE.windowMs);
  /** Counts a request of an address; why it is refused. Not the plugin's work, which takes several promises for each request: it sees to routes with limits of their own. */
  const limited = (request: FastifyRequest): Problem | undefined => {
    const { count, secondsLeft } = requests.add(clientAddressKey(request.clientIp || request.ip));
    if (count <= RATE.most) return undefined;
    return new Problem('too-many-requests', 'Too many requests from this address.', { retryAfterSeconds: secondsLeft });
  };
  const application = makeApplication({
    log,
    metrics,
    trustedProxyHops: settings.trustedProxyHops,
    bodyLimit: BODY_LIMIT,
    stopping: broker.stopping,
    beforeUnrouted: async (request) => {
      // Hooks have seen those that no route answers, and not those that are no URL.
      const refusal = request.clientIp ? undefined : limited(request);
      if (refusal) throw refusal;
    },
  });
  const secure = settings.publicUrl.startsWith('https:');
  const headers = securityHeaders(secure);
  const nodes = new Set(settings.nodes.map(({ lan }) => lan));
  // Looked up once: prom-client would put the names together for every request.
  const count = (network: ClientNetwork) => metrics.clientRequests.labels({ network });
  const seen = { internet: count('internet'), private: count('private'), node: count('node') };
  application.addHook('onRequest', (request, reply, done) => {
    seen[clientNetworkOf(request.clientIp, nodes)].inc();
    reply.headers(headers);
    done(limited(request));
  });
  await application.register(fastifyCookie);
  await application.register(fastifyRateLimit, { global: false, keyGenerator: (request) => clientAddressKey(request.clientIp) });
  await application.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Connect broker',
        version: '1',
        description: 'The players’ single entry point: accounts, characters, realms, queues and netcode connect tokens.',
      },
      servers: [{ url: settings.publicUrl }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'The token of a session, for game clients.' },
          cookie: { type: 'apiKey', in: 'cookie', name: secure ? '__Host-session' : 'session', description: 'The same, for the page.' },
        },
      },
    },
    transform: operationOf,
  });
  serveOpenApi(application);
  for (const routes of [
    accountRoutes,
    openIdRoutes,
    characterRoutes,
    realmRoutes,
    connectRoutes,
    instanceRoutes,
    adminRoutes,
    pageRoutes,
  ]) {
    await application.register(routes(broker));
  }
  return application;
}
