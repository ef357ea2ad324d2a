/**
 * What an identity at an issuer means here: it logs an account in, is linked to one, or may make a new one.
 * It deliberately compares (issuer, subject) and nothing else; an e-mail address of an issuer proves nothing about an account here.
 */
import { createHash } from 'node:crypto';
import type { ClientAddress } from '../accounts/attempts.ts';
import type { SessionKind } from '../accounts/authenticate.ts';
import { refuseBanned } from '../accounts/bans.ts';
import { hashCode, randomToken } from '../accounts/codes.ts';
import { nameMistakes, normalizedName } from '../accounts/names.ts';
import { type Identity, type NewAccount, register } from '../accounts/registration.ts';
import { type OpenedSession, openSession } from '../accounts/sessions.ts';
import type { Broker } from '../broker.ts';
import { type Queryable, sqlState, violatedConstraint } from '../database/database.ts';
import { Problem } from '../problem.ts';

/** Seconds in which a game client exchanges its code, and minutes in which a name is chosen for a new account. */
export const EXCHANGE_SECONDS = 120;
export const REGISTRATION_MINUTES = 15;

/** What came of an identity. */
export type Outcome =
  | {
      readonly result: 'logged-in';
      readonly account: { readonly id: string; readonly name: string; readonly role: 'player' | 'admin' };
      readonly opened: OpenedSession;
    }
  | { readonly result: 'linked'; readonly title: string }
  | { readonly result: 'name-needed'; readonly ticket: string; readonly expiresAt: Date; readonly title: string };

export interface Using {
  readonly identity: Identity;
  /** The session that links it; undefined for a log-in. */
  readonly sessionId: string | undefined;
  readonly kind: SessionKind;
  readonly device: string;
  readonly address: ClientAddress;
}

/**
 * Logs in or links.
 * @throws Problem `banned`; `registration-closed` for an unknown identity where no accounts are made; `conflict` when another account has the identity;
 *   `not-logged-in` when the session that links has ended
 */
export async function useIdentity(broker: Broker, { identity, sessionId, kind, device, address }: Using): Promise<Outcome> {
  if (sessionId !== undefined) return linkIdentity(broker, sessionId, identity);
  const outcome = await broker.database.transaction(async (transaction): Promise<Outcome | undefined> => {
    const [account] = await transaction.query<{ id: string; name: string; role: 'player' | 'admin' }>(
      `select accounts.id, accounts.name, accounts.role from identities join accounts on accounts.id = identities.account_id
       where issuer = $1 and subject = $2 for share`,
      [identity.issuer, identity.subject],
    );
    await refuseBanned(transaction, account?.id, address.inet);
    if (!account) return undefined;
    const opened = await openSession(broker, transaction, { accountId: account.id, kind, device });
    await transaction.query(
      `insert into known_addresses (account_id, address_key) values ($1, $2)
       on conflict (account_id, address_key) do update set last_success_at = now()`,
      [account.id, address.key],
    );
    return { result: 'logged-in', account, opened };
  });
  return outcome ?? offerRegistration(broker, identity);
}

async function linkIdentity(broker: Broker, sessionId: string, { issuer, subject, title }: Identity): Promise<Outcome> {
  await broker.database.transaction(async (transaction) => {
    const [session] = await transaction.query<{ account_id: string }>(
      'select account_id from sessions where id = $1 and expires_at > now() for share',
      [sessionId],
    );
    if (!session) throw new Problem('not-logged-in', 'The session that wanted to link has ended. Log in again.');
    const [linked] = await transaction.query<{ account_id: string }>(
      `insert into identities (issuer, subject, account_id, title) values ($1, $2, $3, $4)
       on conflict (issuer, subject) do update set title = excluded.title where identities.account_id = excluded.account_id
       returning account_id`,
      [issuer, subject, session.account_id, title],
    );
    if (!linked) throw alreadyLinked();
  });
  return { result: 'linked', title };
}

const alreadyLinked = (): Problem =>
  new Problem('conflict', 'This identity belongs to another account here. Log in with it, and unlink it there first.');

async function offerRegistration(broker: Broker, { issuer, subject, title }: Identity): Promise<Outcome> {
  if (broker.settings.registration === 'closed') {
    throw new Problem('registration-closed', 'No account here has this identity, and no accounts can be made. Ask an administrator.');
  }
  const ticket = randomToken();
  const [row] = await broker.database.query<{ expires_at: Date }>(
    `insert into openid_tickets (ticket_hash, purpose, issuer, subject, title, expires_at)
     values ($1, 'registration', $2, $3, $4, now() + $5 * interval '1 minute') returning expires_at`,
    [hashCode('openid-ticket', ticket), issuer, subject, title, REGISTRATION_MINUTES],
  );
  if (!row) throw new Error('The ticket was not stored.');
  return { result: 'name-needed', ticket, expiresAt: row.expires_at, title };
}

/** The one-time code that a game client gets at its loopback address. Nothing has happened yet: it is worth nothing without the code verifier. */
export async function makeExchangeCode(
  broker: Broker,
  { identity, sessionId, device, codeChallenge }: Pick<Using, 'identity' | 'sessionId' | 'device'> & { readonly codeChallenge: string },
): Promise<string> {
  const code = randomToken();
  // A session that has ended meanwhile (the foreign key) makes no link.
  const rows = await broker.database.query(
    `insert into openid_tickets (ticket_hash, purpose, issuer, subject, title, session_id, code_challenge, device, expires_at)
     select $1, 'exchange', $2, $3, $4, $5::uuid, $6, $7, now() + $8 * interval '1 second'
     where $5::uuid is null or exists (select from sessions where id = $5::uuid and expires_at > now()) returning 1`,
    [
      hashCode('openid-ticket', code),
      identity.issuer,
      identity.subject,
      identity.title,
      sessionId ?? null,
      codeChallenge,
      device,
      EXCHANGE_SECONDS,
    ],
  );
  if (rows.length === 0) throw new Problem('not-logged-in', 'The session that wanted to link has ended. Log in again.');
  return code;
}

