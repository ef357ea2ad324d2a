/**
 * Who makes a request: the session behind its cookie or its bearer token, and whether that cookie comes from our own page.
 * It deliberately opens, renews and ends no sessions (sessions.ts) and knows nothing of passwords.
 */
import type { FastifyRequest } from 'fastify';
import type { Broker } from '../broker.ts';
import { isLoopbackHost } from '../loopback.ts';
import { Problem } from '../problem.ts';
import type { Settings } from '../settings.ts';

/** How a session is presented: by the page's cookie or in a game client's Authorization header. Each is good for its own way only. */
export type SessionKind = 'cookie' | 'bearer';

export interface PresentedSession {
  /** What the token may be stored as (one hash for each session key): the argument of `session_account(candidates)`. */
  readonly candidates: Uint8Array[];
  readonly kind: SessionKind;
}

export interface Authenticated {
  readonly sessionId: string;
  readonly accountId: string;
  readonly accountName: string;
  readonly role: 'player' | 'admin';
  readonly kind: SessionKind;
}

type SessionRequest = Pick<FastifyRequest, 'headers' | 'cookies' | 'method'>;

/** 256 random bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** What is hashed: a cookie's token is not a bearer's, so that neither can be used in the other's way. */
export const presentedAs = (kind: SessionKind, token: string): string => `${kind}:${token}`;

/**
 * The cookie's name. `__Host-` makes browsers refuse it from other hosts, over plain HTTP and for a part of the site;
 * a laptop without TLS cannot have it.
 */
export const sessionCookieName = ({ publicUrl }: Pick<Settings, 'publicUrl'>): '__Host-session' | 'session' =>
  publicUrl.startsWith('https:') ? '__Host-session' : 'session';

/**
 * The session that a request presents, not looked up yet: no database is asked. A bearer token counts before a cookie.
 * @param options.changes whether the request changes something: then a cookie is accepted from our own page only
 * @throws Problem `not-logged-in` when there is none, `wrong-origin` when a cookie comes from another site
 */
export function presentedSession(broker: Broker, request: SessionRequest, { changes }: { readonly changes: boolean }): PresentedSession {
  const bearer = /^bearer +(.*)$/i.exec(request.headers.authorization ?? '')?.[1]?.trim();
  const kind: SessionKind = bearer === undefined ? 'cookie' : 'bearer';
  const token = bearer ?? request.cookies[sessionCookieName(broker.settings)];
  if (token === undefined) throw new Problem('not-logged-in', 'Log in first: there is neither a session cookie nor a bearer token.');
  if (!TOKEN.test(token)) throw notLoggedIn();
  if (kind === 'cookie' && changes) requireOwnOrigin(broker.settings, request);
  return { candidates: broker.sessionKeys.candidates(presentedAs(kind, token)), kind };
}

export const notLoggedIn = (): Problem => new Problem('not-logged-in', 'The session has ended. Log in again.');

/**
 * Refuses what another site has its visitors' browsers send: `Origin` must be ours, and so must `Sec-Fetch-Site` where the browser sends it.
 * On a laptop every name of loopback is ours, with the port that the request came to: cookies do not know ports.
 * @throws Problem `wrong-origin`
 */
export function requireOwnOrigin({ publicUrl }: Pick<Settings, 'publicUrl'>, { headers }: Pick<FastifyRequest, 'headers'>): void {
  const ours = new URL(publicUrl);
  const site = headers['sec-fetch-site'];
  if (isOwnOrigin(ours, headers.origin, headers.host) && (site === undefined || site === 'same-origin')) return;
  throw new Problem(
    'wrong-origin',
    `Requests with a cookie must come from the page at ${ours.origin} (the header Origin). Game clients log in for a bearer token and send no cookie.`,
  );
}

function isOwnOrigin(ours: URL, origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return false;
  if (origin === ours.origin) return true;
  if (ours.protocol !== 'http:' || !isLoopbackHost(ours.hostname) || !URL.canParse(origin)) return false;
  const theirs = new URL(origin);
  return theirs.protocol === 'http:' && isLoopbackHost(theirs.hostname) && theirs.host === host;
}

const changes = (request: SessionRequest): boolean => request.method !== 'GET' && request.method !== 'HEAD';

/**
 * The account that makes the request, by one query; at most once an hour a second one renews the session.
 * @throws Problem `not-logged-in`, or `wrong-origin` for a cookie on a method other than GET and HEAD from another site
 */
export async function requireAccount(broker: Broker, request: SessionRequest): Promise<Authenticated> {
  const { candidates } = presentedSession(broker, request, { changes: changes(request) });
  const [row] = await broker.database.query<{
    session_id: string;
    kind: SessionKind;
    account_id: string;
    account_name: string;
    role: 'player' | 'admin';
    renewable: boolean;
  }>('select session_id, kind, account_id, account_name, role, renewable from session_account($1)', [candidates]);
  if (!row) throw notLoggedIn();
  if (row.renewable) await broker.database.query('select renew_session($1)', [row.session_id]);
  return { sessionId: row.session_id, accountId: row.account_id, accountName: row.account_name, role: row.role, kind: row.kind };
}

/** @throws Problem as `requireAccount`, and `not-allowed` for everybody but administrators */
export async function requireAdmin(broker: Broker, request: SessionRequest): Promise<Authenticated> {
  const account = await requireAccount(broker, request);
  if (account.role !== 'admin') throw new Problem('not-allowed', 'Only administrators may do that.');
  return account;
}
