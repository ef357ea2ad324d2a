/**
 * Everything that is stored about an account, as JSON for its owner.
 * It deliberately leaves out what only serves to log in (hashes), and the names of those who moderated; a test holds the list to the schema.
 */
import type { Broker } from '../broker.ts';
import { attemptKey } from './attempts.ts';

interface Section {
  readonly title: string;
  readonly table: string;
  /** Condition on the table `t`; $1 is the account's id, $2 the key of its failed attempts. */
  readonly where: string;
  /** Columns that stay inside. @default none */
  readonly omit?: readonly string[];
  /** SQL of a JSON object that replaces columns: numbers that JavaScript cannot hold, bytes. @default none */
  readonly replace?: string;
}

/** Each table with rows about accounts; the title is the member of the document. */
export const EXPORT_SECTIONS: readonly Section[] = [
  {
    title: 'account',
    table: 'accounts',
    where: 't.id = $1',
    omit: ['password_hash'],
    replace: "jsonb_build_object('has_password', t.password_hash is not null)",
  },
  { title: 'sessions', table: 'sessions', where: 't.account_id = $1', omit: ['token_hash'] },
  { title: 'recoveryCodes', table: 'recovery_codes', where: 't.account_id = $1', omit: ['code_hash'] },
  { title: 'resetLinks', table: 'reset_links', where: 't.account_id = $1', omit: ['token_hash'] },
  { title: 'emailConfirmations', table: 'email_confirmations', where: 't.account_id = $1', omit: ['token_hash'] },
  { title: 'identities', table: 'identities', where: 't.account_id = $1' },
  { title: 'knownAddresses', table: 'known_addresses', where: 't.account_id = $1' },
  {
    title: 'failedAttempts',
    table: 'login_failures',
    where: 't.account_key = $2',
    omit: ['id', 'account_key'],
  },
  { title: 'invitesMade', table: 'invites', where: 't.created_by = $1', omit: ['code_hash'] },
  {
    title: 'characters',
    table: 'characters',
    where: 't.account_id = $1',
    replace: "jsonb_build_object('epoch', t.epoch::text, 'state', translate(encode(t.state, 'base64'), E'\\n', ''))",
  },
  {
    title: 'playSessions',
    table: 'play_sessions',
    where: 't.account_id = $1',
    replace: "jsonb_build_object('client_id', t.client_id::text, 'epoch', t.epoch::text)",
  },
  {
    title: 'queueEntries',
    table: 'queue_entries',
    where: 't.account_id = $1',
    replace: "jsonb_build_object('position', t.position::text)",
  },
  { title: 'instancesRequested', table: 'instances', where: 't.requested_by_account = $1' },
  { title: 'instanceRosters', table: 'instance_roster', where: 't.account_id = $1' },
  { title: 'bans', table: 'bans', where: 't.account_id = $1', omit: ['created_by', 'lifted_by'] },
  {
    title: 'auditLog',
    table: 'audit_log',
    where: "(t.actor_id = $1 or t.target = 'account:' || $1::text)",
    omit: ['id', 'actor_id', 'actor_name'],
    replace: "jsonb_build_object('by_yourself', t.actor_id is not distinct from $1::uuid)",
  },
];

/**
 * References to accounts that the document has no section for, with the reason; `table.column`.
 * What an account has done with an operator's rights is in its `auditLog`.
 */
export const NOT_EXPORTED: Readonly<Record<string, string>> = {
  'bans.created_by': 'acts of an operator are in the audit log',
  'bans.lifted_by': 'acts of an operator are in the audit log',
  'realm_maintenance.created_by': 'acts of an operator are in the audit log',
};

/** Rows of one section: far above what a person makes, and far below what would take the pod's memory. What is older than the latest is named in `onlyTheLatestOf`. */
const MOST_ROWS = 2_000;

/** The document: a member for each section with its rows as the database has them; `account` is one row. */
export async function exportAccount(broker: Broker, accountId: string, accountName: string): Promise<Record<string, unknown>> {
  const key = attemptKey(broker, accountName);
  const sections: (readonly [string, Record<string, unknown>[]])[] = [];
  const cut: string[] = [];
  // One after the other: all at once would take every connection of the pool.
  for (const { title, table, where, omit = [], replace = "'{}'::jsonb" } of EXPORT_SECTIONS) {
    const rows = await broker.database.query<{ document: Record<string, unknown> }>(
      `select (to_jsonb(t) - $3::text[]) || ${replace} as document
       from (select * from ${table} t where (${where}) and $1::uuid is not null and $2::text is not null order by ctid desc limit $4) t order by 1`,
      [accountId, key, omit, MOST_ROWS],
    );
    if (rows.length === MOST_ROWS) cut.push(title);
    sections.push([title, rows.map(({ document }) => document)]);
  }
  const document = Object.fromEntries<unknown>(sections);
  const [account] = document.account as unknown[];
  return { exportedAt: new Date().toISOString(), ...document, account, ...(cut.length === 0 ? {} : { onlyTheLatestOf: cut }) };
}
