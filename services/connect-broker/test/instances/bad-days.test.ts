/**
 * Instances from the wish to the token over HTTP to an API with an Agones in it, on its bad days: lost answers, an allocator that does not see its own work yet,
 * no server at all, an outage in the middle.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Broker } from '../../src/broker.ts';
import { connectToKubernetes, type KubernetesConnection } from '../../src/discovery/kubernetes.ts';
import { autoscalerApplication } from '../../src/http/autoscaler.ts';
import { publicApplication } from '../../src/http/public.ts';
import { allocateDue } from '../../src/instances/allocation.ts';
import type { Allocator } from '../../src/instances/allocator.ts';
import { followServers } from '../../src/instances/lifecycle.ts';
import { reap } from '../../src/instances/reaping.ts';
import { makeLog } from '../../src/log.ts';
import { type FakeApi, fakeApi } from '../discovery/fake-api.ts';
import { gameServer, instancePod, PATHS } from '../discovery/objects.ts';
import { onDatabase } from '../support/databases.ts';
import { instanceRow, player, rowOf, type World, worldOn } from './support.ts';

interface Selector {
  readonly gameServerState: string;
  readonly matchLabels: Readonly<Record<string, string>>;
}

onDatabase('an instance on a bad day', (database) => {
  let api: FakeApi;
  let world: World;
  let connection: KubernetesConnection;
  let broker: Broker;
  let allocator: Allocator;
  /** The API's game servers, as Agones knows them. */
  const servers = new Map<string, { state: string; instance?: string; readyFor?: string }>();
  /** Whether Agones sees what it allocated before. */
  let forgetful = false;

  const show = (name: string) => {
    const { state, instance, readyFor } = servers.get(name) ?? { state: 'Ready' };
    api.put(PATHS.instancePods, instancePod(name));
    api.put(PATHS.gameServers, gameServer(name, { state, ...(instance ? { instance } : {}), ...(readyFor ? { readyFor } : {}) }));
  };
  const start = (name: string) => {
    servers.set(name, { state: 'Ready' });
    show(name);
  };
  /** What the game does when it has loaded. */
  const load = (name: string) => {
    const server = servers.get(name);
    if (!server?.instance) assert.fail(`${name} is not allocated`);
    server.readyFor = server.instance;
    show(name);
  };
  /** Agones: the first selector that fits a server decides. */
  const allocate = (body: unknown) => {
    const { spec } = body as { spec: { selectors: readonly Selector[]; metadata: { labels: Record<string, string> } } };
    for (const { gameServerState, matchLabels } of spec.selectors) {
      if (forgetful && gameServerState === 'Allocated') continue;
      for (const [name, server] of servers) {
        if (server.state !== gameServerState || (matchLabels['mmo/instance'] ?? server.instance) !== server.instance) continue;
        server.state = 'Allocated';
        server.instance = spec.metadata.labels['mmo/instance'] as string;
        show(name);
        return { status: 201, body: { status: { state: 'Allocated', gameServerName: name } } };
      }
    }
    return { status: 201, body: { status: { state: 'UnAllocated' } } };
  };
  const until = async (what: string, holds: () => boolean | Promise<boolean>) => {
    for (const deadline = Date.now() + 10_000; !(await holds()); ) {
      if (Date.now() > deadline) assert.fail(`not within 10 s: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const attempt = async () => {
    await database().query('update instances set next_attempt_at = now()');
    await allocateDue(broker, allocator);
  };

  before(async () => {
    api = await fakeApi();
  });
  after(() => api.close());
  beforeEach(async () => {
    await database().query('delete from instances');
    servers.clear();
    forgetful = false;
    api.trouble = () => undefined;
    api.create = ({ body }) => allocate(body);
    world = worldOn(database());
    connection = connectToKubernetes({ ...world.broker.settings, realms: [] }, makeLog('silent'), {
      credentials: api.credentials,
      timing: { watchSeconds: 5, retryMs: { first: 20, most: 100 } },
    });
    if (!connection.allocator) assert.fail('there is no allocator');
    allocator = connection.allocator;
    broker = { ...world.broker, view: connection.view, allocator };
    await until('synced', () => connection.view.synced);
  });
  afterEach(async () => {
    await connection.close();
    world.broker.dispose();
    for (const name of [...servers.keys()]) {
      api.remove(PATHS.gameServers, name);
      api.remove(PATHS.instancePods, name);
    }
  });

  test('gets the server of the attempt whose answer was lost', async () => {
    start('dungeon-1');
    start('dungeon-2');
    const id = await instanceRow(world);
    api.create = ({ body }) => {
      allocate(body);
      return 'break-after';
    };
    await attempt();
    api.create = ({ body }) => allocate(body);
    await attempt();
    assert.equal((await rowOf(world, id)).game_server, [...servers].find(([, { instance }]) => instance === id)?.[0]);
  });

  test('takes no second server when an answer was lost', async () => {
    start('dungeon-1');
    start('dungeon-2');
    await instanceRow(world);
    api.create = ({ body }) => {
      allocate(body);
      return 'break-after';
    };
    await attempt();
    api.create = ({ body }) => allocate(body);
    await attempt();
    assert.equal([...servers.values()].filter(({ state }) => state === 'Allocated').length, 1);
  });

  test('loses the second server that a forgetful Agones gave it, and keeps the recorded one', async () => {
    start('dungeon-1');
    start('dungeon-2');
    const id = await instanceRow(world);
    api.create = ({ body }) => {
      allocate(body);
      return 'break-after';
    };
    await attempt();
    forgetful = true;
    api.create = ({ body }) => allocate(body);
    await attempt();
    await until('both are seen', () => connection.view.instancesOf(id).length === 2);
    const { game_server: recorded } = await rowOf(world, id);
    await reap(broker, allocator);
    await until('one is gone', () => connection.view.instancesOf(id).length === 1);
    assert.equal(connection.view.instancesOf(id)[0]?.name, recorded);
  });

  test('waits while Agones has no server, and gets the next that starts', async () => {
    const id = await instanceRow(world);
    await attempt();
    start('dungeon-late');
    await attempt();
    assert.equal((await rowOf(world, id)).game_server, 'dungeon-late');
  });

  test('waits while the API is away, and goes on when it is back', async () => {
    start('dungeon-1');
    const id = await instanceRow(world);
    await api.away();
    await attempt();
    const away = (await rowOf(world, id)).game_server;
    await api.listen();
    // The first attempt afterwards may still be made on a connection that the outage has cut.
    for (let tries = 0; tries < 3 && (await rowOf(world, id)).game_server === null; tries++) await attempt();
    assert.deepEqual([away, (await rowOf(world, id)).game_server], [null, 'dungeon-1']);
  });

  test('is not ended because the API was away', async () => {
    start('dungeon-1');
    const id = await instanceRow(world);
    await attempt();
    await api.away();
    await followServers(broker);
    const { state } = await rowOf(world, id);
    await api.listen();
    assert.equal(state, 'allocated');
  });

  test('leads a player from no server at all to a token', async () => {
    const app = await publicApplication(broker);
    const autoscaler = await autoscalerApplication(broker);
    const who = await player(world);
    const connect = () =>
      app.inject({ method: 'POST', url: '/v1/instances/dungeon/connect', headers: who.headers, payload: { characterId: who.characterId } });
    const wanted = async () => {
      const answer = await autoscaler.inject({
        method: 'POST',
        url: '/v1/autoscaler/dungeon',
        payload: { request: { uid: 'u', status: { replicas: servers.size, allocatedReplicas: 0 } } },
      });
      return (answer.json() as { response: { replicas: number } }).response.replicas;
    };
    const steps: (number | string)[] = [await wanted()];
    steps.push((await connect()).statusCode);
    steps.push(await wanted());
    start('dungeon-cold');
    await attempt();
    await until('it is seen', () => connection.view.instance('dungeon-cold')?.state === 'Allocated');
    steps.push((await connect()).statusCode);
    load('dungeon-cold');
    await until('it is ready', () => connection.view.instance('dungeon-cold')?.readyFor !== undefined);
    steps.push((await connect()).statusCode);
    await app.close();
    await autoscaler.close();
    assert.deepEqual(steps, [0, 202, 1, 202, 200]);
  });
});
