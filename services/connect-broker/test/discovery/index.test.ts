/** What the index makes of Kubernetes' objects: phases of worlds, where players dial, what a token for an instance is made of. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kubernetesIndex } from '../../src/discovery/kubernetes-index.ts';
import { testSettings } from '../support/broker.ts';
import type { FakeObject } from './fake-api.ts';
import { endpoints, fleet, gameServer, headlessService, instancePod, PATHS, publicService, statefulSet, worldPod } from './objects.ts';

const NAMES: Readonly<Record<string, readonly string[]>> = { 'home.example.org': ['198.51.100.4', '2001:db8::4'] };

function indexOf(settings = testSettings()) {
  const index = kubernetesIndex(settings, (name) => NAMES[name] ?? (/^[0-9.]+$/.test(name) ? [name] : []));
  const collection = (path: string) => {
    const found = index.collections.find((each) => each.path === path);
    if (!found) throw new Error(`nothing watches ${path}`);
    return found;
  };
  const put = (path: string, object: FakeObject) => collection(path).set(object.metadata.name, collection(path).project(object as never));
  const remove = (path: string, name: string) => collection(path).set(name, undefined);
  const world = () => index.world('aurora', 'eldermoor');
  return { index, collection, put, remove, world };
}

/** A world that runs, as a cluster has it. */
function running(settings = testSettings()) {
  const made = indexOf(settings);
  made.put(PATHS.statefulSets, statefulSet('eldermoor'));
  made.put(PATHS.services, publicService('eldermoor'));
  made.put(PATHS.services, headlessService('eldermoor'));
  made.put(PATHS.endpoints, endpoints('eldermoor-public', ['10.42.0.7']));
  made.put(PATHS.pods, worldPod('eldermoor'));
  return made;
}

describe('the phase of a world', () => {
  test('is missing when nothing is there', () => {
    assert.equal(indexOf().world()?.phase, 'missing');
  });

  test('is undefined for a continent that the configuration does not have', () => {
    assert.equal(indexOf().index.world('aurora', 'atlantis'), undefined);
  });

  test('is starting when a pod is wanted and none is there', () => {
    const { put, world } = indexOf();
    put(PATHS.statefulSets, statefulSet('eldermoor'));
    assert.equal(world()?.phase, 'starting');
  });

  test('is asleep when no pod is wanted', () => {
    const { put, world } = indexOf();
    put(PATHS.statefulSets, statefulSet('eldermoor', 0));
    assert.equal(world()?.phase, 'asleep');
  });

  test('is ready when its pod is', () => {
    assert.equal(running().world()?.phase, 'ready');
  });

  test('is starting while its pod loads', () => {
    const { put, world } = running();
    put(PATHS.pods, worldPod('eldermoor', { ready: false }));
    assert.equal(world()?.phase, 'starting');
  });

  test('is starting while the load balancer does not know the pod yet', () => {
    const { put, world } = running();
    put(PATHS.endpoints, endpoints('eldermoor-public', ['10.42.0.6']));
    assert.equal(world()?.phase, 'starting');
  });

  test('goes by the pod alone where there are no endpoints', () => {
    const { remove, world } = running();
    remove(PATHS.endpoints, 'eldermoor-public-x1');
    assert.equal(world()?.phase, 'ready');
  });

  test('is stopping while its pod is being deleted and still serves', () => {
    const { put, world } = running();
    put(PATHS.pods, worldPod('eldermoor', { deleting: true }));
    assert.equal(world()?.phase, 'stopping');
  });

  test('is stopping with its identity, because players are still there', () => {
    const { put, world } = running();
    put(PATHS.pods, worldPod('eldermoor', { deleting: true }));
    assert.equal(world()?.identity?.podUid, 'pod-eldermoor-0');
  });

  test('is starting when the deleted pod serves no more', () => {
    const { put, world } = running();
    put(PATHS.pods, worldPod('eldermoor', { deleting: true, ready: false }));
    assert.equal(world()?.phase, 'starting');
  });

  test('is starting while the pod lacks a label that tokens need', () => {
    const { put, world } = running();
    put(PATHS.pods, worldPod('eldermoor', { labels: { 'mmo/protocol-id': 'seven' } }));
    assert.equal(world()?.phase, 'starting');
  });

  test('ignores a pod that has ended', () => {
    const { put, world } = running();
    put(PATHS.pods, worldPod('eldermoor', { phase: 'Failed' }));
    assert.equal(world()?.phase, 'starting');
  });
});

