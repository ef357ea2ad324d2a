/**
 * The queue as its players see it: position, estimate, and whether it is their turn; asking is what keeps an entry.
 * It deliberately lets nobody in: the turn is taken by the connect that follows, which counts again under the world's lock.
 */
import type { Broker } from '../broker.ts';
import type { WorldServer } from '../discovery/view.ts';
import { Problem } from '../problem.ts';
import { QUEUE_URLS, type WaitAnswer } from './connect-api.ts';
import { viewTooOld } from './servers.ts';

/** Soon: another replica may answer, and an entry that is not asked for within 60 s is gone. */
const RETRY_AFTER_SECONDS = 5;

interface Row {
  readonly account_id: string;
  readonly character_id: string;
  readonly realm: string;
  readonly continent: string;
  readonly rank: number;
  readonly waiting: number;
  readonly places: number;
  readonly ready_at: Date | null;
  readonly seconds_each: number | null;
  readonly pod_uid: string | null;
  readonly accepting: boolean | null;
  readonly capacity: number | null;
  readonly maintenance: boolean;
}

/** Seconds until it is the turn of position `rank`, when one after the other gets a place every `secondsEach`; null when nobody has yet. */
export const estimate = (rank: number, secondsEach: number | null): number | null =>
  secondsEach === null ? null : Math.ceil(rank * secondsEach);

/** What a waiting player is told of a world that is not open. */
export const waitState = (phase: WorldServer['phase'] | undefined): 'queued' | 'starting' | 'asleep' =>
  phase === 'starting' || phase === 'asleep' ? phase : 'queued';

/**
 * How the entries of these accounts stand, by account id; an account that waits nowhere (any more) is not in the result. Counts as asking.
 * Two statements whatever the number of accounts, and a third when somebody's turn came or went.
 * @throws Problem `realm-unavailable` when the view of the servers is too old. Nothing is written then: this replica could let nobody in, so an entry that is asked for
 * here alone must not keep those behind it waiting, and a turn that another replica has given must stay.
 */
export async function queueStates(broker: Broker, accountIds: readonly string[]): Promise<Map<string, WaitAnswer>> {
  const { database, settings, view } = broker;
  if (accountIds.length === 0) return new Map();
  if (viewTooOld(broker))
    throw new Problem('realm-unavailable', 'The broker has lost touch with the servers and cannot say whose turn it is. Ask again.', {
      members: { reason: 'view-too-old' },
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  // Not more often than needed: each is a write. An entry that has run out stays so.
  await database.query(
    `update queue_entries set polled_at = now()
     where account_id = any ($1::uuid[]) and polled_at < now() - interval '4 s' and still_waits(polled_at, ready_at, broker_up_since())`,
    [accountIds],
  );
  const rows = await database.query<Row>(
    `with up as materialized (select broker_up_since() as since),
     asked as materialized (select distinct server_id from queue_entries where account_id = any ($1::uuid[])),
     ranked as (
       select entry.*, row_number() over (partition by server_id order by position)::integer as rank, count(*) over (partition by server_id)::integer as waiting
       from queue_entries as entry, up
       where server_id in (select server_id from asked) and still_waits(polled_at, ready_at, up.since)
     ),
     taken as (
       select server_id, count(*)::integer as places from play_sessions, up
       where server_id in (select server_id from asked) and state <> 'ended' and takes_place(state, counts, token_expires_at, held_until, up.since)
       group by server_id
     )
     select ranked.account_id, ranked.character_id, ranked.rank, ranked.waiting, ranked.ready_at, worlds.realm, worlds.continent,
       coalesce(taken.places, 0) as places,
       greatest(worlds.admission_seconds, extract(epoch from now() - worlds.admitted_at))::double precision as seconds_each,
       game_servers.pod_uid, game_servers.accepting, game_servers.capacity,
       exists (select 1 from realm_maintenance where realm_maintenance.realm = worlds.realm) as maintenance
     from ranked join worlds using (server_id) left join taken using (server_id) left join game_servers using (server_id)
     where ranked.account_id = any ($1::uuid[])`,
    [accountIds],
  );
  const turned: string[] = [];
  const result = new Map<string, WaitAnswer>();
  for (const row of rows) {
    const world = view.world(row.realm, row.continent);
    const configured =
      settings.realms.find(({ name }) => name === row.realm)?.continents.find(({ name }) => name === row.continent)?.capacity ?? 0;
    const reported = world?.identity !== undefined && world.identity.podUid === row.pod_uid;
    const capacity = reported ? Math.min(configured, row.capacity ?? configured) : configured;
    const open = world?.phase === 'ready' && world.identity !== undefined && !row.maintenance && !(reported && row.accepting === false);
    const ready = open && row.rank <= capacity - row.places;
    if (ready !== (row.ready_at !== null)) turned.push(row.account_id);
    result.set(row.account_id, {
      state: ready ? 'ready' : waitState(world?.phase),
      realm: row.realm,
      continent: row.continent,
      characterId: row.character_id,
      position: row.rank,
      waiting: row.waiting,
      estimateSeconds: ready ? 0 : estimate(row.rank, row.seconds_each),
      ...QUEUE_URLS,
    });
  }
  if (turned.length > 0)
    await database.query(
      'update queue_entries set ready_at = case when ready_at is null then now() end where account_id = any ($1::uuid[])',
      [turned],
    );
  return result;
}

/** Gives an entry up. Does nothing when there is none. */
export async function leaveQueue(broker: Broker, accountId: string): Promise<void> {
  const left = await broker.database.query('delete from queue_entries where account_id = $1 returning id', [accountId]);
  if (left.length > 0) await broker.database.query("select pg_notify('broker', 'queue')");
}
