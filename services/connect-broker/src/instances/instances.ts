/**
 * Instances as rows: what is wanted, by whom, and who may enter. The row is committed before anything is asked of Agones, so that nothing is allocated
 * that nobody remembers.
 * It deliberately allocates nothing (allocation.ts) and gives out no tokens (routes.ts).
 */
import type { Queryable } from '../database/database.ts';

export interface Instance {
  readonly id: string;
  readonly contentType: string;
  readonly build: string;
  /** Undefined where its content type has none. */
  readonly difficulty: string | undefined;
  readonly state: 'wanted' | 'allocated' | 'ready' | 'ended';
  /** Name of its GameServer. */
  readonly gameServer: string | undefined;
  readonly endedBecause: string | undefined;
}

interface Row {
  readonly id: string;
  readonly content_type: string;
  readonly build: string;
  readonly difficulty: string | null;
  readonly state: Instance['state'];
  readonly game_server: string | null;
  readonly ended_because: string | null;
}

const COLUMNS = 'id, content_type, build, difficulty, state, game_server, ended_because';

const instanceOf = (row: Row): Instance => ({
  id: row.id,
  contentType: row.content_type,
  build: row.build,
  difficulty: row.difficulty ?? undefined,
  state: row.state,
  gameServer: row.game_server ?? undefined,
  endedBecause: row.ended_because ?? undefined,
});

/** What a player asks for. */
export interface OwnWish {
  readonly accountId: string;
  readonly contentType: string;
  readonly build: string;
  /** Of a new one. @default none */
  readonly difficulty?: string | undefined;
  /** Whether the player named the difficulty: then a wish that has no server yet changes with it. */
  readonly isChosen?: boolean;
}

/**
 * A player's own instance of a type: the one that is open, or a new one with the player alone on its roster.
 * One that has its server keeps the difficulty that the server was told.
 */
export async function ownInstance(
  tx: Queryable,
  { accountId, contentType, build, difficulty, isChosen = false }: OwnWish,
): Promise<Instance> {
  const [row] = await tx.query<Row>(
    `with made as (
       insert into instances (content_type, build, requested_by_account, difficulty) values ($1, $2, $3, $4)
       on conflict (requested_by_account, content_type) where state <> 'ended' and requested_by_account is not null
         do update set asked_at = now(), build = case when instances.state = 'wanted' then excluded.build else instances.build end,
           difficulty = case when instances.state = 'wanted' and instances.attempts = 0 and $5 then excluded.difficulty else instances.difficulty end
       returning ${COLUMNS}
     ), member as (
       insert into instance_roster (instance_id, account_id) select id, $3 from made on conflict do nothing
     )
     select * from made`,
    [contentType, build, accountId, difficulty ?? null, isChosen],
  );
  if (!row) throw new Error('An instance was neither made nor found.');
  return instanceOf(row);
}

/** @returns undefined when there is no such instance; `mine` says whether the account is on its roster, and only then it counts as asked for */
export async function instanceFor(
  tx: Queryable,
  id: string,
  accountId: string,
  build: string,
): Promise<{ readonly instance: Instance; readonly mine: boolean } | undefined> {
  const [row] = await tx.query<Row & { mine: boolean; stale: boolean }>(
    `select ${COLUMNS}, asked_at < now() - interval '5 s' as stale,
       exists (select 1 from instance_roster where instance_id = instances.id and account_id = $2) as mine
     from instances where id = $1`,
    [id, accountId],
  );
  if (!row) return undefined;
  if (row.mine && row.state === 'wanted' && row.stale) await stillWanted(tx, id, build);
  return { instance: instanceOf(row), mine: row.mine };
}

/** Open instances with the account on their roster, the newest first: what a client that was restarted can go back to. */
export async function openInstances(tx: Queryable, accountId: string): Promise<Instance[]> {
  const rows = await tx.query<Row>(
    `select ${COLUMNS} from instances join instance_roster on instance_id = id
     where account_id = $1 and state <> 'ended' order by created_at desc limit 50`,
    [accountId],
  );
  return rows.map(instanceOf);
}