describe('what a token for a world is made of', () => {
  test('comes from the pod', () => {
    const { lan: _lan, wan: _wan, ...identity } = running().world()?.identity ?? assert.fail();
    assert.deepEqual(identity, {
      serverId: 'world:aurora/eldermoor',
      podName: 'eldermoor-0',
      podUid: 'pod-eldermoor-0',
      namespace: 'realm-aurora',
      privateAddress: { address: '10.42.0.7', port: 7777 },
      keyGeneration: 1,
      protocolId: 0x4d4d4f0000000001n,
      build: '0.4.2',
    });
  });

  test('has the address that the load balancer announces', () => {
    const { put, world } = running();
    put(PATHS.services, publicService('eldermoor', [{ ip: '192.168.1.250' }], 41_000));
    assert.deepEqual(world()?.identity?.lan, [{ address: '192.168.1.250', port: 41_000 }]);
  });

  test('has the configured address while none is announced', () => {
    const { put, world } = running();
    put(PATHS.services, publicService('eldermoor', []));
    assert.deepEqual(world()?.identity?.lan, [{ address: '192.168.1.245', port: 40_000 }]);
  });

  test('has the public address of the configuration', () => {
    assert.deepEqual(running().world()?.identity?.wan, [{ address: '203.0.113.7', port: 40_000 }]);
  });

  test('has every address of a public host name', () => {
    const settings = testSettings();
    const [realm] = settings.realms;
    const continent = realm?.continents[0];
    if (!realm || !continent) assert.fail();
    const named = {
      ...settings,
      realms: [{ ...realm, continents: [{ ...continent, public: { address: 'home.example.org', port: 40_000 } }] }],
    };
    assert.deepEqual(
      running(named)
        .world()
        ?.identity?.wan.map(({ address }) => address),
      ['198.51.100.4', '2001:db8::4'],
    );
  });

  test('has the addresses of the node when the pod has a host port', () => {
    const { put, world } = running();
    put(PATHS.pods, worldPod('eldermoor', { hostPort: 40_123 }));
    assert.deepEqual(
      [world()?.identity?.lan, world()?.identity?.wan],
      [[{ address: '192.168.1.11', port: 40_123 }], [{ address: '203.0.113.7', port: 40_123 }]],
    );
  });
});

describe('the server of a pod that calls', () => {
  test('is the world whose pod it is', () => {
    assert.equal(running().index.serverOfPod('realm-aurora', 'eldermoor-0', 'pod-eldermoor-0'), 'world:aurora/eldermoor');
  });

  test('is unknown for an earlier pod of the same name', () => {
    assert.equal(running().index.serverOfPod('realm-aurora', 'eldermoor-0', 'pod-of-yesterday'), undefined);
  });

  test('is unknown for a pod that only has the labels of a world', () => {
    const { put, index } = running();
    const stranger = worldPod('eldermoor', { uid: 'stranger' });
    put(PATHS.pods, { ...stranger, metadata: { ...stranger.metadata, name: 'stranger-0' } });
    assert.equal(index.serverOfPod('realm-aurora', 'stranger-0', 'stranger'), undefined);
  });

  test('is unknown in a namespace that is no realm', () => {
    assert.equal(running().index.serverOfPod('default', 'eldermoor-0', 'pod-eldermoor-0'), undefined);
  });

  test('is the instance whose pod it is', () => {
    const { put, index } = indexOf();
    put(PATHS.gameServers, gameServer('dungeon-a'));
    put(PATHS.instancePods, instancePod('dungeon-a'));
    assert.equal(index.serverOfPod('instances', 'dungeon-a', 'pod-dungeon-a'), 'instance:dungeon-a');
  });
});

