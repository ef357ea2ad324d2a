/** From the wish for an instance to its server: attempts, pauses, lost answers, several replicas. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import { allocateDue, endUnallocated } from '../../src/instances/allocation.ts';
import { NO_POSTGRES, onDatabase, postgresDatabase, testPostgres } from '../support/databases.ts';
import { ago, instanceRow, rowOf, type World, worldOn } from './support.ts';

onDatabase('a wanted instance', (database) => {
  let world: World;
  before(() => {
    world = worldOn(database());
  });
  beforeEach(async () => {
    await database().query('delete from instances');
    world.agones.requests.length = 0;
    world.agones.answer = () => ({ state: 'unallocated' });
  });
  after(() => world.broker.dispose());
  const attempt = () => allocateDue(world.broker, world.agones);
  const due = (id: string) => database().query('update instances set next_attempt_at = now() where id = $1', [id]);

  test('is asked of Agones with its id, its type and its build', async () => {
    const id = await instanceRow(world);
    await attempt();
    assert.deepEqual(world.agones.requests, [{ instanceId: id, contentType: 'dungeon', build: '0.4.2' }]);
  });

  test('is asked of Agones with its difficulty, if it has one', async () => {
    await instanceRow(world, { difficulty: 'heroic' });
    await attempt();
    assert.deepEqual(
      world.agones.requests.map(({ difficulty }) => difficulty),
      ['heroic'],
    );
  });

  test('has the server that Agones gives', async () => {
    const id = await instanceRow(world);
    world.agones.answer = () => ({ state: 'allocated', gameServer: 'dungeon-a' });
    await attempt();
    const { state, game_server } = await rowOf(world, id);
    assert.deepEqual([state, game_server], ['allocated', 'dungeon-a']);
  });

  test('stays wanted when no server is free', async () => {
    const id = await instanceRow(world);
    await attempt();
    assert.equal((await rowOf(world, id)).state, 'wanted');
  });

  test('waits before the next attempt', async () => {
    await instanceRow(world);
    await attempt();
    await attempt();
    assert.equal(world.agones.requests.length, 1);
  });

  test('waits longer after many attempts, and never longer than 4 s', async () => {
    const id = await instanceRow(world, { attempts: 30 });
    await attempt();
    const [row] = await database().query<{ seconds: number }>(
      'select extract(epoch from next_attempt_at - now())::double precision as seconds from instances where id = $1',
      [id],
    );
    assert.ok(row && row.seconds > 1 && row.seconds <= 4, `${row?.seconds} s`);
  });

  test('is tried again at once on contention, three times', async () => {
    await instanceRow(world);
    world.agones.answer = () => ({ state: 'contention' });
    await attempt();
    assert.equal(world.agones.requests.length, 3);
  });

  test('gets its server when contention is over', async () => {
    const id = await instanceRow(world);
    world.agones.answer = () =>
      world.agones.requests.length < 2 ? { state: 'contention' } : { state: 'allocated', gameServer: 'dungeon-b' };
    await attempt();
    assert.equal((await rowOf(world, id)).game_server, 'dungeon-b');
  });

  test('is asked for with the same id after a lost answer', async () => {
    const id = await instanceRow(world);
    world.agones.answer = () => {
      throw new Error('the connection broke');
    };
    await attempt();
    await due(id);
    world.agones.answer = ({ instanceId }) => ({ state: 'allocated', gameServer: `found-by-${instanceId}` });
    await attempt();
    assert.equal((await rowOf(world, id)).game_server, `found-by-${id}`);
  });

  test('keeps the server that was recorded first', async () => {
    const id = await instanceRow(world);
    world.agones.answer = async () => {
      // Another replica was faster.
      await database().query("update instances set state = 'allocated', game_server = 'first', allocated_at = now() where id = $1", [id]);
      return { state: 'allocated', gameServer: 'second' };
    };
    await attempt();
    assert.equal((await rowOf(world, id)).game_server, 'first');
  });

  test('does not take a server that another instance has', async () => {
    await instanceRow(world, { state: 'allocated', game_server: 'taken', allocated_at: new Date() });
    const id = await instanceRow(world);
    world.agones.answer = () => ({ state: 'allocated', gameServer: 'taken' });
    await attempt();
    assert.equal((await rowOf(world, id)).state, 'wanted');
  });

  test('counts each answer of Agones', async () => {
    await instanceRow(world);
    const count = async () =>
      (await world.broker.metrics.allocations.get()).values.find(({ labels }) => labels.result === 'unallocated')?.value ?? 0;
    const before = await count();
    await attempt();
    assert.equal((await count()) - before, 1);
  });

  test('ends as abandoned when nobody has asked for two minutes', async () => {
    const id = await instanceRow(world, { asked_at: ago(130) });
    await endUnallocated(world.broker);
    assert.equal((await rowOf(world, id)).ended_because, 'abandoned');
  });

  test('goes on while somebody asks', async () => {
    const id = await instanceRow(world, { created_at: ago(300) });
    await endUnallocated(world.broker);
    assert.equal((await rowOf(world, id)).state, 'wanted');
  });

  test('ends for want of a server after ten minutes, asked for or not', async () => {
    const id = await instanceRow(world, { created_at: ago(620) });
    await endUnallocated(world.broker);
    assert.equal((await rowOf(world, id)).ended_because, 'no-server');
  });

  test('does not grow old while nobody could reach the brokers', async () => {
    const id = await instanceRow(world, { asked_at: ago(620), created_at: ago(620) });
    await database().query('update broker_clock set up_since = now(), beat_at = now()');
    await endUnallocated(world.broker);
    await database().query("update broker_clock set up_since = '-infinity', beat_at = null");
    assert.equal((await rowOf(world, id)).state, 'wanted');
  });
});

describe('several replicas', { skip: NO_POSTGRES }, () => {
  let postgres: Awaited<ReturnType<typeof postgresDatabase>>;
  const databases: Database[] = [];
  const worlds: World[] = [];
  before(async () => {
    postgres = await postgresDatabase(testPostgres() as NonNullable<ReturnType<typeof testPostgres>>);
    for (let replica = 0; replica < 3; replica++) {
      const database = postgres.open();
      databases.push(database);
      worlds.push(worldOn(database));
    }
  });
  after(async () => {
    for (const { broker } of worlds) broker.dispose();
    for (const database of databases) await database.close();
    await postgres.drop();
  });

  test('make one attempt for each of many instances', async () => {
    const [first] = worlds;
    if (!first) assert.fail();
    const ids: string[] = [];
    for (let number = 0; number < 60; number++) ids.push(await instanceRow(first));
    for (const { agones } of worlds)
      agones.answer = async ({ instanceId }) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { state: 'allocated', gameServer: `for-${instanceId}` };
      };
    await Promise.all(worlds.map(({ broker, agones }) => allocateDue(broker, agones)));
    const asked = worlds.flatMap(({ agones }) => agones.requests.map(({ instanceId }) => instanceId));
    assert.deepEqual(asked.sort(), ids.sort());
  });
});
