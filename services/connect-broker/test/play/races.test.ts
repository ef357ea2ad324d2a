/** What overlaps: saves, releases, reports, bans and connects of one account, in the orders that lose something. On PostgreSQL alone: each needs several connections. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Database, isUnavailable, type Queryable } from '../../src/database/database.ts';
import type { Application } from '../../src/http/application.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { publicApplication } from '../../src/http/public.ts';
import { releaseAccount } from '../../src/play/sessions.ts';
import { expirePlaces } from '../../src/play/tasks.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { NO_POSTGRES, type PostgresAddress, postgresDatabase, testPostgres } from '../support/databases.ts';
import { as, asServer, connect, makePlayer, makePlayers, type Player, report, settle } from '../support/players.ts';

const ELDERMOOR = 'world:aurora/eldermoor';
const SUNREACH = 'world:aurora/sunreach';
/** Of the test's settings. */
const CAPACITY = 3;
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('what overlaps', { skip: NO_POSTGRES }, () => {
  let fresh: Awaited<ReturnType<typeof postgresDatabase>>;
  let database: Database;
  let holder: Database;
  let broker: TestBroker;
  let application: Application;
  let internal: Application;
  let player: Player;

  before(async () => {
    fresh = await postgresDatabase(testPostgres() as PostgresAddress);
    database = fresh.open(10);
    holder = fresh.open(2);
    broker = testBroker(database);
    application = await publicApplication(broker);
    internal = await internalApplication(broker);
  });
  beforeEach(async () => {
    for (const table of ['play_sessions', 'queue_entries', 'worlds', 'game_servers', 'server_orders', 'bans', 'accounts'])
      await database.query(`delete from ${table}`);
    await settle(database);
    broker.view.setAgeSeconds(0);
    player = await makePlayer(broker);
  });
  after(async () => {
    await application.close();
    await internal.close();
    broker.dispose();
    await holder.close();
    await database.close();
    await fresh.drop();
  });

  const enter = async (who = player) => {
    const { status, body } = await connect(application, who);
    assert.equal(status, 200, JSON.stringify(body));
    const { playSessionId, clientId } = body;
    const claimed = await asServer(internal, broker, ELDERMOOR, 'claims', { playSessionId, clientId });
    assert.equal(claimed.status, 200, JSON.stringify(claimed.body));
    return { playSessionId: playSessionId as string, epoch: claimed.body.character.epoch as string };
  };
  const call = (path: 'reports' | 'saves' | 'releases', payload: object) => asServer(internal, broker, ELDERMOOR, path, payload);
  const character = async (who = player) => {
    const [row] = await database.query<{ owner: string | null; state: Uint8Array | null }>(
      'select owner, state from characters where id = $1',
      [who.characterId],
    );
    return { owner: row?.owner, state: row?.state ? Buffer.from(row.state).toString() : undefined };
  };
  const session = async (id: string) =>
    (
      await database.query<{ state: string; ended_because: string | null }>(
        'select state, ended_because from play_sessions where id = $1',
        [id],
      )
    )[0];
  const waitingForLocks = async (count: number) => {
    for (let tries = 0; tries < 200; tries++) {
      const [row] = await database.query<{ count: number }>(
        "select count(*)::integer as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      if ((row?.count ?? 0) >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.fail(`never were ${count} waiting for a lock`);
  };
  /** Runs `meanwhile` while another transaction holds what `lock` takes. `finish` runs in that transaction at the end. */
  const whileHeld = async (
    lock: (tx: Queryable) => Promise<unknown>,
    meanwhile: () => Promise<void>,
    finish: (tx: Queryable) => Promise<unknown> = async () => undefined,
  ) => {
    await holder.transaction(async (tx) => {
      await lock(tx);
      await meanwhile();
      await finish(tx);
    });
  };
  const makeOld = (table: string, column: string, seconds: number) =>
    database.query(`update ${table} set ${column} = ${column} - make_interval(secs => $1)`, [seconds]);
  /** The server says nothing until its sessions are lost, and then until their places are gone. */
  const lose = async () => {
    await makeOld('play_sessions', 'claimed_at', 620);
    await makeOld('game_servers', 'reported_at', 620);
    await expirePlaces(broker);
    await makeOld('play_sessions', 'held_until', 301);
    await expirePlaces(broker);
  };

  test('a save that overlaps its own release is stale, and what was released stays', async () => {
    const mine = await enter();
    let released: ReturnType<typeof call> | undefined;
    let saved: ReturnType<typeof call> | undefined;
    await whileHeld(
      (tx) => tx.query('select 1 from characters where id = $1 for update', [player.characterId]),
      async () => {
        released = call('releases', { ...mine, state: base64('released'), reason: 'logged-out' });
        await waitingForLocks(1);
        saved = call('saves', { ...mine, state: base64('older') });
        await waitingForLocks(2);
      },
    );
    assert.deepEqual([(await released)?.status, (await saved)?.status, (await character()).state], [204, 409, 'released']);
  });

  describe('numbered saves', () => {
    test('an older one that comes late is refused and stores nothing', async () => {
      const mine = await enter();
      assert.equal((await call('saves', { ...mine, sequence: 2, state: base64('newer') })).status, 204);
      const { status, body } = await call('saves', { ...mine, sequence: 1, state: base64('older') });
      assert.deepEqual([status, body.code, body.reason, body.storedSequence], [409, 'stale-epoch', 'older-save', 2]);
      assert.match(body.detail, /older save/);
      assert.equal((await character()).state, 'newer');
    });

    test('the same number again says that it is stored', async () => {
      const mine = await enter();
      await call('saves', { ...mine, sequence: 0, state: base64('once') });
      const { status, body } = await call('saves', { ...mine, sequence: 0, state: base64('twice') });
      assert.deepEqual([status, body.storedSequence, (await character()).state], [409, 0, 'once']);
    });

    test('higher numbers are stored, and so is one without', async () => {
      const mine = await enter();
      for (const [sequence, state] of [
        [1, 'a'],
        [7, 'b'],
        [undefined, 'c'],
        [8, 'd'],
      ] as const) {
        assert.equal((await call('saves', { ...mine, sequence, state: base64(state) })).status, 204);
        assert.equal((await character()).state, state);
      }
    });

    test('two at once are stored in the order of their numbers', async () => {
      const mine = await enter();
      const answers: ReturnType<typeof call>[] = [];
      await whileHeld(
        (tx) => tx.query('select 1 from characters where id = $1 for update', [player.characterId]),
        async () => {
          answers.push(call('saves', { ...mine, sequence: 2, state: base64('newer') }));
          await waitingForLocks(1);
          answers.push(call('saves', { ...mine, sequence: 1, state: base64('older') }));
          await waitingForLocks(2);
        },
      );
      assert.deepEqual(
        (await Promise.all(answers)).map(({ status }) => status),
        [204, 409],
      );
      assert.equal((await character()).state, 'newer');
    });

    test('a release that is older than a save is refused, with a higher number it is stored, and again it is answered the same', async () => {
      const mine = await enter();
      const release = (sequence: number, state: string) =>
        call('releases', { ...mine, sequence, state: base64(state), reason: 'logged-out' });
      await call('saves', { ...mine, sequence: 5, state: base64('saved') });
      assert.deepEqual([(await release(5, 'older')).body.reason, (await character()).state], ['older-save', 'saved']);
      assert.deepEqual([(await release(6, 'released')).status, (await release(6, 'again')).status], [204, 204]);
      assert.deepEqual(await character(), { owner: null, state: 'released' });
    });

    test('a number is not negative', async () => {
      assert.equal((await call('saves', { ...(await enter()), sequence: -1, state: base64('x') })).status, 422);
    });

    test('the next session begins anew', async () => {
      await call('releases', { ...(await enter()), sequence: 9, reason: 'logged-out' });
      assert.equal((await call('saves', { ...(await enter()), sequence: 0, state: base64('x') })).status, 204);
    });
  });

  test('a superseded session whose server is silent leaves its character to nobody', async () => {
    const mine = await enter();
    assert.equal((await connect(application, player, 'aurora', { continent: 'sunreach' })).status, 200);
    await database.query("update play_sessions set claimed_at = claimed_at - interval '30 s' where id = $1", [mine.playSessionId]);
    await expirePlaces(broker);
    assert.deepEqual([(await session(mine.playSessionId))?.state, (await character()).owner], ['ended', null]);
  });

  describe('a lost session that is named again', () => {
    test('is dropped when its account was banned meanwhile', async () => {
      const mine = await enter();
      await lose();
      await database.query("insert into bans (account_id, reason) values ($1, 'cheats')", [player.accountId]);
      const { body } = await call('reports', report([mine.playSessionId]));
      assert.deepEqual(
        [body.dropped, await session(mine.playSessionId)],
        [[mine.playSessionId], { state: 'ended', ended_because: 'banned' }],
      );
      assert.equal((await character()).owner, null);
    });

    test('is dropped when the address that it came from was banned meanwhile', async () => {
      const mine = await enter();
      await lose();
      await database.query("insert into bans (network, reason) values ('198.51.100.0/24', 'cheats')");
      assert.deepEqual((await call('reports', report([mine.playSessionId]))).body.dropped, [mine.playSessionId]);
    });

    test('still hears the order to let it go, however long its server was silent', async () => {
      const mine = await enter();
      await database.transaction((tx) => releaseAccount(tx, player.accountId, 'kicked'));
      await makeOld('server_orders', 'expires_at', 620);
      await lose();
      const { body } = await call('reports', report([mine.playSessionId]));
      assert.deepEqual(
        body.orders.map(({ kind, playSessionId }: Record<string, string>) => [kind, playSessionId]),
        [['kick', mine.playSessionId]],
      );
    });

    test('an order for a session that was released runs out', async () => {
      const mine = await enter();
      await call('releases', { ...mine, reason: 'logged-out' });
      await database.query("insert into server_orders (server_id, kind, play_session_id) values ($1, 'kick', $2)", [
        ELDERMOOR,
        mine.playSessionId,
      ]);
      await makeOld('server_orders', 'expires_at', 620);
      await expirePlaces(broker);
      assert.deepEqual(await database.query('select 1 from server_orders'), []);
    });

    test('does not fail the connect that overlaps the report', async () => {
      const mine = await enter();
      await lose();
      const podUid = broker.view.world('aurora', 'eldermoor')?.identity?.podUid;
      let connecting: ReturnType<typeof connect> | undefined;
      await whileHeld(
        (tx) =>
          tx.query("select * from report_server($1, $2, $3::uuid[], true, 'b', 1, 3, '{}')", [ELDERMOOR, podUid, [mine.playSessionId]]),
        async () => {
          connecting = connect(application, player);
          await waitingForLocks(1);
        },
      );
      assert.equal((await connecting)?.status, 200);
      assert.equal((await session(mine.playSessionId))?.state, 'active');
    });
  });

  describe('a broker with a view that is too old', () => {
    const waiting = async () => {
      for (const other of await makePlayers(broker, CAPACITY)) assert.equal((await connect(application, other)).status, 200);
      assert.equal((await connect(application, player)).status, 202);
      await database.query("update queue_entries set polled_at = now() - interval '30 s', ready_at = now() - interval '20 s'");
      broker.view.setAgeSeconds(1_000);
    };
    const entry = async () => (await database.query('select polled_at, ready_at from queue_entries'))[0];

    test('answers who waits with 503 and when to ask again', async () => {
      await waiting();
      const { status, headers, body } = await as(application, player, 'GET', '/v1/queue');
      assert.deepEqual([status, body.code, body.reason], [503, 'realm-unavailable', 'view-too-old']);
      assert.ok(Number(headers['retry-after']) > 0);
    });

    test('renews no entry and withdraws no turn', async () => {
      await waiting();
      const before = await entry();
      await as(application, player, 'GET', '/v1/queue');
      assert.deepEqual(await entry(), before);
    });
  });

  describe('a connect to another world than one waits for', () => {
    const waiting = async () => {
      for (const other of await makePlayers(broker, CAPACITY)) assert.equal((await connect(application, other)).status, 200);
      assert.equal((await connect(application, player)).status, 202);
    };
    const queue = () =>
      database.query<{ server_id: string }>('select server_id from queue_entries where account_id = $1', [player.accountId]);

    test('keeps the entry when that one lets nobody in', async () => {
      await waiting();
      await asServer(internal, broker, SUNREACH, 'reports', report([], { accepting: false }));
      assert.equal((await connect(application, player, 'aurora', { continent: 'sunreach' })).body.reason, 'draining');
      assert.deepEqual(await queue(), [{ server_id: ELDERMOOR }]);
    });

    test('replaces the entry when one waits there as well', async () => {
      await waiting();
      await asServer(internal, broker, SUNREACH, 'reports', report([], { capacity: 0 }));
      assert.equal((await connect(application, player, 'aurora', { continent: 'sunreach' })).status, 202);
      assert.deepEqual(await queue(), [{ server_id: SUNREACH }]);
    });

    test('ends the entry when that one has a place', async () => {
      await waiting();
      assert.equal((await connect(application, player, 'aurora', { continent: 'sunreach' })).status, 200);
      assert.deepEqual(await queue(), []);
    });
  });

  test('an own place that runs out while its connect waits is not taken over uncounted', async () => {
    const others = await makePlayers(broker, CAPACITY - 1);
    for (const other of others) await enter(other);
    const mine = await enter();
    await call('releases', { ...mine, reason: 'disconnected' });
    await database.query("update play_sessions set held_until = now() + interval '400 ms' where id = $1", [mine.playSessionId]);
    let connecting: ReturnType<typeof connect> | undefined;
    await whileHeld(
      (tx) => tx.query('select lock_account($1)', [player.accountId]),
      async () => {
        connecting = connect(application, player);
        await waitingForLocks(1);
        await new Promise((resolve) => setTimeout(resolve, 500));
        assert.equal((await connect(application, await makePlayer(broker))).status, 200);
      },
    );
    assert.equal((await connecting)?.status, 202);
  });

  test('a claim that waits until its token has run out is refused', async () => {
    const { body } = await connect(application, player);
    const { playSessionId, clientId } = body;
    await database.query("update play_sessions set token_expires_at = now() - interval '14.6 s' where id = $1", [playSessionId]);
    let claiming: ReturnType<typeof call> | undefined;
    await whileHeld(
      (tx) => tx.query('select lock_account($1)', [player.accountId]),
      async () => {
        claiming = asServer(internal, broker, ELDERMOOR, 'claims', { playSessionId, clientId });
        await waitingForLocks(1);
        await new Promise((resolve) => setTimeout(resolve, 500));
      },
    );
    assert.equal((await claiming)?.body.reason, 'expired');
  });

  test('a claim in the last moment and a connect that finds the time over do not both get the place', async () => {
    for (const other of await makePlayers(broker, CAPACITY - 1)) await enter(other);
    const { body } = await connect(application, player);
    const { playSessionId, clientId } = body;
    await database.query("update play_sessions set token_expires_at = now() - interval '14.6 s' where id = $1", [playSessionId]);
    const late = await makePlayer(broker);
    const podUid = broker.view.world('aurora', 'eldermoor')?.identity?.podUid;
    let connecting: ReturnType<typeof connect> | undefined;
    await whileHeld(
      // A claim whose commit takes its time.
      async (tx) => {
        const [claim] = await tx.query<{ outcome: string }>('select outcome from claim_place($1, $2, $3, $4, null)', [
          playSessionId,
          ELDERMOOR,
          podUid,
          clientId,
        ]);
        assert.equal(claim?.outcome, 'accepted');
      },
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        connecting = connect(application, late);
        await Promise.race([connecting, new Promise((resolve) => setTimeout(resolve, 500))]);
      },
    );
    assert.equal((await connecting)?.status, 202);
  });

  test('a return in the last moment and a connect that finds the time over do not both get the place', async () => {
    for (const other of await makePlayers(broker, CAPACITY - 1)) await enter(other);
    const mine = await enter();
    await call('releases', { ...mine, reason: 'disconnected' });
    await database.query("update play_sessions set held_until = now() + interval '400 ms' where id = $1", [mine.playSessionId]);
    const late = await makePlayer(broker);
    let connecting: ReturnType<typeof connect> | undefined;
    await whileHeld(
      // A return whose commit takes its time.
      async (tx) => {
        const [own] = await tx.query<{ created: string | null }>(
          "select created from reserve_place($1, $2, $3, 'pod', 1, 30, $4, broker_up_since(), null)",
          [player.accountId, player.characterId, ELDERMOOR, CAPACITY],
        );
        assert.ok(own?.created);
      },
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        connecting = connect(application, late);
        await Promise.race([connecting, new Promise((resolve) => setTimeout(resolve, 500))]);
      },
    );
    assert.equal((await connecting)?.status, 202);
  });

  test('a connect locks the account’s sessions before its character, as a save does', async () => {
    const mine = await enter();
    await lose();
    await database.query("update play_sessions set state = 'held', ended_at = null, held_until = now() + interval '300 s'");
    await database.query('update characters set owner = $1', [ELDERMOOR]);
    let connecting: Promise<unknown> | undefined;
    await whileHeld(
      (tx) => tx.query('select 1 from play_sessions where id = $1 for update', [mine.playSessionId]),
      async () => {
        connecting = database.query("select reserve_place($1, $2, $3, 'pod', 1, 30, 3, broker_up_since(), null)", [
          player.accountId,
          player.characterId,
          ELDERMOOR,
        ]);
        connecting.catch(() => undefined);
        await waitingForLocks(1);
      },
      (tx) => tx.query('update characters set state_saved_at = now() where id = $1', [player.characterId]),
    );
    await connecting;
  });

  test('a statement that takes too long, and a standby that only reads, are an outage', async () => {
    const slow = async (tx: Queryable) => {
      await tx.query("set local statement_timeout = '20ms'");
      await tx.query('select pg_sleep(1)');
    };
    const readOnly = async (tx: Queryable) => {
      await tx.query('set transaction read only');
      await tx.query('delete from worlds');
    };
    for (const failing of [slow, readOnly]) await assert.rejects(database.transaction(failing), (error) => isUnavailable(error));
  });
});
