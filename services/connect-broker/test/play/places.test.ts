/** Places and queues: what counts, who is next, and what many connects at once through two replicas do. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import type { Application } from '../../src/http/application.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { publicApplication } from '../../src/http/public.ts';
import { populations } from '../../src/play/population.ts';
import { expirePlaces } from '../../src/play/tasks.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { NO_POSTGRES, onDatabase, type PostgresAddress, postgresDatabase, testPostgres } from '../support/databases.ts';
import { as, asServer, connect, makePlayer, makePlayers, type Player, report, settle } from '../support/players.ts';

const SERVER = 'world:aurora/eldermoor';
/** Of the test's settings. */
const CAPACITY = 3;

onDatabase('places in a world', (database) => {
  let broker: TestBroker;
  let application: Application;
  let internal: Application;

  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    internal = await internalApplication(broker);
  });
  beforeEach(async () => {
    for (const table of ['play_sessions', 'queue_entries', 'worlds', 'game_servers', 'server_orders', 'accounts'])
      await database().query(`delete from ${table}`);
    await settle(database());
  });
  after(async () => {
    await application.close();
    await internal.close();
    broker.dispose();
  });

  const fill = async (count = CAPACITY): Promise<Player[]> => {
    const players = await makePlayers(broker, count);
    for (const player of players) assert.equal((await connect(application, player)).status, 200);
    return players;
  };
  const claim = async (player: Player, answer?: { body: { playSessionId: string; clientId: string } }) => {
    const { body } = answer ?? (await connect(application, player));
    const claimed = await asServer(internal, broker, SERVER, 'claims', { playSessionId: body.playSessionId, clientId: body.clientId });
    assert.equal(claimed.status, 200, JSON.stringify(claimed.body));
    return { playSessionId: body.playSessionId as string, epoch: claimed.body.character.epoch as string };
  };
  const release = (session: { playSessionId: string; epoch: string }, reason: string) =>
    asServer(internal, broker, SERVER, 'releases', { ...session, reason });
  const age = (column: string, seconds: number, player: Player) =>
    database().query(
      `update play_sessions set ${column} = ${column} - make_interval(secs => $1) where account_id = $2 and state <> 'ended'`,
      [seconds, player.accountId],
    );
  const newcomer = async () => (await connect(application, await makePlayer(broker))).status;
  const poll = (player: Player) => as(application, player, 'GET', '/v1/queue');

  test('a full world answers 202 with a place in the queue and where to ask', async () => {
    await fill();
    const { status, body } = await connect(application, await makePlayer(broker));
    assert.deepEqual(
      [status, body.state, body.position, body.waiting, body.pollUrl, body.streamUrl],
      [202, 'queued', 1, 1, '/v1/queue', '/v1/events/queue'],
    );
  });

  test('a second token for the same account takes no second place', async () => {
    const [player] = await fill();
    assert.equal((await connect(application, player as Player)).status, 200);
  });

  test('a reservation counts until 15 s after the token’s end', async () => {
    const [player] = await fill();
    await age('token_expires_at', 35 + 14, player as Player);
    assert.equal(await newcomer(), 202);
  });

  test('a reservation counts no longer than 15 s after the token’s end', async () => {
    const [player] = await fill();
    await age('token_expires_at', 35 + 16, player as Player);
    assert.equal(await newcomer(), 200);
  });

  test('a logged-out player’s place is free at once', async () => {
    const [player] = await fill();
    await release(await claim(player as Player), 'logged-out');
    assert.equal(await newcomer(), 200);
  });

  test('a disconnected player’s place is kept', async () => {
    const [player] = await fill();
    await release(await claim(player as Player), 'disconnected');
    assert.equal(await newcomer(), 202);
  });

  test('a disconnected player comes back into a full world with a queue', async () => {
    const [player] = await fill();
    await release(await claim(player as Player), 'disconnected');
    await newcomer();
    assert.equal((await connect(application, player as Player)).status, 200);
  });

  test('a held place is free after 300 s', async () => {
    const [player] = await fill();
    await release(await claim(player as Player), 'disconnected');
    await age('held_until', 301, player as Player);
    assert.equal(await newcomer(), 200);
  });

  test('a server’s own capacity counts when it is smaller', async () => {
    await asServer(internal, broker, SERVER, 'reports', report([], { capacity: 1 }));
    assert.deepEqual([await newcomer(), await newcomer()], [200, 202]);
  });

  test('nobody overtakes: a free place is not a newcomer’s while somebody waits', async () => {
    const [player] = await fill();
    await newcomer();
    await release(await claim(player as Player), 'logged-out');
    assert.equal(await newcomer(), 202);
  });

  test('whoever is next is told so, and gets the place', async () => {
    const [player] = await fill();
    const next = await makePlayer(broker);
    await connect(application, next);
    const session = await claim(player as Player);
    assert.equal((await poll(next)).body.state, 'queued');
    await release(session, 'logged-out');
    assert.equal((await poll(next)).body.state, 'ready');
    assert.equal((await connect(application, next)).status, 200);
  });

  test('the second in the queue waits while the first has his turn', async () => {
    const [player] = await fill();
    const [first, second] = (await makePlayers(broker, 2)) as [Player, Player];
    await connect(application, first);
    await connect(application, second);
    await release(await claim(player as Player), 'logged-out');
    assert.deepEqual([(await poll(second)).body.state, (await connect(application, second)).status], ['queued', 202]);
  });

  test('a turn that is not taken within 60 s is lost', async () => {
    const [player] = await fill();
    const [first, second] = (await makePlayers(broker, 2)) as [Player, Player];
    await connect(application, first);
    await connect(application, second);
    await release(await claim(player as Player), 'logged-out');
    await poll(first);
    await database().query("update queue_entries set ready_at = ready_at - interval '61 s' where account_id = $1", [first.accountId]);
    assert.deepEqual([(await poll(second)).body.state, (await poll(first)).status], ['ready', 404]);
  });

  test('an entry that is not asked for within 60 s is lost', async () => {
    await fill();
    const [first, second] = (await makePlayers(broker, 2)) as [Player, Player];
    await connect(application, first);
    await connect(application, second);
    await database().query("update queue_entries set polled_at = polled_at - interval '61 s' where account_id = $1", [first.accountId]);
    assert.equal((await poll(second)).body.position, 1);
  });

  test('connecting again keeps the place in the queue', async () => {
    await fill();
    const [first, second] = (await makePlayers(broker, 2)) as [Player, Player];
    await connect(application, first);
    await connect(application, second);
    assert.equal((await connect(application, first)).body.position, 1);
  });

  test('leaving the queue moves the others up', async () => {
    await fill();
    const [first, second] = (await makePlayers(broker, 2)) as [Player, Player];
    await connect(application, first);
    await connect(application, second);
    assert.equal((await as(application, first, 'DELETE', '/v1/queue')).status, 204);
    assert.equal((await poll(second)).body.position, 1);
  });

  test('an account waits in one queue: a place elsewhere ends the wait', async () => {
    await fill();
    const player = await makePlayer(broker);
    await connect(application, player);
    await connect(application, player, 'aurora', { continent: 'sunreach' });
    assert.equal((await poll(player)).status, 404);
  });

  test('the estimate follows how fast the queue has moved', async () => {
    const players = await fill();
    const waiting = await makePlayers(broker, 3);
    for (const player of waiting) await connect(application, player);
    assert.equal((await poll(waiting[0] as Player)).body.estimateSeconds, null);
    for (const index of [0, 1]) {
      await release(await claim(players[index] as Player), 'logged-out');
      await connect(application, waiting[index] as Player);
      await database().query("update worlds set admitted_at = admitted_at - interval '30 s'");
    }
    const { estimateSeconds } = (await poll(waiting[2] as Player)).body;
    assert.ok(estimateSeconds >= 30 && estimateSeconds <= 31, `${estimateSeconds}`);
  });

  test('a turn is withdrawn while the realm is in maintenance', async () => {
    const next = await makePlayer(broker);
    const [player] = await fill();
    await connect(application, next);
    await release(await claim(player as Player), 'logged-out');
    await database().query("insert into realm_maintenance (realm, message) values ('aurora', 'x')");
    const { body } = await poll(next);
    await database().query('delete from realm_maintenance');
    assert.equal(body.state, 'queued');
  });

  test('the population counts places by state and the queue', async () => {
    const players = await fill();
    await claim(players[0] as Player);
    await release(await claim(players[1] as Player), 'disconnected');
    await newcomer();
    const found = (await populations(database())).find(({ serverId }) => serverId === SERVER);
    assert.deepEqual([found?.reserved, found?.active, found?.held, found?.queued], [1, 1, 1, 1]);
  });

  test('the population has what a server reports', async () => {
    await asServer(internal, broker, SERVER, 'reports', report([], { accepting: false, players: 7 }));
    const found = (await populations(database())).find(({ serverId }) => serverId === SERVER);
    assert.deepEqual([found?.accepting, found?.players, found?.build], [false, 7, '0.4.2']);
  });

  test('what has run out is cleaned up by any replica', async () => {
    const players = await fill();
    for (const player of players) await age('token_expires_at', 60, player);
    await Promise.all([expirePlaces(broker), expirePlaces(broker)]);
    const rows = await database().query('select distinct state, ended_because from play_sessions');
    assert.deepEqual(rows, [{ state: 'ended', ended_because: 'expired' }]);
  });

  describe('after an outage', () => {
    const outage = () => database().query("update broker_clock set beat_at = now() - interval '2 minutes'");

    test('entries in a queue are kept although nobody could ask for them', async () => {
      await fill();
      const player = await makePlayer(broker);
      await connect(application, player);
      await database().query("update queue_entries set polled_at = now() - interval '2 minutes'");
      await outage();
      await database().query('select broker_beat()');
      await expirePlaces(broker);
      assert.equal((await poll(player)).body.position, 1);
    });

    test('held places are kept although nobody could come back', async () => {
      const [player] = await fill();
      await release(await claim(player as Player), 'disconnected');
      await age('held_until', 360, player as Player);
      await outage();
      await expirePlaces(broker);
      assert.equal(await newcomer(), 202);
    });

    test('they are kept for a minute only', async () => {
      const [player] = await fill();
      await release(await claim(player as Player), 'disconnected');
      await age('held_until', 360, player as Player);
      await outage();
      await database().query('select broker_beat()');
      await database().query("update broker_clock set up_since = up_since - interval '61 s'");
      assert.equal(await newcomer(), 200);
    });

    test('entries in a queue are kept while no broker sees the servers, since none lets anybody in', async () => {
      await fill();
      const player = await makePlayer(broker);
      await connect(application, player);
      await database().query("update queue_entries set polled_at = now() - interval '2 minutes'");
      await database().query("update broker_clock set sight_at = now() - interval '2 minutes'");
      await database().query('select broker_beat(false)');
      await expirePlaces(broker);
      await database().query('select broker_beat(true)');
      assert.equal((await poll(player)).body.position, 1);
    });

    test('they run out as ever where another broker sees them', async () => {
      await fill();
      const player = await makePlayer(broker);
      await connect(application, player);
      await database().query("update queue_entries set polled_at = now() - interval '2 minutes'");
      await database().query('select broker_beat(true), broker_beat(false)');
      await expirePlaces(broker);
      assert.equal((await poll(player)).status, 404);
    });

    test('a heartbeat without a gap is no outage', async () => {
      await database().query("update broker_clock set beat_at = now() - interval '4 s'");
      await database().query('select broker_beat()');
      const [row] = await database().query<{ long: boolean }>("select up_since < now() - interval '1 hour' as long from broker_clock");
      assert.equal(row?.long, true);
    });
  });
});

