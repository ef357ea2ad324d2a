/**
 * Realms and servers over HTTP, as operators order them about: maintenance, announce, drain, save.
 * It deliberately only reads requests and writes answers; maintenance.ts and orders.ts have the rules.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Broker } from '../broker.ts';
import { act } from './actor.ts';
import { endMaintenance, listMaintenance, startMaintenance } from './maintenance.ts';
import { type OrderKind, order, type Recipients, recipients } from './orders.ts';
import { ADMIN, line, moment, requireActor } from './schemas.ts';

const maintenance = z.object({
  realm: z.string(),
  message: z.string(),
  since: z.date(),
  until: z.date().nullable().describe('When it is expected to be over; it ends when it is ended.'),
});
const realmParams = z.object({
  realm: z.string().regex(/^[a-z0-9-]{1,63}$/, 'must be the name of a realm: lower-case letters, digits and hyphens'),
});
const to = z
  .strictObject({
    server: line(200).optional(),
    realm: line(63).optional(),
    all: z.literal(true).optional(),
  })
  .refine((given) => Object.values(given).filter((value) => value !== undefined).length === 1, 'must have one of server, realm and all')
  .transform((given) => given as Recipients)
  .describe('One server (world:<realm>/<continent> or instance:<GameServer>), the worlds of a realm, or every server that runs.');
const ordered = z.object({ servers: z.array(z.string()).describe('The servers that will be told with their next report.') });

export const serverRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { database, settings, view } = broker;

    application.get(
      '/v1/admin/maintenance',
      { schema: { ...ADMIN, summary: 'Realms under maintenance.', response: { 200: z.object({ realms: z.array(maintenance) }) } } },
      async (request) => {
        await requireActor(broker, request);
        return { realms: await listMaintenance(database) };
      },
    );

    application.put(
      '/v1/admin/realms/:realm/maintenance',
      {
        schema: {
          ...ADMIN,
          summary: 'Close a realm for newcomers, or change what is said about it.',
          description: 'Nobody who plays is moved: announce, drain and kick do that.',
          params: realmParams,
          body: z.strictObject({ message: line(500), until: moment.optional() }),
          response: { 200: maintenance },
        },
      },
      async (request) => {
        const actor = await requireActor(broker, request);
        const { realm } = request.params;
        return act(database, actor, (transaction, note) =>
          startMaintenance(transaction, note, actor, settings.realms, { realm, ...request.body }),
        );
      },
    );

    application.delete(
      '/v1/admin/realms/:realm/maintenance',
      {
        schema: {
          ...ADMIN,
          summary: 'Open a realm again.',
          params: realmParams,
          response: { 200: z.object({ ended: z.boolean().describe('False when it was open.') }) },
        },
      },
      async (request) => {
        const actor = await requireActor(broker, request);
        const ended = await act(database, actor, (transaction, note) =>
          endMaintenance(transaction, note, settings.realms, request.params.realm),
        );
        return { ended };
      },
    );

    const give = async (
      request: Parameters<typeof requireActor>[1],
      kind: OrderKind,
      whom: Recipients,
      details: Readonly<Record<string, unknown>> = {},
    ) => {
      const actor = await requireActor(broker, request);
      const servers = recipients(view, whom);
      await act(database, actor, (transaction, note) => order(transaction, note, kind, servers, whom, details));
      return { servers };
    };

    application.post(
      '/v1/admin/announcements',
      {
        schema: {
          ...ADMIN,
          summary: 'Have servers tell their players something.',
          body: z.strictObject({ to, message: line(500) }),
          response: { 200: ordered },
        },
      },
      (request) => give(request, 'announce', request.body.to, { message: request.body.message }),
    );

    application.post(
      '/v1/admin/drains',
      {
        schema: {
          ...ADMIN,
          summary: 'Have servers take no newcomers until they are restarted.',
          body: z.strictObject({ to }),
          response: { 200: ordered },
        },
      },
      (request) => give(request, 'drain', request.body.to),
    );

    application.post(
      '/v1/admin/saves',
      { schema: { ...ADMIN, summary: 'Have servers save now.', body: z.strictObject({ to }), response: { 200: ordered } } },
      (request) => give(request, 'save', request.body.to),
    );
  };
