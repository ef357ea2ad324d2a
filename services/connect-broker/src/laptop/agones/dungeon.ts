/**
 * Instanced content on a laptop: one server that a developer starts by hand, with the SDK server that it asks for, and the allocations that Agones would make.
 * It deliberately has one content type and one server at a time. Each start of the game is a GameServer of its own, as in a cluster, so that nothing of an earlier one counts.
 */
import { randomUUID } from 'node:crypto';
import { LABELS } from '../../../../../lib/platform.ts';
import type { GameServerCaller } from '../../discovery/game-server-auth.ts';
import { INSTANCE_LABELS } from '../../discovery/objects.ts';
import type { StaticView } from '../../discovery/static-view.ts';
import { type InstanceServer, instanceServerId } from '../../discovery/view.ts';
import type { Allocator } from '../../instances/allocator.ts';
import { type GameServer, type GameServerStore, startSdkServer } from './sdk-server.ts';

/** The content type of a laptop. */
export const LAPTOP_CONTENT = { name: 'dungeon', title: 'Dungeon', capacity: 5, rooms: 1 } as const;
/** Where its server is bound and dialled. */
const ADDRESS = '127.0.0.1';

const NAMESPACE = 'instances';
/** How long one that has ended is still shown as ended, so that everybody sees it. */
const FORGET_MS = 60_000;

export interface LaptopDungeon {
  readonly allocator: Allocator;
  /** The server that has called Ready last, whichever that is when it is asked. */
  readonly caller: GameServerCaller;
  close(): Promise<void>;
}

export interface LaptopDungeonOptions {
  readonly view: StaticView;
  /** TCP port of Agones' SDK: game servers expect 9357. */
  readonly sdkPort: number;
  /** UDP port of the game's server. */
  readonly gamePort: number;
  readonly protocolId: bigint;
  readonly build: string;
}

/** @throws when the port is taken (EADDRINUSE) */
export async function laptopDungeon({ view, sdkPort, gamePort, protocolId, build }: LaptopDungeonOptions): Promise<LaptopDungeon> {
  const watchers = new Set<(server: GameServer) => void>();
  const timers = new Set<NodeJS.Timeout>();
  const place = { address: ADDRESS, port: gamePort };
  let started = 0;
  let createdAt = 0;
  let server = fresh();

  function fresh(): GameServer {
    createdAt = Date.now();
    return {
      name: `${LAPTOP_CONTENT.name}-${started}`,
      namespace: NAMESPACE,
      uid: randomUUID(),
      labels: {},
      annotations: {},
      state: 'Scheduled',
      address: ADDRESS,
      ports: [{ name: 'game', port: gamePort }],
      counters: { rooms: { count: 0, capacity: LAPTOP_CONTENT.rooms } },
      lists: { players: { values: [], capacity: LAPTOP_CONTENT.capacity } },
    };
  }

  const shown = ({ name, uid, state, labels }: GameServer): InstanceServer => ({
    name,
    uid,
    contentType: LAPTOP_CONTENT.name,
    state,
    instanceId: labels[LABELS.instance],
    readyFor: labels[INSTANCE_LABELS.ready],
    createdAt,
    identity: {
      serverId: instanceServerId(name),
      podName: name,
      podUid: uid,
      namespace: NAMESPACE,
      privateAddress: place,
      lan: [place],
      wan: [],
      keyGeneration: 1,
      protocolId,
      build,
    },
  });
  const show = (): void => {
    view.setInstance(shown(server));
    const count = (state: string) => (server.state === state ? 1 : 0);
    view.setFleet({ contentType: LAPTOP_CONTENT.name, replicas: 1, ready: count('Ready'), allocated: count('Allocated') });
    for (const changed of watchers) changed(server);
  };
  /** The present one ends; it is shown as ended for a while. */
  const end = (state: string): void => {
    if (server.state === 'Scheduled' || server.state === state) return;
    server.state = state;
    show();
    const { name } = server;
    const timer = setTimeout(() => {
      timers.delete(timer);
      view.removeInstance(name);
    }, FORGET_MS);
    timers.add(timer.unref());
  };

  const store: GameServerStore = {
    read: async () => server,
    update: async (change) => {
      change(server);
      if (server.state === 'RequestReady') {
        // Another process: whatever the one before was, it is not there any more.
        server.state = 'Unhealthy';
        if (started > 0) end('Shutdown');
        started += 1;
        server = fresh();
        server.state = 'Ready';
      }
      if (server.state === 'Shutdown') {
        server.state = 'Allocated';
        end('Shutdown');
      } else show();
    },
    watch: (changed) => {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
  };
  // A game that ends without Shutdown is Unhealthy to Agones.
  const sdk = await startSdkServer(store, { port: sdkPort, lost: () => end(server.state === 'Shutdown' ? 'Shutdown' : 'Unhealthy') });
  return {
    allocator: {
      allocate: async ({ instanceId, difficulty }) => {
        if (server.state === 'Allocated' && server.labels[LABELS.instance] === instanceId)
          return { state: 'allocated', gameServer: server.name };
        if (server.state !== 'Ready') return { state: 'unallocated' };
        server.labels[LABELS.instance] = instanceId;
        if (difficulty !== undefined) server.labels[LABELS.difficulty] = difficulty;
        server.state = 'Allocated';
        show();
        return { state: 'allocated', gameServer: server.name };
      },
      remove: async (_name, uid) => {
        if (server.uid === uid) end('Shutdown');
      },
    },
    caller: {
      namespace: NAMESPACE,
      get podName() {
        return server.name;
      },
      get podUid() {
        return server.uid;
      },
      get serverId() {
        return instanceServerId(server.name);
      },
    },
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
      await sdk.close();
    },
  };
}
