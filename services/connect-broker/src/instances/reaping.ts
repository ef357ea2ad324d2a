/**
 * Deletes the servers that should have ended themselves: the second one of an instance after a lost answer, and what outlives its end by two minutes.
 * It deliberately is slow and careful: servers end themselves (docs/game-server.md), no time runs out while servers could not reach the broker, and a deletion names
 * the UID, so that it never hits another server of the same name.
 */
import type { Broker } from '../broker.ts';
import type { InstanceServer } from '../discovery/view.ts';
import type { Allocator } from './allocator.ts';
import { endInstance, isCurrent } from './lifecycle.ts';

/** How much longer than it should a server may live. */
const GRACE_SECONDS = 120;
/** A server ends itself when nobody has come, or nobody is left, for as long (docs/game-server.md). */
const EMPTY_SECONDS = 120;
/** From the allocation until players may enter; the slowest load of any content is far below. */
const READY_SECONDS = 300;
/** Longer than anybody plays one: whatever is as old has lost its way. */
export const LIFETIME_SECONDS = 24 * 60 * 60;
/** A server whose instance is in no database (a backup was restored). */
const UNKNOWN_SECONDS = 600;
/** When a deletion failed, the next replica tries after as long. */
const CLAIM_SECONDS = 60;

export type ReapReason = 'duplicate' | 'ended' | 'never-ready' | 'never-joined' | 'empty' | 'lifetime' | 'unknown';

interface Facts {
  readonly id: string;
  readonly state: 'wanted' | 'allocated' | 'ready' | 'ended';
  readonly game_server: string | null;
  readonly joined: boolean;
  readonly over_end: boolean;
  readonly over_lifetime: boolean;
  readonly over_ready: boolean;
  readonly over_empty: boolean;
}

/** Why a server must go; undefined when it may stay. */
function verdict(server: InstanceServer, facts: Facts | undefined): ReapReason | undefined {
  if (!facts) return Date.now() - server.createdAt > UNKNOWN_SECONDS * 1000 ? 'unknown' : undefined;
  // An attempt whose answer was lost: the next one will find it.
  if (facts.state === 'wanted') return undefined;
  if (facts.game_server !== server.name) return 'duplicate';
  if (facts.state === 'ended') return facts.over_end ? 'ended' : undefined;
  if (facts.over_lifetime) return 'lifetime';
  if (facts.state === 'allocated') return facts.over_ready ? 'never-ready' : undefined;
  if (facts.over_empty) return facts.joined ? 'empty' : 'never-joined';
  return undefined;
}

/** An instance's id is a label that anybody with rights in the namespace could have set to anything. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Looks at every server of an instance and deletes those that must go. @returns names */
export async function reap(broker: Pick<Broker, 'database' | 'view' | 'metrics' | 'log'>, allocator: Allocator): Promise<string[]> {
  const { database, view, metrics, log } = broker;
  if (!isCurrent(view)) return [];
  const servers = view
    .instances()
    .filter(({ instanceId, state }) => instanceId !== undefined && UUID.test(instanceId) && state !== 'Shutdown');
  if (servers.length === 0) return [];
  const rows = await database.query<Facts>(
    `with up as materialized (select broker_up_since() as since)
     select id, state, game_server, occupied_at is not null as joined,
       ended_at is not null and greatest(ended_at, since) < now() - make_interval(secs => $2) as over_end,
       allocated_at is not null and greatest(allocated_at, since) < now() - make_interval(secs => $3) as over_ready,
       ready_at is not null and greatest(ready_at, occupied_at, since) < now() - make_interval(secs => $4)
         and not exists (select 1 from play_sessions where server_id = 'instance:' || game_server and state <> 'ended') as over_empty,
       allocated_at is not null and allocated_at < now() - make_interval(secs => $5) as over_lifetime
     from instances, up where id = any ($1::uuid[])`,
    [
      [...new Set(servers.map(({ instanceId }) => instanceId))],
      GRACE_SECONDS,
      READY_SECONDS + GRACE_SECONDS,
      EMPTY_SECONDS + GRACE_SECONDS,
      LIFETIME_SECONDS + GRACE_SECONDS,
    ],
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  const reaped: string[] = [];
  for (const server of servers) {
    const facts = known.get(server.instanceId ?? '');
    const reason = verdict(server, facts);
    if (reason === undefined || (facts && !(await claim(broker, facts.id)))) continue;
    try {
      if (facts && facts.state !== 'ended' && reason !== 'duplicate') await endInstance(database, facts.id, reason);
      await allocator.remove(server.name, server.uid);
    } catch (error) {
      log.warn({ err: error, gameServer: server.name, reason }, 'a forgotten server could not be deleted; it is tried again');
      continue;
    }
    reaped.push(server.name);
    metrics.instancesReaped.inc({ fleet: server.contentType, reason });
    log.warn({ gameServer: server.name, instance: server.instanceId, reason }, 'a server that should have ended itself was deleted');
  }
  return reaped;
}

/** One replica deletes; the others need not. */
async function claim({ database }: Pick<Broker, 'database'>, id: string): Promise<boolean> {
  const claimed = await database.query(
    'update instances set reaped_at = now() where id = $1 and (reaped_at is null or reaped_at < now() - make_interval(secs => $2)) returning id',
    [id, CLAIM_SECONDS],
  );
  return claimed.length > 0;
}
