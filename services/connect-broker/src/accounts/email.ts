/**
 * The e-mail address of an account: stored if its owner wishes, confirmed by a link, and used for one thing, reset links.
 * It deliberately identifies nobody: two accounts may have the same address, and no log-in ever goes by it.
 */
import type { Broker } from '../broker.ts';
import type { Queryable } from '../database/database.ts';
import type { Mailer } from '../mail/mailer.ts';
import { Problem } from '../problem.ts';
import { hashCode, randomToken } from './codes.ts';
import { nameKey } from './names.ts';
import { makeResetLink, pageLink } from './recovery.ts';

/** Hours in which an address can be confirmed. */
const CONFIRMATION_HOURS = 24;
/** Hours that a mailed link lasts, and minutes between two of them to one account. */
const MAILED_LINK_HOURS = 1;
const MINUTES_BETWEEN_MAILS = 5;
/** Accounts that one request by address sends links for. */
const MOST_ACCOUNTS = 5;

/**
 * Stores an address, or takes it out, and sends a link that confirms it where mail is set up. Until then it is of no use.
 * @param email undefined takes it out
 */
export async function storeEmail(broker: Broker, mailer: Mailer | undefined, accountId: string, email: string | undefined): Promise<void> {
  await broker.database.transaction(async (transaction) => {
    await transaction.query('delete from email_confirmations where account_id = $1', [accountId]);
    await transaction.query('update accounts set email = $2, email_confirmed_at = null where id = $1', [accountId, email ?? null]);
  });
  if (email !== undefined && mailer) await sendConfirmation(broker, mailer, accountId, email);
}

export async function sendConfirmation(broker: Broker, mailer: Mailer, accountId: string, email: string): Promise<void> {
  const token = randomToken();
  await broker.database.query(
    "insert into email_confirmations (token_hash, account_id, email, expires_at) values ($1, $2, $3, now() + $4 * interval '1 hour')",
    [hashCode('email-link', token), accountId, email, CONFIRMATION_HOURS],
  );
  const link = pageLink(broker.settings.publicUrl, 'confirm-email', token);
  mailer.sendLater({
    to: email,
    subject: 'Confirm your e-mail address',
    text: `Somebody, probably you, gave this address for an account at ${broker.settings.publicUrl}.\n\nOpen this link within ${CONFIRMATION_HOURS} hours to confirm it:\n${link}\n\nIf it was not you, do nothing.\n`,
  });
}

/** @throws Problem `wrong-credentials` for a link that is not valid (any more), or of an address that was changed since */
export async function confirmEmail(queryable: Queryable, token: string): Promise<void> {
  const rows = await queryable.query(
    `with used as (delete from email_confirmations where token_hash = $1 and expires_at > now() returning account_id, email)
     update accounts set email_confirmed_at = now() from used where accounts.id = used.account_id and accounts.email = used.email returning 1`,
    [hashCode('email-link', token)],
  );
  if (rows.length === 0)
    throw new Problem('wrong-credentials', 'This link does not exist, has been used, or has ended. Store the address again.');
}

/** Whose link is asked for: the account of a name, or those that have confirmed an address. */
export type ResetRequest = { readonly name: string } | { readonly email: string };

/**
 * Mails a reset link where there is an account with a confirmed address that has had none within the last minutes. Says nothing about it:
 * the caller answers before this is done.
 */
export async function mailResetLinks(broker: Broker, mailer: Mailer, request: ResetRequest): Promise<void> {
  const { database, settings } = broker;
  const accounts = await database.query<{ id: string; name: string; email: string }>(
    `select id, name, email from accounts
     where email is not null and email_confirmed_at is not null
       and (name_key = $1 or lower(email) = lower($2))
       and not exists (select from reset_links where account_id = accounts.id and created_at > now() - $3 * interval '1 minute')
     order by id limit $4`,
    ['name' in request ? nameKey(request.name) : null, 'email' in request ? request.email : null, MINUTES_BETWEEN_MAILS, MOST_ACCOUNTS],
  );
  for (const { id, name, email } of accounts) {
    const { url } = await makeResetLink({ settings, database }, id, { hours: MAILED_LINK_HOURS });
    mailer.sendLater({
      to: email,
      subject: 'Set a new password',
      text: `Somebody, probably you, asked for a new password for the account '${name}' at ${settings.publicUrl}.\n\nOpen this link within an hour to choose one:\n${url}\n\nIf it was not you, do nothing: the password stays as it is.\n`,
    });
  }
}
