/** Instances over HTTP: players ask for themselves, game servers for their players, Agones for numbers. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import type { Application } from '../../src/http/application.ts';
import { autoscalerApplication } from '../../src/http/autoscaler.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { publicApplication } from '../../src/http/public.ts';
import { allocateDue } from '../../src/instances/allocation.ts';
import { startInstanceTasks } from '../../src/instances/tasks.ts';
import { onDatabase } from '../support/databases.ts';
import { ago, instanceRow, type Player, place, player, rowOf, serverFor, type World, worldOn } from './support.ts';

onDatabase('instances over HTTP', (database) => {
  let world: World;
  let app: Application;
  let internal: Application;
  let autoscaler: Application;
  before(async () => {
    world = worldOn(database());
    app = await publicApplication(world.broker);
    internal = await internalApplication(world.broker);
    autoscaler = await autoscalerApplication(world.broker);
  });
  beforeEach(async () => {
    await database().query('delete from instances');
    await database().query('delete from play_sessions');
    await database().query('delete from game_servers');
    for (const { name } of world.broker.view.instances()) world.broker.view.removeInstance(name);
    world.broker.view.setAgeSeconds(0);
    world.agones.requests.length = 0;
  });
  after(async () => {
    await app.close();
    await internal.close();
    await autoscaler.close();
    world.broker.dispose();
  });

  const connect = async (who: Player, target: string, body: Record<string, unknown> = {}) => {
    const answer = await app.inject({
      method: 'POST',
      url: `/v1/instances/${target}/connect`,
      headers: who.headers,
      payload: { characterId: who.characterId, ...body },
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() as Record<string, unknown> };
  };
  const look = async (who: Player, id: string) => {
    const answer = await app.inject({ method: 'GET', url: `/v1/instances/${id}`, headers: who.headers });
    return { status: answer.statusCode, body: answer.json() as Record<string, unknown> };
  };
  /** An instance that is ready for players, of whoever. */
  const ready = async (members: readonly Player[], changes: Parameters<typeof serverFor>[1] = {}): Promise<string> => {
    const id = await instanceRow(world, { state: 'ready', game_server: 'dungeon-a', allocated_at: ago(20), ready_at: ago(10) });
    for (const { accountId } of members)
      await database().query('insert into instance_roster (instance_id, account_id) values ($1, $2)', [id, accountId]);
    world.broker.view.setInstance(serverFor(id, { name: 'dungeon-a', ...changes }));
    return id;
  };

  test('asking by type answers 202 with where to ask again', async () => {
    const { status, body } = await connect(await player(world), 'dungeon');
    assert.deepEqual([status, body.state, body.pollUrl], [202, 'starting', `/v1/instances/${body.instanceId}`]);
  });

  test('asking says when to ask again', async () => {
    const { headers } = await connect(await player(world), 'dungeon');
    assert.equal(headers['retry-after'], '2');
  });

  test('asking by type leaves the wish in the database before anything is asked of Agones', async () => {
    const { body } = await connect(await player(world), 'dungeon');
    assert.deepEqual([(await rowOf(world, String(body.instanceId))).state, world.agones.requests.length], ['wanted', 0]);
  });

  test('the roster of one’s own instance is oneself', async () => {
    const who = await player(world);
    const { body } = await connect(who, 'dungeon');
    assert.deepEqual(await database().query('select account_id from instance_roster where instance_id = $1', [body.instanceId]), [
      { account_id: who.accountId },
    ]);
  });

  test('asking again finds the same instance', async () => {
    const who = await player(world);
    const first = await connect(who, 'dungeon');
    assert.equal((await connect(who, 'dungeon')).body.instanceId, first.body.instanceId);
  });

  test('asking many times at once makes one instance', async () => {
    const who = await player(world);
    const answers = await Promise.all(Array.from({ length: 8 }, () => connect(who, 'dungeon')));
    assert.equal(new Set(answers.map(({ body }) => body.instanceId)).size, 1);
  });

  test('asking after the earlier one has ended makes another one', async () => {
    const who = await player(world);
    const first = await connect(who, 'dungeon');
    await database().query("update instances set state = 'ended', ended_at = now()");
    assert.notEqual((await connect(who, 'dungeon')).body.instanceId, first.body.instanceId);
  });

  test('an instance has the first difficulty of its type when nothing is said', async () => {
    const { body } = await connect(await player(world), 'dungeon');
    assert.equal((await rowOf(world, String(body.instanceId))).difficulty, 'normal');
  });

  test('an instance has the difficulty that was asked for', async () => {
    const who = await player(world);
    const { body } = await connect(who, 'dungeon', { difficulty: 'heroic' });
    assert.equal((await look(who, String(body.instanceId))).body.difficulty, 'heroic');
  });

  test('a difficulty that the type does not have is refused, with those that it has', async () => {
    const { status, body } = await connect(await player(world), 'dungeon', { difficulty: 'mythic' });
    assert.deepEqual([status, body.difficulties], [422, ['normal', 'heroic']]);
  });

  test('a wish that nobody has worked on yet changes with the difficulty', async () => {
    const who = await player(world);
    await connect(who, 'dungeon');
    const { status, body } = await connect(who, 'dungeon', { difficulty: 'heroic' });
    assert.deepEqual([status, (await rowOf(world, String(body.instanceId))).difficulty], [202, 'heroic']);
  });

  test('one’s open instance of another difficulty is not silently entered', async () => {
    const who = await player(world);
    const { body } = await connect(who, 'dungeon');
    await database().query("update instances set state = 'ready', game_server = 'dungeon-a'");
    const refused = await connect(who, 'dungeon', { difficulty: 'heroic' });
    assert.deepEqual([refused.status, refused.body.instanceId, refused.body.difficulty], [409, body.instanceId, 'normal']);
  });

  test('one’s open instance is entered whatever its difficulty when none is named', async () => {
    const who = await player(world);
    const { body } = await connect(who, 'dungeon', { difficulty: 'heroic' });
    assert.equal((await connect(who, 'dungeon')).body.instanceId, body.instanceId);
  });

  test('players of one’s own get another instance each', async () => {
    const first = await connect(await player(world), 'dungeon');
    assert.notEqual((await connect(await player(world), 'dungeon')).body.instanceId, first.body.instanceId);
  });

  test('a ready instance gives a token', async () => {
    const who = await player(world);
    const { status, body } = await connect(who, await ready([who]));
    assert.deepEqual([status, typeof body.token], [200, 'string']);
  });

  test('a token comes with a place on the server', async () => {
    const who = await player(world);
    const { body } = await connect(who, await ready([who]));
    const [row] = await database().query<Record<string, unknown>>('select server_id, pod_uid, state from play_sessions where id = $1', [
      body.playSessionId,
    ]);
    assert.deepEqual(row, { server_id: 'instance:dungeon-a', pod_uid: 'pod-dungeon-a', state: 'reserved' });
  });

  test('an instance that somebody was let into is ready from then on: its server is not exchanged for another one', async () => {
    const who = await player(world);
    const id = await instanceRow(world, { state: 'allocated', game_server: 'dungeon-a', allocated_at: ago(5) });
    await database().query('insert into instance_roster (instance_id, account_id) values ($1, $2)', [id, who.accountId]);
    world.broker.view.setInstance(serverFor(id, { name: 'dungeon-a' }));
    await connect(who, id);
    const [row] = await database().query<{ state: string }>('select state from instances where id = $1', [id]);
    assert.equal(row?.state, 'ready');
  });

  test('a token is not given before the server says that players may enter', async () => {
    const who = await player(world);
    const { status } = await connect(who, await ready([who], { readyFor: undefined }));
    assert.equal(status, 202);
  });

  test('a token is not given for a server that is not the recorded one', async () => {
    const who = await player(world);
    const id = await instanceRow(world, { state: 'allocated', game_server: 'dungeon-first', allocated_at: ago(5) });
    await database().query('insert into instance_roster (instance_id, account_id) values ($1, $2)', [id, who.accountId]);
    world.broker.view.setInstance(serverFor(id, { name: 'dungeon-second' }));
    assert.equal((await connect(who, id)).status, 202);
  });

  test('accounts that are not on the roster are refused', async () => {
    const id = await ready([await player(world)]);
    const { status, body } = await connect(await player(world), id);
    assert.deepEqual([status, body.code], [403, 'not-on-roster']);
  });

  test('accounts that are not on the roster see nothing', async () => {
    const id = await ready([await player(world)]);
    assert.equal((await look(await player(world), id)).status, 403);
  });

  test('an instance that does not exist is not found', async () => {
    assert.equal((await connect(await player(world), randomUUID())).status, 404);
  });

  test('a type that does not exist is not found', async () => {
    assert.equal((await connect(await player(world), 'casino')).status, 404);
  });

  test('a character of somebody else is not found', async () => {
    const { characterId } = await player(world);
    assert.equal((await connect(await player(world), 'dungeon', { characterId })).status, 404);
  });

  test('nobody without a session gets in', async () => {
    const answer = await app.inject({ method: 'POST', url: '/v1/instances/dungeon/connect', payload: { characterId: randomUUID() } });
    assert.equal(answer.statusCode, 401);
  });

  test('the banned are refused', async () => {
    const who = await player(world);
    await database().query("insert into bans (account_id, reason) values ($1, 'cheating')", [who.accountId]);
    assert.equal((await connect(who, 'dungeon')).body.code, 'banned');
  });

  test('an outdated client is told what it needs', async () => {
    const { status, body } = await connect(await player(world), 'dungeon', { client: { build: '0.3.0' } });
    assert.deepEqual([status, (body.required as Record<string, unknown>).build], [409, '0.4.2']);
  });

  test('an outdated client starts no server', async () => {
    await connect(await player(world), 'dungeon', { client: { build: '0.3.0' } });
    assert.deepEqual(await database().query('select id from instances'), []);
  });

  test('a full server says so', async () => {
    const who = await player(world);
    const id = await ready([who]);
    for (let number = 0; number < 5; number++) await place(world, await player(world), 'instance:dungeon-a', 'pod-dungeon-a');
    const { status, body } = await connect(who, id);
    assert.deepEqual([status, body.reason], [503, 'full']);
  });

  for (const [what, own, reported] of [
    ['the server’s, where it is smaller than the type’s', 1, 1],
    ['the type’s, where it is smaller than the server’s', 5, 50],
  ] as const) {
    test(`the capacity that counts is ${what}`, async () => {
      const who = await player(world);
      const id = await ready([who]);
      await database().query(
        "insert into game_servers (server_id, pod_uid, accepting, build, players, capacity) values ('instance:dungeon-a', 'pod-dungeon-a', true, '0.4.2', 1, $1)",
        [reported],
      );
      for (let number = 0; number < own; number++) await place(world, await player(world), 'instance:dungeon-a', 'pod-dungeon-a');
      assert.equal((await connect(who, id)).body.reason, 'full');
    });
  }

  test('nobody enters an instance that ends while he asks', async () => {
    const who = await player(world);
    const id = await ready([who]);
    let asking: ReturnType<typeof connect> | undefined;
    await database().transaction(async (tx) => {
      await tx.query("select lock_world('instance:dungeon-a')");
      asking = connect(who, id);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await tx.query("update instances set state = 'ended', ended_because = 'empty', ended_at = now() where id = $1", [id]);
    });
    const answer = await asking;
    assert.deepEqual([answer?.status, answer?.body.endedBecause], [404, 'empty']);
  });

  test('nobody enters a server that was exchanged for another one while he asks', async () => {
    const who = await player(world);
    const id = await ready([who]);
    let asking: ReturnType<typeof connect> | undefined;
    await database().transaction(async (tx) => {
      await tx.query("select lock_world('instance:dungeon-a')");
      asking = connect(who, id);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await tx.query("update instances set state = 'allocated', game_server = 'dungeon-b', ready_at = null where id = $1", [id]);
    });
    const answer = await asking;
    const { state } = await rowOf(world, id);
    assert.deepEqual([answer?.status, answer?.body.state, state], [202, 'starting', 'allocated']);
  });

  test('a wish is for the present build when one asks again after an update', async () => {
    const who = await player(world);
    const { body } = await connect(who, 'dungeon');
    await database().query("update instances set build = '0.4.1'");
    await connect(who, 'dungeon');
    assert.equal((await rowOf(world, String(body.instanceId))).build, '0.4.2');
  });

  test('a wish is for the present build when one looks at it after an update', async () => {
    const who = await player(world);
    const { body } = await connect(who, 'dungeon');
    await database().query("update instances set build = '0.4.1', asked_at = now() - interval '10 s'");
    await look(who, String(body.instanceId));
    assert.equal((await rowOf(world, String(body.instanceId))).build, '0.4.2');
  });

  test('an instance that has its server keeps its build when one asks again', async () => {
    const who = await player(world);
    const { body } = await connect(who, 'dungeon');
    await database().query("update instances set build = '0.4.1', state = 'allocated', game_server = 'dungeon-old', allocated_at = now()");
    await connect(who, 'dungeon');
    assert.equal((await rowOf(world, String(body.instanceId))).build, '0.4.1');
  });

  test('a server that takes nobody any more says so', async () => {
    const who = await player(world);
    const id = await ready([who]);
    await database().query(
      "insert into game_servers (server_id, pod_uid, accepting, build, players, capacity) values ('instance:dungeon-a', 'pod-dungeon-a', false, '0.4.2', 1, 5)",
    );
    assert.equal((await connect(who, id)).body.reason, 'draining');
  });

  test('nobody is sent anywhere by a view that is too old', async () => {
    const who = await player(world);
    const id = await ready([who]);
    world.broker.view.setAgeSeconds(301);
    const { status, body, headers } = await connect(who, id);
    assert.deepEqual([status, body.reason, headers['retry-after']], [503, 'view-too-old', '15']);
  });

  test('an instance that has ended is not found, with the reason', async () => {
    const who = await player(world);
    const id = await ready([who]);
    await database().query("update instances set state = 'ended', ended_because = 'server-gone', ended_at = now()");
    const { status, body } = await connect(who, id);
    assert.deepEqual([status, body.endedBecause], [404, 'server-gone']);
  });

  test('looking tells that players may enter', async () => {
    const who = await player(world);
    assert.equal((await look(who, await ready([who]))).body.state, 'ready');
  });

  test('one’s open instances are listed, and nobody else’s', async () => {
    const who = await player(world);
    const id = await ready([who]);
    await connect(await player(world), 'dungeon');
    const answer = await app.inject({ method: 'GET', url: '/v1/instances', headers: who.headers });
    assert.deepEqual(
      (answer.json() as { instances: { instanceId: string }[] }).instances.map(({ instanceId }) => instanceId),
      [id],
    );
  });

  test('looking keeps the wish', async () => {
    const who = await player(world);
    const { body } = await connect(who, 'dungeon');
    await database().query("update instances set asked_at = now() - interval '100 s'");
    await look(who, String(body.instanceId));
    assert.deepEqual(await database().query("select 1 as kept from instances where asked_at > now() - interval '10 s'"), [{ kept: 1 }]);
  });

  test('what somebody else looks at is not kept by it', async () => {
    const { body } = await connect(await player(world), 'dungeon');
    await database().query("update instances set asked_at = now() - interval '100 s'");
    await look(await player(world), String(body.instanceId));
    assert.deepEqual(await database().query("select 1 as kept from instances where asked_at > now() - interval '10 s'"), []);
  });

  test('with its tasks, a broker leads from the wish to the token', async () => {
    const who = await player(world);
    world.agones.answer = ({ instanceId }) => {
      world.broker.view.setInstance(serverFor(instanceId, { name: 'dungeon-e2e' }));
      return { state: 'allocated', gameServer: 'dungeon-e2e' };
    };
    const stop = startInstanceTasks(world.broker);
    let answer = await connect(who, 'dungeon');
    for (let tries = 0; tries < 200 && answer.status === 202; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      answer = await connect(who, 'dungeon');
    }
    await stop();
    world.agones.answer = () => ({ state: 'unallocated' });
    assert.equal(answer.status, 200);
  });

  const worldCaller = () => {
    const token = world.broker.serverTokens.get('world:aurora/eldermoor') ?? '';
    const podUid = world.broker.view.world('aurora', 'eldermoor')?.identity?.podUid ?? '';
    return { serverId: 'world:aurora/eldermoor', podUid, headers: { authorization: `Bearer ${token}` } };
  };
  const handOver = async (payload: Record<string, unknown>, headers: Record<string, string> = worldCaller().headers) => {
    const answer = await internal.inject({
      method: 'POST',
      url: '/v1/game/hand-overs',
      headers,
      payload: { requestId: randomUUID(), contentType: 'dungeon', ...payload },
    });
    return { status: answer.statusCode, body: answer.json() as Record<string, unknown> };
  };
  /** A player on eldermoor. */
  const present = async () => {
    const who = await player(world);
    const { serverId, podUid } = worldCaller();
    return { ...who, session: await place(world, who, serverId, podUid) };
  };

  test('a hand-over makes an instance for the players of the server', async () => {
    const [one, two] = [await present(), await present()];
    const { body } = await handOver({ playSessionIds: [one.session], accountIds: [two.accountId] });
    const roster = await database().query<{ account_id: string }>('select account_id from instance_roster where instance_id = $1', [
      body.instanceId,
    ]);
    assert.deepEqual(roster.map(({ account_id }) => account_id).sort(), [one.accountId, two.accountId].sort());
  });

  test('a hand-over lets each of its players ask for his own token', async () => {
    const who = await present();
    const { body } = await handOver({ playSessionIds: [who.session] });
    assert.equal((await connect(who, String(body.instanceId))).status, 202);
  });

  test('a hand-over that is repeated gets the same instance', async () => {
    const requestId = randomUUID();
    const who = await present();
    const first = await handOver({ requestId, playSessionIds: [who.session] });
    const second = await handOver({ requestId, playSessionIds: [who.session] });
    assert.equal(second.body.instanceId, first.body.instanceId);
  });

  test('a hand-over of players who are elsewhere is refused, and names them', async () => {
    const stranger = await player(world);
    const session = await place(world, stranger, 'world:aurora/sunreach', 'elsewhere');
    const { status, body } = await handOver({ playSessionIds: [session] });
    assert.deepEqual([status, body.notHere], [403, [session]]);
  });

  test('a hand-over makes an instance of the difficulty that the server names', async () => {
    const who = await present();
    const { body } = await handOver({ playSessionIds: [who.session], difficulty: 'heroic' });
    assert.equal((await rowOf(world, String(body.instanceId))).difficulty, 'heroic');
  });

  test('a hand-over that is refused leaves no instance', async () => {
    const here = await present();
    await handOver({ playSessionIds: [here.session], accountIds: [(await player(world)).accountId] });
    assert.deepEqual(await database().query('select id from instances'), []);
  });

  test('a hand-over of more players than fit is refused', async () => {
    const accountIds: string[] = [];
    for (let number = 0; number < 6; number++) accountIds.push((await present()).accountId);
    assert.equal((await handOver({ accountIds })).status, 422);
  });

  test('a hand-over that is too large leaves no instance', async () => {
    const accountIds: string[] = [];
    for (let number = 0; number < 6; number++) accountIds.push((await present()).accountId);
    await handOver({ accountIds });
    assert.deepEqual(await database().query('select id from instances'), []);
  });

  test('a player is awaited in three instances at most, however often his server asks', async () => {
    const { session } = await present();
    const answers = await Promise.all(Array.from({ length: 8 }, () => handOver({ playSessionIds: [session] })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 409, 409, 409, 409, 409]);
  });

  test('a hand-over that one waits for too often names the account', async () => {
    const { session, accountId } = await present();
    for (let count = 0; count < 3; count++) await handOver({ playSessionIds: [session] });
    assert.deepEqual((await handOver({ playSessionIds: [session] })).body.awaited, [accountId]);
  });

  test('an instance that somebody entered is not awaited any more', async () => {
    const { session } = await present();
    for (let count = 0; count < 3; count++) {
      const { body } = await handOver({ playSessionIds: [session] });
      await world.broker.database.query('update instances set occupied_at = now() where id = $1', [body.instanceId]);
    }
    assert.equal((await handOver({ playSessionIds: [session] })).status, 200);
  });

  test('a hand-over of nobody is a mistake', async () => {
    assert.equal((await handOver({})).status, 422);
  });

  test('a hand-over needs a server’s token', async () => {
    assert.equal((await handOver({ accountIds: [randomUUID()] }, { authorization: 'Bearer wrong' })).status, 401);
  });

  test('a server sees the hand-overs that it asked for', async () => {
    const { body } = await handOver({ playSessionIds: [(await present()).session] });
    const answer = await internal.inject({ method: 'GET', url: `/v1/game/hand-overs/${body.instanceId}`, headers: worldCaller().headers });
    assert.equal((answer.json() as Record<string, unknown>).state, 'starting');
  });

  test('a server does not see the hand-overs of another one', async () => {
    const { body } = await handOver({ playSessionIds: [(await present()).session] });
    const other = { authorization: `Bearer ${world.broker.serverTokens.get('world:aurora/sunreach')}` };
    const answer = await internal.inject({ method: 'GET', url: `/v1/game/hand-overs/${body.instanceId}`, headers: other });
    assert.equal(answer.statusCode, 404);
  });

  const review = async (status: Record<string, unknown>, query = '', contentType = 'dungeon') => {
    const answer = await autoscaler.inject({
      method: 'POST',
      url: `/v1/autoscaler/${contentType}${query}`,
      payload: { request: { uid: 'review-1', name: contentType, namespace: 'instances', status }, response: null },
    });
    return { status: answer.statusCode, body: answer.json() as { response: { uid: string; scale: boolean; replicas: number } } };
  };

  test('the autoscaler answers the review that was asked', async () => {
    assert.equal((await review({ replicas: 0, allocatedReplicas: 0 })).body.response.uid, 'review-1');
  });

  test('a Fleet that nobody needs goes to zero', async () => {
    const { body } = await review({ replicas: 3, readyReplicas: 3, allocatedReplicas: 0 });
    assert.deepEqual(body.response, { uid: 'review-1', scale: true, replicas: 0 });
  });

  test('a Fleet comes back from zero when somebody waits', async () => {
    await instanceRow(world);
    await instanceRow(world);
    assert.equal((await review({ replicas: 0, allocatedReplicas: 0 })).body.response.replicas, 2);
  });

  test('a Fleet has allocated + waiting + warm servers', async () => {
    await instanceRow(world);
    assert.equal((await review({ replicas: 4, allocatedReplicas: 4 }, '?warm=2')).body.response.replicas, 7);
  });

  test('a Fleet keeps a server that was allocated a moment ago and is not counted yet', async () => {
    await instanceRow(world, { state: 'allocated', game_server: 'dungeon-new', allocated_at: new Date() });
    assert.equal((await review({ replicas: 1, allocatedReplicas: 0 })).body.response.replicas, 1);
  });

  test('a Fleet that is right is left alone', async () => {
    assert.equal((await review({ replicas: 2, allocatedReplicas: 2 })).body.response.scale, false);
  });

  test('a Fleet has no more servers than its maximum', async () => {
    for (let number = 0; number < 5; number++) await instanceRow(world);
    assert.equal((await review({ replicas: 0, allocatedReplicas: 0 }, '?max=3')).body.response.replicas, 3);
  });

  test('a Fleet has no fewer servers than its minimum', async () => {
    assert.equal((await review({ replicas: 0, allocatedReplicas: 0 }, '?min=2')).body.response.replicas, 2);
  });

  test('a Fleet does not count what waits for another one', async () => {
    await instanceRow(world, { content_type: 'raid' });
    assert.equal((await review({ replicas: 0, allocatedReplicas: 0 })).body.response.replicas, 0);
  });

  test('a Fleet that the configuration does not have is not found', async () => {
    assert.equal((await review({ replicas: 0, allocatedReplicas: 0 }, '', 'casino')).status, 404);
  });

  test('fields of a review that the broker does not know are ignored', async () => {
    const status = { replicas: 1, allocatedReplicas: 1, allocations: 4_000_000_000, counters: { rooms: { count: 1, capacity: 4 } } };
    assert.equal((await review(status)).status, 200);
  });

  test('everything due is allocated by what a route leaves behind', async () => {
    await connect(await player(world), 'dungeon');
    assert.equal(await allocateDue(world.broker, world.agones), 1);
  });
});
