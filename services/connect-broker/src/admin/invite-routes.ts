/**
 * Invitations and reset links over HTTP.
 * It deliberately only reads requests and writes answers; invites.ts has the rules.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Broker } from '../broker.ts';
import { act } from './actor.ts';
import { giveInvite, giveResetLink, listInvites, revokeInvite } from './invites.ts';
import { ADMIN, idParams, line, requireActor } from './schemas.ts';

const inviteId = z.string().regex(/^[0-9a-f]{16}$/, 'must be the 16 hexadecimal digits of an invitation in the list');

export const inviteRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { database, settings } = broker;

    application.post(
      '/v1/admin/invites',
      {
        schema: {
          ...ADMIN,
          summary: 'Make an invitation. Its code is shown once.',
          body: z.strictObject({
            note: line(200).optional().describe('What it is for; shown in the list.'),
            uses: z.int().min(1).max(1000).default(1).describe('Accounts that can be made with it.'),
            days: z.number().gt(0).max(365).default(14).describe('Days until it ends.'),
          }),
          response: { 201: z.object({ id: inviteId, code: z.string(), uses: z.int(), expiresAt: z.date() }) },
        },
      },
      async (request, reply) => {
        const actor = await requireActor(broker, request);
        const { id, code, uses, expiresAt } = await act(database, actor, (transaction, note) =>
          giveInvite(transaction, note, actor, request.body),
        );
        return reply.status(201).send({ id, code, uses, expiresAt });
      },
    );

    application.get(
      '/v1/admin/invites',
      {
        schema: {
          ...ADMIN,
          summary: 'Invitations, the latest first, without their codes.',
          response: {
            200: z.object({
              invites: z.array(
                z.object({
                  id: inviteId,
                  note: z.string(),
                  usesLeft: z.int(),
                  createdAt: z.date(),
                  createdBy: z.string().nullable().describe('Null: the command on the server, or an account that is gone.'),
                  expiresAt: z.date(),
                  usable: z.boolean(),
                }),
              ),
            }),
          },
        },
      },
      async (request) => {
        await requireActor(broker, request);
        return { invites: await listInvites(database) };
      },
    );

    application.delete(
      '/v1/admin/invites/:id',
      {
        schema: {
          ...ADMIN,
          summary: 'Revoke an invitation. Accounts that were made with it stay.',
          params: z.object({ id: inviteId }),
          response: { 200: z.object({ id: inviteId }) },
        },
      },
      async (request) => {
        const actor = await requireActor(broker, request);
        const { id } = request.params;
        await act(database, actor, (transaction, note) => revokeInvite(transaction, note, id));
        return { id };
      },
    );

    application.post(
      '/v1/admin/accounts/:id/reset-link',
      {
        schema: {
          ...ADMIN,
          summary: 'Make a link with which the owner sets a new password, once. It is shown once.',
          description: 'Not for the accounts of administrators: the command on the server makes theirs.',
          params: idParams,
          body: z.strictObject({ hours: z.number().gt(0).max(168).optional().describe('How long it can be used. 24 by default.') }),
          response: { 201: z.object({ url: z.string(), expiresAt: z.date() }) },
        },
      },
      async (request, reply) => {
        const actor = await requireActor(broker, request);
        const { url, expiresAt } = await act(database, actor, (transaction, note) =>
          giveResetLink(transaction, note, actor, settings, request.params.id, request.body),
        );
        return reply.status(201).send({ url, expiresAt });
      },
    );
  };
