/**
 * HTTP: logging in through other providers, for the page by a redirection and for game clients by the system's browser and their loopback address.
 * It deliberately leaves what an identity means to identities.ts and what an issuer must prove to flows.ts.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { registeredAnswer } from '../accounts/account-routes.ts';
import { clientAddress } from '../accounts/attempts.ts';
import { requireAccount, requireOwnOrigin } from '../accounts/authenticate.ts';
import { loginResult, proveAgain } from '../accounts/login.ts';
import { inviteCode, newName, SESSION_NEEDED } from '../accounts/schemas.ts';
import { handOver, loginAnswer, requireOriginFor, sessionDevice, sessionKind } from '../accounts/sessions.ts';
import type { Broker } from '../broker.ts';
import { Problem } from '../problem.ts';
import { CALLBACK_PATH, type Flow, FlowFailed, finishFlow, flowClient, startFlow, takeFlow } from './flows.ts';
import {
  exchangeCode,
  listIdentities,
  makeExchangeCode,
  type Outcome,
  pendingIdentity,
  REGISTRATION_MINUTES,
  registerIdentity,
  suggestedName,
  unlinkIdentity,
  useIdentity,
} from './identities.ts';
import { openProviders } from './providers.ts';

/** Flows are rows that anybody can make. */
const FLOWS = { max: 30, timeWindow: '1 minute' };

/** Why a log-in did not succeed, as the page's fragment or the loopback address tells it. */
type Reason = 'expired' | 'cancelled' | 'failed' | 'unavailable' | 'banned' | 'registration-closed' | 'conflict' | 'not-logged-in';

const nameNeededAnswer = z.object({
  result: z.literal('name-needed'),
  ticket: z.string().describe('For POST /v1/openid/accounts.'),
  suggestedName: z.string().nullable(),
  inviteNeeded: z.boolean(),
  expiresAt: z.iso.datetime(),
});

