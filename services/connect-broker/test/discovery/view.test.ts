/** The view on bad days of the Kubernetes API: away, silent, too old, broken in the middle, refusing. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { connectToKubernetes, type KubernetesConnection } from '../../src/discovery/kubernetes.ts';
import { makeLog } from '../../src/log.ts';
import { testSettings } from '../support/broker.ts';
import { type FakeApi, type FakeRequest, fakeApi } from './fake-api.ts';
import { endpoints, fleet, gameServer, instancePod, PATHS, publicService, statefulSet, worldPod } from './objects.ts';

const log = makeLog('silent');
const settings = { ...testSettings(), realms: testSettings().realms.slice(0, 1) };
const COLLECTIONS = 7;
const QUICK = { watchSeconds: 1, graceSeconds: 0.3, retryMs: { first: 20, most: 100 }, refusedMs: 50 };

const until = async (what: string, holds: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) assert.fail(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const isWatch = ({ query }: FakeRequest) => query.get('watch') === 'true';
const isList = (path: string) => (request: FakeRequest) => request.path === path && request.method === 'GET' && !isWatch(request);

let api: FakeApi;
let connection: KubernetesConnection | undefined;

function connect(timing: Record<string, unknown> = {}): KubernetesConnection {
  connection = connectToKubernetes(settings, log, { credentials: api.credentials, timing: { ...QUICK, ...timing } });
  return connection;
}
const phase = () => connection?.view.world('aurora', 'eldermoor')?.phase;

before(async () => {
  api = await fakeApi();
});
after(() => api.close());
afterEach(async () => {
  api.trouble = () => undefined;
  await connection?.close();
  connection = undefined;
});

describe('the view', () => {
  before(() => {
    api.put(PATHS.statefulSets, statefulSet('eldermoor'));
    api.put(PATHS.services, publicService('eldermoor'));
    api.put(PATHS.endpoints, endpoints('eldermoor-public', ['10.42.0.7']));
    api.put(PATHS.pods, worldPod('eldermoor'));
    api.put(PATHS.gameServers, gameServer('dungeon-a'));
    api.put(PATHS.instancePods, instancePod('dungeon-a'));
    api.put(PATHS.fleets, fleet('dungeon', 1, 1, 0));
  });

  test('is not synced before every collection was listed', async () => {
    api.trouble = ({ path }) => (path === PATHS.fleets ? 'hang' : undefined);
    const { view } = connect();
    await until('worlds are known', () => phase() === 'ready');
    assert.equal(view.synced, false);
  });

  test('is synced with what is there', async () => {
    const { view } = connect();
    await until('synced', () => view.synced);
    assert.deepEqual([phase(), view.instance('dungeon-a')?.state, view.fleet('dungeon')?.ready], ['ready', 'Ready', 1]);
  });

  test('asks for our labels only', async () => {
    const { view } = connect();
    await until('synced', () => view.synced);
    const selectors = new Map(api.requests.map(({ path, query }) => [path, query.get('labelSelector')]));
    assert.equal(selectors.get(PATHS.pods), 'mmo/realm=aurora,mmo/game-server=true');
  });

  test('follows changes without another list', async () => {
    const { view } = connect();
    await until('all are watched', () => view.synced && api.watching() === COLLECTIONS);
    api.requests.length = 0;
    api.put(PATHS.pods, worldPod('eldermoor', { ready: false }));
    await until('the change is seen', () => phase() === 'starting');
    api.put(PATHS.pods, worldPod('eldermoor'));
    await until('the change is seen', () => phase() === 'ready');
    assert.deepEqual(api.requests.filter(isList(PATHS.pods)), []);
  });

  test('reads a long list in pages', async () => {
    for (let number = 0; number < 1_100; number++) api.put(PATHS.gameServers, gameServer(`many-${number}`));
    api.requests.length = 0;
    const { view } = connect();
    await until('synced', () => view.synced);
    const count = view.instances().length;
    for (let number = 0; number < 1_100; number++) api.remove(PATHS.gameServers, `many-${number}`);
    assert.deepEqual([count, api.requests.filter(isList(PATHS.gameServers)).length], [1_101, 3]);
  });

  test('stays young while nothing happens, because watches end and begin', async () => {
    const { view } = connect();
    await until('synced', () => view.synced);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.ok(view.ageSeconds() < 2, `it is ${view.ageSeconds()} s old`);
  });

  test('serves the last state while the API is away', async () => {
    connect();
    await until('worlds are known', () => phase() === 'ready');
    await api.away();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const seen = phase();
    await api.listen();
    assert.equal(seen, 'ready');
  });

  test('ages while the API is away', async () => {
    const { view } = connect();
    await until('synced', () => view.synced);
    await api.away();
    const before = view.ageSeconds();
    await new Promise((resolve) => setTimeout(resolve, 400));
    const grown = view.ageSeconds() - before;
    await api.listen();
    assert.ok(grown > 0.3, `it grew by ${grown} s`);
  });

  test('recovers by itself when the API comes back, with what was missed', async () => {
    const { view } = connect();
    await until('synced', () => view.synced);
    await api.away();
    api.put(PATHS.pods, worldPod('eldermoor', { uid: 'after-the-outage' }));
    await api.listen();
    await until('the new pod is seen', () => view.world('aurora', 'eldermoor')?.identity?.podUid === 'after-the-outage');
    await until('it is young again', () => view.ageSeconds() < 2);
    api.put(PATHS.pods, worldPod('eldermoor'));
  });

  test('starts while the API is away, and is synced when it comes', async () => {
    await api.away();
    const { view } = connect();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const early = view.synced;
    await api.listen();
    await until('synced', () => view.synced);
    assert.equal(early, false);
  });

  test('lists again when its version is too old, told as an event', async () => {
    connect();
    await until('all are watched', () => connection?.view.synced === true && api.watching() === COLLECTIONS);
    api.trouble = (request) => (isWatch(request) ? 'break' : undefined);
    api.breakAll();
    api.remove(PATHS.pods, 'eldermoor-0');
    api.compact();
    api.requests.length = 0;
    api.trouble = () => undefined;
    await until('the pod that went is gone', () => phase() === 'starting');
    assert.ok(api.requests.some(isList(PATHS.pods)));
    api.put(PATHS.pods, worldPod('eldermoor'));
  });

  test('lists again when its version is too old, told as status 410', async () => {
    connect();
    await until('all are watched', () => connection?.view.synced === true && api.watching() === COLLECTIONS);
    let refusals = 0;
    api.trouble = (request) => (isWatch(request) && request.path === PATHS.pods && refusals++ === 0 ? 410 : undefined);
    api.requests.length = 0;
    api.breakAll();
    await until('it has listed', () => api.requests.some(isList(PATHS.pods)));
  });

  test('does not ask in a hurry when every version is too old', async () => {
    api.trouble = (request) => (isWatch(request) && request.path === PATHS.pods ? 'expired-event' : undefined);
    const { view } = connect({ retryMs: { first: 200, most: 1_000 } });
    await until('synced', () => view.synced);
    api.requests.length = 0;
    await new Promise((resolve) => setTimeout(resolve, 600));
    const lists = api.requests.filter(isList(PATHS.pods)).length;
    assert.ok(lists < 8, `${lists} lists in 600 ms`);
  });

  test('gives up a watch that is silent beyond its time', async () => {
    api.trouble = (request) => (isWatch(request) && request.path === PATHS.pods ? 'silent' : undefined);
    const { view } = connect();
    await until('synced', () => view.synced);
    api.put(PATHS.pods, worldPod('eldermoor', { ready: false }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    api.trouble = () => undefined;
    await until('the change is seen through another watch', () => phase() === 'starting');
    api.put(PATHS.pods, worldPod('eldermoor'));
  });

  test('loses nothing when connections break in the middle', async () => {
    const { view } = connect();
    await until('synced', () => view.synced);
    for (let number = 0; number < 5; number++) {
      api.put(PATHS.gameServers, gameServer(`broken-${number}`));
      api.breakAll();
    }
    await until('all are seen', () => view.instances().length === 6);
    for (let number = 0; number < 5; number++) api.remove(PATHS.gameServers, `broken-${number}`);
  });

  test('does not wait for a namespace whose rights are not there yet', async () => {
    api.trouble = ({ path }) => (path.includes('/instances/') ? 403 : undefined);
    const { view } = connect();
    await until('synced', () => view.synced);
    assert.equal(phase(), 'ready');
  });

  test('does not wait for kinds that are not there yet, and sees them when they come', async () => {
    api.trouble = ({ path }) => (path.startsWith('/apis/agones.dev/') ? 404 : undefined);
    const { view } = connect();
    await until('synced', () => view.synced);
    api.trouble = () => undefined;
    await until('instances are seen', () => view.instances().length === 1);
  });

  test('does not claim to know instances that it may not see', async () => {
    api.trouble = ({ path }) => (path === PATHS.gameServers ? 403 : undefined);
    const { view } = connect();
    await until('synced', () => view.synced);
    const blind = view.instancesKnown;
    api.trouble = () => undefined;
    await until('instances are known', () => view.instancesKnown);
    assert.equal(blind, false);
  });

  test('keeps what it has seen when rights are lost for a moment', async () => {
    const { view } = connect();
    await until('synced', () => view.synced);
    api.trouble = ({ path }) => (path === PATHS.pods ? 403 : undefined);
    api.requests.length = 0;
    api.breakAll();
    await until('it was refused', () => api.requests.filter(({ path }) => path === PATHS.pods).length > 1);
    assert.equal(phase(), 'ready');
  });

  test('tells no server from another that took its name', async () => {
    const { view } = connect();
    await until('synced', () => view.synced);
    api.put(PATHS.pods, worldPod('eldermoor', { uid: 'second' }));
    await until('the second is known', () => view.serverOfPod('realm-aurora', 'eldermoor-0', 'second') !== undefined);
    assert.equal(view.serverOfPod('realm-aurora', 'eldermoor-0', 'pod-eldermoor-0'), undefined);
    api.put(PATHS.pods, worldPod('eldermoor'));
  });

  test('asks the API nothing to say where worlds are', async () => {
    const { view } = connect({ watchSeconds: 30 });
    await until('all are watched', () => view.synced && api.watching() === COLLECTIONS);
    api.requests.length = 0;
    for (let number = 0; number < 100; number++) view.worlds();
    assert.deepEqual(api.requests, []);
  });

  test('leaves no watch behind when it is closed', async () => {
    const { view } = connect();
    await until('synced', () => view.synced);
    await connection?.close();
    await until('no watch is open', () => api.watching() === 0);
  });
});
