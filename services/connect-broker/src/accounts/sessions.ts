/**
 * Sessions of the page and of game clients: opened, listed, ended, and given to a browser as a cookie.
 * It deliberately proves nobody's identity: whoever calls `openSession` has done that.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Broker } from '../broker.ts';
import type { Queryable } from '../database/database.ts';
import type { Settings } from '../settings.ts';
import { presentedAs, presentedSession, requireOwnOrigin, type SessionKind, sessionCookieName } from './authenticate.ts';
import { randomToken } from './codes.ts';

/** Sessions of one account; the one that was used longest ago goes when another is opened. */
export const MOST_SESSIONS = 20;

/** Browsers keep no cookie longer (400 days). The session's own end counts; this only must not come before it. */
const COOKIE_SECONDS = 400 * 24 * 3600;

export const sessionKind = z
  .enum(['cookie', 'bearer'])
  .describe('cookie: for the page, set as a cookie. bearer: for game clients, the token is in the answer.');

/** What somebody recognises a session by. */
export const sessionDevice = z
  .string()
  .max(60)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, 'must not have control characters')
  .describe('What its owner recognises the session by, such as "Firefox on Linux".');

export const sessionAnswer = z.object({
  id: z.uuid(),
  kind: sessionKind,
  device: z.string(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  current: z.boolean().describe('Whether it is the session of this request.'),
});
export type SessionAnswer = z.output<typeof sessionAnswer>;

interface SessionRow {
  readonly id: string;
  readonly kind: SessionKind;
  readonly device: string;
  readonly created_at: Date;
  readonly last_used_at: Date;
  readonly expires_at: Date;
}

const answered = (row: SessionRow, current: boolean): SessionAnswer => ({
  id: row.id,
  kind: row.kind,
  device: row.device,
  createdAt: row.created_at.toISOString(),
  lastUsedAt: row.last_used_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
  current,
});

export interface OpenedSession {
  readonly session: SessionAnswer;
  /** The secret: 43 characters. It is nowhere else. */
  readonly token: string;
}

/** Opens a session with a token that nobody has seen before, and ends what is more than `MOST_SESSIONS`. */
export async function openSession(
  broker: Pick<Broker, 'sessionKeys'>,
  queryable: Queryable,
  { accountId, kind, device = '' }: { readonly accountId: string; readonly kind: SessionKind; readonly device?: string | undefined },
): Promise<OpenedSession> {
  const token = randomToken();
  // The statement sees the sessions as they were before it: those that stay beside the new one.
  const [row] = await queryable.query<SessionRow>(
    `with ended as (
       delete from sessions where id in (
         select id from sessions where account_id = $1 order by last_used_at desc, created_at desc, id offset $5)
     )
     insert into sessions (account_id, token_hash, kind, device, expires_at) values ($1, $2, $3, $4, now() + interval '30 days')
     returning id, kind, device, created_at, last_used_at, expires_at`,
    [accountId, broker.sessionKeys.hash(presentedAs(kind, token)), kind, device, MOST_SESSIONS - 1],
  );
  if (!row) throw new Error('The session was not stored.');
  return { session: answered(row, true), token };
}

/** Sessions of an account that have not ended, the last used first. */
export async function listSessions(queryable: Queryable, accountId: string, current: string): Promise<SessionAnswer[]> {
  const rows = await queryable.query<SessionRow>(
    `select id, kind, device, created_at, last_used_at, expires_at from sessions
     where account_id = $1 and expires_at > now() order by last_used_at desc, id`,
    [accountId],
  );
  return rows.map((row) => answered(row, row.id === current));
}

/** Ends one session of an account; whether there was one. */
export async function endSession(queryable: Queryable, accountId: string, sessionId: string): Promise<boolean> {
  return (await queryable.query('delete from sessions where account_id = $1 and id = $2 returning id', [accountId, sessionId])).length > 0;
}

/** Ends all sessions of an account, but one where it is named; how many. */
export async function endSessions(queryable: Queryable, accountId: string, except?: string): Promise<number> {
  const ended = await queryable.query('delete from sessions where account_id = $1 and id is distinct from $2::uuid returning id', [
    accountId,
    except ?? null,
  ]);
  return ended.length;
}

const cookieOptions = (settings: Settings) =>
  ({ path: '/', httpOnly: true, sameSite: 'strict', secure: settings.publicUrl.startsWith('https:') }) as const;

/** Gives the browser a session. Strict: our page asks from our own site, and nobody else has a reason to. */
export function setSessionCookie(broker: Broker, reply: FastifyReply, token: string): void {
  reply.setCookie(sessionCookieName(broker.settings), token, { ...cookieOptions(broker.settings), maxAge: COOKIE_SECONDS });
}

export function clearSessionCookie(broker: Broker, reply: FastifyReply): void {
  reply.clearCookie(sessionCookieName(broker.settings), cookieOptions(broker.settings));
}

/** A new session for whoever has just proven who they are: the token is in the cookie or in the answer, never in both. */
export const loginAnswer = z.object({
  session: sessionAnswer,
  account: z.object({ id: z.uuid(), name: z.string(), role: z.enum(['player', 'admin']) }),
  token: z.string().optional().describe('Of a bearer session, for the header `Authorization: Bearer …`. Shown only here.'),
});

/** A page that logs somebody in must be ours: another site could log its visitors in as itself. @throws Problem `wrong-origin` */
export function requireOriginFor(broker: Broker, request: FastifyRequest, kind: SessionKind): void {
  if (kind === 'cookie') requireOwnOrigin(broker.settings, request);
}

/** Hands a session over; a browser's session before it ends, so that it does not live on where nobody can see it. */
export async function handOver(
  broker: Broker,
  request: FastifyRequest,
  reply: FastifyReply,
  { session, token }: OpenedSession,
): Promise<{ session: SessionAnswer; token?: string }> {
  if (session.kind === 'bearer') return { session, token };
  await endPresentedCookie(broker, request);
  setSessionCookie(broker, reply, token);
  return { session };
}

async function endPresentedCookie(broker: Broker, request: FastifyRequest): Promise<void> {
  const cookie = request.cookies[sessionCookieName(broker.settings)];
  if (cookie === undefined) return;
  try {
    const { candidates } = presentedSession(broker, { headers: {}, cookies: request.cookies, method: 'GET' }, { changes: false });
    await broker.database.query('delete from sessions where token_hash = any ($1)', [candidates]);
  } catch {
    // It was no session, or the database is away: then the old one ends by its age. The new one is open either way.
  }
}
