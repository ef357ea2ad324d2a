/**
 * Ways back into an account without its password: recovery codes on paper, and one-time links that an administrator or the mail gives.
 * It deliberately logs nobody in: both set a new password, end all sessions, and the next log-in is an ordinary one.
 */
import type { Broker } from '../broker.ts';
import type { Queryable, Transaction } from '../database/database.ts';
import { Problem } from '../problem.ts';
import { attempt, type ClientAddress, forgiveAttempts } from './attempts.ts';
import { hashCode, normalizedCode, randomCode, randomToken } from './codes.ts';
import { nameKey } from './names.ts';
import { normalizedPassword, passwordMistakes } from './password-rules.ts';
import { endSessions } from './sessions.ts';

/** Codes of one set. */
export const RECOVERY_CODES = 10;

/** A new set of recovery codes instead of the old one. They are shown once; the database has their hashes. */
export async function makeRecoveryCodes(transaction: Queryable, accountId: string): Promise<string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, randomCode);
  await transaction.query('delete from recovery_codes where account_id = $1', [accountId]);
  await transaction.query('insert into recovery_codes (account_id, code_hash) select $1, unnest($2::bytea[])', [
    accountId,
    codes.map((code) => hashCode('recovery-code', normalizedCode(code), accountId)),
  ]);
  return codes;
}

export interface ResetLink {
  /** Opens the page with the token in the fragment, which no server and no log sees. */
  readonly url: string;
  readonly token: string;
  readonly expiresAt: Date;
}

/** Hours that a link of an administrator lasts. One that is mailed lasts an hour. */
export const RESET_LINK_HOURS = 24;

/**
 * Makes a link with which the owner of an account sets a new password, once. Links that were made before stay good until one of them is used.
 * @param place the broker, or what of it this needs: its settings' `publicUrl` and a database or transaction
 * @throws Problem `not-found` when there is no such account; RangeError for hours outside of 0–168
 */
export async function makeResetLink(
  place: { readonly settings: { readonly publicUrl: string }; readonly database: Queryable },
  accountId: string,
  { hours = RESET_LINK_HOURS }: { readonly hours?: number } = {},
): Promise<ResetLink> {
  if (!(hours > 0 && hours <= 168)) throw new RangeError(`A reset link lasts up to 168 hours, not ${hours}.`);
  const token = randomToken();
  const [row] = await place.database.query<{ expires_at: Date }>(
    `insert into reset_links (token_hash, account_id, expires_at) select $1, id, now() + $3 * interval '1 hour' from accounts where id = $2
     returning expires_at`,
    [hashCode('reset-link', token), accountId, hours],
  );
  if (!row) throw new Problem('not-found', `There is no account ${accountId}.`);
  return { url: pageLink(place.settings.publicUrl, 'reset', token), token, expiresAt: row.expires_at };
}

/** An address of the page with a value in its fragment: `https://mmo.example.org/#reset=…`. */
export function pageLink(publicUrl: string, key: string, value: string): string {
  const url = new URL('/', publicUrl);
  url.hash = `${key}=${encodeURIComponent(value)}`;
  return url.href;
}

/** @throws Problem `invalid` with what is wrong with a new password, at `/newPassword` */
export function requireGoodPassword(password: string, name: string): void {
  const mistakes = passwordMistakes(password, name).map((problem) => ({ in: 'body', at: '/newPassword', problem }));
  if (mistakes.length === 0) return;
  throw new Problem('invalid', mistakes.map(({ in: place, at, problem }) => `${place}${at}: ${problem}`).join('; '), {
    members: { mistakes },
  });
}

/** Sets a password that was hashed before. Everything that the old one opened is closed: sessions, links, guesses. */
async function replacePassword(
  broker: Broker,
  transaction: Transaction,
  { accountId, name, hash }: { readonly accountId: string; readonly name: string; readonly hash: string },
): Promise<void> {
  await transaction.query('update accounts set password_hash = $2 where id = $1', [accountId, hash]);
  await transaction.query('delete from reset_links where account_id = $1', [accountId]);
  await endSessions(transaction, accountId);
  await forgiveAttempts(broker, transaction, name);
}

const linkNotValid = (): Problem =>
  new Problem('wrong-credentials', 'This link does not exist, has been used, or has ended. Ask for another one.');

/** @throws Problem `wrong-credentials` for a link that is not valid (any more), `invalid` for a password that may not be chosen */
export async function resetByLink(broker: Broker, token: string, newPassword: string): Promise<void> {
  const tokenHash = hashCode('reset-link', token);
  const [found] = await broker.database.query<{ account_id: string; name: string }>(
    `select accounts.id as account_id, accounts.name from reset_links join accounts on accounts.id = reset_links.account_id
     where token_hash = $1 and used_at is null and expires_at > now()`,
    [tokenHash],
  );
  if (!found) throw linkNotValid();
  requireGoodPassword(newPassword, found.name);
  const hash = await broker.passwords.hash(normalizedPassword(newPassword));
  await broker.database.transaction(async (transaction) => {
    const used = await transaction.query(
      'delete from reset_links where token_hash = $1 and used_at is null and expires_at > now() returning 1',
      [tokenHash],
    );
    if (used.length === 0) throw linkNotValid();
    await replacePassword(broker, transaction, { accountId: found.account_id, name: found.name, hash });
  });
}

const codeNotValid = (): Problem => new Problem('wrong-credentials', 'The name or the recovery code is wrong, or the code has been used.');

/**
 * Sets a new password by a recovery code, which is used up. Attempts are counted per address (attempts.ts).
 * @returns how many codes are left
 * @throws Problem `wrong-credentials`, `invalid`, `too-many-failures`, `too-many-requests`
 */
export async function resetByRecoveryCode(
  broker: Broker,
  {
    name,
    code,
    newPassword,
    address,
  }: { readonly name: string; readonly code: string; readonly newPassword: string; readonly address: ClientAddress },
): Promise<number> {
  // What is wrong with the password does not depend on whether the account exists.
  requireGoodPassword(newPassword, name);
  const [account] = await broker.database.query<{ id: string; name: string }>('select id, name from accounts where name_key = $1', [
    nameKey(name),
  ]);
  const codeHash = hashCode('recovery-code', normalizedCode(code), account?.id ?? '');
  const right = await attempt(broker, { accountId: account?.id, name, address, what: 'recovery-code' }, async () => {
    const rows = await broker.database.query('select 1 from recovery_codes where account_id = $1 and code_hash = $2 and used_at is null', [
      account?.id ?? null,
      codeHash,
    ]);
    return rows.length > 0;
  });
  if (!right || !account) throw codeNotValid();
  const hash = await broker.passwords.hash(normalizedPassword(newPassword));
  return broker.database.transaction(async (transaction) => {
    const used = await transaction.query(
      'update recovery_codes set used_at = now() where account_id = $1 and code_hash = $2 and used_at is null returning 1',
      [account.id, codeHash],
    );
    if (used.length === 0) throw codeNotValid();
    await replacePassword(broker, transaction, { accountId: account.id, name: account.name, hash });
    const [left] = await transaction.query<{ count: number }>(
      'select count(*)::int as count from recovery_codes where account_id = $1 and used_at is null',
      [account.id],
    );
    return left?.count ?? 0;
  });
}
