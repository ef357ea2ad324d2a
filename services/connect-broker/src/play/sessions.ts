/**
 * Places on servers, for whoever gives or takes them: reserve one with a token, and take everything from an account or a server.
 * It deliberately has no SQL of its own for that: the rules are the functions of migration 003, so that every caller and replica keeps the same.
 */
import { randomUUID } from 'node:crypto';
import type { Queryable } from '../database/database.ts';

export interface ReserveOptions {
  readonly accountId: string;
  readonly characterId: string;
  /** `world:<realm>/<continent>` or `instance:<name of the GameServer>`. */
  readonly serverId: string;
  /** The pod that the token is for; only it can claim. */
  readonly podUid: string;
  /** Settings' `tokens.lifetimeSeconds`; the place is kept 15 s longer. */
  readonly tokenLifetimeSeconds: number;
  /** Players at once on the server. */
  readonly capacity: number;
  /** Where the request came from; a ban of it refuses the claim. @default unknown: tests */
  readonly clientAddress?: string;
}

export interface Reservation {
  readonly playSessionId: string;
  /** For the token: random, fresh, 1 to 2^63 − 1. */
  readonly clientId: bigint;
}

/** A netcode client id that was never used: 63 random bits, never 0, so that PostgreSQL's bigint holds it. */
export function freshClientId(): bigint {
  for (;;) {
    // Sixteen of a UUID's random digits: Node makes UUIDs from a store of random bytes, so that not every connect asks the kernel.
    const uuid = randomUUID();
    const id = BigInt(`0x${uuid.slice(0, 8)}${uuid.slice(9, 13)}${uuid.slice(24, 28)}`) >> 1n;
    if (id !== 0n) return id;
  }
}

/**
 * Reserves a place and ends, in the same transaction, whatever the account has elsewhere: an active session is superseded and its server ordered to let it go,
 * which the new one's claim waits for. A place that the account already has on this server is taken over, also when the server is full.
 * Locks the account, then the server; take no such lock before it in the same transaction. Checks neither bans nor who owns the character.
 * @returns undefined when the server is full; then nothing has changed
 */
export async function reserve(tx: Queryable, options: ReserveOptions): Promise<Reservation | undefined> {
  const clientId = freshClientId();
  const [row] = await tx.query<{ id: string | null }>(
    'select created as id from reserve_place($1, $2, $3, $4, $5, $6, $7, broker_up_since(), $8)',
    [
      options.accountId,
      options.characterId,
      options.serverId,
      options.podUid,
      clientId,
      options.tokenLifetimeSeconds,
      options.capacity,
      options.clientAddress ?? null,
    ],
  );
  return row?.id ? { playSessionId: row.id, clientId } : undefined;
}

/**
 * Takes every place of an account: tokens that were not claimed and held places end, active sessions are ordered to be kicked (their server stores the character
 * and releases it), its entry in a queue goes.
 * @param only the places of this server alone; queues stay. @default all
 * @returns how many active sessions were ordered to be kicked
 */
export async function releaseAccount(tx: Queryable, accountId: string, because: 'kicked' | 'banned', only?: string): Promise<number> {
  await tx.query('select lock_account($1)', [accountId]);
  const ended = await tx.query<{ id: string }>(
    `update play_sessions set state = 'ended', ended_because = $2, ended_at = now()
     where account_id = $1 and state in ('reserved', 'held') and ($3::text is null or server_id = $3)
     returning id`,
    [accountId, because, only ?? null],
  );
  for (const { id } of ended) await tx.query('select disown($1)', [id]);
  const kicked = await tx.query(
    `select order_kick(id, server_id, jsonb_build_object('because', $2::text)) from play_sessions
     where account_id = $1 and state = 'active' and ($3::text is null or server_id = $3)`,
    [accountId, because, only ?? null],
  );
  if (only === undefined) await tx.query('delete from queue_entries where account_id = $1', [accountId]);
  if (ended.length > 0) await tx.query("select pg_notify('broker', 'queue')");
  return kicked.length;
}

/**
 * Ends every place of a server that is gone for good (a GameServer that was deleted). Its characters keep the state that was last stored.
 */
export async function releaseServer(tx: Queryable, serverId: string): Promise<void> {
  const ended = await tx.query<{ character_id: string }>(
    `update play_sessions set state = 'ended', ended_because = 'lost', ended_at = now()
     where server_id = $1 and state <> 'ended' returning character_id`,
    [serverId],
  );
  await tx.query('update characters set owner = null where id = any ($1::uuid[]) and owner = $2', [
    ended.map(({ character_id }) => character_id),
    serverId,
  ]);
  await tx.query('delete from server_orders where server_id = $1', [serverId]);
  await tx.query('delete from game_servers where server_id = $1', [serverId]);
}
