/**
 * HTTP: accounts and sessions, put together.
 * It deliberately lists the parts; they share one way to send mail.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Broker } from '../broker.ts';
import { openMailer } from '../mail/mailer.ts';
import { accountOnlyRoutes } from './account-routes.ts';
import { resetRoutes } from './reset-routes.ts';
import { sessionRoutes } from './session-routes.ts';

export const accountRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const mailer = broker.settings.mail && openMailer(broker.settings.mail, broker.log);
    // What is being sent when the broker ends is still sent.
    if (mailer) application.addHook('onClose', () => mailer.idle());
    await application.register(accountOnlyRoutes(broker, mailer));
    await application.register(sessionRoutes(broker));
    await application.register(resetRoutes(broker, mailer));
  };