export const openIdRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { settings, database, metrics } = broker;
    const providers = openProviders(settings.openId);
    const secure = settings.publicUrl.startsWith('https:');
    const prefix = secure ? '__Host-' : '';
    const cookies = { flow: `${prefix}openid-flow`, ticket: `${prefix}openid-ticket` };
    // Lax: the way back from the issuer is another site's navigation, and the browser must prove that it began the flow.
    const flowCookie = { path: '/', httpOnly: true, secure, sameSite: 'lax' } as const;
    const ticketCookie = { path: '/', httpOnly: true, secure, sameSite: 'strict' } as const;
    const inviteNeeded = settings.registration === 'invite';

    application.get(
      '/v1/openid',
      {
        schema: {
          tags: ['openid'],
          summary: 'Other ways to log in',
          security: [],
          response: { 200: z.object({ providers: z.array(z.object({ name: z.string(), title: z.string() })) }) },
        },
      },
      async () => ({ providers: providers.all.map(({ name, title }) => ({ name, title })) }),
    );

    application.post(
      '/v1/openid/:provider/flows',
      {
        config: { rateLimit: FLOWS },
        schema: {
          tags: ['openid'],
          summary: 'Begin to log in through a provider, or to link it to the account',
          description:
            'The page goes to authorizationUrl and comes back to returnTo with a cookie. A game client opens it in the system’s browser, listens at redirectUri for ?code=… and exchanges the code at POST /v1/openid/tokens. To link, the request needs the session: a cookie for the page, a bearer for a game client.',
          security: [{}, ...SESSION_NEEDED],
          params: z.object({ provider: z.string().max(63) }),
          body: z.object({
            purpose: z.enum(['login', 'link']).default('login'),
            client: flowClient,
            device: sessionDevice.optional(),
            password: z.string().max(1024).optional().describe('To link: the present password, unless the log-in is fresh.'),
          }),
          response: { 201: z.object({ authorizationUrl: z.url(), expiresAt: z.iso.datetime() }) },
        },
      },
      async (request, reply) => {
        const provider = providers.named(request.params.provider);
        const { purpose, client, device } = request.body;
        if (client.kind === 'page') requireOwnOrigin(settings, request);
        let sessionId: string | undefined;
        if (purpose === 'link') {
          const who = await requireAccount(broker, request);
          if (who.kind !== (client.kind === 'page' ? 'cookie' : 'bearer')) {
            throw new Problem('bad-request', 'To link, the page uses its cookie and a game client its bearer token.');
          }
          // An identity is a way in: a session that was left open somewhere must not be enough to keep one.
          await proveAgain(broker, who, { password: request.body.password, address: clientAddress(request), freshIsEnough: true });
          sessionId = who.sessionId;
        }
        const { authorizationUrl, state, expiresAt } = await startFlow(broker, providers, provider, { client, device, sessionId });
        if (client.kind === 'page') reply.setCookie(cookies.flow, state, { ...flowCookie, expires: expiresAt });
        reply.status(201);
        return { authorizationUrl, expiresAt: expiresAt.toISOString() };
      },
    );

    application.get(
      CALLBACK_PATH,
      {
        schema: {
          tags: ['openid'],
          summary: 'Where providers send the browser back to',
          description:
            'Redirects to the page, or to the loopback address of a game client. Problems are told there: `#openid=failed&reason=…`, or `?error=…`.',
          security: [],
          response: { 303: z.null().describe('To the page or the game client.') },
        },
      },
      async (request, reply) => {
        const url = request.raw.url ?? '';
        const query = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
        const states = new URLSearchParams(query).getAll('state');
        const flow = states.length === 1 ? await takeFlow(broker, states[0] ?? '') : undefined;
        reply.clearCookie(cookies.flow, flowCookie);
        if (!flow) return toPage(reply, '/', { openid: 'failed', reason: 'expired' });
        // Another browser than the one that began it: somebody was sent a link into a log-in that is not his.
        if (flow.client.kind === 'page' && request.cookies[cookies.flow] !== flow.state) {
          return toPage(reply, '/', { openid: 'failed', reason: 'expired' });
        }
        try {
          const identity = await finishFlow(broker, providers, flow, query);
          const { client, sessionId, device } = flow;
          if (client.kind === 'native') {
            return toClient(reply, client.redirectUri, {
              code: await makeExchangeCode(broker, { identity, sessionId, device, codeChallenge: client.codeChallenge }),
            });
          }
          const outcome = await observed(() =>
            useIdentity(broker, { identity, sessionId, kind: 'cookie', device, address: clientAddress(request) }),
          );
          return await finishOnPage(request, reply, client.returnTo, outcome);
        } catch (error) {
          return failed(request, reply, flow, error);
        }
      },
    );

    application.post(
      '/v1/openid/tokens',
      {
        config: { rateLimit: FLOWS },
        schema: {
          tags: ['openid'],
          summary: 'Exchange the one-time code of a game client',
          security: [],
          body: z.object({
            code: z.string().min(1).max(100),
            codeVerifier: z.string().regex(/^[A-Za-z0-9\-._~]{43,128}$/, 'must have 43 to 128 letters, digits, -, ., _ and ~ (RFC 7636)'),
          }),
          response: {
            200: z.discriminatedUnion('result', [
              loginAnswer.extend({ result: z.literal('logged-in') }),
              z.object({ result: z.literal('linked'), title: z.string() }),
              nameNeededAnswer,
            ]),
          },
        },
      },
      async (request, reply) => {
        const address = clientAddress(request);
        const outcome = await observed(() => exchangeCode(broker, request.body.code, request.body.codeVerifier, address));
        switch (outcome.result) {
          case 'logged-in': {
            const { result, account, opened } = outcome;
            return { result, account, ...(await handOver(broker, request, reply, opened)) };
          }
          case 'linked':
            return { result: outcome.result, title: outcome.title };
          case 'name-needed':
            return { result: outcome.result, ...nameNeeded(outcome.title, outcome.expiresAt), ticket: outcome.ticket };
        }
      },
    );

    application.get(
      '/v1/openid/pending',
      {
        schema: {
          tags: ['openid'],
          summary: 'The identity that the page may make an account for',
          description: 'After a return with #openid=choose-name; the ticket is in a cookie.',
          security: [],
          response: {
            200: nameNeededAnswer.omit({ ticket: true, result: true }).extend({
              title: z.string().describe('What its owner is called there.'),
              provider: z.string().describe('The provider’s title; its address when the settings do not have it any more.'),
            }),
          },
        },
      },
      async (request) => {
        const ticket = request.cookies[cookies.ticket];
        if (ticket === undefined) throw new Problem('not-found', 'No log-in through a provider waits for a name.');
        const { issuer, title, expiresAt } = await pendingIdentity(database, ticket);
        return { title, provider: providers.ofIssuer(issuer)?.title ?? issuer, ...nameNeeded(title, expiresAt) };
      },
    );

    application.post(
      '/v1/openid/accounts',
      {
        config: { rateLimit: { max: 60, timeWindow: '10 minutes' } },
        schema: {
          tags: ['openid'],
          summary: 'Make an account for an identity that has none, and log in',
          description: 'A game client gives its ticket; the page has it in a cookie.',
          security: [],
          body: z.object({
            ticket: z.string().min(1).max(100).optional(),
            name: newName,
            invite: inviteCode.optional(),
            kind: sessionKind.default('bearer'),
            device: sessionDevice.optional(),
          }),
          response: { 201: registeredAnswer },
        },
      },
      async (request, reply) => {
        const { ticket, name, invite, kind, device } = request.body;
        requireOriginFor(broker, request, ticket === undefined ? 'cookie' : kind);
        const presented = ticket ?? request.cookies[cookies.ticket];
        if (presented === undefined) throw new Problem('bad-request', 'There is no ticket. Log in through the provider first.');
        const { account, recoveryCodes, opened } = await registerIdentity(broker, presented, {
          name,
          invite,
          address: clientAddress(request),
          session: { kind, device },
        });
        reply.clearCookie(cookies.ticket, ticketCookie);
        reply.status(201);
        return { account, recoveryCodes, ...(await handOver(broker, request, reply, opened)) };
      },
    );

    application.get(
      '/v1/account/identities',
      {
        schema: {
          tags: ['openid'],
          summary: 'Identities elsewhere that log in to the account',
          security: SESSION_NEEDED,
          response: {
            200: z.object({
              identities: z.array(
                z.object({
                  id: z.uuid(),
                  provider: z
                    .object({ name: z.string(), title: z.string() })
                    .nullable()
                    .describe('Null when it is not among the ways to log in any more.'),
                  issuer: z.string(),
                  title: z.string(),
                  linkedAt: z.iso.datetime(),
                }),
              ),
            }),
          },
        },
      },
      async (request) => {
        const who = await requireAccount(broker, request);
        const identities = await listIdentities(database, who.accountId);
        return {
          identities: identities.map(({ id, issuer, title, linked_at }) => {
            const provider = providers.ofIssuer(issuer);
            return {
              id,
              provider: provider ? { name: provider.name, title: provider.title } : null,
              issuer,
              title,
              linkedAt: linked_at.toISOString(),
            };
          }),
        };
      },
    );

    application.delete(
      '/v1/account/identities/:identity',
      {
        schema: {
          tags: ['openid'],
          summary: 'Unlink an identity',
          description: 'Refused when it is the last way to log in.',
          security: SESSION_NEEDED,
          params: z.object({ identity: z.uuid() }),
          body: z
            .strictObject({ password: z.string().max(1024).optional().describe('The present password, unless the log-in is fresh.') })
            .nullish(),
          response: { 204: z.null().describe('It is unlinked.') },
        },
      },
      async (request, reply) => {
        const who = await requireAccount(broker, request);
        await proveAgain(broker, who, { password: request.body?.password, address: clientAddress(request), freshIsEnough: true });
        await unlinkIdentity(broker, who.accountId, request.params.identity);
        return reply.status(204).send(null);
      },
    );

    const nameNeeded = (title: string, expiresAt: Date) => ({
      suggestedName: suggestedName(title) ?? null,
      inviteNeeded,
      expiresAt: expiresAt.toISOString(),
    });

    /** Counts log-ins; links are none. */
    async function observed(work: () => Promise<Outcome>): Promise<Outcome> {
      try {
        const outcome = await work();
        if (outcome.result === 'logged-in') metrics.logins.inc({ result: 'ok' });
        return outcome;
      } catch (error) {
        metrics.logins.inc({ result: loginResult(error) });
        throw error;
      }
    }

    async function finishOnPage(request: FastifyRequest, reply: FastifyReply, returnTo: string, outcome: Outcome) {
      switch (outcome.result) {
        case 'logged-in':
          await handOver(broker, request, reply, outcome.opened);
          return toPage(reply, returnTo, { openid: 'logged-in' });
        case 'linked':
          return toPage(reply, returnTo, { openid: 'linked' });
        case 'name-needed':
          reply.setCookie(cookies.ticket, outcome.ticket, { ...ticketCookie, maxAge: REGISTRATION_MINUTES * 60 });
          return toPage(reply, '/', { openid: 'choose-name' });
      }
    }

    function failed(request: FastifyRequest, reply: FastifyReply, { client }: Flow, error: unknown) {
      const reason = reasonOf(error);
      if (reason === 'failed') request.log.warn({ err: error }, 'a log-in through a provider failed');
      return client.kind === 'native'
        ? toClient(reply, client.redirectUri, { error: reason })
        : toPage(reply, '/', { openid: 'failed', reason });
    }

    function toPage(reply: FastifyReply, path: string, fragment: Readonly<Record<string, string>>) {
      const url = new URL(path, settings.publicUrl);
      // Whatever a path becomes: only our own site is gone to.
      const safe = url.origin === new URL(settings.publicUrl).origin ? url : new URL('/', settings.publicUrl);
      safe.hash = new URLSearchParams(fragment).toString();
      return reply.header('location', safe.href).status(303).send(null);
    }

    function toClient(reply: FastifyReply, redirectUri: string, members: Readonly<Record<string, string>>) {
      const url = new URL(redirectUri);
      for (const [key, value] of Object.entries(members)) url.searchParams.set(key, value);
      return reply.header('location', url.href).status(303).send(null);
    }
  };

function reasonOf(error: unknown): Reason {
  if (error instanceof FlowFailed) return error.reason;
  if (!(error instanceof Problem)) return 'failed';
  switch (error.code) {
    case 'banned':
    case 'registration-closed':
    case 'conflict':
    case 'not-logged-in':
    case 'unavailable':
      return error.code;
    default:
      return 'failed';
  }
}
