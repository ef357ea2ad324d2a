/**
 * Removes what has run out: failed attempts, sessions, links, codes of log-ins that were never finished, and entries of the audit log that are older than they have to be.
 * It deliberately changes no meaning: each of these is already without effect when it is removed, so it does not matter when and by which replica that happens.
 */
import { pruneAudit } from '../admin/audit.ts';
import { repeat, type Stop } from '../background.ts';
import type { Broker } from '../broker.ts';
import type { Queryable } from '../database/database.ts';

const EVERY_MS = 60_000;
/** Rows of one statement: it stays short, and the rest is for the next round. */
const BATCH = 5_000;

/** Each table with its key and the condition under which a row has no effect any more. */
const CLEANED: readonly (readonly [table: string, key: string, ended: string])[] = [
  // begin_attempt looks back an hour.
  ['login_failures', 'id', "failed_at < now() - interval '1 hour'"],
  ['sessions', 'id', 'expires_at < now()'],
  ['reset_links', 'token_hash', 'expires_at < now()'],
  ['email_confirmations', 'token_hash', 'expires_at < now()'],
  ['openid_flows', 'state_hash', 'expires_at < now()'],
  ['openid_tickets', 'ticket_hash', 'expires_at < now()'],
  // Kept for a month, so that whoever made it sees what became of it.
  ['invites', 'code_hash', "expires_at < now() - interval '30 days'"],
  // Households change their addresses; one of half a year ago is somebody else's.
  ['known_addresses', '(account_id, address_key)', "last_success_at < now() - interval '180 days'"],
];

/** Removes rows without effect; how many. */
export async function cleanAccounts(database: Queryable): Promise<number> {
  let removed = 0;
  for (const [table, key, ended] of CLEANED) {
    const columns = key.replaceAll(/[()]/g, '');
    const rows = await database.query(
      `delete from ${table} where ${key} in (select ${columns} from ${table} where ${ended} limit ${BATCH} for update skip locked) returning 1`,
    );
    removed += rows.length;
  }
  return removed;
}

export const startAccountTasks = (broker: Broker): Stop =>
  repeat('clean accounts', EVERY_MS, broker.log, async () => {
    await cleanAccounts(broker.database);
    await pruneAudit(broker.database, broker.settings.audit.retentionDays);
  }).stop;
