/**
 * Bans of accounts and of networks: made, listed, lifted.
 * It deliberately does not ask whether somebody is banned; that is `active_ban` (migrations/002), which whoever lets in calls.
 */
import type { Queryable, Transaction } from '../database/database.ts';
import { Problem } from '../problem.ts';
import type { Actor, Note } from './actor.ts';
import { isTooWide, type Network, networkContains, readNetwork, WIDEST_BAN } from './networks.ts';
import { type Removal, removeAccounts } from './removal.ts';

export interface Ban {
  readonly id: string;
  /** One of the two is null. */
  readonly account: { readonly id: string; readonly name: string } | null;
  readonly network: string | null;
  readonly reason: string;
  /** Null: until it is lifted. */
  readonly until: Date | null;
  readonly createdAt: Date;
  /** Name of who made it; null for the command, and for an account that is gone. */
  readonly createdBy: string | null;
  readonly liftedAt: Date | null;
  readonly liftedBy: string | null;
  /** Whether it keeps somebody out now. */
  readonly active: boolean;
}

export interface NewBan {
  readonly reason: string;
  /** @default until it is lifted */
  readonly until?: Date | undefined;
}

const SELECT_BAN = `
  select bans.id, bans.reason, bans.until, bans.created_at as "createdAt", bans.lifted_at as "liftedAt", bans.network::text as network,
    case when accounts.id is null then null else jsonb_build_object('id', accounts.id, 'name', accounts.name) end as account,
    makers.name as "createdBy", lifters.name as "liftedBy",
    bans.lifted_at is null and (bans.until is null or bans.until > now()) as active
  from bans
  left join accounts on accounts.id = bans.account_id
  left join accounts makers on makers.id = bans.created_by
  left join accounts lifters on lifters.id = bans.lifted_by`;

/** Columns of `Ban` by `where` and what follows. */
export const selectBans = (queryable: Queryable, rest: string, values: readonly unknown[]): Promise<Ban[]> =>
  queryable.query<Ban>(`${SELECT_BAN} ${rest}`, values);

/**
 * Bans an account, ends its sessions, and orders its kick.
 * @throws Problem `not-found`; `conflict` for an administrator, whose role must be taken first; `invalid` for an end in the past
 */
export async function banAccount(
  transaction: Transaction,
  note: Note,
  actor: Actor,
  accountId: string,
  ban: NewBan,
): Promise<{ ban: Ban; removal: Removal }> {
  // The strong lock: whoever opens a session for this account at this moment is waited for.
  const [account] = await transaction.query<{ id: string; name: string; role: string }>(
    'select id, name, role from accounts where id = $1 for update',
    [accountId],
  );
  if (!account) throw new Problem('not-found', 'There is no account with this id.');
  if (account.role === 'admin') {
    throw new Problem('conflict', `'${account.name}' is an administrator. Take the role away first, then ban the account.`);
  }
  const made = await insert(transaction, actor, { accountId: account.id }, ban);
  const removal = await removeAccounts(transaction, [account.id], 'banned', ban.reason);
  await note('ban.made', `account:${account.id}`, { name: account.name, ban: made.id, reason: ban.reason, until: made.until, ...removal });
  return { ban: made, removal };
}

/**
 * Bans a network, ends the sessions of accounts that logged in from there last, and orders their kick.
 * @param text an address or a network (`readNetwork`)
 * @param options.force bans a network that is very wide, or that the actor is in
 * @throws Problem `invalid` for what is no network and for an end in the past; `conflict` without force for a network that is too wide or the actor's own
 */
export async function banNetwork(
  transaction: Transaction,
  note: Note,
  actor: Actor,
  text: string,
  ban: NewBan,
  { force = false }: { readonly force?: boolean } = {},
): Promise<{ ban: Ban; removal: Removal }> {
  const network = requireNetwork(text);
  if (!force) refuseTooMuch(network, actor);
  const made = await insert(transaction, actor, { network: network.cidr }, ban);
  const removal = await removeAccounts(transaction, await accountsOf(transaction, network), 'banned', ban.reason);
  await note('ban.made', `network:${network.cidr}`, { ban: made.id, reason: ban.reason, until: made.until, forced: force, ...removal });
  return { ban: made, removal };
}

/** @throws Problem `invalid` with what would be right */
export function requireNetwork(text: string): Network {
  try {
    return readNetwork(text);
  } catch (error) {
    throw new Problem('invalid', (error as Error).message);
  }
}

