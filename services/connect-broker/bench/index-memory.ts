/**
 * Memory and processor time of the index with 1,000 realms (two continents each) and 10,000 game servers: what it keeps, what whole objects would take,
 * and what a change and a read cost. `--connected` lists and watches all of it over HTTP instead, from a process of its own.
 * It deliberately judges nothing: it prints figures, which depend on the machine; the ratios say more than the rest.
 *
 *   node --import tsx --conditions=source --expose-gc services/connect-broker/bench/index-memory.ts [--realms 1000] [--servers 10000] [--connected]
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connectToKubernetes } from '../src/discovery/kubernetes.ts';
import { kubernetesIndex } from '../src/discovery/kubernetes-index.ts';
import type { Collection } from '../src/discovery/reflector.ts';
import { makeLog } from '../src/log.ts';
import type { Settings } from '../src/settings.ts';
import { type FakeObject, fakeApi } from '../test/discovery/fake-api.ts';
import { endpoints, fleet, gameServer, instancePod, PATHS, publicService, statefulSet, worldPod } from '../test/discovery/objects.ts';
import { testSettings } from '../test/support/broker.ts';

const { values } = parseArgs({
  options: {
    realms: { type: 'string', default: '1000' },
    servers: { type: 'string', default: '10000' },
    connected: { type: 'boolean', default: false },
    /** What the child process is told: be the API. */
    api: { type: 'boolean', default: false },
  },
});
const REALMS = Number(values.realms);
const SERVERS = Number(values.servers);
const CONTINENTS = ['east', 'west'];

/** Objects of a real cluster have some kilobytes more than those of the tests: managed fields, volumes, probes. */
const PADDING = {
  managedFields: Array.from({ length: 12 }, (_, index) => ({ manager: `manager-${index}`, fieldsV1: { 'f:spec': 'x'.repeat(300) } })),
};
const real = (object: FakeObject): FakeObject => ({ ...object, metadata: { ...object.metadata, ...PADDING } });
const inRealm = (realm: number, object: FakeObject): FakeObject =>
  real({
    ...object,
    metadata: { ...object.metadata, namespace: `realm-${realm}`, labels: { ...object.metadata.labels, 'mmo/realm': `r${realm}` } },
  });
const settings: Settings = {
  ...testSettings(),
  realms: Array.from({ length: REALMS }, (_, realm) => ({
    name: `r${realm}`,
    title: `Realm ${realm}`,
    namespace: `realm-${realm}`,
    continents: CONTINENTS.map((name, index) => ({
      name,
      title: name,
      capacity: 500,
      lan: { address: '192.168.1.245', port: 10_000 + realm * 2 + index },
      public: { address: '203.0.113.7', port: 10_000 + realm * 2 + index },
    })),
  })),
};

/** Every object with the path of its collection. */
function* objects(): Generator<readonly [path: string, object: FakeObject]> {
  for (let realm = 0; realm < REALMS; realm++) {
    const at = (path: string) => path.replace('realm-aurora', `realm-${realm}`);
    for (const [index, continent] of CONTINENTS.entries()) {
      const ip = `10.${42 + (realm >> 8)}.${realm & 255}.${index + 1}`;
      yield [at(PATHS.statefulSets), inRealm(realm, statefulSet(continent))];
      yield [at(PATHS.pods), inRealm(realm, worldPod(continent, { ip, uid: crypto.randomUUID() }))];
      yield [at(PATHS.services), inRealm(realm, publicService(continent, [{ ip: '192.168.1.245' }], 10_000 + realm * 2 + index))];
      yield [at(PATHS.endpoints), inRealm(realm, endpoints(`${continent}-public`, [ip]))];
    }
  }
  for (let server = 0; server < SERVERS; server++) {
    const name = `dungeon-${server.toString(36)}-${(server * 7_919).toString(36)}`;
    const instance = server % 2 === 0 ? crypto.randomUUID() : undefined;
    const uid = crypto.randomUUID();
    yield [
      PATHS.gameServers,
      real(
        gameServer(name, {
          uid,
          port: 7_000 + (server % 1_000),
          ...(instance === undefined ? {} : { state: 'Allocated', instance, readyFor: instance }),
        }),
      ),
    ];
    yield [PATHS.instancePods, real(instancePod(name, { uid: crypto.randomUUID(), ip: `10.200.${server >> 8}.${server & 255}` }))];
  }
  yield [PATHS.fleets, real(fleet('dungeon', SERVERS, SERVERS / 2, SERVERS / 2))];
}

