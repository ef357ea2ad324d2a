/**
 * The broker's database as a PostgreSQL server: a bounded pool, and one connection that only listens.
 * It deliberately keeps no session state: no session-level locks, no temporary tables, no prepared names.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import {
  type Database,
  DatabaseUnavailable,
  isUnavailable,
  type PoolState,
  type Queryable,
  retryConflicts,
  type Transaction,
} from './database.ts';

export interface PostgresOptions {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  /** The most connections of the pool; `listen` takes one more. */
  readonly poolSize: number;
  /** Shown in pg_stat_activity: the pod's name. */
  readonly applicationName: string;
  /** Directory with the files `username` and `password`, read for every new connection; or both as they are. */
  readonly credentials: { readonly directory: string } | { readonly username: string; readonly password?: string };
  /** PEM file of the authority that must have signed the server's certificate for `host`. @default no TLS: only tests on loopback leave it out */
  readonly caFile?: string;
  /** When the client itself gives a query up; 0: never, for migrations. @default 15 s */
  readonly queryTimeoutMs?: number;
  /** Called when a listening connection is lost and tried again. @default nothing */
  readonly onListenerError?: (error: unknown) => void;
}

/** A statement that takes longer is given up by the server: everything here is one indexed access. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** Longer than the server's, so that the server's error comes first; it catches a server that vanished without a word. */
const QUERY_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 3_000;
const LISTENER_RETRY_MS = { first: 250, most: 5_000 };

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? (text: string) => BigInt(text) : pg.types.getTypeParser(oid, format as 'text'),
};

function connectionOptions(options: PostgresOptions): pg.ClientConfig {
  const { credentials } = options;
  const read = (file: string, directory: string) => readFileSync(path.join(directory, file), 'utf8').trim();
  const { username, password } =
    'directory' in credentials
      ? { username: read('username', credentials.directory), password: read('password', credentials.directory) }
      : credentials;
  return {
    host: options.host,
    port: options.port,
    database: options.name,
    user: username,
    ...(password === undefined ? {} : { password }),
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: options.queryTimeoutMs ?? QUERY_TIMEOUT_MS,
    keepAlive: true,
    types,
    ...(options.caFile === undefined
      ? {}
      : { ssl: { ca: readFileSync(options.caFile, 'utf8'), rejectUnauthorized: true, servername: options.host, minVersion: 'TLSv1.2' } }),
  };
}

export function openPostgres(options: PostgresOptions): Database {
  let up = false;
  let closed = false;
  const listeners = new Map<string, { client?: pg.Client; timer?: NodeJS.Timeout }>();

  /** Reads credentials and certificate anew, so that a rotation needs no restart. */
  class FreshClient extends pg.Client {
    constructor() {
      super(connectionOptions(options));
    }
  }
  // A connection that fails while it is idle is dropped by the pool; without a handler the event would end the process.
  const pool = new pg.Pool({
    max: options.poolSize,
    idleTimeoutMillis: 60_000,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    maxLifetimeSeconds: 3_600,
    Client: FreshClient as never,
  });
  pool.on('error', () => {
    up = false;
  });

  const observed = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      const result = await work();
      up = true;
      return result;
    } catch (error) {
      if (!isUnavailable(error)) {
        // A refused statement was an answer.
        if ((error as { severity?: unknown }).severity !== undefined) up = true;
        throw error;
      }
      up = false;
      throw error instanceof DatabaseUnavailable ? error : new DatabaseUnavailable(error);
    }
  };

  const rows = async <Row extends object>(on: pg.Pool | pg.PoolClient, text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await on.query(text, values as unknown[])).rows as Row[];

  const once = async <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    const transaction: Transaction = {
      query: (text, values) => rows(client, text, values),
      execute: async (script) => {
        await client.query(script);
      },
    };
    // Without a handler, a connection that is lost between two statements would end the process.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      await client.query('begin');
      const result = await work(transaction);
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  };

  const listenOnce = async (channel: string, onHint: (payload: string) => void, delay: number): Promise<void> => {
    const state = listeners.get(channel) ?? {};
    listeners.set(channel, state);
    const again = (error: unknown, next: number) => {
      if (closed || state.timer) return;
      options.onListenerError?.(error);
      state.timer = setTimeout(() => {
        state.timer = undefined;
        void listenOnce(channel, onHint, Math.min(next * 2, LISTENER_RETRY_MS.most));
      }, next);
    };
    let client: pg.Client;
    try {
      client = new pg.Client({ ...connectionOptions(options), statement_timeout: 0, query_timeout: QUERY_TIMEOUT_MS });
    } catch (error) {
      again(error, delay);
      return;
    }
    state.client = client;
    let ended = false;
    const lost = (error: unknown) => {
      if (ended) return;
      ended = true;
      client.end().catch(() => undefined);
      again(error, delay);
    };
    client.on('error', lost);
    client.on('end', () => lost(new Error('The connection that listens has ended.')));
    client.on('notification', (message) => {
      if (message.channel === channel) onHint(message.payload ?? '');
    });
    try {
      await client.connect();
      await client.query(`listen ${pg.escapeIdentifier(channel)}`);
      delay = LISTENER_RETRY_MS.first;
      onHint('');
    } catch (error) {
      lost(error);
    }
  };

  const self: Database = {
    query: <Row extends object>(text: string, values?: readonly unknown[]) => observed(() => rows<Row>(pool, text, values)),
    transaction: (work) => observed(() => retryConflicts(() => once(work))),
    listen: (channel, onHint) => listenOnce(channel, onHint, LISTENER_RETRY_MS.first),
    get up() {
      return up;
    },
    poolState: (): PoolState => ({ idle: pool.idleCount, busy: pool.totalCount - pool.idleCount, waiting: pool.waitingCount }),
    close: async () => {
      closed = true;
      for (const { client, timer } of listeners.values()) {
        clearTimeout(timer);
        await client?.end().catch(() => undefined);
      }
      await pool.end();
    },
  };
  return self satisfies Queryable & Database;
}
