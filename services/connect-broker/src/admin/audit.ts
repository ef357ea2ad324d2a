/**
 * The record of who decided what: rows of `audit_log`, which only grow.
 * It deliberately decides nothing itself and is no log of players' play; it holds what somebody may have to answer for: bans, roles, passwords, deletions.
 */
import type { Queryable } from '../database/database.ts';

export interface AuditEntry {
  /** Account that acted. @default none: the command on the server, or the broker itself */
  readonly actorId?: string | undefined;
  /** Its name at that moment, kept when the account is gone; `command` and `broker` for the two others. */
  readonly actorName: string;
  /** What was done: an area and a verb in the past, `ban.made`, `account.role-changed`. */
  readonly action: string;
  /** What it was done to: a kind and a name, `account:<id>`, `realm:aurora`, `network:203.0.113.7/32`. */
  readonly target: string;
  /** Values before and after, reasons. Never a password, a token, a code or a link. @default none */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Writes one entry, in the transaction that does what it tells of: neither is there without the other. */
export async function audit(queryable: Queryable, { actorId, actorName, action, target, details }: AuditEntry): Promise<void> {
  await queryable.query('insert into audit_log (actor_id, actor_name, action, target, details) values ($1, $2, $3, $4, $5::jsonb)', [
    actorId ?? null,
    actorName,
    action,
    target,
    JSON.stringify(details ?? {}),
  ]);
}

export interface RecordedEntry {
  /** Grows with time; a decimal string, because it is a 64-bit number. */
  readonly id: string;
  readonly at: Date;
  /** Null: the command on the server, or the broker itself. */
  readonly actor: { readonly id: string | null; readonly name: string };
  readonly action: string;
  readonly target: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditSearch {
  /** An action, or an area of them: `ban` is `ban.made` and `ban.lifted`. */
  readonly action?: string | undefined;
  /** Exactly, such as `account:<id>`. */
  readonly target?: string | undefined;
  /** Account that acted. */
  readonly actor?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** The last id of the page before. @default the newest */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Entries, the newest first. */
export function readAudit(queryable: Queryable, search: AuditSearch): Promise<RecordedEntry[]> {
  const values: unknown[] = [search.limit];
  const conditions: string[] = [];
  // Only what is asked for is in the statement, so that each filter can use its index.
  const add = (condition: (parameter: string) => string, value: unknown) => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  add((p) => `(action = ${p} or action like replace(replace(${p}, '\\', '\\\\'), '_', '\\_') || '.%')`, search.action);
  add((p) => `target = ${p}`, search.target);
  add((p) => `actor_id = ${p}::uuid`, search.actor);
  add((p) => `at >= ${p}`, search.since);
  add((p) => `at < ${p}`, search.until);
  add((p) => `id < ${p}::bigint`, search.before);
  return queryable.query<RecordedEntry>(
    `select id::text as id, at, jsonb_build_object('id', actor_id, 'name', actor_name) as actor, action, target, details
     from audit_log ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''} order by audit_log.id desc limit $1`,
    values,
  );
}

/** Entries of one statement: it stays short, and the rest is for the next round. */
const PRUNED_AT_ONCE = 5_000;

/** Removes the oldest of the entries that are older than `days`; how many. @param days at least 366: the database refuses to lose what is younger */
export async function pruneAudit(queryable: Queryable, days: number): Promise<number> {
  const rows = await queryable.query(
    `delete from audit_log where id in (
       select id from audit_log where at < now() - make_interval(days => $1) order by at limit $2 for update skip locked
     ) returning 1`,
    [days, PRUNED_AT_ONCE],
  );
  return rows.length;
}
