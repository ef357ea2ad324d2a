/** Worlds that sleep: who wakes one, what keeps one awake, and that one replica acts. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { WorldServer } from '../../src/discovery/view.ts';
import type { Application } from '../../src/http/application.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { publicApplication } from '../../src/http/public.ts';
import type { WorldScaler } from '../../src/sleep/scaler.ts';
import { measureSleep, sleepIdle, wakeWanted } from '../../src/sleep/sleep.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { as, asServer, connect, makePlayer, type Player, report, settle } from '../support/players.ts';

const SERVER = 'world:aurora/eldermoor';
const MINUTES = 30;
/** Aurora sleeps; umbra never does. */
const settings = testSettings({
  realms: testSettings().realms.map((realm) => (realm.name === 'aurora' ? { ...realm, sleepAfterMinutes: MINUTES } : realm)),
});

onDatabase('a realm that may sleep', (database) => {
  let broker: TestBroker;
  let application: Application;
  let internal: Application;
  let awake: WorldServer;
  const scaled: string[] = [];
  let broken: Error | undefined;
  /** Called while the API is asked. */
  let meanwhile: () => Promise<void>;
  const scaler: WorldScaler = {
    scale: async (namespace, continent, replicas) => {
      await meanwhile();
      if (broken) throw broken;
      scaled.push(`${namespace}/${continent}=${replicas}`);
    },
  };

  before(async () => {
    broker = testBroker(database(), settings);
    awake = broker.view.world('aurora', 'eldermoor') as WorldServer;
    application = await publicApplication(broker);
    internal = await internalApplication(broker);
  });
  beforeEach(async () => {
    for (const table of [
      'play_sessions',
      'queue_entries',
      'worlds',
      'game_servers',
      'server_orders',
      'accounts',
      'world_activity',
      'realm_maintenance',
    ])
      await database().query(`delete from ${table}`);
    await settle(database());
    scaled.length = 0;
    broken = undefined;
    meanwhile = async () => undefined;
    broker.view.setAgeSeconds(0);
    for (const continent of ['eldermoor', 'sunreach'])
      broker.view.setWorld({ realm: 'aurora', continent, serverId: `world:aurora/${continent}`, phase: 'asleep' });
  });
  after(async () => {
    await application.close();
    await internal.close();
    broker.dispose();
  });

  const reports = (changes: object = {}) => asServer(internal, broker, SERVER, 'reports', report([], changes));
  /** Eldermoor runs, has reported just now, and nobody has been there for as long. */
  const idle = async (minutes: number, changes: object = {}) => {
    broker.view.setWorld(awake);
    await reports(changes);
    await sleepIdle(broker, scaler);
    await database().query('update world_activity set occupied_at = now() - make_interval(mins => $1)', [minutes]);
  };
  const claim = async (player: Player) => {
    const { body } = await connect(application, player);
    return asServer(internal, broker, SERVER, 'claims', { playSessionId: body.playSessionId, clientId: body.clientId });
  };

  describe('wakes', () => {
    test('when somebody connects', async () => {
      await connect(application, await makePlayer(broker));
      await wakeWanted(broker, scaler);
      assert.deepEqual(scaled, ['realm-aurora/eldermoor=1']);
    });

    test('and tells whoever connects that it sleeps, and where to ask again', async () => {
      const { status, body } = await connect(application, await makePlayer(broker));
      assert.deepEqual([status, body.state, body.pollUrl], [202, 'asleep', '/v1/queue']);
    });

    test('not when somebody connects who is not logged in', async () => {
      const player = await makePlayer(broker);
      await connect(application, { ...player, headers: { authorization: 'Bearer nobody' } });
      await wakeWanted(broker, scaler);
      assert.deepEqual(scaled, []);
    });

    test('not when somebody connects who is banned', async () => {
      const player = await makePlayer(broker);
      await database().query("insert into bans (account_id, reason) values ($1, 'test')", [player.accountId]);
      await connect(application, player);
      await wakeWanted(broker, scaler);
      assert.deepEqual(scaled, []);
    });

    test('not when somebody only looks at the list of realms', async () => {
      await application.inject({ url: '/v1/realms' });
      await wakeWanted(broker, scaler);
      assert.deepEqual(scaled, []);
    });

    test('not while the realm is closed for maintenance', async () => {
      await database().query("insert into realm_maintenance (realm, message) values ('aurora', 'test')");
      await connect(application, await makePlayer(broker));
      await wakeWanted(broker, scaler);
      assert.deepEqual(scaled, []);
    });

    test('not for somebody who has given up', async () => {
      const player = await makePlayer(broker);
      await connect(application, player);
      await as(application, player, 'DELETE', '/v1/queue');
      await wakeWanted(broker, scaler);
      assert.deepEqual(scaled, []);
    });

    test('once, by one of two replicas', async () => {
      await connect(application, await makePlayer(broker));
      const woken = await Promise.all([wakeWanted(broker, scaler), wakeWanted(broker, scaler)]);
      assert.deepEqual(woken.flat(), [SERVER]);
    });

    test('again, when nothing came of it after five seconds', async () => {
      await connect(application, await makePlayer(broker));
      await wakeWanted(broker, scaler);
      await database().query("update world_activity set scaled_at = now() - interval '6 s'");
      await wakeWanted(broker, scaler);
      assert.equal(scaled.length, 2);
    });

    test('also when the API has failed once', async () => {
      await connect(application, await makePlayer(broker));
      broken = new Error('away');
      await wakeWanted(broker, scaler);
      broken = undefined;
      await database().query("update world_activity set scaled_at = now() - interval '6 s'");
      assert.deepEqual(await wakeWanted(broker, scaler), [SERVER]);
    });

    test('not on the word of a view that is too old', async () => {
      await connect(application, await makePlayer(broker));
      broker.view.setAgeSeconds(600);
      assert.deepEqual(await wakeWanted(broker, scaler), []);
    });

    test('not in a realm without the policy', async () => {
      broker.view.setWorld({ realm: 'umbra', continent: 'nightfall', serverId: 'world:umbra/nightfall', phase: 'asleep' });
      await connect(application, await makePlayer(broker), 'umbra');
      assert.deepEqual(await wakeWanted(broker, scaler), []);
    });

    test('and its player has his turn as soon as it is ready', async () => {
      const player = await makePlayer(broker);
      await connect(application, player);
      broker.view.setWorld(awake);
      const { body } = await as(application, player, 'GET', '/v1/queue');
      assert.deepEqual([body.state, (await connect(application, player)).status], ['ready', 200]);
    });
  });

  describe('goes to sleep', () => {
    test('when nobody has been there for as long as its realm says', async () => {
      await idle(MINUTES + 1);
      await sleepIdle(broker, scaler);
      assert.deepEqual(scaled, ['realm-aurora/eldermoor=0']);
    });

    test('and lets nobody in from then on', async () => {
      await idle(MINUTES + 1);
      await sleepIdle(broker, scaler);
      const { status, body } = await connect(application, await makePlayer(broker));
      assert.deepEqual([status, body.reason], [503, 'draining']);
    });

    test('not before', async () => {
      await idle(MINUTES - 1);
      assert.deepEqual(await sleepIdle(broker, scaler), []);
    });

    test('not when it has just been seen for the first time', async () => {
      broker.view.setWorld(awake);
      await reports();
      assert.deepEqual(await sleepIdle(broker, scaler), []);
    });

    test('not while somebody plays', async () => {
      await idle(MINUTES + 1);
      assert.equal((await claim(await makePlayer(broker))).status, 200);
      assert.deepEqual(await sleepIdle(broker, scaler), []);
    });

    test('not while somebody has a token', async () => {
      await idle(MINUTES + 1);
      await connect(application, await makePlayer(broker));
      assert.deepEqual(await sleepIdle(broker, scaler), []);
    });

    test('not while a place is kept for somebody who has lost his connection', async () => {
      await idle(MINUTES + 1);
      const player = await makePlayer(broker);
      const { body } = await claim(player);
      await asServer(internal, broker, SERVER, 'releases', {
        playSessionId: body.playSessionId,
        epoch: body.character.epoch,
        reason: 'disconnected',
      });
      await database().query('update world_activity set occupied_at = now() - make_interval(mins => $1)', [MINUTES + 1]);
      assert.deepEqual(await sleepIdle(broker, scaler), []);
    });

    test('not while its server counts a player whom the broker does not know', async () => {
      await idle(MINUTES + 1, { players: 1 });
      assert.deepEqual(await sleepIdle(broker, scaler), []);
    });

    test('not while its server is silent: it may be cut off with players on it', async () => {
      await idle(MINUTES + 1);
      await database().query("update game_servers set reported_at = now() - interval '1 minute'");
      assert.deepEqual(await sleepIdle(broker, scaler), []);
    });

    test('not when nobody could have come because the brokers were away', async () => {
      await idle(MINUTES + 1);
      await database().query('update broker_clock set up_since = now()');
      assert.deepEqual(await sleepIdle(broker, scaler), []);
    });

    test('not while it starts', async () => {
      await idle(MINUTES + 1);
      broker.view.setWorld({ realm: 'aurora', continent: 'eldermoor', serverId: SERVER, phase: 'starting' });
      assert.deepEqual(await sleepIdle(broker, scaler), []);
    });

    test('not soon after it was woken, although nobody came', async () => {
      await connect(application, await makePlayer(broker));
      await wakeWanted(broker, scaler);
      await database().query('delete from queue_entries');
      broker.view.setWorld(awake);
      await reports();
      await database().query("update world_activity set occupied_at = now() - interval '1 day'");
      assert.deepEqual(await sleepIdle(broker, scaler), []);
    });

    test('once, by one of two replicas', async () => {
      await idle(MINUTES + 1);
      const stopped = await Promise.all([sleepIdle(broker, scaler), sleepIdle(broker, scaler)]);
      assert.deepEqual([stopped.flat(), scaled.length], [[SERVER], 1]);
    });

    test('at the next look, when the API has failed', async () => {
      await idle(MINUTES + 1);
      broken = new Error('away');
      await sleepIdle(broker, scaler);
      broken = undefined;
      await reports();
      assert.deepEqual(await sleepIdle(broker, scaler), [SERVER]);
    });

    test('and whoever connects while the API is asked gets no place', async () => {
      await idle(MINUTES + 1);
      const player = await makePlayer(broker);
      let status: Promise<{ status: number }> | undefined;
      meanwhile = async () => {
        status = connect(application, player);
        await new Promise((resolve) => setTimeout(resolve, 50));
      };
      await sleepIdle(broker, scaler);
      assert.equal((await status)?.status, 503);
    });

    test('not in a realm without the policy', async () => {
      await idle(MINUTES + 1);
      await database().query(
        "insert into world_activity (server_id, occupied_at) values ('world:umbra/nightfall', now() - interval '1 day')",
      );
      await sleepIdle(broker, scaler);
      assert.deepEqual(scaled, ['realm-aurora/eldermoor=0']);
    });
  });

  test('is measured: which worlds are scaled to zero', async () => {
    broker.view.setWorld(awake);
    measureSleep(broker);
    const { values } = await broker.metrics.worldAsleep.get();
    assert.deepEqual(
      values.filter(({ labels }) => labels.realm === 'aurora').map(({ labels, value }) => `${labels.continent} ${value}`),
      ['eldermoor 0', 'sunreach 1'],
    );
  });
});
