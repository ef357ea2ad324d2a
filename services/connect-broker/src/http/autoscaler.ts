/**
 * The listener for Agones' controller: the webhook of its FleetAutoscalers, and nothing else.
 * It deliberately has a port of its own. Its caller shows no token, so the network policies are what says who may ask, and those know ports and no paths.
 */
import fastifyRateLimit from '@fastify/rate-limit';
import type { Broker } from '../broker.ts';
import { autoscalerRoutes } from '../instances/autoscaler-routes.ts';
import { type Application, makeApplication } from './application.ts';
import { clientAddressKey } from './client-address.ts';

/**
 * A question has the Fleet's annotations, of which Kubernetes takes 256 KiB: six times that where every character is escaped as Go's JSON does (`<` becomes `\u003c`), and its
 * labels and numbers.
 */
const BODY_LIMIT = 1_600 * 1024;
/** Requests of one pod in ten seconds: Agones asks every 5 s for each Fleet, so these are the questions of 150 Fleets. */
const RATE = { max: 300, timeWindow: 10_000 };

/** @param options.rate other limits of one pod; for tests. @default RATE */
export async function autoscalerApplication(broker: Broker, { rate = RATE }: { readonly rate?: typeof RATE } = {}): Promise<Application> {
  const application = makeApplication({
    log: broker.log,
    metrics: broker.metrics,
    trustedProxyHops: 0,
    bodyLimit: BODY_LIMIT,
    stopping: broker.stopping,
    closeWhenUnavailable: true,
  });
  await application.register(fastifyRateLimit, { ...rate, keyGenerator: (request) => clientAddressKey(request.ip) });
  await application.register(autoscalerRoutes(broker));
  return application;
}
