/**
 * What the broker asks of its database: plain SQL, transactions, and hints between replicas. PostgreSQL in the cluster, an embedded one on a laptop.
 * It deliberately builds no queries: SQL stands where it is used, because its locks are the point.
 *
 * Values come back alike from both: int8 as bigint, timestamptz as Date, bytea as Uint8Array, jsonb parsed, uuid and numeric as string.
 */

export interface Queryable {
  /** Runs one statement with `$1 …` parameters and gives its rows. Errors of PostgreSQL carry `code`, the SQLSTATE. */
  query<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface Transaction extends Queryable {
  /** Runs a script of several statements without parameters: migrations. */
  execute(script: string): Promise<void>;
}

/** Connections of the pool, for the metric of that name. */
export interface PoolState {
  readonly idle: number;
  readonly busy: number;
  readonly waiting: number;
}

export interface Database extends Queryable {
  /**
   * Runs `work` in one READ COMMITTED transaction: commits when it resolves, rolls back when it rejects.
   * Conflicts (40001, 40P01, and 23505 of a second session of one account) are tried again up to twice, so `work` must have no other effect than on the database.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Calls `onHint` with the payload of each NOTIFY on `channel`, from a connection of its own; after a reconnection it is called with an empty payload, because hints were lost.
   * A hint only makes things faster: whoever listens polls as well.
   */
  listen(channel: string, onHint: (payload: string) => void): Promise<void>;
  /** Whether the last query reached the database. */
  readonly up: boolean;
  poolState(): PoolState;
  close(): Promise<void>;
}

/** The database could not be reached, or went away; what was asked may or may not have happened. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super(`The database is not available: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'DatabaseUnavailable';
  }
}

/** SQLSTATEs of a server that shuts down, starts, has no connection left, takes too long, or only reads, as a standby does (PostgreSQL, appendix A). */
const UNAVAILABLE_STATES = /^(08|57P0[123]|57014|25006|53300)/;
const UNAVAILABLE_ERRORS = /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOENT)$/;

/** Whether an error says that the database is away, rather than that a statement is wrong. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') return UNAVAILABLE_STATES.test(code) || UNAVAILABLE_ERRORS.test(code);
  // node-postgres has no codes for these.
  return /connection terminated|timeout exceeded when trying to connect|connection error|query read timeout/i.test(error.message);
}

/** SQLSTATE of an error of PostgreSQL, such as '23505' for a duplicate. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Name of the constraint that an error of PostgreSQL names. */
export function violatedConstraint(error: unknown): string | undefined {
  const constraint = (error as { constraint?: unknown } | undefined)?.constraint;
  return typeof constraint === 'string' ? constraint : undefined;
}

/** One account plays once (migration 003): a report that brings a lost session back and a connect can meet there; whoever is second decides anew. */
const MET_CONSTRAINT = 'play_sessions_one_per_account';

const isConflict = (error: unknown): boolean => {
  const state = sqlState(error);
  return state === '40001' || state === '40P01' || (state === '23505' && violatedConstraint(error) === MET_CONSTRAINT);
};

/** Runs `attempt` up to three times while it fails with a serialisation failure, a deadlock, or another session of the same account. */
export async function retryConflicts<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 3 || !isConflict(error)) throw error;
    }
  }
}
