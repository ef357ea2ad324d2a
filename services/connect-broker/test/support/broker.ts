/**
 * A broker for tests: everything real but servers and Kubernetes, which are a list that the test changes.
 * It deliberately listens on no port unless a test asks for it (`application.inject` answers without one).
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { passwordHasher } from '../../src/accounts/passwords.ts';
import { openSessionKeys } from '../../src/accounts/session-keys.ts';
import type { Broker } from '../../src/broker.ts';
import type { Database } from '../../src/database/database.ts';
import type { GameServerCaller } from '../../src/discovery/game-server-auth.ts';
import { staticTokens } from '../../src/discovery/static-tokens.ts';
import { type StaticView, staticView } from '../../src/discovery/static-view.ts';
import { openNetcodeKeys } from '../../src/keys/netcode-keys.ts';
import { laptopWorlds } from '../../src/laptop/realms.ts';
import { makeLog } from '../../src/log.ts';
import { makeMetrics } from '../../src/metrics.ts';
import { parseSettings, type Settings } from '../../src/settings.ts';

export const TEST_PROTOCOL_ID = '0x4d4d4f0000000001';
export const TEST_BUILD = '0.4.2';

/** Two realms (aurora: eldermoor 3 players, sunreach 100; umbra: nightfall 2), one content type (dungeon, 5 players). */
export function testSettings(changes: Record<string, unknown> = {}): Settings {
  const endpoint = (port: number) => ({ lan: { address: '192.168.1.245', port }, public: { address: '203.0.113.7', port } });
  return parseSettings(
    {
      publicUrl: 'https://mmo.example.org',
      registration: 'open',
      ports: { http: 8080, internal: 8081, autoscaler: 8082, metrics: 9090 },
      trustedProxyHops: 1,
      shutdown: { drainSeconds: 0 },
      database: {
        host: 'localhost',
        port: 5432,
        name: 'broker',
        applicationRole: 'broker',
        credentialsDirectory: '-',
        caFile: '-',
        poolSize: 10,
      },
      sessions: { keysDirectory: '-' },
      tokens: { keysDirectory: '-', lifetimeSeconds: 35, timeoutSeconds: 5 },
      game: { protocolId: TEST_PROTOCOL_ID, build: TEST_BUILD, downloadUrl: 'https://example.org/client' },
      kubernetes: { audience: 'connect-broker', instancesNamespace: 'instances' },
      nodes: [{ name: 'node-1', lan: '192.168.1.11', public: '203.0.113.7' }],
      realms: [
        {
          name: 'aurora',
          title: 'Aurora',
          namespace: 'realm-aurora',
          continents: [
            { name: 'eldermoor', title: 'Eldermoor', capacity: 3, ...endpoint(40_000) },
            { name: 'sunreach', title: 'Sunreach', capacity: 100, ...endpoint(40_001) },
          ],
        },
        {
          name: 'umbra',
          title: 'Umbra',
          namespace: 'realm-umbra',
          continents: [{ name: 'nightfall', title: 'Nightfall', capacity: 2, ...endpoint(40_010) }],
        },
      ],
      instances: [{ name: 'dungeon', title: 'Dungeon', capacity: 5, rooms: 1 }],
      ...changes,
    },
    'of the test',
  );
}

export interface TestBroker extends Broker {
  readonly view: StaticView;
  /** Bearer tokens of game servers, by server id. */
  readonly serverTokens: ReadonlyMap<string, string>;
  /** Lines of the log, parsed. */
  readonly logged: Record<string, unknown>[];
  /** Begins the end, as SIGTERM does. */
  stop(): void;
  /** Removes what the broker made; the database stays open. */
  dispose(): void;
}

/** @param changes what differs from a broker on its list of servers: `allocator`, `passwords`, … */
export function testBroker(
  database: Database,
  settings: Settings = testSettings(),
  changes: Partial<Omit<Broker, 'view'>> = {},
): TestBroker {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'broker-test-'));
  const keys = (folder: string, names: readonly string[]) => {
    const place = mkdtempSync(path.join(directory, folder));
    for (const name of names) writeFileSync(path.join(place, name), randomBytes(32), { mode: 0o600 });
    return place;
  };
  const fail = (error: unknown) => {
    throw error;
  };
  const sessionKeys = openSessionKeys(keys('session-keys-', ['generation-1']), fail);
  const netcodeKeys = openNetcodeKeys(
    keys('netcode-keys-', [
      ...settings.realms.map(({ name }) => `realm.${name}.1`),
      ...settings.instances.map(({ name }) => `instance.${name}.1`),
    ]),
    fail,
  );
  const worlds = laptopWorlds(
    settings.realms.map(({ name, title, continents }) => ({
      name,
      title,
      continents: continents.map((continent) => ({ ...continent, address: continent.lan.address, port: continent.lan.port })),
    })),
    BigInt(settings.game.protocolId),
    settings.game.build,
  );
  const view = staticView(worlds);
  const serverTokens = new Map(worlds.map(({ serverId }) => [serverId, randomBytes(24).toString('base64url')]));
  const callers = new Map<string, GameServerCaller>();
  for (const { serverId, identity } of worlds) {
    if (!identity) continue;
    const { namespace, podName, podUid } = identity;
    callers.set(serverTokens.get(serverId) as string, { namespace, podName, podUid, serverId });
  }
  const logged: Record<string, unknown>[] = [];
  const stopping = new AbortController();
  return {
    settings,
    database,
    view,
    metrics: makeMetrics(),
    log: makeLog('debug', { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }),
    // Cheap on purpose: what is tested is the flow.
    passwords: passwordHasher(),
    sessionKeys,
    netcodeKeys,
    allocator: undefined,
    gameServers: staticTokens(callers),
    stopping: stopping.signal,
    serverTokens,
    logged,
    stop: () => stopping.abort(),
    dispose: () => {
      sessionKeys.close();
      netcodeKeys.close();
      rmSync(directory, { recursive: true, force: true });
    },
    ...changes,
  };
}