/**
 * Exchanges a game client's code. It is used up by the first attempt, right or wrong.
 * @throws Problem `wrong-credentials` for a code or a verifier that is not valid, and as `useIdentity`
 */
export async function exchangeCode(broker: Broker, code: string, codeVerifier: string, address: ClientAddress): Promise<Outcome> {
  const [row] = await broker.database.query<{
    issuer: string;
    subject: string;
    title: string;
    session_id: string | null;
    code_challenge: string;
    device: string;
  }>(
    `delete from openid_tickets where ticket_hash = $1 and purpose = 'exchange' and expires_at > now()
     returning issuer, subject, title, session_id, code_challenge, device`,
    [hashCode('openid-ticket', code)],
  );
  if (!row || createHash('sha256').update(codeVerifier).digest('base64url') !== row.code_challenge) {
    throw new Problem('wrong-credentials', 'The code or its verifier is wrong, has been used, or has ended. Begin the log-in again.');
  }
  const { issuer, subject, title, session_id: sessionId, device } = row;
  return useIdentity(broker, { identity: { issuer, subject, title }, sessionId: sessionId ?? undefined, kind: 'bearer', device, address });
}

const ticketNotValid = (): Problem =>
  new Problem('wrong-credentials', 'The log-in took too long or has been used. Log in through the provider again.');

/** The identity that a ticket may make an account for. @throws Problem `wrong-credentials` */
export async function pendingIdentity(queryable: Queryable, ticket: string): Promise<Identity & { readonly expiresAt: Date }> {
  const [row] = await queryable.query<{ issuer: string; subject: string; title: string; expires_at: Date }>(
    "select issuer, subject, title, expires_at from openid_tickets where ticket_hash = $1 and purpose = 'registration' and expires_at > now()",
    [hashCode('openid-ticket', ticket)],
  );
  if (!row) throw ticketNotValid();
  return { issuer: row.issuer, subject: row.subject, title: row.title, expiresAt: row.expires_at };
}

/** A name that is worth proposing: what somebody is called elsewhere, as far as names here allow; undefined when nothing is left. */
export function suggestedName(title: string): string | undefined {
  const name = [...normalizedName(title).replaceAll(/[^\p{L}\p{M}\p{N}._-]/gu, '')].slice(0, 24).join('');
  return nameMistakes(name).length === 0 ? name : undefined;
}

/**
 * Makes an account for a new identity. The ticket stays good when the name is taken.
 * @throws Problem `wrong-credentials` for the ticket, `conflict` when the identity was linked meanwhile, and as `register`
 */
export async function registerIdentity(
  broker: Broker,
  ticket: string,
  registration: Omit<Parameters<typeof register>[1], 'password'>,
): Promise<NewAccount> {
  await pendingIdentity(broker.database, ticket);
  try {
    return await register(broker, registration, async (transaction, accountId) => {
      const [identity] = await transaction.query<{ issuer: string; subject: string; title: string }>(
        "delete from openid_tickets where ticket_hash = $1 and purpose = 'registration' and expires_at > now() returning issuer, subject, title",
        [hashCode('openid-ticket', ticket)],
      );
      if (!identity) throw ticketNotValid();
      await transaction.query('insert into identities (issuer, subject, account_id, title) values ($1, $2, $3, $4)', [
        identity.issuer,
        identity.subject,
        accountId,
        identity.title,
      ]);
    });
  } catch (error) {
    if (sqlState(error) === '23505' && violatedConstraint(error) === 'identities_issuer_subject') throw alreadyLinked();
    throw error;
  }
}

export interface LinkedIdentity {
  readonly id: string;
  readonly issuer: string;
  readonly title: string;
  readonly linked_at: Date;
}

export const listIdentities = (queryable: Queryable, accountId: string): Promise<LinkedIdentity[]> =>
  queryable.query<LinkedIdentity>('select id, issuer, title, linked_at from identities where account_id = $1 order by linked_at, id', [
    accountId,
  ]);

/** @throws Problem `not-found`; `conflict` when nothing would be left to log in with */
export async function unlinkIdentity(broker: Broker, accountId: string, identityId: string): Promise<void> {
  await broker.database.transaction(async (transaction) => {
    // Locked, so that two who unlink at the same time do not each leave the other's.
    const [account] = await transaction.query<{ has_password: boolean }>(
      'select password_hash is not null as has_password from accounts where id = $1 for update',
      [accountId],
    );
    const removed = await transaction.query('delete from identities where account_id = $1 and id = $2 returning 1', [
      accountId,
      identityId,
    ]);
    if (!account || removed.length === 0) throw new Problem('not-found', 'The account has no such identity.');
    if (account.has_password) return;
    const left = await transaction.query('select 1 from identities where account_id = $1 limit 1', [accountId]);
    if (left.length === 0) throw new Problem('conflict', 'This is the last way to log in. Set a password or link another identity first.');
  });
}