/** A wish is for the present build: after an update, no server of the one before will come. */
const stillWanted = (tx: Queryable, id: string, build: string): Promise<unknown> =>
  tx.query("update instances set asked_at = now(), build = $2 where id = $1 and state = 'wanted'", [id, build]);

export interface HandOver {
  /** The server that asks, and its pod: it can only send players who are on it. */
  readonly serverId: string;
  readonly podUid: string;
  readonly contentType: string;
  readonly build: string;
  /** @default none */
  readonly difficulty?: string | undefined;
  /** Chosen by the server: a repeated request gets the same instance. */
  readonly requestId: string;
  readonly playSessionIds: readonly string[];
  readonly accountIds: readonly string[];
}

/** Instances that one account may be awaited in at once. A player who wishes for one after the other would otherwise have all servers started for himself. */
export const MOST_AWAITED = 3;

export type HandOverResult =
  | { readonly instance: Instance }
  /** Some are not on the server: sessions and accounts of the request, as they were given. */
  | { readonly strangers: readonly string[] }
  /** Accounts that are on the roster of `MOST_AWAITED` instances already that nobody has entered yet. */
  | { readonly awaited: readonly string[] };

/** An instance for players of a game server. */
export async function handOver(tx: Queryable, asked: HandOver): Promise<HandOverResult> {
  const earlier = await requestedInstance(tx, asked.serverId, { requestId: asked.requestId }, asked.build);
  if (earlier) return { instance: earlier };
  const present = await tx.query<{ id: string; account_id: string }>(
    `select id, account_id from play_sessions
     where server_id = $1 and pod_uid = $2 and state = 'active' and superseded_by is null and (id = any ($3::uuid[]) or account_id = any ($4::uuid[]))
     order by id for update`,
    [asked.serverId, asked.podUid, asked.playSessionIds, asked.accountIds],
  );
  const sessions = new Set(present.map(({ id }) => id));
  const accounts = new Set(present.map(({ account_id }) => account_id));
  const strangers = [...asked.playSessionIds.filter((id) => !sessions.has(id)), ...asked.accountIds.filter((id) => !accounts.has(id))];
  if (strangers.length > 0) return { strangers };
  // Counted one after the other for a player: his session is locked.
  const awaited = await tx.query<{ account_id: string }>(
    `select account_id from instance_roster join instances on id = instance_id
     where account_id = any ($1::uuid[]) and requested_by_server is not null and state <> 'ended' and occupied_at is null
     group by account_id having count(*) >= $2`,
    [[...accounts], MOST_AWAITED],
  );
  if (awaited.length > 0) return { awaited: awaited.map(({ account_id }) => account_id) };
  const [row] = await tx.query<Row>(
    `with made as (
       insert into instances (content_type, build, requested_by_server, request_id, difficulty) values ($1, $2, $3, $4, $6)
       on conflict (requested_by_server, request_id) where request_id is not null
         do update set asked_at = now(), build = case when instances.state = 'wanted' then excluded.build else instances.build end
       returning ${COLUMNS}
     ), members as (
       insert into instance_roster (instance_id, account_id) select made.id, account from made, unnest($5::uuid[]) as account on conflict do nothing
     )
     select * from made`,
    [asked.contentType, asked.build, asked.serverId, asked.requestId, [...accounts], asked.difficulty ?? null],
  );
  if (!row) throw new Error('An instance was neither made nor found.');
  return { instance: instanceOf(row) };
}

/** An instance that this server asked for. */
export async function requestedInstance(
  tx: Queryable,
  serverId: string,
  by: { readonly id: string } | { readonly requestId: string },
  build: string,
): Promise<Instance | undefined> {
  const [row] = await tx.query<Row>(
    `select ${COLUMNS} from instances where requested_by_server = $1 and ${'id' in by ? 'id' : 'request_id'} = $2`,
    [serverId, 'id' in by ? by.id : by.requestId],
  );
  if (row?.state === 'wanted') await stillWanted(tx, row.id, build);
  return row && instanceOf(row);
}