describe('an instance', () => {
  test('has no identity before its pod is known', () => {
    const { put, index } = indexOf();
    put(PATHS.gameServers, gameServer('dungeon-a'));
    assert.equal(index.instance('dungeon-a')?.identity, undefined);
  });

  test('is dialled at its node, on the port that Agones chose', () => {
    const { put, index } = indexOf();
    put(PATHS.gameServers, gameServer('dungeon-a', { port: 7009 }));
    put(PATHS.instancePods, instancePod('dungeon-a'));
    const identity = index.instance('dungeon-a')?.identity;
    assert.deepEqual([identity?.lan, identity?.wan], [[{ address: '192.168.1.11', port: 7009 }], [{ address: '203.0.113.7', port: 7009 }]]);
  });

  test('is dialled in the LAN alone on a node that the configuration does not have', () => {
    const { put, index } = indexOf();
    put(PATHS.gameServers, gameServer('dungeon-a', { node: 'node-9' }));
    put(PATHS.instancePods, instancePod('dungeon-a'));
    const identity = index.instance('dungeon-a')?.identity;
    assert.deepEqual([identity?.lan, identity?.wan], [[{ address: '192.168.1.11', port: 7001 }], []]);
  });

  test('names its own pod in the private list', () => {
    const { put, index } = indexOf();
    put(PATHS.gameServers, gameServer('dungeon-a'));
    put(PATHS.instancePods, instancePod('dungeon-a'));
    assert.deepEqual(index.instance('dungeon-a')?.identity?.privateAddress, { address: '10.42.0.9', port: 7777 });
  });

  test('is found by what it was allocated for', () => {
    const { put, index } = indexOf();
    put(PATHS.gameServers, gameServer('dungeon-a', { instance: 'i-1' }));
    put(PATHS.gameServers, gameServer('dungeon-b', { instance: 'i-2' }));
    assert.deepEqual(
      index.instancesOf('i-2').map(({ name }) => name),
      ['dungeon-b'],
    );
  });

  test('is not found by what it was allocated for once it is gone', () => {
    const { put, remove, index } = indexOf();
    put(PATHS.gameServers, gameServer('dungeon-a', { instance: 'i-1' }));
    remove(PATHS.gameServers, 'dungeon-a');
    assert.deepEqual(index.instancesOf('i-1'), []);
  });

  test('counts as shut down while it is being deleted', () => {
    const { put, index } = indexOf();
    const server = gameServer('dungeon-a', { state: 'Allocated' });
    put(PATHS.gameServers, { ...server, metadata: { ...server.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    assert.equal(index.instance('dungeon-a')?.state, 'Shutdown');
  });

  test('tells whose players may enter', () => {
    const { put, index } = indexOf();
    put(PATHS.gameServers, gameServer('dungeon-a', { instance: 'i-1', readyFor: 'i-1' }));
    assert.equal(index.instance('dungeon-a')?.readyFor, 'i-1');
  });

  test('belongs to a Fleet whose replicas are counted', () => {
    const { put, index } = indexOf();
    put(PATHS.fleets, fleet('dungeon', 3, 1, 2));
    assert.deepEqual(index.fleet('dungeon'), { contentType: 'dungeon', replicas: 3, ready: 1, allocated: 2 });
  });
});

describe('readers', () => {
  test('get the same array until something changes', () => {
    const { index } = running();
    assert.equal(index.worlds(), index.worlds());
  });

  test('are told of many changes in one turn once', async () => {
    const { index, put } = indexOf();
    let calls = 0;
    index.onChange(() => calls++);
    put(PATHS.gameServers, gameServer('dungeon-a'));
    put(PATHS.gameServers, gameServer('dungeon-b'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(calls, 1);
  });

  test('do not see what a new list no longer has', () => {
    const { index, put, collection } = indexOf();
    put(PATHS.gameServers, gameServer('dungeon-a'));
    collection(PATHS.gameServers).replace(new Map());
    assert.deepEqual(index.instances(), []);
  });
});
