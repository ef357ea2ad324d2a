/**
 * What becomes of sessions, as metrics: how many are played now, for how long, and why those that were played are over.
 * It deliberately reads what the database knows instead of counting where things happen: a server that crashed tells nobody, and any replica may notice it.
 * So every replica counts all of them: readers take the maximum over replicas, never the sum.
 */
import type { Broker } from '../broker.ts';
import { labelsOf } from './servers.ts';

/** Ends are counted this long after they happened: until then their transaction may still be open, and a server may name a lost session again. */
const SETTLED_AFTER_SECONDS = 15;

/**
 * Why a session that was played is over. `disconnected`: its server lost the connection; `lost`: its server no longer named it, or fell silent.
 * `drained`: either of these while the server let nobody in although it had room, as before a planned stop. The rest is somebody's will.
 */
export type EndedBecause = 'logged-out' | 'handed-over' | 'superseded' | 'kicked' | 'banned' | 'disconnected' | 'lost' | 'drained';

interface Ended {
  readonly server_id: string;
  readonly because: EndedBecause;
  readonly count: number;
}

/**
 * Sessions by the moment at which their player was out. After a broken connection, or when its server is lost, a place is kept for 300 s (migration 003):
 * for the player it is over at the beginning of that time. Tokens that nobody claimed were never played. Rows live for a day after their end; the table is read once.
 */
const ENDED = `
  select server_id, because, count(*)::integer as count
  from (
    select place.server_id, place.at,
      case when because in ('disconnected', 'lost') and not reported.accepting and reported.players < reported.capacity then 'drained' else because end as because
    from (
      select server_id, pod_uid, at,
        case
          when ended_because = 'handed-over' then 'handed-over'
          when superseded_at <= at then 'superseded'
          when released_at is not null then case when held_until is null then 'logged-out' else 'disconnected' end
          when held_until is not null then 'lost'
          else ended_because
        end as because
      from play_sessions, lateral (select coalesce(released_at, held_until - interval '300 s', ended_at)) as out (at)
      where claimed_at is not null and state in ('held', 'ended')
    ) as place
    left join game_servers as reported on reported.server_id = place.server_id and reported.pod_uid = place.pod_uid
  ) as ends
  where at > $1 and at <= $2
  group by server_id, because`;

/**
 * A function that brings the metrics up to date. The first call only notes the time: what ended before is another process's to have counted.
 * @throws what the database throws; the next call then counts what this one should have
 */
export function sessionMeter({ database, metrics, view }: Pick<Broker, 'database' | 'metrics' | 'view'>): () => Promise<void> {
  let since: Date | undefined;
  return async () => {
    const [settled] = await database.query<{ until: Date }>('select now() - make_interval(secs => $1) as until', [SETTLED_AFTER_SECONDS]);
    const active = await database.query<{ server_id: string; count: number }>(
      "select server_id, count(*)::integer as count from play_sessions where state = 'active' group by server_id",
    );
    const ended = since === undefined || !settled ? [] : await database.query<Ended>(ENDED, [since, settled.until]);
    if (!settled) return;
    const seconds = since === undefined ? 0 : (settled.until.getTime() - since.getTime()) / 1000;
    metrics.sessions.reset();
    for (const { server_id, count } of active) {
      const labels = labelsOf({ view }, server_id);
      metrics.sessions.inc(labels, count);
      metrics.sessionSeconds.inc(labels, count * seconds);
      // Both series are there before the first cut, so that the first one is an increase.
      for (const because of ['disconnected', 'lost'] as const) metrics.sessionsEnded.inc({ ...labels, because }, 0);
    }
    for (const { server_id, because, count } of ended) metrics.sessionsEnded.inc({ ...labelsOf({ view }, server_id), because }, count);
    since = settled.until;
  };
}
