/**
 * The audit log over HTTP.
 * It deliberately can only be read.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Broker } from '../broker.ts';
import { readAudit } from './audit.ts';
import { ADMIN, limit, line, moment, requireActor } from './schemas.ts';

export const auditRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    application.get(
      '/v1/admin/audit',
      {
        schema: {
          ...ADMIN,
          summary: 'Who decided what, the newest first.',
          querystring: z.strictObject({
            action: z
              .string()
              .regex(/^[a-z-]{1,40}(\.[a-z-]{1,40})?$/, 'must be an area such as ban, or an action such as ban.made')
              .optional(),
            target: line(200).optional().describe('Exactly, such as account:<id>.'),
            actor: z.uuid().optional().describe('Id of the account that acted.'),
            since: moment.optional(),
            until: moment.optional(),
            before: z
              .string()
              .regex(/^[0-9]{1,18}$/, 'must be the id of an entry')
              .optional()
              .describe('The last id of the page before.'),
            limit,
          }),
          response: {
            200: z.object({
              entries: z.array(
                z.object({
                  id: z.string().describe('A 64-bit number.'),
                  at: z.date(),
                  actor: z.object({ id: z.uuid().nullable(), name: z.string() }),
                  action: z.string(),
                  target: z.string(),
                  details: z.record(z.string(), z.unknown()),
                }),
              ),
            }),
          },
        },
      },
      async (request) => {
        await requireActor(broker, request);
        return { entries: await readAudit(broker.database, request.query) };
      },
    );
  };
