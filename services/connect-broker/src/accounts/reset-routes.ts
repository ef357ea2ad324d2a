/**
 * HTTP: a new password for somebody who is not logged in, by a link or a recovery code; and the confirmation of an e-mail address.
 * It deliberately answers a request for a mail in the same way whether one is sent or not.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Broker } from '../broker.ts';
import type { Mailer } from '../mail/mailer.ts';
import { Problem } from '../problem.ts';
import { clientAddress } from './attempts.ts';
import { confirmEmail, mailResetLinks } from './email.ts';
import { resetByLink, resetByRecoveryCode } from './recovery.ts';
import { emailAddress, givenName, linkToken, newPassword } from './schemas.ts';

/** Tokens cannot be guessed; this is so that nobody keeps the database busy with trying. */
const TRIES = { max: 30, timeWindow: '1 minute' };

export const resetRoutes =
  (broker: Broker, mailer: Mailer | undefined): FastifyPluginAsyncZod =>
  async (application) => {
    application.post(
      '/v1/password-resets',
      {
        config: { rateLimit: TRIES },
        schema: {
          tags: ['accounts'],
          summary: 'Set a new password by a one-time link',
          description: 'All sessions end. The token is what follows #reset= in the link.',
          security: [],
          body: z.object({ token: linkToken, newPassword }),
          response: { 204: z.null().describe('Log in with the new password.') },
        },
      },
      async (request, reply) => {
        await resetByLink(broker, request.body.token, request.body.newPassword);
        return reply.status(204).send(null);
      },
    );

    application.post(
      '/v1/password-resets/recovery-codes',
      {
        config: { rateLimit: TRIES },
        schema: {
          tags: ['accounts'],
          summary: 'Set a new password by a recovery code',
          description: 'The code is used up, and all sessions end. Failures count as those of log-ins do.',
          security: [],
          body: z.object({ name: givenName, recoveryCode: z.string().min(1).max(60), newPassword }),
          response: { 200: z.object({ recoveryCodesLeft: z.int() }) },
        },
      },
      async (request) => {
        const { name, recoveryCode, newPassword: chosen } = request.body;
        const recoveryCodesLeft = await resetByRecoveryCode(broker, {
          name,
          code: recoveryCode,
          newPassword: chosen,
          address: clientAddress(request),
        });
        return { recoveryCodesLeft };
      },
    );

    application.post(
      '/v1/password-resets/requests',
      {
        config: { rateLimit: { max: 10, timeWindow: '10 minutes' } },
        schema: {
          tags: ['accounts'],
          summary: 'Have a link for a new password mailed',
          description: 'Goes to the confirmed e-mail address of the account, if there is one; the answer is the same if there is none.',
          security: [],
          body: z.union([z.strictObject({ name: givenName }), z.strictObject({ email: emailAddress })]),
          response: { 202: z.object({ message: z.string() }) },
        },
      },
      async (request, reply) => {
        if (!mailer) throw new Problem('not-found', 'This server sends no mail. Ask an administrator for a link.');
        // Not awaited: the answer must not take longer where there is an account.
        mailResetLinks(broker, mailer, request.body).catch((error: unknown) =>
          request.log.warn({ err: error }, 'no reset link was mailed'),
        );
        reply.status(202);
        return { message: 'If there is such an account with a confirmed e-mail address, a link is on its way.' };
      },
    );

    application.post(
      '/v1/email-confirmations',
      {
        config: { rateLimit: TRIES },
        schema: {
          tags: ['accounts'],
          summary: 'Confirm an e-mail address by the link that was sent to it',
          description: 'The token is what follows #confirm-email= in the link.',
          security: [],
          body: z.object({ token: linkToken }),
          response: { 204: z.null().describe('The address is confirmed.') },
        },
      },
      async (request, reply) => {
        await confirmEmail(broker.database, request.body.token);
        return reply.status(204).send(null);
      },
    );
  };
