/**
 * The listener for game servers, reachable inside the cluster only.
 * It deliberately has no page, no cookies and no route for others. Its callers are our own servers, each proven by its token; the limits are for one that was taken over, so that
 * it cannot keep the broker from everybody else.
 */
import fastifyRateLimit from '@fastify/rate-limit';
import fastifySwagger from '@fastify/swagger';
import type { Broker } from '../broker.ts';
import { handOverRoutes } from '../instances/hand-over-routes.ts';
import { gameServerRoutes } from '../play/game-server-routes.ts';
import { type Application, makeApplication } from './application.ts';
import { clientAddressKey } from './client-address.ts';
import { operationOf, serveOpenApi } from './openapi.ts';

/** A report of a full server has 100 kB, a character's state of 64 KiB in base64 86 kB. */
const BODY_LIMIT = 192 * 1024;
/** Requests of one pod in ten seconds: each of a full server's thousand players may be saved, claimed or released three times in it. */
const RATE = { max: 3_000, timeWindow: 10_000 };

/** @param options.rate other limits of one pod; for tests. @default RATE */
export async function internalApplication(broker: Broker, { rate = RATE }: { readonly rate?: typeof RATE } = {}): Promise<Application> {
  const application = makeApplication({
    log: broker.log,
    metrics: broker.metrics,
    trustedProxyHops: 0,
    bodyLimit: BODY_LIMIT,
    stopping: broker.stopping,
    closeWhenUnavailable: true,
  });
  await application.register(fastifyRateLimit, { ...rate, keyGenerator: (request) => clientAddressKey(request.ip) });
  await application.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Connect broker, for game servers', version: '1' },
      components: {
        securitySchemes: { gameServer: { type: 'http', scheme: 'bearer', description: 'The projected ServiceAccount token of the pod.' } },
      },
    },
    transform: operationOf,
  });
  serveOpenApi(application);
  await application.register(gameServerRoutes(broker));
  await application.register(handOverRoutes(broker));
  return application;
}
