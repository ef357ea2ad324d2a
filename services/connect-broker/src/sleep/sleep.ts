/**
 * Which worlds are stopped because nobody is there, and which are started because somebody waits: one statement each, so that of several replicas one acts.
 * It deliberately keeps no wish to wake a world: the entry in its queue, which only an authenticated connect makes, is the wish. It stops a world only while the
 * view is young and the server itself, just now, counts no player: one that is silent may be cut off with all of them on it.
 */
import type { Broker } from '../broker.ts';
import type { Queryable } from '../database/database.ts';
import { type WorldServer, worldServerId } from '../discovery/view.ts';
import { viewTooOld } from '../play/servers.ts';
import type { Settings } from '../settings.ts';
import type { WorldScaler } from './scaler.ts';

/** A report that is older says nothing of now: servers report every 5 s. */
const FRESH_REPORT_SECONDS = 20;
/** Pause between two attempts to start the same world: the pod that is wanted shows in the view long before. */
const WAKE_AGAIN_SECONDS = 5;
/** How exact `occupied_at` is. Each is a write. */
const NOTE_SECONDS = 30;

type SleepBroker = Pick<Broker, 'database' | 'view' | 'log' | 'settings' | 'metrics'>;

interface Sleeper {
  readonly serverId: string;
  readonly realm: string;
  readonly namespace: string;
  readonly continent: string;
  readonly afterMinutes: number;
}

/** Every world whose realm may sleep. */
export function sleepers({ realms }: Pick<Settings, 'realms'>): Sleeper[] {
  return realms.flatMap(({ name: realm, namespace, sleepAfterMinutes, continents }) =>
    sleepAfterMinutes === undefined
      ? []
      : continents.map((continent) => ({
          serverId: worldServerId(realm, continent.name),
          realm,
          namespace,
          continent: continent.name,
          afterMinutes: sleepAfterMinutes,
        })),
  );
}

const inPhase = ({ view }: Pick<Broker, 'view'>, worlds: readonly Sleeper[], phase: WorldServer['phase']): Sleeper[] =>
  worlds.filter(({ realm, continent }) => view.world(realm, continent)?.phase === phase);

/** Starts sleeping worlds that somebody waits for. Asks the database only while a world sleeps. @returns ids of the worlds that this replica started */
export async function wakeWanted(broker: SleepBroker, scaler: WorldScaler): Promise<string[]> {
  const { database, log, settings } = broker;
  if (viewTooOld(broker)) return [];
  const asleep = new Map(inPhase(broker, sleepers(settings), 'asleep').map((world) => [world.serverId, world]));
  if (asleep.size === 0) return [];
  const wanted = await database.query<{ server_id: string }>(
    `with up as materialized (select broker_up_since() as since),
     waited_for as (
       select distinct entry.server_id from queue_entries as entry, up
       where entry.server_id = any ($1::text[]) and still_waits(entry.polled_at, entry.ready_at, up.since)
     )
     insert into world_activity (server_id, occupied_at, scaled_at) select server_id, now(), now() from waited_for
     on conflict (server_id) do update set occupied_at = now(), scaled_at = now()
       where world_activity.scaled_at is null or world_activity.scaled_at < now() - make_interval(secs => $2)
     returning server_id`,
    [[...asleep.keys()], WAKE_AGAIN_SECONDS],
  );
  const woken: string[] = [];
  for (const { server_id } of wanted) {
    const world = asleep.get(server_id) as Sleeper;
    try {
      await scaler.scale(world.namespace, world.continent, 1);
    } catch (error) {
      log.warn({ err: error, world: server_id }, 'a sleeping world could not be started; it is tried again while somebody waits');
      continue;
    }
    log.info({ world: server_id }, 'a world wakes: somebody waits for it');
    woken.push(server_id);
  }
  return woken;
}

