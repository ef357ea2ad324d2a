/**
 * How full every server is, for lists and metrics: places by state, queues, and what servers report of themselves.
 * It deliberately decides nothing with these numbers; a connect counts again under its lock.
 */
import type { Queryable } from '../database/database.ts';

export interface Population {
  /** `world:<realm>/<continent>` or `instance:<name of the GameServer>`. */
  readonly serverId: string;
  /** Places by state; together they are what counts against the capacity. What has run out is left out, cleaned up or not. */
  readonly reserved: number;
  readonly active: number;
  readonly held: number;
  /** Players who wait for a place. */
  readonly queued: number;
  /** How long the first of them has waited; 0 when nobody waits. */
  readonly oldestQueuedSeconds: number;
  /** What the server last reported; undefined when it never did, or is gone. */
  readonly accepting: boolean | undefined;
  /** The pod that reported it. */
  readonly podUid: string | undefined;
  readonly build: string | undefined;
  readonly players: number | undefined;
  readonly reportedAt: Date | undefined;
}

/** Every server that has a place, a queue or a report; a server without any is not in the list. One query. */
export async function populations(database: Queryable): Promise<readonly Population[]> {
  const rows = await database.query<{
    server_id: string;
    reserved: number;
    active: number;
    held: number;
    queued: number;
    oldest: number;
    accepting: boolean | null;
    pod_uid: string | null;
    build: string | null;
    players: number | null;
    reported_at: Date | null;
  }>(
    `with up as materialized (select broker_up_since() as since),
     places as (
       select server_id,
         count(*) filter (where state = 'reserved')::integer as reserved,
         count(*) filter (where state = 'active')::integer as active,
         count(*) filter (where state = 'held')::integer as held
       from play_sessions, up
       where state <> 'ended' and takes_place(state, counts, token_expires_at, held_until, up.since)
       group by server_id
     ),
     queues as (
       select server_id, count(*)::integer as queued, extract(epoch from now() - min(entered_at))::double precision as oldest
       from queue_entries, up where still_waits(polled_at, ready_at, up.since)
       group by server_id
     )
     select server_id, coalesce(reserved, 0) as reserved, coalesce(active, 0) as active, coalesce(held, 0) as held,
       coalesce(queued, 0) as queued, coalesce(oldest, 0) as oldest, accepting, pod_uid, build, players, reported_at
     from places full join queues using (server_id) full join game_servers using (server_id)`,
  );
  return rows.map((row) => ({
    serverId: row.server_id,
    reserved: row.reserved,
    active: row.active,
    held: row.held,
    queued: row.queued,
    oldestQueuedSeconds: row.oldest,
    accepting: row.accepting ?? undefined,
    podUid: row.pod_uid ?? undefined,
    build: row.build ?? undefined,
    players: row.players ?? undefined,
    reportedAt: row.reported_at ?? undefined,
  }));
}
