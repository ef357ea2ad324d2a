/**
 * Instanced content for players: ask for an instance of one's own, or enter the one that a game server asked for.
 * It deliberately allocates nothing itself: a request leaves a row and is answered at once, and the client asks again until players may enter.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { clientAddress } from '../accounts/attempts.ts';
import { requireAccount } from '../accounts/authenticate.ts';
import { refuseBanned } from '../accounts/bans.ts';
import type { Broker } from '../broker.ts';
import type { InstanceServer, ServerIdentity } from '../discovery/view.ts';
import type { TokenResult } from '../metrics.ts';
import { clientOutdated, clientSchema, encodingsSchema, fits, tokenAnswer, tokenAnswerSchema } from '../play/connect-api.ts';
import { connectLimit } from '../play/connect-limit.ts';
import { reserve } from '../play/sessions.ts';
import { issueToken } from '../play/tokens.ts';
import { Problem } from '../problem.ts';
import { difficultyOf, difficultySchema } from './difficulty.ts';
import { type Instance, instanceFor, openInstances, ownInstance } from './instances.ts';
import { isCurrent, isOpenFor, markReady, observeOpened } from './lifecycle.ts';
import { wakeAllocation } from './tasks.ts';

const SECURITY: { [scheme: string]: string[] }[] = [{ bearer: [] }, { cookie: [] }];
/** A server that is ready takes a second or two, one that starts some more. */
const POLL_SECONDS = 2;

const instanceAnswerSchema = z.object({
  instanceId: z.uuid(),
  contentType: z.string(),
  difficulty: z.string().optional().describe('Where its content type has several.'),
  state: z.enum(['starting', 'ready', 'ended']).describe('starting: no token yet. ready: connect. ended: ask for another one.'),
  endedBecause: z.string().optional().describe('no-server: none became free in time. The rest: it was over.'),
  pollAfterSeconds: z.int().optional(),
  pollUrl: z.string(),
});

const waitAnswerSchema = z.object({
  state: z.literal('starting'),
  instanceId: z.uuid(),
  contentType: z.string(),
  characterId: z.uuid(),
  pollAfterSeconds: z.int().describe('Ask again after as long; when nobody of the roster asks for two minutes, the wish is forgotten.'),
  pollUrl: z.string(),
});

const pollUrl = (id: string) => `/v1/instances/${id}`;
const isId = (target: string): boolean => z.uuid().safeParse(target).success;