/** Stops worlds that nobody has been in for as long as their realm says. No time runs out while nobody could have come. @returns ids of the worlds that this replica stopped */
export async function sleepIdle(broker: SleepBroker, scaler: WorldScaler): Promise<string[]> {
  const { database, log, settings } = broker;
  if (viewTooOld(broker)) return [];
  const worlds = sleepers(settings);
  if (worlds.length === 0) return [];
  await noteOccupied(database, worlds);
  const awake = inPhase(broker, worlds, 'ready');
  if (awake.length === 0) return [];
  const idle = await database.query<{ server_id: string }>(
    `with up as materialized (select broker_up_since() as since)
     select server_id from up, unnest($1::text[], $2::integer[]) as asked (id, minutes) join world_activity on server_id = id
     where greatest(occupied_at, scaled_at, up.since) < now() - make_interval(mins => minutes)`,
    [awake.map(({ serverId }) => serverId), awake.map(({ afterMinutes }) => afterMinutes)],
  );
  const stopped: string[] = [];
  for (const { server_id } of idle) {
    const world = awake.find(({ serverId }) => serverId === server_id) as Sleeper;
    try {
      if (!(await stop(broker, scaler, world))) continue;
    } catch (error) {
      // So that the next look tries again, and not one an idle time later.
      await database.query('update world_activity set scaled_at = null where server_id = $1', [server_id]);
      log.warn({ err: error, world: server_id }, 'an idle world could not be put to sleep; it is tried again');
      continue;
    }
    log.info({ world: server_id, afterMinutes: world.afterMinutes }, 'a world goes to sleep: nobody is there');
    stopped.push(server_id);
  }
  return stopped;
}

const noteOccupied = (tx: Queryable, worlds: readonly Sleeper[]): Promise<unknown> =>
  tx.query(
    `with up as materialized (select broker_up_since() as since)
     insert into world_activity (server_id) select unnest($1::text[])
     on conflict (server_id) do update set occupied_at = now()
       where world_activity.occupied_at < now() - make_interval(secs => $2) and is_occupied(world_activity.server_id, (select since from up))`,
    [worlds.map(({ serverId }) => serverId), NOTE_SECONDS],
  );

/**
 * Stops a world in two steps, each under the lock with which a connect counts its places. The first closes it: whoever connects from then on is told that it lets
 * nobody in. The second looks again, so that whoever was counting at that moment keeps the world awake; the server's next report opens it again.
 */
async function stop({ database, view }: SleepBroker, scaler: WorldScaler, world: Sleeper): Promise<boolean> {
  const podUid = view.world(world.realm, world.continent)?.identity?.podUid;
  if (podUid === undefined) return false;
  const closed = await database.transaction(async (tx) => {
    await tx.query('select lock_world($1)', [world.serverId]);
    const rows = await tx.query(
      `with up as materialized (select broker_up_since() as since),
       claimed as (
         update world_activity set scaled_at = now() from up
         where server_id = $1 and greatest(occupied_at, scaled_at, up.since) < now() - make_interval(mins => $2) and not is_occupied(server_id, up.since)
           and exists (
             select 1 from game_servers as reported
             where reported.server_id = $1 and reported.pod_uid = $3 and reported.players = 0 and reported.reported_at > now() - make_interval(secs => $4)
           )
         returning server_id
       )
       update game_servers set accepting = false from claimed where game_servers.server_id = claimed.server_id returning game_servers.server_id`,
      [world.serverId, world.afterMinutes, podUid, FRESH_REPORT_SECONDS],
    );
    return rows.length > 0;
  });
  if (!closed) return false;
  return database.transaction(async (tx) => {
    await tx.query('select lock_world($1)', [world.serverId]);
    const [row] = await tx.query<{ occupied: boolean }>('select is_occupied($1, broker_up_since()) as occupied', [world.serverId]);
    if (row?.occupied !== false) return false;
    // Within the transaction, so that whoever connects meanwhile waits and finds it stopping. Should the transaction be tried again, the same number is written again.
    await scaler.scale(world.namespace, world.continent, 0);
    return true;
  });
}

/** Says which worlds are scaled to zero, by whomever: a player who waits for one that nobody starts is an alert. */
export function measureSleep({ view, settings, metrics }: Pick<Broker, 'view' | 'settings' | 'metrics'>): void {
  for (const { name: realm, continents } of settings.realms) {
    for (const { name: continent } of continents)
      metrics.worldAsleep.set({ realm, continent }, view.world(realm, continent)?.phase === 'asleep' ? 1 : 0);
  }
}
