/**
 * The listener for game servers and for Agones' autoscaler, reachable inside the cluster only.
 * It deliberately has no page, no cookies and no rate limit: its callers are our own servers, each proven by its token.
 */
import fastifySwagger from '@fastify/swagger';
import type { Broker } from '../broker.ts';
import { autoscalerRoutes } from '../instances/autoscaler-routes.ts';
import { gameServerRoutes } from '../play/game-server-routes.ts';
import { type Application, makeApplication } from './application.ts';
import { operationOf } from './openapi.ts';

/** A report of a full server, and a character's state of 64 KiB in base64. */
const BODY_LIMIT = 512 * 1024;

export async function internalApplication(broker: Broker): Promise<Application> {
  const application = makeApplication({
    log: broker.log,
    metrics: broker.metrics,
    trustedProxyHops: 0,
    bodyLimit: BODY_LIMIT,
    stopping: broker.stopping,
    closeWhenUnavailable: true,
  });
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
  application.get('/v1/openapi.json', { schema: { hide: true } }, async () => application.swagger());
  await application.register(gameServerRoutes(broker));
  await application.register(autoscalerRoutes(broker));
  return application;
}
