/**
 * `npm run agones-sdk`: the stand-in of Agones' SDK server on a laptop, with one GameServer in memory. A person plays Agones: 'allocate ID' on its input.
 * It deliberately starts no game server.
 */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type GameServer, type GameServerStore, startSdkServer } from './sdk-server.ts';

const HELP = `
npm run agones-sdk [-- --port 9357]

Stands in for the SDK server of Agones, for a game server with MMO_KIND=instance on this machine. A line for every change comes out; lines go in:
  allocate ID    allocate the server for the instance ID
  overflow       label it as one of an old build
Ctrl+C or the end of its input ends it.
`;

/** The labels that broker and Agones would set. */
const INSTANCE = 'mmo/instance';
const DRAINING = 'mmo/draining';

/** A GameServer that nobody else sees. */
export function memoryStore(): GameServerStore {
  const server: GameServer = {
    name: 'local',
    namespace: 'default',
    uid: '1234',
    labels: {},
    annotations: {},
    state: 'Scheduled',
    address: '127.0.0.1',
    ports: [{ name: 'game', port: 40_100 }],
    counters: { rooms: { count: 0, capacity: 1 } },
    lists: { players: { values: [], capacity: 100 } },
  };
  const listeners = new Set<(server: GameServer) => void>();
  return {
    read: async () => server,
    update: async (change) => {
      change(server);
      // What Agones' controller does with the wish.
      if (server.state === 'RequestReady') server.state = 'Ready';
      for (const listener of listeners) listener(server);
    },
    watch: (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
  };
}

/** Does what a line says. @returns whether it was understood */
export async function order(store: GameServerStore, line: string): Promise<boolean> {
  const [verb, id] = line.trim().split(/\s+/);
  if (verb === 'allocate' && id) {
    await store.update((server) => {
      server.labels[INSTANCE] = id;
      server.state = 'Allocated';
    });
    return true;
  }
  if (verb !== 'overflow') return false;
  await store.update((server) => {
    server.labels[DRAINING] = 'true';
  });
  return true;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { help: { type: 'boolean' }, port: { type: 'string', default: '9357' } } });
  if (values.help) {
    console.log(HELP.trim());
    return;
  }
  const store = memoryStore();
  const server = await startSdkServer(store, Number(values.port));
  const tell = ({ state, labels, counters, lists }: GameServer): void => console.log(JSON.stringify({ state, labels, counters, lists }));
  console.log(`The stand-in for Agones' SDK server answers on port ${server.port}.`);
  store.watch(tell);
  for await (const line of createInterface({ input: process.stdin })) {
    if (!(await order(store, line))) console.log(`Not understood: '${line}'. Say 'allocate ID' or 'overflow'.`);
  }
  await server.close();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
