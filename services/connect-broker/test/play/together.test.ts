/** Connects that come at once and are decided in one round trip: who is in it, who is left to be decided alone, and that nobody holds the others up. On PostgreSQL alone. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import type { Application } from '../../src/http/application.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { NO_POSTGRES, type PostgresAddress, postgresDatabase, testPostgres } from '../support/databases.ts';
import { asServer, connect, makePlayer, makePlayers, type Player, report, settle } from '../support/players.ts';

const ELDERMOOR = 'world:aurora/eldermoor';
/** Of the test's settings. */
const CAPACITY = 3;

describe('connects that come at once', { skip: NO_POSTGRES }, () => {
  let fresh: Awaited<ReturnType<typeof postgresDatabase>>;
  let database: Database;
  let holder: Database;
  let broker: TestBroker;
  let application: Application;
  let internal: Application;
  /** Statements that the broker has sent. */
  const asked: string[] = [];
  const count = (name: string) => asked.filter((text) => text.includes(`${name}(`)).length;

  before(async () => {
    fresh = await postgresDatabase(testPostgres() as PostgresAddress);
    const opened = fresh.open(10);
    database = {
      ...opened,
      query: (text, values) => {
        asked.push(text);
        return opened.query(text, values);
      },
    };
    holder = fresh.open(2);
    broker = testBroker(database);
    application = await publicApplication(broker);
    internal = await internalApplication(broker);
  });
  beforeEach(async () => {
    for (const table of ['play_sessions', 'queue_entries', 'worlds', 'game_servers', 'server_orders', 'bans', 'accounts'])
      await database.query(`delete from ${table}`);
    await settle(database);
    asked.length = 0;
  });
  after(async () => {
    await application.close();
    await internal.close();
    broker.dispose();
    await holder.close();
    await database.close();
    await fresh.drop();
  });

  const all = (players: readonly Player[], continent = 'sunreach') =>
    Promise.all(players.map((player) => connect(application, player, 'aurora', { continent })));
  const statuses = async (answers: ReturnType<typeof all>) => (await answers).map(({ status }) => status);
  const places = async (player: Player) =>
    database.query<{ state: string; ended_because: string | null; server_id: string }>(
      'select state, ended_because, server_id from play_sessions where account_id = $1 order by created_at',
      [player.accountId],
    );

  test('are decided in one round trip', async () => {
    const players = await makePlayers(broker, 20);
    assert.deepEqual(
      await statuses(all(players)),
      players.map(() => 200),
    );
    assert.deepEqual([count('connect_to_worlds'), count('connect_to_world')], [1, 0]);
  });

  test('get the last places in the order in which they came, and the rest waits in that order', async () => {
    const players = await makePlayers(broker, CAPACITY + 2);
    const answers = await all(players, 'eldermoor');
    assert.deepEqual(
      answers.map(({ status, body }) => (status === 200 ? 'in' : body.position)),
      ['in', 'in', 'in', 1, 2],
    );
  });

  test('take over the tokens that their accounts have not used', async () => {
    const players = await makePlayers(broker, 3);
    await all(players);
    await all(players, 'eldermoor');
    assert.equal(count('connect_to_world'), 0);
    assert.deepEqual(await places(players[0] as Player), [
      { state: 'ended', ended_because: 'superseded', server_id: 'world:aurora/sunreach' },
      { state: 'reserved', ended_because: null, server_id: ELDERMOOR },
    ]);
  });

  test('end the tokens of each account for its own new one', async () => {
    const players = await makePlayers(broker, 3);
    await all(players);
    const answers = await all(players, 'eldermoor');
    const ended = await Promise.all(
      players.map(async ({ accountId }) => {
        const [row] = await database.query<{ superseded_by: string }>(
          "select superseded_by from play_sessions where account_id = $1 and state = 'ended'",
          [accountId],
        );
        return row?.superseded_by;
      }),
    );
    assert.deepEqual(
      ended,
      answers.map(({ body }) => body.playSessionId),
    );
  });

  test('of an account whose own place is on the full server take that over', async () => {
    const players = await makePlayers(broker, CAPACITY);
    await all(players, 'eldermoor');
    assert.deepEqual(await statuses(all(players, 'eldermoor')), [200, 200, 200]);
  });

  test('twice of one account leave it one place', async () => {
    const player = await makePlayer(broker);
    assert.deepEqual(await statuses(all([player, player, player])), [200, 200, 200]);
    assert.deepEqual((await places(player)).map(({ state }) => state).sort(), ['ended', 'ended', 'reserved']);
  });

  test('of one who plays are decided alone: his server hears of it', async () => {
    const [player, other] = (await makePlayers(broker, 2)) as [Player, Player];
    const { playSessionId, clientId } = (await connect(application, player)).body;
    assert.equal((await asServer(internal, broker, ELDERMOOR, 'claims', { playSessionId, clientId })).status, 200);
    assert.deepEqual(await statuses(all([player, other])), [200, 200]);
    const { body } = await asServer(internal, broker, ELDERMOOR, 'reports', report([playSessionId]));
    assert.deepEqual(
      body.orders.map(({ kind }: { kind: string }) => kind),
      ['kick'],
    );
  });

  test('to a world with a queue come after those who wait', async () => {
    const [first, second, ...inside] = (await makePlayers(broker, CAPACITY + 2)) as [Player, Player, ...Player[]];
    await all(inside, 'eldermoor');
    assert.equal((await connect(application, first)).status, 202);
    await database.query("update play_sessions set state = 'ended', ended_at = now() where account_id = $1", [inside[0]?.accountId]);
    assert.deepEqual(await statuses(all([second, first], 'eldermoor')), [202, 200]);
  });

  test('are refused with their own reason each', async () => {
    const [well, banned, strange] = (await makePlayers(broker, 3)) as [Player, Player, Player];
    await database.query("insert into bans (account_id, reason) values ($1, 'cheats')", [banned.accountId]);
    const answers = await all([well, banned, { ...strange, headers: { authorization: `Bearer ${'x'.repeat(43)}` } }]);
    assert.deepEqual(
      answers.map(({ status, body }) => body.code ?? status),
      [200, 'banned', 'not-logged-in'],
    );
  });

  test('do not wait for an account that is locked', async () => {
    const [locked, ...others] = (await makePlayers(broker, 4)) as [Player, ...Player[]];
    let late: ReturnType<typeof all> | undefined;
    await holder.transaction(async (tx) => {
      await tx.query('select lock_account($1)', [locked.accountId]);
      late = all([locked]);
      assert.deepEqual(await statuses(all(others)), [200, 200, 200]);
    });
    assert.deepEqual(await statuses(late as ReturnType<typeof all>), [200]);
  });

  test('to another world do not wait long for a world that is locked', async () => {
    const [locked, ...others] = (await makePlayers(broker, 4)) as [Player, ...Player[]];
    let late: ReturnType<typeof all> | undefined;
    await holder.transaction(async (tx) => {
      await tx.query('select lock_world($1)', [ELDERMOOR]);
      late = all([locked], 'eldermoor');
      assert.deepEqual(await statuses(all(others)), [200, 200, 200]);
    });
    assert.deepEqual(await statuses(late as ReturnType<typeof all>), [200]);
  });
});
