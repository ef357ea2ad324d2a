/**
 * Players and game servers for tests of play: accounts with a session and a character, made by rows, and the calls that both sides make.
 * It deliberately logs nobody in; how sessions come about is tested elsewhere.
 */
import { randomBytes } from 'node:crypto';
import { presentedAs } from '../../src/accounts/authenticate.ts';
import type { Database } from '../../src/database/database.ts';
import type { Application } from '../../src/http/application.ts';
import type { TestBroker } from './broker.ts';

export interface Player {
  readonly accountId: string;
  readonly characterId: string;
  readonly name: string;
  /** Header of a logged-in game client. */
  readonly headers: { readonly authorization: string };
}

/** Accounts, each with a bearer session and a character, in one statement. */
export async function makePlayers(
  broker: Pick<TestBroker, 'database' | 'sessionKeys'>,
  count: number,
  { realm = 'aurora', continent = 'eldermoor', role = 'player' } = {},
): Promise<Player[]> {
  const players = Array.from({ length: count }, () => {
    const token = randomBytes(32).toString('base64url');
    return { name: `P${randomBytes(8).toString('hex')}`, token, hash: broker.sessionKeys.hash(presentedAs('bearer', token)) };
  });
  const rows = await broker.database.query<{ account_id: string; id: string; name: string }>(
    `with wanted as (select * from unnest($1::text[], $2::bytea[]) as wanted (name, hash)),
     made as (insert into accounts (name, name_key, role) select name, lower(name), $5 from wanted returning id, name),
     logged_in as (
       insert into sessions (account_id, token_hash, kind, expires_at)
       select made.id, wanted.hash, 'bearer', now() + interval '1 day' from made join wanted using (name)
     )
     insert into characters (account_id, name, name_key, realm, continent) select id, name, lower(name), $3, $4 from made returning account_id, id, name`,
    [players.map(({ name }) => name), players.map(({ hash }) => hash), realm, continent, role],
  );
  const byName = new Map(rows.map((row) => [row.name, row]));
  return players.map(({ name, token }) => {
    const row = byName.get(name) as { account_id: string; id: string };
    return { accountId: row.account_id, characterId: row.id, name, headers: { authorization: `Bearer ${token}` } };
  });
}

export async function makePlayer(
  broker: Pick<TestBroker, 'database' | 'sessionKeys'>,
  options?: Parameters<typeof makePlayers>[2],
): Promise<Player> {
  return (await makePlayers(broker, 1, options))[0] as Player;
}

// biome-ignore lint/suspicious/noExplicitAny: what a test expects of an answer is what it tests
export type Answer = { readonly status: number; readonly headers: Record<string, unknown>; readonly body: any };

async function answered(injected: Promise<{ statusCode: number; headers: Record<string, unknown>; body: string }>): Promise<Answer> {
  const { statusCode, headers, body } = await injected;
  return { status: statusCode, headers, body: body === '' ? undefined : JSON.parse(body) };
}

/** A player's request. */
export const as = (
  application: Application,
  player: Pick<Player, 'headers'>,
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  payload?: object,
  remoteAddress = '198.51.100.20',
): Promise<Answer> =>
  answered(application.inject({ method, url, headers: player.headers, remoteAddress, ...(payload ? { payload } : {}) }));

export const connect = (
  application: Application,
  player: Player,
  realm = 'aurora',
  body: object = {},
  remoteAddress?: string,
): Promise<Answer> =>
  as(application, player, 'POST', `/v1/realms/${realm}/connect`, { characterId: player.characterId, ...body }, remoteAddress);

/** A request of the game server `serverId` to the internal port. */
export const asServer = (
  application: Application,
  broker: Pick<TestBroker, 'serverTokens'>,
  serverId: string,
  path: 'claims' | 'reports' | 'saves' | 'releases',
  payload: object,
): Promise<Answer> =>
  answered(
    application.inject({
      method: 'POST',
      url: `/v1/game/${path}`,
      headers: { authorization: `Bearer ${broker.serverTokens.get(serverId)}` },
      payload,
    }),
  );

/** A report of a server that is in order. */
export const report = (sessions: readonly string[], changes: object = {}): object => ({
  sessions,
  accepting: true,
  build: '0.4.2',
  players: sessions.length,
  capacity: 1_000,
  ...changes,
});

/** Says that brokers have been there without a gap for long, so that what a test makes old has really run out. */
export const settle = (database: Database): Promise<unknown> =>
  database.query("update broker_clock set beat_at = now(), up_since = now() - interval '1 day', sight_at = null, sees_since = '-infinity'");
