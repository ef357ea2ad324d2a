/**
 * Everything under /v1/admin: what operators do over HTTP.
 * It deliberately lists its parts and contains none. The command (src/commands/admin.ts) calls the same functions.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Broker } from '../broker.ts';
import { accountAdminRoutes } from './account-routes.ts';
import { auditRoutes } from './audit-routes.ts';
import { banRoutes } from './ban-routes.ts';
import { inviteRoutes } from './invite-routes.ts';
import { serverRoutes } from './server-routes.ts';

export const adminRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    for (const routes of [accountAdminRoutes, banRoutes, serverRoutes, inviteRoutes, auditRoutes]) {
      await application.register(routes(broker));
    }
  };
