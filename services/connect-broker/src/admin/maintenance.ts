/**
 * Maintenance of a realm: players see the message and nobody new enters until it is ended.
 * It deliberately moves nobody who plays; announce, drain and kick do (orders.ts).
 */
import type { Queryable, Transaction } from '../database/database.ts';
import { Problem } from '../problem.ts';
import type { Actor, Note } from './actor.ts';

export interface Maintenance {
  readonly realm: string;
  readonly message: string;
  readonly since: Date;
  /** When it is expected to be over; null when nobody knows. */
  readonly until: Date | null;
}

const COLUMNS = 'realm, message, since, until';

export const listMaintenance = (queryable: Queryable): Promise<Maintenance[]> =>
  queryable.query<Maintenance>(`select ${COLUMNS} from realm_maintenance order by realm`);

/**
 * Begins it, or changes what is said; `since` stays.
 * @throws Problem `not-found` for a realm that the settings lack, `invalid` for an end in the past
 */
export async function startMaintenance(
  transaction: Transaction,
  note: Note,
  actor: Actor,
  realms: readonly { readonly name: string }[],
  { realm, message, until }: { readonly realm: string; readonly message: string; readonly until?: Date | undefined },
): Promise<Maintenance> {
  if (!realms.some(({ name }) => name === realm)) throw noSuchRealm(realm, realms);
  const [row] = await transaction.query<Maintenance>(
    `insert into realm_maintenance as present (realm, message, until, created_by)
     select $1, $2, $3::timestamptz, $4::uuid where $3::timestamptz is null or $3::timestamptz > now()
     on conflict (realm) do update set message = excluded.message, until = excluded.until, created_by = excluded.created_by
     returning ${COLUMNS}`,
    [realm, message, until ?? null, actor.accountId ?? null],
  );
  if (!row)
    throw new Problem('invalid', `The maintenance would end at ${until?.toISOString()}, which is past. Give a later time, or none.`);
  await note('maintenance.started', `realm:${realm}`, { message, until: row.until });
  await transaction.query("select pg_notify('broker', 'maintenance')");
  return row;
}

/**
 * @returns false when there was none
 * @throws Problem `not-found` for a realm that neither the settings nor the table have
 */
export async function endMaintenance(
  transaction: Transaction,
  note: Note,
  realms: readonly { readonly name: string }[],
  realm: string,
): Promise<boolean> {
  const [row] = await transaction.query('delete from realm_maintenance where realm = $1 returning realm', [realm]);
  if (!row) {
    if (!realms.some(({ name }) => name === realm)) throw noSuchRealm(realm, realms);
    return false;
  }
  await note('maintenance.ended', `realm:${realm}`);
  await transaction.query("select pg_notify('broker', 'maintenance')");
  return true;
}

const noSuchRealm = (realm: string, realms: readonly { readonly name: string }[]): Problem =>
  new Problem(
    'not-found',
    `There is no realm '${realm}'; there ${realms.length === 1 ? 'is' : 'are'} ${realms.map(({ name }) => name).join(', ')}.`,
  );
