/**
 * HTTP: logging in, looking at one's sessions, logging out of one or all of them.
 * It deliberately holds no rules; they are in login.ts and sessions.ts.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Broker } from '../broker.ts';
import { Problem } from '../problem.ts';
import { clientAddress } from './attempts.ts';
import { requireAccount } from './authenticate.ts';
import { logIn } from './login.ts';
import { givenName, givenPassword, SESSION_NEEDED } from './schemas.ts';
import {
  clearSessionCookie,
  endSession,
  endSessions,
  handOver,
  listSessions,
  loginAnswer,
  requireOriginFor,
  sessionAnswer,
  sessionDevice,
  sessionKind,
} from './sessions.ts';

export const sessionRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { database } = broker;

    application.post(
      '/v1/sessions',
      {
        schema: {
          tags: ['sessions'],
          summary: 'Log in with name and password',
          description:
            'Failures count for the account and the address: 5 in a minute, 10 in ten minutes, then 429 with Retry-After. The answer does not say whether the account exists.',
          security: [],
          body: z.object({
            name: givenName,
            password: givenPassword,
            kind: sessionKind.default('bearer'),
            device: sessionDevice.optional(),
          }),
          response: { 201: loginAnswer },
        },
      },
      async (request, reply) => {
        const { name, password, kind, device } = request.body;
        requireOriginFor(broker, request, kind);
        const { account, opened } = await logIn(broker, { name, password, address: clientAddress(request), session: { kind, device } });
        reply.status(201);
        return { account, ...(await handOver(broker, request, reply, opened)) };
      },
    );

    application.get(
      '/v1/sessions',
      {
        schema: {
          tags: ['sessions'],
          summary: 'Where the account is logged in',
          security: SESSION_NEEDED,
          response: { 200: z.object({ sessions: z.array(sessionAnswer) }) },
        },
      },
      async (request) => {
        const who = await requireAccount(broker, request);
        return { sessions: await listSessions(database, who.accountId, who.sessionId) };
      },
    );

    application.get(
      '/v1/sessions/current',
      {
        schema: {
          tags: ['sessions'],
          summary: 'The session of this request',
          security: SESSION_NEEDED,
          response: { 200: sessionAnswer },
        },
      },
      async (request) => {
        const who = await requireAccount(broker, request);
        const current = (await listSessions(database, who.accountId, who.sessionId)).find((session) => session.current);
        if (!current) throw new Problem('not-logged-in', 'The session has ended. Log in again.');
        return current;
      },
    );

    application.delete(
      '/v1/sessions',
      {
        schema: {
          tags: ['sessions'],
          summary: 'Log out everywhere, here too',
          security: SESSION_NEEDED,
          response: { 200: z.object({ sessionsEnded: z.int() }) },
        },
      },
      async (request, reply) => {
        const who = await requireAccount(broker, request);
        const sessionsEnded = await endSessions(database, who.accountId);
        if (who.kind === 'cookie') clearSessionCookie(broker, reply);
        return { sessionsEnded };
      },
    );

    application.delete(
      '/v1/sessions/current',
      {
        schema: {
          tags: ['sessions'],
          summary: 'Log out',
          security: SESSION_NEEDED,
          response: { 204: z.null().describe('The session has ended.') },
        },
      },
      async (request, reply) => {
        const who = await requireAccount(broker, request);
        await endSession(database, who.accountId, who.sessionId);
        if (who.kind === 'cookie') clearSessionCookie(broker, reply);
        return reply.status(204).send(null);
      },
    );

    application.delete(
      '/v1/sessions/:session',
      {
        schema: {
          tags: ['sessions'],
          summary: 'Log out somewhere else',
          security: SESSION_NEEDED,
          params: z.object({ session: z.uuid() }),
          response: { 204: z.null().describe('The session has ended.') },
        },
      },
      async (request, reply) => {
        const who = await requireAccount(broker, request);
        if (!(await endSession(database, who.accountId, request.params.session))) {
          throw new Problem('not-found', 'The account has no such session.');
        }
        if (who.kind === 'cookie' && request.params.session === who.sessionId) clearSessionCookie(broker, reply);
        return reply.status(204).send(null);
      },
    );
  };
