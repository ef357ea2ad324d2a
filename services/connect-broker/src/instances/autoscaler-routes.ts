/**
 * The webhook of Agones' FleetAutoscaler: how many servers a Fleet needs, so that it can go to zero and come back when somebody asks.
 * It deliberately keeps nothing: the answer comes from the request and the database, and so is the same from every replica. Nor is it in an OpenAPI document:
 * question and answer are Agones' (FleetAutoscaleReview).
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { BROKER_AUTOSCALER_PATH } from '../../../../lib/broker-contract.ts';
import type { Broker } from '../broker.ts';
import { Problem } from '../problem.ts';

/** int32, as Agones reads it. */
const replicas = z.int().min(0).max(2_147_483_647);
const setting = (fallback: number) => z.coerce.number().int().min(0).max(10_000).default(fallback);

/** Without `max` in the URL: far above what a home runs, so that a mistake does not start servers without end. */
const MOST_SERVERS = 100;

/** What Agones sends (FleetAutoscaleReview); fields that are not used may be anything. */
const reviewSchema = z.looseObject({
  request: z.looseObject({
    uid: z.string().min(1).max(100),
    name: z.string().max(253).optional(),
    namespace: z.string().max(253).optional(),
    status: z.looseObject({ replicas: replicas.default(0), allocatedReplicas: replicas.default(0) }),
  }),
});

const answerSchema = z.object({ response: z.object({ uid: z.string(), scale: z.boolean(), replicas }) });

export const autoscalerRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { settings, database } = broker;
    const types = new Set(settings.instances.map(({ name }) => name));

    // The answer is allocated + waiting + warm. Without a database it is 503: Agones then leaves the Fleet as it is, or asks the next policy of a chain.
    application.post(
      `${BROKER_AUTOSCALER_PATH}/:contentType`,
      {
        schema: {
          params: z.object({ contentType: z.string().max(63) }),
          querystring: z.object({
            /** Servers that are ready although nobody waits. */
            warm: setting(0),
            /** At least as many. */
            min: setting(0),
            /** At most as many. */
            max: setting(MOST_SERVERS),
          }),
          body: reviewSchema,
          response: { 200: answerSchema },
        },
      },
      async (request) => {
        const { contentType } = request.params;
        const { warm, min, max } = request.query;
        if (!types.has(contentType)) throw new Problem('not-found', `There is no content of the type '${contentType}'.`);
        const { uid, status } = request.body.request;
        const [row] = await database.query<{ waiting: number; allocated: number }>(
          `select count(*) filter (where state = 'wanted')::integer as waiting, count(*) filter (where state <> 'wanted')::integer as allocated
           from instances where content_type = $1 and state <> 'ended'`,
          [contentType],
        );
        const { waiting = 0, allocated = 0 } = row ?? {};
        // The Fleet counts an allocation some moments after it was made; its own servers of other clients count as well.
        const needed = Math.max(status.allocatedReplicas, allocated) + waiting + warm;
        const wanted = Math.min(Math.max(needed, min), Math.max(max, min));
        return { response: { uid, scale: wanted !== status.replicas, replicas: wanted } };
      },
    );
  };