export const instanceRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { settings, database, view, metrics, netcodeKeys } = broker;
    const types = new Map(settings.instances.map((type) => [type.name, type]));

    /** What players see of it: whether they may enter decides the view and not the row, which follows a moment later. */
    const stateOf = (instance: Instance): 'starting' | 'ready' | 'ended' => {
      if (instance.state === 'ended') return 'ended';
      const server = instance.gameServer === undefined ? undefined : view.instance(instance.gameServer);
      return isOpenFor(server, instance.id) ? 'ready' : 'starting';
    };

    const answer = (instance: Instance): z.output<typeof instanceAnswerSchema> => {
      const state = stateOf(instance);
      return {
        instanceId: instance.id,
        contentType: instance.contentType,
        ...(instance.difficulty === undefined ? {} : { difficulty: instance.difficulty }),
        state,
        ...(instance.endedBecause === undefined ? {} : { endedBecause: instance.endedBecause }),
        ...(state === 'starting' ? { pollAfterSeconds: POLL_SECONDS } : {}),
        pollUrl: pollUrl(instance.id),
      };
    };

    /** @throws Problem `not-found`, `not-on-roster` */
    const find = async (target: string, accountId: string): Promise<Instance> => {
      const found = isId(target) ? await instanceFor(database, target, accountId, settings.game.build) : undefined;
      if (!found) throw new Problem('not-found', `There is no instance '${target}'.`);
      if (!found.mine) throw new Problem('not-on-roster', 'This instance is for others. Ask for one of your own by its content type.');
      return found.instance;
    };

    application.post(
      '/v1/instances/:target/connect',
      {
        schema: {
          tags: ['play'],
          summary: 'Asks for a place in an instance: a connect token, or where to ask again.',
          description:
            'With a content type: an instance for this account alone, the one that is open or a new one. With an id (from the game server that handed the player over): that one. ' +
            '202 until players may enter it; then the same request gives a token. Load first and ask for the token last: it lives for about half a minute, and is good for one attempt. ' +
            'Problems: not-logged-in, banned, not-found, not-on-roster, client-outdated (with `required`), ' +
            'instance-unavailable (with `reason`: full, draining, view-too-old, key-missing), ' +
            'invalid (a difficulty that the type does not have), conflict (one’s open instance has another difficulty: `instanceId`, `difficulty`).',
          security: SECURITY,
          params: z.object({ target: z.string().min(1).max(63).describe('Id of an instance, or a content type.') }),
          body: z.strictObject({
            characterId: z.uuid(),
            difficulty: difficultySchema
              .optional()
              .describe('Of a new instance; with an id, the one that it must have. @default the content type’s first, if it has any.'),
            client: clientSchema,
            encodings: encodingsSchema,
          }),
          response: { 200: tokenAnswerSchema.extend({ instanceId: z.uuid() }), 202: waitAnswerSchema },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const { target } = request.params;
        const { accountId } = await requireAccount(broker, request);
        connectLimit(broker).count(accountId);
        const byId = isId(target) ? await find(target, accountId) : undefined;
        const type = types.get(byId?.contentType ?? target);
        if (!type) throw new Problem('not-found', `There is no content of the type '${byId?.contentType ?? target}'.`);
        const count = (result: TokenResult) => metrics.tokens.inc({ kind: 'instance', target: type.name, result });
        try {
          await refuseBanned(database, accountId, clientAddress(request).inet);
          await requireCharacter(body.characterId, accountId);
          if (byId?.state === 'ended')
            throw new Problem('not-found', 'The instance has ended.', { members: { endedBecause: byId.endedBecause } });
          // What is not running yet will be of the build that the configuration names.
          const wanted = { protocolId: BigInt(settings.game.protocolId), build: settings.game.build };
          if (!byId && !fits(body.client, wanted) && !(await hasOpen(accountId, type.name)))
            throw clientOutdated(settings, body.client, wanted);
          const difficulty = difficultyOf(type, body.difficulty);
          const isChosen = body.difficulty !== undefined;
          const instance =
            byId ?? (await ownInstance(database, { accountId, contentType: type.name, build: settings.game.build, difficulty, isChosen }));
          if (isChosen && instance.difficulty !== difficulty) {
            throw new Problem(
              'conflict',
              'The instance that is open has another difficulty. Enter it without naming one, or wait until it has ended.',
              {
                members: { instanceId: instance.id, ...(instance.difficulty === undefined ? {} : { difficulty: instance.difficulty }) },
              },
            );
          }
          if (instance.state === 'wanted') wakeAllocation(broker);
          if (!isCurrent(view)) {
            throw unavailable(
              'view-too-old',
              'The broker has lost touch with the servers and sends nobody anywhere until it knows again where they are.',
              15,
            );
          }
          const server = instance.gameServer === undefined ? undefined : view.instance(instance.gameServer);
          const starting = () => {
            count('starting');
            reply.header('retry-after', String(POLL_SECONDS));
            return reply.status(202).send({
              state: 'starting' as const,
              instanceId: instance.id,
              contentType: type.name,
              characterId: body.characterId,
              pollAfterSeconds: POLL_SECONDS,
              pollUrl: pollUrl(instance.id),
            });
          };
          if (!server?.identity || !isOpenFor(server, instance.id)) return starting();
          const { identity } = server;
          if (!fits(body.client, identity)) throw clientOutdated(settings, body.client, identity);
          const key = netcodeKeys.forContentType(type.name, identity.keyGeneration);
          if (!key) throw unavailable('key-missing', 'The broker does not have this server’s key yet.', 15);
          const from = clientAddress(request).inet;
          const entered = await enter(instance.id, { name: server.name, identity }, accountId, body.characterId, type.capacity, from);
          // Its server was lost meanwhile.
          if (!entered) return starting();
          const { reservation, opened } = entered;
          observeOpened(metrics, opened);
          const issued = issueToken(broker, identity, {
            clientId: reservation.clientId,
            accountId,
            characterId: body.characterId,
            playSessionId: reservation.playSessionId,
            clientAddress: request.ip,
            key,
          });
          const answer = { ...tokenAnswer(issued, reservation.playSessionId, body.encodings), instanceId: instance.id };
          count('issued');
          return answer;
        } catch (error) {
          count(error instanceof Problem ? (error.code === 'client-outdated' ? 'outdated' : 'refused') : 'error');
          throw error;
        }
      },
    );

    /**
     * @returns undefined when the instance has that server no more, and waits for another one
     * @throws Problem `not-found` when it has ended, `instance-unavailable` when its server is full or takes nobody any more
     */
    const enter = (
      instanceId: string,
      { name, identity }: { readonly name: InstanceServer['name']; readonly identity: ServerIdentity },
      accountId: string,
      characterId: string,
      capacity: number,
      from: string | null,
    ) =>
      database.transaction(async (tx) => {
        // In the order that `reserve` takes them. The second is the reaper's as well (reaping.ts): it ends the instance before this, or sees the place.
        await tx.query('select lock_account($1)', [accountId]);
        await tx.query('select lock_world($1)', [identity.serverId]);
        const [present] = await tx.query<{ state: Instance['state']; game_server: string | null; ended_because: string | null }>(
          'select state, game_server, ended_because from instances where id = $1',
          [instanceId],
        );
        if (!present || present.state === 'ended') {
          throw new Problem('not-found', 'The instance has ended.', { members: { endedBecause: present?.ended_because ?? undefined } });
        }
        if (present.game_server !== name) return undefined;
        const [reported] = await tx.query<{ accepting: boolean; capacity: number }>(
          'select accepting, capacity from game_servers where server_id = $1 and pod_uid = $2',
          [identity.serverId, identity.podUid],
        );
        if (reported?.accepting === false) throw unavailable('draining', 'Its server lets nobody new in at the moment.', 15);
        const reservation = await reserve(tx, {
          accountId,
          characterId,
          serverId: identity.serverId,
          podUid: identity.podUid,
          tokenLifetimeSeconds: settings.tokens.lifetimeSeconds,
          capacity: Math.min(capacity, reported?.capacity ?? capacity),
          ...(from === null ? {} : { clientAddress: from }),
        });
        if (!reservation) throw unavailable('full', 'Every place on its server is taken.', 15);
        return { reservation, opened: present.state === 'allocated' ? await markReady(tx, [instanceId]) : [] };
      });

    const requireCharacter = async (characterId: string, accountId: string): Promise<void> => {
      const found = await database.query('select 1 from characters where id = $1 and account_id = $2', [characterId, accountId]);
      if (found.length === 0) throw new Problem('not-found', 'This account has no such character.');
    };

    const hasOpen = async (accountId: string, contentType: string): Promise<boolean> =>
      (
        await database.query("select 1 from instances where requested_by_account = $1 and content_type = $2 and state <> 'ended'", [
          accountId,
          contentType,
        ])
      ).length > 0;

    application.get(
      '/v1/instances/:id',
      {
        schema: {
          tags: ['play'],
          summary: 'How an instance stands, for those on its roster. Asking keeps the wish for it.',
          security: SECURITY,
          params: z.object({ id: z.uuid() }),
          response: { 200: instanceAnswerSchema },
        },
      },
      async (request) => {
        const { accountId } = await requireAccount(broker, request);
        return answer(await find(request.params.id, accountId));
      },
    );

    application.get(
      '/v1/instances',
      {
        schema: {
          tags: ['play'],
          summary: 'One’s open instances, the newest first: what a client can go back to after a restart.',
          security: SECURITY,
          response: { 200: z.object({ instances: z.array(instanceAnswerSchema) }) },
        },
      },
      async (request) => {
        const { accountId } = await requireAccount(broker, request);
        return { instances: (await openInstances(database, accountId)).map(answer) };
      },
    );
  };

const unavailable = (reason: string, detail: string, retryAfterSeconds: number): Problem =>
  new Problem('instance-unavailable', detail, { members: { reason }, retryAfterSeconds });
