/**
 * Accounts over HTTP, as operators see them: search, one account's state, its role, a kick.
 * It deliberately only reads requests and writes answers; accounts.ts and removal.ts have the rules.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { clientAddress } from '../accounts/attempts.ts';
import { requireAdmin } from '../accounts/authenticate.ts';
import { proveAgain } from '../accounts/login.ts';
import type { Broker } from '../broker.ts';
import { Problem } from '../problem.ts';
import { accountState, searchAccounts, setRole } from './accounts.ts';
import { act } from './actor.ts';
import { removeFromPlay } from './removal.ts';
import { ADMIN, actorOf, ban, idParams, limit, line, requireActor } from './schemas.ts';

const role = z.enum(['player', 'admin']);
const state = z.object({
  id: z.uuid(),
  name: z.string(),
  role,
  createdAt: z.date(),
  hasPassword: z.boolean(),
  identities: z.array(z.object({ issuer: z.string(), linkedAt: z.date() })).describe('Other ways to log in.'),
  sessions: z.object({ count: z.int(), lastUsedAt: z.date().nullable() }).describe('Of the page and of game clients.'),
  characters: z.array(z.object({ id: z.uuid(), name: z.string(), realm: z.string(), continent: z.string() })),
  play: z
    .object({
      sessionId: z.uuid(),
      serverId: z.string(),
      characterId: z.uuid(),
      state: z.enum(['reserved', 'active', 'held']),
      since: z.date(),
    })
    .nullable()
    .describe('reserved: it has a token; active: it plays; held: its connection was lost and its place is kept.'),
  queue: z.object({ serverId: z.string(), since: z.date() }).nullable(),
  bans: z.array(ban),
});

export const accountAdminRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { database } = broker;

    application.get(
      '/v1/admin/accounts',
      {
        schema: {
          ...ADMIN,
          summary: 'Accounts in the order of their names.',
          querystring: z.strictObject({
            name: line(80).optional().describe('Part of the name of the account or of one of its characters.'),
            role: role.optional(),
            after: z.uuid().optional().describe('The last id of the page before.'),
            limit,
          }),
          response: {
            200: z.object({
              accounts: z.array(
                z.object({
                  id: z.uuid(),
                  name: z.string(),
                  role,
                  createdAt: z.date(),
                  banned: z.boolean().describe('The account itself; addresses have bans of their own.'),
                  characters: z.int(),
                }),
              ),
            }),
          },
        },
      },
      async (request) => {
        await requireActor(broker, request);
        return { accounts: await searchAccounts(database, request.query) };
      },
    );

    application.get(
      '/v1/admin/accounts/:id',
      {
        schema: {
          ...ADMIN,
          summary: 'One account: sessions, characters, where it plays, bans.',
          params: idParams,
          response: { 200: state },
        },
      },
      async (request) => {
        await requireActor(broker, request);
        return accountState(database, request.params.id);
      },
    );

    application.put(
      '/v1/admin/accounts/:id/role',
      {
        schema: {
          ...ADMIN,
          summary: 'Make an account an administrator, or no longer.',
          description: 'It counts from the next request on. The last administrator stays one.',
          params: idParams,
          body: z.strictObject({
            role,
            password: z.string().max(1024).optional().describe('Your own present password, unless your log-in is fresh.'),
          }),
          response: { 200: z.object({ role, changed: z.boolean() }) },
        },
      },
      async (request) => {
        const who = await requireAdmin(broker, request);
        // A session that was left open somewhere must not be enough to make administrators.
        await proveAgain(broker, who, { password: request.body.password, address: clientAddress(request), freshIsEnough: true });
        const { changed } = await setRole(database, actorOf(who, request), request.params.id, request.body.role);
        return { role: request.body.role, changed };
      },
    );

    application.post(
      '/v1/admin/accounts/:id/kick',
      {
        schema: {
          ...ADMIN,
          summary: 'Have the account leave its server. It may come back at once; a ban keeps it out.',
          params: idParams,
          body: z.strictObject({ message: line(500).describe('The player reads it.') }),
          response: {
            200: z.object({ kicked: z.int().describe('Play sessions whose servers are ordered to kick them; 0 when it does not play.') }),
          },
        },
      },
      async (request) => {
        const actor = await requireActor(broker, request);
        const { id } = request.params;
        const { message } = request.body;
        return act(database, actor, async (transaction, note) => {
          const [account] = await transaction.query<{ name: string }>('select name from accounts where id = $1', [id]);
          if (!account) throw new Problem('not-found', 'There is no account with this id.');
          const kicked = await removeFromPlay(transaction, id, 'kicked', message);
          await note('account.kicked', `account:${id}`, { name: account.name, message, kicked });
          return { kicked };
        });
      },
    );
  };
