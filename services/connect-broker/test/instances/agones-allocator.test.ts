/** What is asked of Agones, and what its answers mean: the state decides, not the status of HTTP. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type ApiClient, apiClient } from '../../src/discovery/api-client.ts';
import { agonesAllocator } from '../../src/instances/agones-allocator.ts';
import type { Allocator } from '../../src/instances/allocator.ts';
import { type FakeApi, fakeApi } from '../discovery/fake-api.ts';
import { gameServer, PATHS } from '../discovery/objects.ts';

const REQUEST = { instanceId: '6f1c6f0e-8e0b-4a1d-9a59-0c3c6f0e8e0b', contentType: 'dungeon', build: '0.4.2' };

let api: FakeApi;
let client: ApiClient;
let allocator: Allocator;
before(async () => {
  api = await fakeApi();
  client = apiClient(api.credentials);
  allocator = agonesAllocator(client, 'instances');
});
after(async () => {
  client.close();
  await api.close();
});
afterEach(() => {
  api.trouble = () => undefined;
  api.requests.length = 0;
});
const answers = (status: object, code = 201) => {
  api.create = () => ({ status: code, body: { kind: 'GameServerAllocation', status } });
};
const spec = () => ((api.requests.at(-1)?.body ?? {}) as { spec: Record<string, unknown> }).spec;

describe('an allocation', () => {
  test('names the server that it got', async () => {
    answers({ state: 'Allocated', gameServerName: 'dungeon-a', ports: [{ name: 'game', port: 7001 }], address: '192.168.1.11' });
    assert.deepEqual(await allocator.allocate(REQUEST), { state: 'allocated', gameServer: 'dungeon-a' });
  });

  test('is none when the answer is 201 and UnAllocated', async () => {
    answers({ state: 'UnAllocated', gameServerName: '' });
    assert.deepEqual(await allocator.allocate(REQUEST), { state: 'unallocated' });
  });

  test('is none when the answer is 201 and Contention', async () => {
    answers({ state: 'Contention', gameServerName: '' });
    assert.deepEqual(await allocator.allocate(REQUEST), { state: 'contention' });
  });

  test('fails on a state that is unknown', async () => {
    answers({ state: 'Perhaps' });
    await assert.rejects(allocator.allocate(REQUEST), /state 'Perhaps'/);
  });

  test('looks for the server of an earlier attempt first', async () => {
    answers({ state: 'UnAllocated' });
    await allocator.allocate(REQUEST);
    assert.deepEqual((spec().selectors as object[])[0], {
      gameServerState: 'Allocated',
      matchLabels: { 'mmo/content-type': 'dungeon', 'mmo/instance': REQUEST.instanceId },
    });
  });

  test('looks for a ready server of the current build second', async () => {
    answers({ state: 'UnAllocated' });
    await allocator.allocate(REQUEST);
    assert.deepEqual((spec().selectors as object[])[1], {
      gameServerState: 'Ready',
      matchLabels: { 'mmo/content-type': 'dungeon', 'mmo/build': '0.4.2' },
    });
  });

  test('labels the server with the instance', async () => {
    answers({ state: 'UnAllocated' });
    await allocator.allocate(REQUEST);
    assert.deepEqual(spec().metadata, { labels: { 'mmo/instance': REQUEST.instanceId } });
  });

  test('tells the server its difficulty', async () => {
    answers({ state: 'UnAllocated' });
    await allocator.allocate({ ...REQUEST, difficulty: 'heroic' });
    assert.deepEqual(spec().metadata, { labels: { 'mmo/instance': REQUEST.instanceId, 'mmo/difficulty': 'heroic' } });
  });

  test('changes no Counters and no Lists, because that cannot be repeated', async () => {
    answers({ state: 'UnAllocated' });
    await allocator.allocate(REQUEST);
    assert.deepEqual([spec().counters, spec().lists], [undefined, undefined]);
  });

  test('fails when its answer is lost', async () => {
    api.create = () => 'break-after';
    await assert.rejects(allocator.allocate(REQUEST), { name: 'ApiUnreachable' });
  });

  test('fails when it is refused', async () => {
    api.trouble = () => 403;
    await assert.rejects(allocator.allocate(REQUEST), { name: 'ApiRefusal', status: 403 });
  });
});

describe('the removal of a server', () => {
  test('deletes it', async () => {
    api.put(PATHS.gameServers, gameServer('dungeon-x', { uid: 'one' }));
    await allocator.remove('dungeon-x', 'one');
    await assert.rejects(client.request({ method: 'DELETE', path: `${PATHS.gameServers}/dungeon-x` }), { status: 404 });
  });

  test('spares another server of the same name', async () => {
    api.put(PATHS.gameServers, gameServer('dungeon-y', { uid: 'two' }));
    await allocator.remove('dungeon-y', 'one');
    await client.request({ method: 'DELETE', path: `${PATHS.gameServers}/dungeon-y` });
    assert.equal(api.requests.length, 2);
  });

  test('succeeds when it is gone already', async () => {
    await assert.doesNotReject(allocator.remove('dungeon-z', 'one'));
  });

  test('fails when the API is away', async () => {
    api.trouble = () => 'break';
    await assert.rejects(allocator.remove('dungeon-z', 'one'), { name: 'ApiUnreachable' });
  });
});
