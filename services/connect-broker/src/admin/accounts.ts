/**
 * Accounts as an operator sees them: found by name, looked at, given or deprived of the administrators' role.
 * It deliberately shows nothing that logs in (no hash, no e-mail address, no subject of an issuer) and neither makes nor deletes accounts.
 */
import { nameKey } from '../accounts/names.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { Problem } from '../problem.ts';
import { type Actor, type Note, notAdminAnyMore, noteOf } from './actor.ts';
import { type Ban, selectBans } from './bans.ts';

export type Role = 'player' | 'admin';

export interface AccountLine {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
  readonly banned: boolean;
  readonly characters: number;
}

export interface AccountState {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
  readonly hasPassword: boolean;
  /** Other ways in, by issuer. */
  readonly identities: { readonly issuer: string; readonly linkedAt: Date }[];
  readonly sessions: { readonly count: number; readonly lastUsedAt: Date | null };
  readonly characters: { readonly id: string; readonly name: string; readonly realm: string; readonly continent: string }[];
  /** Where it plays, or holds a place, now. */
  readonly play: {
    readonly sessionId: string;
    readonly serverId: string;
    readonly characterId: string;
    readonly state: 'reserved' | 'active' | 'held';
    readonly since: Date;
  } | null;
  /** The server whose queue it waits in. */
  readonly queue: { readonly serverId: string; readonly since: Date } | null;
  /** Every ban of the account itself, the latest first. */
  readonly bans: Ban[];
}

export interface AccountSearch {
  /** Part of the name of the account or of one of its characters, in any case. @default all */
  readonly name?: string | undefined;
  readonly role?: Role | undefined;
  /** The last id of the page before. @default the first page */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Accounts in the order of their names. */
export function searchAccounts(queryable: Queryable, { name, role, after, limit }: AccountSearch): Promise<AccountLine[]> {
  return queryable.query<AccountLine>(
    `select id, name, role, created_at as "createdAt",
       exists (select from bans where account_id = accounts.id and lifted_at is null and (until is null or until > now())) as banned,
       (select count(*)::int from characters where account_id = accounts.id) as characters
     from accounts
     where ($1::text is null or strpos(name_key, $1) > 0 or id in (select account_id from characters where strpos(name_key, $1) > 0))
       and ($2::text is null or role = $2)
       and ($3::uuid is null or (name_key, id) > (select name_key, id from accounts where id = $3))
     order by name_key, id limit $4`,
    [name === undefined ? null : nameKey(name.trim()), role ?? null, after ?? null, limit],
  );
}

/** @throws Problem `not-found` */
export async function accountState(queryable: Queryable, accountId: string): Promise<AccountState> {
  const [account] = await queryable.query<Told<Omit<AccountState, 'bans' | 'createdAt'>> & { createdAt: Date }>(
    `select id, name, role, created_at as "createdAt", password_hash is not null as "hasPassword",
       (select coalesce(jsonb_agg(jsonb_build_object('issuer', issuer, 'linkedAt', linked_at) order by linked_at), '[]')
          from identities where account_id = accounts.id) as identities,
       (select jsonb_build_object('count', count(*), 'lastUsedAt', max(last_used_at))
          from sessions where account_id = accounts.id and expires_at > now()) as sessions,
       (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'realm', realm, 'continent', continent) order by name_key), '[]')
          from characters where account_id = accounts.id) as characters,
       (select jsonb_build_object('sessionId', id, 'serverId', server_id, 'characterId', character_id, 'state', state,
           'since', coalesce(claimed_at, created_at))
          from play_sessions where account_id = accounts.id and state <> 'ended' and superseded_by is null) as play,
       (select jsonb_build_object('serverId', server_id, 'since', entered_at) from queue_entries where account_id = accounts.id) as queue
     from accounts where id = $1`,
    [accountId],
  );
  if (!account) throw new Problem('not-found', 'There is no account with this id.');
  const bans = await selectBans(queryable, 'where bans.account_id = $1 order by bans.created_at desc, bans.id limit 100', [accountId]);
  const { identities, sessions, play, queue } = account;
  return {
    ...account,
    identities: identities.map(({ issuer, linkedAt }) => ({ issuer, linkedAt: new Date(linkedAt) })),
    sessions: { ...sessions, lastUsedAt: sessions.lastUsedAt === null ? null : new Date(sessions.lastUsedAt) },
    play: play && { ...play, since: new Date(play.since) },
    queue: queue && { ...queue, since: new Date(queue.since) },
    bans,
  };
}

/** As jsonb tells it: times are text, with the offset of the connection's time zone. */
type Told<T> = T extends Date ? string : T extends object ? { [Key in keyof T]: Told<T[Key]> } : T;

/** The account of exactly this name, in any case. */
export async function accountByName(queryable: Queryable, name: string): Promise<{ id: string; name: string; role: Role } | undefined> {
  const [row] = await queryable.query<{ id: string; name: string; role: Role }>('select id, name, role from accounts where name_key = $1', [
    nameKey(name.trim()),
  ]);
  return row;
}

/**
 * Gives or takes the administrators' role. Giving it twice is no mistake.
 * @returns whether anything changed
 * @throws Problem `not-found`; `conflict` when the last administrator would go, or for an account that is banned; `not-allowed` as `act`
 */
export function setRole(database: Database, actor: Actor, accountId: string, role: Role): Promise<{ name: string; changed: boolean }> {
  return database.transaction(async (transaction) => {
    // All administrators, always in the same order: two who take each other's role do it one after the other.
    const locked = await transaction.query<{ id: string; name: string; role: Role }>(
      "select id, name, role from accounts where role = 'admin' or id = $1 order by id for update",
      [accountId],
    );
    const admins = locked.filter((row) => row.role === 'admin');
    if (actor.accountId !== undefined && !admins.some(({ id }) => id === actor.accountId)) throw notAdminAnyMore();
    const account = locked.find(({ id }) => id === accountId);
    if (!account) throw new Problem('not-found', 'There is no account with this id.');
    if (account.role === role) return { name: account.name, changed: false };
    await checkRole(transaction, account, role, admins.length);
    await transaction.query('update accounts set role = $2 where id = $1', [accountId, role]);
    // A link that was made for a player must not open an administrator's account.
    if (role === 'admin') await transaction.query('delete from reset_links where account_id = $1', [accountId]);
    const note: Note = noteOf(transaction, actor);
    await note('account.role-changed', `account:${accountId}`, { name: account.name, before: account.role, after: role });
    return { name: account.name, changed: true };
  });
}

async function checkRole(transaction: Transaction, account: { id: string; name: string }, role: Role, admins: number): Promise<void> {
  if (role === 'player') {
    if (admins > 1) return;
    throw new Problem('conflict', `'${account.name}' is the last administrator. Make another account one first.`);
  }
  const [ban] = await transaction.query('select 1 from active_ban($1, null)', [account.id]);
  if (ban) throw new Problem('conflict', `'${account.name}' is banned. Lift the ban first.`);
}
