/**
 * Bans over HTTP.
 * It deliberately only reads requests and writes answers; bans.ts has the rules.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Broker } from '../broker.ts';
import { act } from './actor.ts';
import { banAccount, banNetwork, liftBan, requireNetwork, searchBans } from './bans.ts';
import { ADMIN, ban, idParams, limit, line, moment, removal, requireActor } from './schemas.ts';

const newBan = z
  .strictObject({
    account: z.uuid().optional(),
    address: z.string().min(1).max(100).optional().describe('203.0.113.7, 203.0.113.0/24, 2001:db8::1 or 2001:db8::/48.'),
    reason: line(500).describe('The player reads it.'),
    until: moment.optional().describe('Without it, until the ban is lifted.'),
    force: z.boolean().default(false).describe('Also a network wider than /8 (IPv6: /32), and one that you are in.'),
  })
  .refine(({ account, address }) => (account === undefined) !== (address === undefined), 'must have either account or address');

export const banRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    application.post(
      '/v1/admin/bans',
      {
        schema: {
          ...ADMIN,
          summary: 'Ban an account, or an address or network.',
          description:
            'Ends the sessions of the account (of the accounts that logged in from there last), withdraws their tokens, and has their servers kick them. ' +
            'A bare IPv6 address is its /64.',
          body: newBan,
          response: { 201: z.object({ ban, removal }) },
        },
      },
      async (request, reply) => {
        const actor = await requireActor(broker, request);
        const { body } = request;
        const made = await act(broker.database, actor, (transaction, note) =>
          body.account === undefined
            ? banNetwork(transaction, note, actor, body.address as string, body, body)
            : banAccount(transaction, note, actor, body.account, body),
        );
        return reply.status(201).send(made);
      },
    );

    application.get(
      '/v1/admin/bans',
      {
        schema: {
          ...ADMIN,
          summary: 'Bans, the latest first.',
          querystring: z.strictObject({
            state: z.enum(['active', 'all']).default('active'),
            account: z.uuid().optional(),
            address: z.string().min(1).max(100).optional().describe('Bans that an address or network lies in.'),
            before: z.uuid().optional().describe('The last id of the page before.'),
            limit,
          }),
          response: { 200: z.object({ bans: z.array(ban) }) },
        },
      },
      async (request) => {
        await requireActor(broker, request);
        const { address, ...search } = request.query;
        const network = address === undefined ? undefined : requireNetwork(address).cidr;
        return { bans: await searchBans(broker.database, { ...search, network }) };
      },
    );

    application.delete(
      '/v1/admin/bans/:id',
      { schema: { ...ADMIN, summary: 'Lift a ban. It stays in the list of all.', params: idParams, response: { 200: ban } } },
      async (request) => {
        const actor = await requireActor(broker, request);
        return act(broker.database, actor, (transaction, note) => liftBan(transaction, note, actor, request.params.id));
      },
    );
  };
