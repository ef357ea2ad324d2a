/** The servers of instances followed in the view: ready, stopped, gone; and those that the broker must delete. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { publicApplication } from '../../src/http/public.ts';
import { followServers, noteOccupied, releaseLostServers } from '../../src/instances/lifecycle.ts';
import { reap } from '../../src/instances/reaping.ts';
import { onDatabase } from '../support/databases.ts';
import { ago, instanceRow, place, player, rowOf, serverFor, type World, worldOn } from './support.ts';

/** Of the test's dungeon. */
const LIFETIME_SECONDS = 3_600;

onDatabase('the server of an instance', (database) => {
  let world: World;
  before(() => {
    world = worldOn(database());
  });
  beforeEach(async () => {
    await database().query('delete from instances');
    await database().query('delete from play_sessions');
    await database().query('delete from game_servers');
    for (const { name } of world.broker.view.instances()) world.broker.view.removeInstance(name);
    world.broker.view.setAgeSeconds(0);
    world.agones.removed.length = 0;
    world.agones.broken = undefined;
  });
  after(() => world.broker.dispose());

  /** An instance with a server, allocated a while ago; `server` false: gone from the view. */
  async function running(values: Record<string, unknown> = {}, server: Parameters<typeof serverFor>[1] | false = {}) {
    const id = await instanceRow(world, {
      state: 'ready',
      game_server: 'dungeon-a',
      allocated_at: ago(700),
      ready_at: ago(690),
      ...values,
    });
    if (server !== false) world.broker.view.setInstance(serverFor(id, { name: 'dungeon-a', ...server }));
    return id;
  }
  const reaped = () => reap(world.broker, world.agones);
  /** The last report of dungeon-a. */
  const report = (players: number, secondsAgo = 1, podUid = 'pod-dungeon-a') =>
    database().query(
      `insert into game_servers (server_id, pod_uid, accepting, build, players, capacity, reported_at)
       values ('instance:dungeon-a', $1, true, '0.4.2', $2, 5, now() - make_interval(secs => $3))`,
      [podUid, players, secondsAgo],
    );
  const stateOf = async (id: string) => (await rowOf(world, id)).state;

  test('makes it ready when it says so', async () => {
    const id = await running({ state: 'allocated', ready_at: null });
    await followServers(world.broker);
    assert.equal(await stateOf(id), 'ready');
  });

  test('does not make it ready before it says so', async () => {
    const id = await running({ state: 'allocated', ready_at: null }, { readyFor: undefined });
    await followServers(world.broker);
    assert.equal(await stateOf(id), 'allocated');
  });

  test('does not make it ready when it is ready for another one', async () => {
    const id = await running({ state: 'allocated', ready_at: null }, { readyFor: '00000000-0000-4000-8000-000000000000' });
    await followServers(world.broker);
    assert.equal(await stateOf(id), 'allocated');
  });

  test('has its time until it was ready measured once', async () => {
    await running({ state: 'allocated', ready_at: null });
    const count = async () =>
      (await world.broker.metrics.allocationDuration.get()).values.find(({ metricName }) => metricName?.endsWith('_count'))?.value ?? 0;
    const before = await count();
    await followServers(world.broker);
    await followServers(world.broker);
    assert.equal((await count()) - before, 1);
  });

  test('ends it when it is gone', async () => {
    const id = await running({}, false);
    await followServers(world.broker);
    assert.equal((await rowOf(world, id)).ended_because, 'server-gone');
  });

  test('does not end it when the view may not have it yet', async () => {
    const id = await running({ allocated_at: ago(5) }, false);
    await followServers(world.broker);
    assert.equal(await stateOf(id), 'ready');
  });

  test('does not end it when the view is as old as its allocation', async () => {
    const id = await running({ allocated_at: ago(100) }, false);
    world.broker.view.setAgeSeconds(90);
    await followServers(world.broker);
    assert.equal(await stateOf(id), 'ready');
  });

  test('does not end it when the view is too old to act on', async () => {
    const id = await running({}, false);
    world.broker.view.setAgeSeconds(301);
    await followServers(world.broker);
    assert.equal(await stateOf(id), 'ready');
  });

  test('does not end it while GameServers cannot be seen at all', async () => {
    const id = await running({}, false);
    world.broker.view.setInstancesKnown(false);
    await followServers(world.broker);
    world.broker.view.setInstancesKnown(true);
    assert.equal(await stateOf(id), 'ready');
  });

  test('ends it when it shuts down', async () => {
    const id = await running({}, { state: 'Shutdown' });
    await followServers(world.broker);
    assert.equal((await rowOf(world, id)).ended_because, 'server-stopped');
  });

  for (const [what, server] of [
    ['is gone', false],
    ['shuts down', { state: 'Shutdown' }],
  ] as const) {
    test(`is exchanged for another one of the present build when it ${what} before anybody could enter`, async () => {
      const id = await running({ state: 'allocated', ready_at: null, build: '0.4.1' }, server);
      await followServers(world.broker);
      const { state, game_server, build } = await rowOf(world, id);
      assert.deepEqual([state, game_server, build], ['wanted', null, '0.4.2']);
    });
  }

  test('keeps no place of a player when it is gone', async () => {
    const session = await place(world, await player(world), 'instance:dungeon-a', 'pod-dungeon-a');
    await releaseLostServers(world.broker);
    const [row] = await database().query<{ state: string }>('select state from play_sessions where id = $1', [session]);
    assert.equal(row?.state, 'ended');
  });

  test('keeps its players while it is there', async () => {
    await running();
    const session = await place(world, await player(world), 'instance:dungeon-a', 'pod-dungeon-a');
    await releaseLostServers(world.broker);
    const [row] = await database().query<{ state: string }>('select state from play_sessions where id = $1', [session]);
    assert.equal(row?.state, 'active');
  });

  test('is deleted when it is the second one of its instance', async () => {
    const id = await running({ occupied_at: new Date() });
    world.broker.view.setInstance(serverFor(id, { name: 'dungeon-second', uid: 'second' }));
    await reaped();
    assert.deepEqual(world.agones.removed, [{ name: 'dungeon-second', uid: 'second' }]);
  });

  test('does not end its instance when it is the second one', async () => {
    const id = await running({ occupied_at: new Date() });
    world.broker.view.setInstance(serverFor(id, { name: 'dungeon-second' }));
    await reaped();
    assert.equal(await stateOf(id), 'ready');
  });

  test('is left alone while its instance is still wanted: the retry finds it', async () => {
    const id = await instanceRow(world);
    world.broker.view.setInstance(serverFor(id));
    assert.deepEqual(await reaped(), []);
  });

  test('is deleted when its instance was given up before it was recorded', async () => {
    const id = await instanceRow(world, { state: 'ended', ended_at: new Date() });
    world.broker.view.setInstance(serverFor(id, { name: 'dungeon-late' }));
    assert.deepEqual(await reaped(), ['dungeon-late']);
  });

  test('has two minutes to end itself after its instance has ended', async () => {
    await running({ state: 'ended', ended_at: ago(60) });
    assert.deepEqual(await reaped(), []);
  });

  test('is deleted when it outlives its instance by two minutes', async () => {
    await running({ state: 'ended', ended_at: ago(130) });
    assert.deepEqual(await reaped(), ['dungeon-a']);
  });

  test('is deleted when nobody has joined, two minutes after it should have ended itself', async () => {
    await running({ ready_at: ago(250) });
    assert.deepEqual(await reaped(), ['dungeon-a']);
  });

  test('is left alone when nobody has joined yet', async () => {
    await running({ ready_at: ago(230) });
    assert.deepEqual(await reaped(), []);
  });

  test('ends its instance when it is deleted', async () => {
    const id = await running({ ready_at: ago(250) });
    await reaped();
    assert.equal((await rowOf(world, id)).ended_because, 'never-joined');
  });

  test('is deleted when it has been empty, two minutes after it should have ended itself', async () => {
    const id = await running({ occupied_at: ago(250) });
    await report(0);
    await reaped();
    assert.equal((await rowOf(world, id)).ended_because, 'empty');
  });

  for (const [what, players, secondsAgo, podUid] of [
    ['its last report is old', 0, 25, 'pod-dungeon-a'],
    ['its last report names somebody', 1, 1, 'pod-dungeon-a'],
    ['another pod of the same name reported', 0, 1, 'pod-earlier'],
  ] as const) {
    test(`is not deleted as empty when ${what}`, async () => {
      await running({ occupied_at: ago(250) });
      await report(players, secondsAgo, podUid);
      assert.deepEqual(await reaped(), []);
    });
  }

  test('is not deleted as empty when it is silent: it may be cut off with its players on it', async () => {
    const id = await running({ occupied_at: ago(5_000) });
    await reaped();
    assert.deepEqual([await stateOf(id), world.agones.removed], ['ready', []]);
  });

  test('is not deleted as never joined when its report names somebody', async () => {
    await running({ ready_at: ago(250) });
    await report(1);
    assert.deepEqual(await reaped(), []);
  });

  test('is not deleted when a player came between the look and the deletion', async () => {
    const app = await publicApplication(world.broker);
    const who = await player(world);
    await running({ ready_at: ago(250) });
    const second = await running({ ready_at: ago(250), game_server: 'dungeon-b' }, { name: 'dungeon-b' });
    await database().query('insert into instance_roster (instance_id, account_id) values ($1, $2)', [second, who.accountId]);
    let status: number | undefined;
    const names = await reap(world.broker, {
      ...world.agones,
      remove: async () => {
        const url = `/v1/instances/${second}/connect`;
        status ??= (await app.inject({ method: 'POST', url, headers: who.headers, payload: { characterId: who.characterId } })).statusCode;
      },
    });
    await app.close();
    assert.deepEqual([status, names, await stateOf(second)], [200, ['dungeon-a'], 'ready']);
  });

  test('is left alone while somebody has a place on it', async () => {
    await running({ ready_at: ago(900), occupied_at: ago(900) });
    await place(world, await player(world), 'instance:dungeon-a', 'pod-dungeon-a', 'held');
    assert.deepEqual(await reaped(), []);
  });

  test('is left alone when it could not reach the broker for long', async () => {
    await running({ ready_at: ago(900), occupied_at: ago(900) });
    await database().query('update broker_clock set up_since = now(), beat_at = now()');
    const names = await reaped();
    await database().query("update broker_clock set up_since = '-infinity', beat_at = null");
    assert.deepEqual(names, []);
  });

  test('is deleted when it was allocated and never ready', async () => {
    await running({ state: 'allocated', allocated_at: ago(430), ready_at: null }, { readyFor: undefined });
    assert.deepEqual(await reaped(), ['dungeon-a']);
  });

  test('is deleted when it outlives what its content type allows by two minutes, played on or not', async () => {
    await running({ allocated_at: ago(LIFETIME_SECONDS + 130), occupied_at: new Date() });
    assert.deepEqual(await reaped(), ['dungeon-a']);
  });

  test('has two minutes to end itself after the longest life of its content type', async () => {
    await running({ allocated_at: ago(LIFETIME_SECONDS + 110), occupied_at: new Date() });
    assert.deepEqual(await reaped(), []);
  });

  test('lives for a day at most when nothing of its content type is known any more', async () => {
    await running({ content_type: 'gone', allocated_at: ago(24 * 3600 + 130), occupied_at: new Date() });
    assert.deepEqual(await reaped(), ['dungeon-a']);
  });

  test('is deleted when no database has known its instance for ten minutes', async () => {
    world.broker.view.setInstance(serverFor('11111111-1111-4111-8111-111111111111', { name: 'dungeon-stray' }));
    await reap(world.broker, world.agones, Date.now() - 601_000);
    assert.deepEqual(await reaped(), ['dungeon-stray']);
  });

  test('is left alone when it is old and its instance has just become unknown', async () => {
    world.broker.view.setInstance(
      serverFor('11111111-1111-4111-8111-111111111111', { name: 'dungeon-restored', createdAt: Date.now() - 36_000_000 }),
    );
    await reap(world.broker, world.agones, Date.now() - 590_000);
    assert.deepEqual(await reaped(), []);
  });

  test('is left alone when its instance was known in the meantime', async () => {
    world.broker.view.setInstance(serverFor('11111111-1111-4111-8111-111111111111', { name: 'dungeon-a' }));
    await reap(world.broker, world.agones, Date.now() - 700_000);
    await instanceRow(world, { id: '11111111-1111-4111-8111-111111111111', state: 'ready', game_server: 'dungeon-a', ready_at: ago(1) });
    await reap(world.broker, world.agones, Date.now() - 690_000);
    await database().query('delete from instances');
    assert.deepEqual(await reaped(), []);
  });

  test('is left alone when it is not allocated', async () => {
    world.broker.view.setInstance(serverFor(undefined, { state: 'Ready' }));
    assert.deepEqual(await reaped(), []);
  });

  test('is left alone when its label is not ours', async () => {
    world.broker.view.setInstance(serverFor('somebody-elses'));
    assert.deepEqual(await reaped(), []);
  });

  test('is not deleted by a view that is too old', async () => {
    await running({ state: 'ended', ended_at: ago(130) });
    world.broker.view.setAgeSeconds(301);
    assert.deepEqual(await reaped(), []);
  });

  test('is deleted by one replica, and the next tries only a minute later', async () => {
    await running({ state: 'ended', ended_at: ago(130) });
    await reaped();
    assert.deepEqual(await reaped(), []);
  });

  test('is tried again when its deletion failed', async () => {
    await running({ state: 'ended', ended_at: ago(130) });
    world.agones.broken = new Error('the API is away');
    await reaped();
    world.agones.broken = undefined;
    await database().query("update instances set reaped_at = reaped_at - interval '61 s'");
    assert.deepEqual(await reaped(), ['dungeon-a']);
  });

  test('is counted when it was deleted, with the reason', async () => {
    await running({ state: 'ended', ended_at: ago(130) });
    const counter = world.broker.metrics.instancesReaped;
    const count = async () => (await counter.get()).values.find(({ labels }) => labels.reason === 'ended')?.value ?? 0;
    const before = await count();
    await reaped();
    assert.equal((await count()) - before, 1);
  });

  test('counts as occupied while somebody has a place on it', async () => {
    const id = await running();
    await place(world, await player(world), 'instance:dungeon-a', 'pod-dungeon-a');
    await noteOccupied(world.broker);
    assert.ok((await rowOf(world, id)).occupied_at instanceof Date);
  });
});