describe('many connects at once through two replicas', { skip: NO_POSTGRES }, () => {
  const PLAYERS = 1_000;
  let fresh: Awaited<ReturnType<typeof postgresDatabase>>;
  let databases: Database[];
  let brokers: TestBroker[];
  let applications: Application[];
  let players: Player[];
  let answers: Awaited<ReturnType<typeof connect>>[];

  before(async () => {
    fresh = await postgresDatabase(testPostgres() as PostgresAddress);
    databases = [fresh.open(), fresh.open()];
    const first = testBroker(databases[0] as Database);
    brokers = [first, testBroker(databases[1] as Database, undefined, { sessionKeys: first.sessionKeys })];
    applications = await Promise.all(brokers.map((broker) => publicApplication(broker)));
    players = await makePlayers(first, PLAYERS);
    answers = await Promise.all(
      players.map(async (player, index) => {
        for (;;) {
          // One address each: the limit of requests is another test's. A slow machine says 503 to whom no connection of the pool came free for in time; clients come again.
          const answer = await connect(
            applications[index % 2] as Application,
            player,
            'aurora',
            {},
            `10.${index % 2}.${index >> 8}.${index & 255}`,
          );
          if (answer.status !== 503) return answer;
        }
      }),
    );
  });
  after(async () => {
    for (const application of applications) await application.close();
    for (const database of databases) await database.close();
    for (const broker of brokers) broker.dispose();
    await fresh.drop();
  });
  const first = () => databases[0] as Database;

  test('every connect is answered with a token or a place in the queue', () => {
    assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 202]);
  });

  test('as many get in as there are places', () => {
    assert.equal(answers.filter(({ status }) => status === 200).length, CAPACITY);
  });

  test('as many places are taken', async () => {
    assert.deepEqual(await first().query("select count(*)::integer as taken from play_sessions where state <> 'ended'"), [
      { taken: CAPACITY },
    ]);
  });

  test('everybody else was told another position', () => {
    const positions = answers.filter(({ status }) => status === 202).map(({ body }) => body.position as number);
    assert.deepEqual(
      positions.sort((a, b) => a - b),
      Array.from({ length: PLAYERS - CAPACITY }, (_, index) => index + 1),
    );
  });

  test('places that come free go to those who were told the first positions, whoever asks first', async () => {
    const waiting = players
      .map((player, index) => ({ player, answer: answers[index] as (typeof answers)[number] }))
      .filter(({ answer }) => answer.status === 202)
      .sort((a, b) => a.answer.body.position - b.answer.body.position)
      .map(({ player }) => player);
    for (let round = 0; round < 3; round++) {
      await first().query("update play_sessions set state = 'ended', ended_at = now() where state <> 'ended'");
      const entered = await Promise.all(
        waiting.slice(0, 30).map(async (player, index) => {
          const { status } = await connect(applications[index % 2] as Application, player, 'aurora', {}, `10.9.${round}.${index}`);
          return status === 200 ? player.accountId : undefined;
        }),
      );
      const expected = waiting.splice(0, CAPACITY).map(({ accountId }) => accountId);
      assert.deepEqual(entered.filter((id) => id !== undefined).sort(), expected.sort());
    }
  });

  test('two logins of one account at once leave one session that counts', async () => {
    await first().query('delete from queue_entries');
    await first().query('delete from play_sessions');
    const [player] = players as [Player];
    const both = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        connect(
          applications[index % 2] as Application,
          player,
          'aurora',
          { continent: index % 4 < 2 ? 'eldermoor' : 'sunreach' },
          `10.8.0.${index}`,
        ),
      ),
    );
    assert.deepEqual(
      both.map(({ status }) => status),
      both.map(() => 200),
    );
    assert.deepEqual(
      await first().query(
        "select count(*)::integer as open from play_sessions where account_id = $1 and state <> 'ended' and superseded_by is null",
        [player.accountId],
      ),
      [{ open: 1 }],
    );
  });
});
