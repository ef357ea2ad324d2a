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
/** Of a content type that is configured no more: longer than anybody plays one. */
const LIFETIME_SECONDS = 24 * 60 * 60;
/** A server whose instance is in no database (a backup was restored), since this replica first saw that; a replica that starts counts anew. */
const UNKNOWN_SECONDS = 600;
/** A report that is older says nothing of now: servers report every 5 s. */
const FRESH_REPORT_SECONDS = 20;
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

/** Empty for too long. It reads `instances`, and `up (since)`; $1 is how long. */
const OVER_EMPTY = `ready_at is not null and greatest(ready_at, occupied_at, since) < now() - make_interval(secs => $1)
  and not exists (select 1 from play_sessions where server_id = 'instance:' || game_server and state <> 'ended')`;

/** When servers were first seen without a row of their instance, by UID (milliseconds since 1970). In memory: a replica that starts is patient again. */
const unknownSince = new WeakMap<object, ReadonlyMap<string, number>>();

/** Why a server must go; undefined when it may stay. */
function verdict(server: InstanceServer, facts: Facts | undefined, isLongUnknown: boolean): ReapReason | undefined {
  if (!facts) return isLongUnknown ? 'unknown' : undefined;
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

/**
 * Looks at every server of an instance and deletes those that must go.
 * @param now for tests. @default the clock
 * @returns names
 */
export async function reap(
  broker: Pick<Broker, 'database' | 'view' | 'metrics' | 'log' | 'settings'>,
  allocator: Allocator,
  now: number = Date.now(),
): Promise<string[]> {
  const { database, view, metrics, log, settings } = broker;
  if (!isCurrent(view)) return [];
  const servers = view
    .instances()
    .filter(({ instanceId, state }) => instanceId !== undefined && UUID.test(instanceId) && state !== 'Shutdown');
  if (servers.length === 0) {
    unknownSince.delete(view);
    return [];
  }
  const rows = await database.query<Facts>(
    `with up as materialized (select broker_up_since() as since)
     select id, state, game_server, occupied_at is not null as joined,
       ${OVER_EMPTY} as over_empty,
       ended_at is not null and greatest(ended_at, since) < now() - make_interval(secs => $3) as over_end,
       allocated_at is not null and greatest(allocated_at, since) < now() - make_interval(secs => $4) as over_ready,
       allocated_at is not null and allocated_at < now() - make_interval(secs => coalesce(lifetime, $5) + $3) as over_lifetime
     from up, instances left join unnest($6::text[], $7::integer[]) as types (type, lifetime) on type = content_type
     where id = any ($2::uuid[])`,
    [
      EMPTY_SECONDS + GRACE_SECONDS,
      [...new Set(servers.map(({ instanceId }) => instanceId))],
      GRACE_SECONDS,
      READY_SECONDS + GRACE_SECONDS,
      LIFETIME_SECONDS,
      settings.instances.map(({ name }) => name),
      settings.instances.map(({ lifetimeSeconds }) => lifetimeSeconds),
    ],
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  const before = unknownSince.get(view);
  const unknown = new Map(
    servers.filter(({ instanceId }) => !known.has(instanceId ?? '')).map(({ uid }) => [uid, before?.get(uid) ?? now]),
  );
  unknownSince.set(view, unknown);
  const reaped: string[] = [];
  for (const server of servers) {
    const facts = known.get(server.instanceId ?? '');
    const reason = verdict(server, facts, now - (unknown.get(server.uid) ?? now) > UNKNOWN_SECONDS * 1000);
    if (reason === undefined) continue;
    try {
      if (facts && (reason === 'empty' || reason === 'never-joined')) {
        if (!(await endEmpty(broker, facts.id, server, reason))) continue;
      } else if (facts) {
        if (!(await claim(broker, facts.id))) continue;
        if (facts.state !== 'ended' && reason !== 'duplicate') await endInstance(database, facts.id, reason);
      }
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

/**
 * Ends an instance that nobody is on, unless somebody came since the look: whoever enters holds the same lock while he takes his place (routes.ts).
 * A server that once had players must have said itself, just now, that it is empty: one that is silent may be cut off with all of them on it, and lives until it says
 * so, stops, or its lifetime is over.
 * @returns whether it ended now, by this replica, so that its server must go
 */
const endEmpty = (
  { database }: Pick<Broker, 'database'>,
  id: string,
  server: InstanceServer,
  because: 'empty' | 'never-joined',
): Promise<boolean> =>
  database.transaction(async (tx) => {
    await tx.query('select lock_world($1)', [`instance:${server.name}`]);
    const ended = await tx.query(
      `with up as materialized (select broker_up_since() as since)
       update instances set state = 'ended', ended_at = now(), ended_because = $5, reaped_at = now()
       from up
       where id = $2 and state = 'ready' and game_server = $3 and ${OVER_EMPTY}
         and coalesce(
           (select players from game_servers
            where server_id = 'instance:' || game_server and pod_uid = $4 and reported_at > now() - make_interval(secs => $6)),
           case when occupied_at is null then 0 else 1 end
         ) = 0
       returning id`,
      [EMPTY_SECONDS + GRACE_SECONDS, id, server.name, server.identity?.podUid ?? '', because, FRESH_REPORT_SECONDS],
    );
    return ended.length > 0;
  });

/** One replica deletes; the others need not. */
async function claim({ database }: Pick<Broker, 'database'>, id: string): Promise<boolean> {
  const claimed = await database.query(
    'update instances set reaped_at = now() where id = $1 and (reaped_at is null or reaped_at < now() - make_interval(secs => $2)) returning id',
    [id, CLAIM_SECONDS],
  );
  return claimed.length > 0;
}