function refuseTooMuch(network: Network, { address }: Actor): void {
  if (isTooWide(network)) {
    throw new Problem(
      'conflict',
      `${network.cidr} is wider than /${WIDEST_BAN[network.family]} and would keep out a large part of the Internet. Ban a smaller network, or force it.`,
    );
  }
  if (address !== undefined && networkContains(network, address)) {
    throw new Problem('conflict', `Your own address is in ${network.cidr}: you could not log in again. Ban another network, or force it.`);
  }
}

async function insert(
  transaction: Transaction,
  actor: Actor,
  whom: { readonly accountId?: string; readonly network?: string },
  { reason, until }: NewBan,
): Promise<Ban> {
  const [row] = await transaction.query<{ id: string }>(
    `insert into bans (account_id, network, reason, until, created_by)
     select $1::uuid, $2::cidr, $3, $4::timestamptz, $5::uuid where $4::timestamptz is null or $4::timestamptz > now()
     returning id`,
    [whom.accountId ?? null, whom.network ?? null, reason, until ?? null, actor.accountId ?? null],
  );
  if (!row) throw new Problem('invalid', `The ban would end at ${until?.toISOString()}, which is past. Give a later time, or none.`);
  const [ban] = await selectBans(transaction, 'where bans.id = $1', [row.id]);
  return ban as Ban;
}

/** Accounts whose last login came from a network, and those that play from it. A household's IPv6 is known by its /64 only. In one order, because each is locked. */
async function accountsOf(transaction: Transaction, network: Network): Promise<string[]> {
  const rows = await transaction.query<{ account_id: string }>(
    `select account_id from (
       select distinct on (account_id) account_id, address_key from known_addresses order by account_id, last_success_at desc
     ) latest
     where case when address_key = 'unknown' then false else address_key::inet && $1::cidr end
     union select account_id from play_sessions where state <> 'ended' and plain_address(client_address) <<= $1::cidr
     order by account_id`,
    [network.cidr],
  );
  return rows.map(({ account_id }) => account_id);
}

/** @throws Problem `not-found`; `conflict` for a ban that was lifted or has ended */
export async function liftBan(transaction: Transaction, note: Note, actor: Actor, banId: string): Promise<Ban> {
  const [before] = await transaction.query<{ lifted_at: Date | null; until: Date | null; over: boolean }>(
    'select lifted_at, until, coalesce(until <= now(), false) as over from bans where id = $1 for update',
    [banId],
  );
  if (!before) throw new Problem('not-found', 'There is no ban with this id.');
  if (before.lifted_at) throw new Problem('conflict', `This ban was lifted at ${before.lifted_at.toISOString()} already.`);
  if (before.over) throw new Problem('conflict', `This ban ended at ${before.until?.toISOString()} by itself.`);
  await transaction.query('update bans set lifted_at = now(), lifted_by = $2 where id = $1', [banId, actor.accountId ?? null]);
  const [ban] = await selectBans(transaction, 'where bans.id = $1', [banId]);
  const lifted = ban as Ban;
  await note('ban.lifted', lifted.account ? `account:${lifted.account.id}` : `network:${lifted.network}`, {
    ...(lifted.account ? { name: lifted.account.name } : {}),
    ban: lifted.id,
    reason: lifted.reason,
  });
  return lifted;
}

/** The bans that would be lifted for an account or for exactly this network. */
export const activeBansOf = (queryable: Queryable, whom: { readonly accountId: string } | { readonly network: string }): Promise<Ban[]> =>
  selectBans(
    queryable,
    `where bans.lifted_at is null and (bans.until is null or bans.until > now()) and ${'accountId' in whom ? 'bans.account_id = $1' : 'bans.network = $1::cidr'}
     order by bans.created_at, bans.id`,
    ['accountId' in whom ? whom.accountId : whom.network],
  );

export interface BanSearch {
  readonly state: 'active' | 'all';
  readonly account?: string | undefined;
  /** Bans that this network lies in. */
  readonly network?: string | undefined;
  /** The last id of the page before. @default the latest */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Bans, the latest first. */
export function searchBans(queryable: Queryable, { state, account, network, before, limit }: BanSearch): Promise<Ban[]> {
  const values: unknown[] = [limit];
  const conditions: string[] = state === 'active' ? ['bans.lifted_at is null and (bans.until is null or bans.until > now())'] : [];
  // Only what is asked for is in the statement, so that each filter can use its index.
  const add = (condition: (parameter: string) => string, value: unknown) => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  add((p) => `bans.account_id = ${p}::uuid`, account);
  add((p) => `bans.network >>= ${p}::inet`, network);
  add((p) => `(bans.created_at, bans.id) < (select created_at, id from bans where id = ${p}::uuid)`, before);
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  return selectBans(queryable, `${where} order by bans.created_at desc, bans.id desc limit $1`, values);
}
