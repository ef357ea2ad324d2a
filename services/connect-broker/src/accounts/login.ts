/**
 * Log-in with name and password, and the same proof once more where something serious is asked for.
 * It deliberately answers alike, and does the same work, whether an account of the name exists or not.
 */
import type { Broker } from '../broker.ts';
import type { LoginResult } from '../metrics.ts';
import { Problem } from '../problem.ts';
import { attempt, type ClientAddress } from './attempts.ts';
import type { Authenticated, SessionKind } from './authenticate.ts';
import { bannedProblem, refuseBanned } from './bans.ts';
import { nameKey } from './names.ts';
import { normalizedPassword } from './password-rules.ts';
import { type OpenedSession, openSession } from './sessions.ts';

/** Minutes after a log-in in which an account without a password may do what otherwise needs one. */
export const FRESH_MINUTES = 10;

export interface Login {
  readonly name: string;
  readonly password: string;
  readonly address: ClientAddress;
  readonly session: { readonly kind: SessionKind; readonly device?: string | undefined };
}

export interface LoggedIn {
  readonly account: { readonly id: string; readonly name: string; readonly role: 'player' | 'admin' };
  readonly opened: OpenedSession;
}

interface FoundAccount {
  readonly id: string;
  readonly name: string;
  readonly role: 'player' | 'admin';
  readonly password_hash: string | null;
}

/** The account of a name, in one query with the bans of the address. @throws Problem `banned` for the address */
async function findAccount(broker: Broker, name: string, { inet }: ClientAddress): Promise<FoundAccount | undefined> {
  const [row] = await broker.database.query<{
    id: string | null;
    name: string;
    role: 'player' | 'admin';
    password_hash: string | null;
    ban_id: string | null;
    reason: string;
    until: Date | null;
  }>(
    `select accounts.id, accounts.name, role, password_hash, ban_id, reason, until
     from (select) as always left join active_ban(null, $2::inet) on true left join accounts on name_key = $1`,
    [nameKey(name), inet],
  );
  if (row?.ban_id) throw bannedProblem(row.reason, row.until);
  return row?.id ? { id: row.id, name: row.name, role: row.role, password_hash: row.password_hash } : undefined;
}

const wrongCredentials = (): Problem => new Problem('wrong-credentials', 'The name or the password is wrong.');

/**
 * Opens a session for whoever knows name and password.
 * @throws Problem `wrong-credentials`, `banned`, `too-many-failures`, `too-many-requests`, `unavailable` when too many passwords wait
 */
export async function logIn(broker: Broker, { name, password, address, session }: Login): Promise<LoggedIn> {
  try {
    const account = await findAccount(broker, name, address);
    const hash = account?.password_hash ?? undefined;
    const right = await attempt(broker, { accountId: account?.id, name, address }, () =>
      broker.passwords.verify(hash, normalizedPassword(password)),
    );
    if (!right || !account || hash === undefined) throw wrongCredentials();
    const current = await renewHash(broker, account.id, hash, password);
    const opened = await broker.database.transaction(async (transaction) => {
      // A password that was changed while we verified opens nothing any more. The lock keeps it until the session is there, so that a change ends it.
      const [same] = await transaction.query('select 1 from accounts where id = $1 and password_hash = $2 for share', [
        account.id,
        current,
      ]);
      if (!same) throw wrongCredentials();
      await refuseBanned(transaction, account.id, address.inet);
      return openSession(broker, transaction, { accountId: account.id, ...session });
    });
    broker.metrics.logins.inc({ result: 'ok' });
    return { account: { id: account.id, name: account.name, role: account.role }, opened };
  } catch (error) {
    broker.metrics.logins.inc({ result: loginResult(error) });
    throw error;
  }
}

/** What the metric of log-ins calls an outcome. */
export function loginResult(error: unknown): LoginResult {
  if (!(error instanceof Problem)) return 'error';
  switch (error.code) {
    case 'wrong-credentials':
      return 'wrong-credentials';
    case 'too-many-failures':
      return 'locked';
    case 'banned':
      return 'banned';
    case 'too-many-requests':
      return 'throttled';
    case 'unavailable':
      return 'overloaded';
    default:
      return 'error';
  }
}

/** Stores a hash of the present cost for one of an earlier cost. Gives the hash that is stored; nothing is lost when it does not succeed. */
async function renewHash(broker: Broker, accountId: string, hash: string, password: string): Promise<string> {
  if (!broker.passwords.needsRehash(hash)) return hash;
  try {
    const renewed = await broker.passwords.hash(normalizedPassword(password));
    const rows = await broker.database.query('update accounts set password_hash = $3 where id = $1 and password_hash = $2 returning 1', [
      accountId,
      hash,
      renewed,
    ]);
    return rows.length > 0 ? renewed : hash;
  } catch (error) {
    if (error instanceof Problem) return hash;
    throw error;
  }
}

/**
 * Has whoever is logged in prove once more who they are, by the password, or by having logged in within the last `FRESH_MINUTES`.
 * @param options.password what was given; it is checked whenever it was
 * @param options.freshIsEnough whether a fresh log-in counts for an account that has a password, too
 * @throws Problem `wrong-credentials`, `fresh-login-needed`, `too-many-failures`, `too-many-requests`
 */
export async function proveAgain(
  broker: Broker,
  who: Authenticated,
  {
    password,
    address,
    freshIsEnough,
  }: { readonly password: string | undefined; readonly address: ClientAddress; readonly freshIsEnough: boolean },
): Promise<void> {
  const [row] = await broker.database.query<{ password_hash: string | null; fresh: boolean }>(
    `select password_hash, sessions.created_at > now() - $2 * interval '1 minute' as fresh
     from sessions join accounts on accounts.id = sessions.account_id where sessions.id = $1`,
    [who.sessionId, FRESH_MINUTES],
  );
  const hash = row?.password_hash ?? undefined;
  if (password !== undefined && hash !== undefined) {
    const right = await attempt(broker, { accountId: who.accountId, name: who.accountName, address }, () =>
      broker.passwords.verify(hash, normalizedPassword(password)),
    );
    if (right) return;
    throw new Problem('wrong-credentials', 'The password is wrong.');
  }
  if (row?.fresh && (hash === undefined || freshIsEnough)) return;
  throw new Problem(
    'fresh-login-needed',
    hash === undefined
      ? `Log in again and repeat this within ${FRESH_MINUTES} minutes: the account has no password that could be asked for.`
      : 'Give the present password.',
  );
}
