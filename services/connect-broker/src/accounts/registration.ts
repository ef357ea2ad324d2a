/**
 * Makes accounts: with a password, or with an identity at an issuer that nobody has linked yet.
 * It deliberately proves no identity; the OpenID part hands over one that it has proven.
 */
import type { Broker } from '../broker.ts';
import { sqlState, type Transaction, violatedConstraint } from '../database/database.ts';
import { Problem } from '../problem.ts';
import type { ClientAddress } from './attempts.ts';
import type { SessionKind } from './authenticate.ts';
import { refuseBanned } from './bans.ts';
import { requireInvite, useInvite } from './invites.ts';
import { nameKey, normalizedName } from './names.ts';
import { normalizedPassword } from './password-rules.ts';
import { makeRecoveryCodes } from './recovery.ts';
import { type OpenedSession, openSession } from './sessions.ts';

export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  /** What somebody is called there. */
  readonly title: string;
}

export interface Registration {
  /** A name without mistakes (`nameMistakes`). */
  readonly name: string;
  /** A password without mistakes, or the identity that logs in instead. */
  readonly password?: string;
  readonly email?: string | undefined;
  readonly invite: string | undefined;
  readonly address: ClientAddress;
  readonly session: { readonly kind: SessionKind; readonly device?: string | undefined };
}

export interface NewAccount {
  readonly account: { readonly id: string; readonly name: string; readonly role: 'player' };
  readonly recoveryCodes: string[];
  readonly opened: OpenedSession;
}

/** @throws Problem `registration-closed`, `banned`, `invite-invalid` */
export async function requireRegistration(broker: Broker, invite: string | undefined, address: ClientAddress): Promise<void> {
  const { registration } = broker.settings;
  if (registration === 'closed') throw new Problem('registration-closed', 'No accounts can be made here. Ask an administrator.');
  await refuseBanned(broker.database, undefined, address.inet);
  if (registration === 'open') return;
  if (invite === undefined) {
    throw new Problem('invite-invalid', 'An account needs an invitation here. Ask somebody who runs this server for a code.');
  }
  await requireInvite(broker.database, invite);
}

const nameTaken = (name: string): Problem => new Problem('name-taken', `The name '${name}' is taken. Choose another one.`);

/**
 * Makes an account with its recovery codes and its first session; uses the invitation up where one is needed. All of it or nothing.
 * @param link further rows of the same transaction: the identity
 * @throws Problem `registration-closed`, `banned`, `invite-invalid`, `name-taken`
 */
export async function register(
  broker: Broker,
  { name, password, email, invite, address, session }: Registration,
  link: (transaction: Transaction, accountId: string) => Promise<void> = async () => {},
): Promise<NewAccount> {
  await requireRegistration(broker, invite, address);
  const shown = normalizedName(name);
  const key = nameKey(name);
  // Only whoever may make an account learns which names are taken, and a taken one costs no hash.
  if ((await broker.database.query('select 1 from accounts where name_key = $1', [key])).length > 0) throw nameTaken(shown);
  const hash = password === undefined ? null : await broker.passwords.hash(normalizedPassword(password));
  try {
    return await broker.database.transaction(async (transaction) => {
      if (broker.settings.registration === 'invite') await useInvite(transaction, invite ?? '');
      const [row] = await transaction.query<{ id: string }>(
        'insert into accounts (name, name_key, password_hash, email) values ($1, $2, $3, $4) returning id',
        [shown, key, hash, email ?? null],
      );
      if (!row) throw new Error('The account was not stored.');
      await link(transaction, row.id);
      const recoveryCodes = await makeRecoveryCodes(transaction, row.id);
      await transaction.query('insert into known_addresses (account_id, address_key) values ($1, $2)', [row.id, address.key]);
      const opened = await openSession(broker, transaction, { accountId: row.id, ...session });
      return { account: { id: row.id, name: shown, role: 'player' as const }, recoveryCodes, opened };
    });
  } catch (error) {
    if (sqlState(error) === '23505' && violatedConstraint(error) === 'accounts_name_key') throw nameTaken(shown);
    throw error;
  }
}