function collected(): NodeJS.MemoryUsage {
  for (let round = 0; round < 4; round++) globalThis.gc?.();
  return process.memoryUsage();
}
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function measure(): Promise<void> {
  if (!globalThis.gc) throw new Error('Run with --expose-gc; without it the figures mean nothing.');
  const texts = [...objects()].map(([path, object]) => [path, JSON.stringify(object)] as const);
  const bytes = texts.reduce((sum, [, text]) => sum + text.length, 0);
  console.log(
    `${REALMS} realms with ${CONTINENTS.length} continents, ${SERVERS} game servers: ${texts.length} objects, ${megabytes(bytes)} of JSON`,
  );

  const empty = collected().heapUsed;
  const whole = texts.map(([, text]) => JSON.parse(text) as object);
  console.log(`whole objects would take ${megabytes(collected().heapUsed - empty)} of heap (${whole.length})`);
  whole.length = 0;

  const before = collected().heapUsed;
  const addresses = new Map<string, readonly string[]>();
  const index = kubernetesIndex(settings, (name) => {
    const known = addresses.get(name) ?? [name];
    addresses.set(name, known);
    return known;
  });
  const byPath = new Map(index.collections.map((collection) => [collection.path, collection]));
  const put = (path: string, text: string) => {
    const collection = byPath.get(path) as Collection<unknown>;
    const object = JSON.parse(text) as FakeObject;
    collection.set(object.metadata.name, collection.project(object as never));
  };
  const filling = process.cpuUsage();
  for (const [path, text] of texts) put(path, text);
  const filled = process.cpuUsage(filling);
  console.log(`the index keeps ${megabytes(collected().heapUsed - before)} before it is read`);
  console.log(`filling it, parsing included, took ${Math.round((filled.user + filled.system) / 1000)} ms of processor time`);
  const joining = performance.now();
  const counted = [
    index.worlds().filter(({ phase }) => phase === 'ready').length,
    index.instances().filter(({ identity }) => identity).length,
  ];
  console.log(
    `joining everything took ${(performance.now() - joining).toFixed(0)} ms (${counted[0]} worlds and ${counted[1]} instances ready)`,
  );
  console.log(`the index keeps ${megabytes(collected().heapUsed - before)} when all of it was read`);

  index.addressesChanged();
  const again = performance.now();
  index.worlds();
  const worldsAgain = performance.now();
  index.instances();
  console.log(
    `joining everything again took ${(worldsAgain - again).toFixed(0)} ms for worlds and ${(performance.now() - worldsAgain).toFixed(0)} ms for instances`,
  );

  const servers = texts.filter(([path]) => path === PATHS.gameServers);
  const rounds = 20_000;
  const changing = performance.now();
  for (let round = 0; round < rounds; round++) put(...(servers[round % servers.length] as (typeof servers)[number]));
  console.log(`a change of a GameServer costs ${(((performance.now() - changing) * 1000) / rounds).toFixed(1)} µs, parsing included`);
  const reading = performance.now();
  for (let round = 0; round < 1_000_000; round++) index.world(`r${round % REALMS}`, 'east');
  console.log(`a look at a world costs ${((performance.now() - reading) / 1000).toFixed(2)} µs`);
  const pods = texts.filter(([path]) => path.endsWith('/pods') && path !== PATHS.instancePods);
  const listing = performance.now();
  for (let round = 0; round < 100; round++) {
    put(...(pods[round % pods.length] as (typeof pods)[number]));
    index.worlds();
  }
  console.log(`a list of all worlds after a change of one costs ${((performance.now() - listing) / 100).toFixed(2)} ms`);
}

async function connected(): Promise<void> {
  if (!globalThis.gc) throw new Error('Run with --expose-gc; without it the figures mean nothing.');
  const child = fork(fileURLToPath(import.meta.url), ['--api', '--realms', values.realms, '--servers', values.servers], {
    execArgv: ['--import', 'tsx', '--conditions=source', '--max-old-space-size=4096'],
  });
  try {
    const server = await new Promise<string>((resolve) => child.once('message', (message) => resolve(String(message))));
    const before = collected();
    const cpu = process.cpuUsage();
    const began = performance.now();
    const connection = connectToKubernetes(settings, makeLog('silent'), {
      credentials: async () => ({ server, tls: {}, authorization: async () => undefined }),
    });
    let peak = 0;
    while (!connection.view.synced) {
      peak = Math.max(peak, process.memoryUsage().heapUsed);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const used = process.cpuUsage(cpu);
    console.log(
      `connected: synced after ${((performance.now() - began) / 1000).toFixed(1)} s, with ${Math.round((used.user + used.system) / 1000)} ms of processor time`,
    );
    console.log(`connected: the heap was at most ${megabytes(peak - before.heapUsed)} larger meanwhile, garbage included`);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const after = collected();
    const watches = REALMS * 4 + 3;
    console.log(`connected: ${megabytes(after.heapUsed - before.heapUsed)} of heap with ${watches} watches (without TLS)`);
    const idle = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    const renewed = process.cpuUsage(idle);
    console.log(`connected: idle, it uses ${((renewed.user + renewed.system) / 300_000).toFixed(1)} % of one core to renew watches`);
    await connection.close();
  } finally {
    child.kill();
  }
}

if (values.api) {
  const api = await fakeApi();
  for (const [path, object] of objects()) api.put(path, object);
  const { server } = await api.credentials();
  process.send?.(server);
  process.on('disconnect', () => process.exit());
} else if (values.connected) {
  await connected();
} else {
  await measure();
}
