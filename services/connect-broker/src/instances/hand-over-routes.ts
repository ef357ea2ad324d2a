/**
 * Hand-overs: a game server asks for an instance for players who are on it, and tells them its id; each of them then connects by himself.
 * It deliberately gives no tokens to servers: a token is its player's, and belongs on the encrypted way between him and the broker.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Broker } from '../broker.ts';
import { requireGameServer } from '../play/game-server-routes.ts';
import { Problem } from '../problem.ts';
import { difficultyOf, difficultySchema } from './difficulty.ts';
import { handOver, type Instance, MOST_AWAITED, requestedInstance } from './instances.ts';
import { isOpenFor } from './lifecycle.ts';
import { wakeAllocation } from './tasks.ts';

const SECURITY = [{ gameServer: [] }];
const TAGS = ['game servers'];

const answerSchema = z.object({
  instanceId: z.uuid().describe('For the players: POST /v1/instances/{id}/connect.'),
  contentType: z.string(),
  difficulty: z.string().optional().describe('Where its content type has several.'),
  state: z.enum(['starting', 'ready', 'ended']).describe('ready: players get tokens now. They may ask before, and are told to wait.'),
  endedBecause: z.string().optional(),
});

export const handOverRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { settings, database, view } = broker;
    const types = new Map(settings.instances.map((type) => [type.name, type]));
    const answer = (instance: Instance): z.output<typeof answerSchema> => ({
      instanceId: instance.id,
      contentType: instance.contentType,
      ...(instance.difficulty === undefined ? {} : { difficulty: instance.difficulty }),
      state:
        instance.state === 'ended'
          ? 'ended'
          : isOpenFor(instance.gameServer === undefined ? undefined : view.instance(instance.gameServer), instance.id)
            ? 'ready'
            : 'starting',
      ...(instance.endedBecause === undefined ? {} : { endedBecause: instance.endedBecause }),
    });

    application.post(
      '/v1/game/hand-overs',
      {
        schema: {
          tags: TAGS,
          summary: 'Asks for an instance for players of this server.',
          description:
            'The roster is made of the named sessions and accounts; all of them must be active on the calling server. Repeat a request whose answer was lost with the same `requestId`: it gets the same instance. ' +
            'Then tell the players the id, and release each of them (`why`: handed-over) when the broker orders it or they leave. ' +
            'Problems: not-found (content type), invalid (too many for the type, or a difficulty that it does not have), not-allowed (with `notHere`: those who are not on this server), ' +
            `conflict (with \`awaited\`: accounts that ${MOST_AWAITED} instances wait for already which nobody has entered).`,
          security: SECURITY,
          body: z
            .strictObject({
              requestId: z.uuid().describe('Fresh for each hand-over, chosen by the server.'),
              contentType: z.string().max(63),
              difficulty: difficultySchema.optional().describe('@default the content type’s first, if it has any.'),
              playSessionIds: z.array(z.uuid()).max(1_000).default([]),
              accountIds: z.array(z.uuid()).max(1_000).default([]),
            })
            .refine(({ playSessionIds, accountIds }) => playSessionIds.length + accountIds.length > 0, {
              message: 'names nobody: give playSessionIds or accountIds',
              path: ['playSessionIds'],
            }),
          response: { 200: answerSchema },
        },
      },
      async (request) => {
        const caller = await requireGameServer(broker, request);
        const { body } = request;
        const type = types.get(body.contentType);
        if (!type) throw new Problem('not-found', `There is no content of the type '${body.contentType}'.`);
        const difficulty = difficultyOf(type, body.difficulty);
        const result = await database.transaction(async (tx) => {
          const made = await handOver(tx, {
            serverId: caller.serverId,
            podUid: caller.podUid,
            contentType: type.name,
            build: settings.game.build,
            difficulty,
            requestId: body.requestId,
            playSessionIds: body.playSessionIds,
            accountIds: body.accountIds,
          });
          if ('strangers' in made || 'awaited' in made) return made;
          const [roster] = await tx.query<{ size: bigint }>('select count(*) as size from instance_roster where instance_id = $1', [
            made.instance.id,
          ]);
          if (Number(roster?.size) > type.capacity) {
            throw new Problem('invalid', `A roster of ${roster?.size} is too large: '${type.name}' is for ${type.capacity} players.`, {
              members: { capacity: type.capacity },
            });
          }
          return made;
        });
        if ('strangers' in result) {
          throw new Problem('not-allowed', 'A server can hand over only players who are on it.', {
            members: { notHere: result.strangers },
          });
        }
        if ('awaited' in result) {
          throw new Problem(
            'conflict',
            `A player can be awaited in ${MOST_AWAITED} instances at once. Enter one of them, or wait until they have ended.`,
            {
              members: { awaited: result.awaited },
            },
          );
        }
        if (result.instance.state === 'wanted') wakeAllocation(broker);
        return answer(result.instance);
      },
    );

    application.get(
      '/v1/game/hand-overs/:id',
      {
        schema: {
          tags: TAGS,
          summary: 'How an instance stands that this server asked for. Asking keeps the wish for it.',
          security: SECURITY,
          params: z.object({ id: z.uuid() }),
          response: { 200: answerSchema },
        },
      },
      async (request) => {
        const { serverId } = await requireGameServer(broker, request);
        const instance = await requestedInstance(database, serverId, { id: request.params.id }, settings.game.build);
        if (!instance) throw new Problem('not-found', 'This server has asked for no such instance.');
        return answer(instance);
      },
    );
  };
