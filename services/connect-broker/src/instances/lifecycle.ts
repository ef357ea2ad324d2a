/**
 * Follows the servers of instances in the view: players may enter, a server has stopped, a server is gone.
 * It deliberately deletes no server (reaping.ts). Each step is one conditional statement, so that every replica may take it and one of them does.
 */
import type { Broker } from '../broker.ts';
import type { Queryable } from '../database/database.ts';
import { type InstanceServer, MAX_VIEW_AGE_SECONDS, type ServerView } from '../discovery/view.ts';
import { releaseServer } from '../play/sessions.ts';

/** States in which Agones lets nobody play. */
const STOPPED = new Set(['Shutdown', 'Error', 'Unhealthy']);
/** A server that the view does not have yet may have been allocated since the view was last brought up to date, and a little longer. */
const VIEW_LAG_SECONDS = 30;
/** Rows of ended instances are kept for questions afterwards. */
const KEPT_DAYS = 7;

/** Whether players of the instance may enter this server now: it is allocated for it, has loaded it, and can be reached. */
export const isOpenFor = (server: InstanceServer | undefined, instanceId: string): boolean =>
  server !== undefined &&
  server.state === 'Allocated' &&
  server.instanceId === instanceId &&
  server.readyFor === instanceId &&
  server.identity !== undefined;

/** Whether the view may be acted on: what it says of servers holds, and what it does not have is not there. */
export const isCurrent = (view: ServerView): boolean => view.synced && view.instancesKnown && view.ageSeconds() <= MAX_VIEW_AGE_SECONDS;

interface Open {
  readonly id: string;
  readonly state: 'allocated' | 'ready';
  readonly game_server: string;
  /** Allocated so long ago that the view must have its server. */
  readonly settled: boolean;
}

/** Brings the rows of instances in step with the view. Does nothing with a view that is too old. */
export async function followServers(broker: Pick<Broker, 'database' | 'view' | 'metrics' | 'log' | 'settings'>): Promise<void> {
  const { database, view, log, settings } = broker;
  if (!isCurrent(view)) return;
  const lag = view.ageSeconds() + VIEW_LAG_SECONDS;
  const open = await database.query<Open>(
    `select id, state, game_server, allocated_at < now() - make_interval(secs => $1) as settled
     from instances where state in ('allocated', 'ready') and game_server is not null`,
    [lag],
  );
  const ready: string[] = [];
  for (const { id, state, game_server, settled } of open) {
    const server = view.instance(game_server);
    const lost = server === undefined ? settled && 'server-gone' : STOPPED.has(server.state) && 'server-stopped';
    if (lost) {
      log.info({ instance: id, gameServer: game_server, because: lost }, 'the server of an instance is lost');
      // Nobody was let in yet: another server does as well, for as long as an instance may wait for its first one.
      if (state === 'allocated') await wantAnother(database, id, game_server, settings.game.build);
      else await endInstance(database, id, lost);
    } else if (state === 'allocated' && isOpenFor(server, id)) ready.push(id);
  }
  if (ready.length > 0) observeOpened(broker.metrics, await markReady(database, ready));
}

const wantAnother = (tx: Queryable, id: string, lost: string, build: string): Promise<unknown> =>
  tx.query(
    `update instances set state = 'wanted', build = $3, game_server = null, allocated_at = null, asked_at = now(), next_attempt_at = now()
     where id = $1 and state = 'allocated' and game_server = $2`,
    [id, lost, build],
  );

/** An instance that players may enter since now, and how long they waited for that. */
export interface Opened {
  readonly contentType: string;
  readonly seconds: number;
}

/**
 * Notes that players may enter these instances. Whoever lets somebody in notes it with the place that he gives: the view is ahead of the rows, and a
 * server that is lost after its first player must not be exchanged for another one.
 * @returns those that were not noted before; to be counted once that is committed (`observeOpened`)
 */
export async function markReady(tx: Queryable, ids: readonly string[]): Promise<Opened[]> {
  const opened = await tx.query<{ content_type: string; seconds: number }>(
    `update instances set state = 'ready', ready_at = now() where id = any ($1::uuid[]) and state = 'allocated'
     returning content_type, extract(epoch from now() - created_at)::double precision as seconds`,
    [ids],
  );
  return opened.map(({ content_type, seconds }) => ({ contentType: content_type, seconds }));
}

export function observeOpened({ allocationDuration }: Broker['metrics'], opened: readonly Opened[]): void {
  for (const { contentType, seconds } of opened) allocationDuration.observe({ fleet: contentType }, seconds);
}

/** @returns whether it had not ended before */
export async function endInstance(tx: Queryable, id: string, because: string): Promise<boolean> {
  const ended = await tx.query(
    "update instances set state = 'ended', ended_at = now(), ended_because = $2 where id = $1 and state <> 'ended' returning id",
    [id, because],
  );
  return ended.length > 0;
}

/** Ends the places of players on servers of instances that are gone for good: nobody will report or release them. */
export async function releaseLostServers({ database, view, log }: Pick<Broker, 'database' | 'view' | 'log'>): Promise<void> {
  if (!isCurrent(view)) return;
  const servers = await database.query<{ server_id: string }>(
    `select server_id from play_sessions where state <> 'ended' and server_id like 'instance:%'
     group by server_id having max(greatest(created_at, claimed_at)) < now() - make_interval(secs => $1)`,
    [view.ageSeconds() + VIEW_LAG_SECONDS],
  );
  for (const { server_id } of servers) {
    if (view.instance(server_id.slice('instance:'.length)) !== undefined) continue;
    log.info({ server: server_id }, 'a server of an instance is gone; its places are free');
    await database.transaction((tx) => releaseServer(tx, server_id));
  }
}

/** Notes which instances somebody has a place on; at most once a minute each. */
export async function noteOccupied({ database }: Pick<Broker, 'database'>): Promise<void> {
  await database.query(
    `update instances set occupied_at = now()
     where state in ('allocated', 'ready') and (occupied_at is null or occupied_at < now() - interval '60 s')
       and exists (select 1 from play_sessions where server_id = 'instance:' || game_server and state <> 'ended')`,
  );
}

/** Forgets what ended long ago. */
export async function forgetEnded({ database }: Pick<Broker, 'database'>): Promise<void> {
  await database.query(
    `delete from instances where id in (
       select id from instances where state = 'ended' and ended_at < now() - make_interval(days => $1) limit 1000 for update skip locked
     )`,
    [KEPT_DAYS],
  );
}
