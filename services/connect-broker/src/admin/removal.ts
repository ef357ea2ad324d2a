/**
 * Takes accounts out of play and out of their sessions. What servers are told to do, they hear with the answer to their next report.
 * It deliberately decides nothing and ends no session that a server has claimed: that one ends when its server says so, which also stores the character.
 */
import { endSessions } from '../accounts/sessions.ts';
import type { Transaction } from '../database/database.ts';
import { releaseAccount } from '../play/sessions.ts';

export interface Removal {
  /** Sessions of the page and of game clients that were ended. */
  readonly loggedOut: number;
  /** Play sessions on a server: each is ordered to be kicked. */
  readonly kicked: number;
}

/**
 * Orders the kick of whoever plays, ends tokens that are out and places that are held or waited for.
 * A claim that is under way is waited for: it has made its session active by then, or finds it ended.
 * @param message what the player may be shown
 * @returns how many play sessions were ordered to be kicked
 */
export async function removeFromPlay(
  transaction: Transaction,
  accountId: string,
  because: 'banned' | 'kicked',
  message: string,
): Promise<number> {
  const kicked = await releaseAccount(transaction, accountId, because);
  if (kicked > 0) {
    // Also an order that was open already, such as that of a kick before the ban.
    await transaction.query(
      `update server_orders set details = details || $2::jsonb
       where kind = 'kick' and play_session_id in (select id from play_sessions where account_id = $1 and state = 'active')`,
      [accountId, JSON.stringify({ because, message })],
    );
    await transaction.query("select pg_notify('broker', 'orders')");
  }
  return kicked;
}

/** Takes accounts out of everything: play, and the sessions of page and game clients. */
export async function removeAccounts(
  transaction: Transaction,
  accountIds: readonly string[],
  because: 'banned' | 'kicked',
  message: string,
): Promise<Removal> {
  let loggedOut = 0;
  let kicked = 0;
  for (const accountId of accountIds) {
    kicked += await removeFromPlay(transaction, accountId, because, message);
    loggedOut += await endSessions(transaction, accountId);
  }
  return { loggedOut, kicked };
}
