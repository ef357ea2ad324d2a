/** Operators and players for the tests of this folder: accounts with sessions, characters, and places on servers. */
import { randomBytes, randomUUID } from 'node:crypto';
import { openSession } from '../../src/accounts/sessions.ts';
import type { Queryable } from '../../src/database/database.ts';
import type { Application } from '../../src/http/application.ts';
import { reserve } from '../../src/play/sessions.ts';
import type { TestBroker } from '../support/broker.ts';

export interface Person {
  readonly id: string;
  readonly name: string;
  /** Bearer token of a session. */
  readonly token: string;
}

/** A name that no other test of the file has. */
export const uniqueName = (start: string): string => `${start}-${randomBytes(5).toString('hex')}`;

export async function person(
  broker: TestBroker,
  { name = uniqueName('Player'), role = 'player' as 'player' | 'admin', address = undefined as string | undefined } = {},
): Promise<Person> {
  const [row] = await broker.database.query<{ id: string }>(
    'insert into accounts (name, name_key, role) values ($1, $2, $3) returning id',
    [name, name.toLowerCase(), role],
  );
  const id = row?.id as string;
  if (address !== undefined)
    await broker.database.query('insert into known_addresses (account_id, address_key) values ($1, $2)', [id, address]);
  const { token } = await openSession(broker, broker.database, { accountId: id, kind: 'bearer' });
  return { id, name, token };
}

export const administrator = (broker: TestBroker): Promise<Person> => person(broker, { name: uniqueName('Admin'), role: 'admin' });

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect
  readonly body: any;
}

/** A request of `who` to the operators' API; `from` is the address that Traefik saw. */
export async function ask(
  application: Application,
  who: Person | undefined,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  { body, from = '198.51.100.1' }: { readonly body?: unknown; readonly from?: string } = {},
): Promise<Answer> {
  const answer = await application.inject({
    method,
    url: `/v1/admin${url}`,
    headers: { 'x-forwarded-for': from, ...(who ? { authorization: `Bearer ${who.token}` } : {}) },
    ...(body === undefined ? {} : { payload: body as object }),
  });
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
}

export async function character(queryable: Queryable, accountId: string, name = uniqueName('Hero')): Promise<string> {
  const [row] = await queryable.query<{ id: string }>(
    "insert into characters (account_id, name, name_key, realm, continent) values ($1, $2, $3, 'aurora', 'sunreach') returning id",
    [accountId, name, name.toLowerCase()],
  );
  return row?.id as string;
}

export const SERVER = 'world:aurora/sunreach';

export interface Place {
  readonly playSessionId: string;
  /** The server's claim; the outcome as the database says it. */
  claim(on?: Queryable): Promise<string>;
  state(): Promise<{ state: string; ended_because: string | null }>;
}

/** A place with a token that is not claimed yet. */
export async function place(broker: TestBroker, accountId: string): Promise<Place> {
  const podUid = broker.view.world('aurora', 'sunreach')?.identity?.podUid as string;
  const characterId = await character(broker.database, accountId);
  const reservation = await broker.database.transaction((transaction) =>
    reserve(transaction, { accountId, characterId, serverId: SERVER, podUid, tokenLifetimeSeconds: 35, capacity: 1000 }),
  );
  if (!reservation) throw new Error('The server is full.');
  const { playSessionId, clientId } = reservation;
  return {
    playSessionId,
    claim: async (on = broker.database) => {
      const [row] = await on.query<{ outcome: string }>('select outcome from claim_place($1, $2, $3, $4, $5)', [
        playSessionId,
        SERVER,
        podUid,
        clientId,
        randomUUID(),
      ]);
      return row?.outcome as string;
    },
    state: async () => {
      const [row] = await broker.database.query<{ state: string; ended_because: string | null }>(
        'select state, ended_because from play_sessions where id = $1',
        [playSessionId],
      );
      return row as { state: string; ended_because: string | null };
    },
  };
}

/** The latest audit entry of a target. */
export async function lastEntry(queryable: Queryable, target: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await queryable.query(
    'select action, actor_id, actor_name, details from audit_log where target = $1 order by id desc limit 1',
    [target],
  );
  return row;
}
