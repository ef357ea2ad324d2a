/**
 * What is proven of an instance's server: its life as Agones sees it, through Agones' own crate and the stand-in of its SDK server.
 * It deliberately has no player: whoever enters an instance needs a broker that allocates, which the story has.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freeTcpPorts, freeUdpPort } from '../../../packages/netcode-token/interop/ports.ts';
import type { Program } from '../../../packages/netcode-token/interop/processes.ts';
import { memoryStore, order } from '../agones/local.ts';
import { type GameServer, type GameServerStore, startSdkServer } from '../agones/sdk-server.ts';
import { is, LAPTOP, serverProgram } from './programs.ts';
import type { Stage } from './world.ts';

/** Waits for a state of the GameServer. */
async function until(store: GameServerStore, what: string, holds: (server: GameServer) => boolean): Promise<GameServer> {
  for (const end = Date.now() + 20_000; Date.now() < end; await pause(50)) {
    const server = await store.read();
    if (holds(server)) return server;
  }
  assert.fail(`the GameServer did not become ${what}: ${JSON.stringify(await store.read())}`);
}

export async function instances(stage: Stage): Promise<void> {
  const { check, leftovers, laptop } = stage;
  const key = path.join(laptop.folder, 'instance-key');
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
  const start = async (): Promise<{ program: Program; store: GameServerStore; sdk: Awaited<ReturnType<typeof startSdkServer>> }> => {
    const store = memoryStore();
    const sdk = await startSdkServer(store);
    const [status, metrics, port] = [await freeTcpPorts(1), await freeTcpPorts(1), await freeUdpPort('127.0.0.1')];
    const program = leftovers.program(
      serverProgram('the instance’s server', {
        MMO_KIND: 'instance',
        MMO_CONTENT_TYPE: 'dungeon',
        MMO_CAPACITY: '5',
        MMO_BUILD: LAPTOP.build,
        MMO_PROTOCOL_ID: LAPTOP.protocolId,
        MMO_GAME_PORT: String(port),
        MMO_STATUS_PORT: String(status),
        MMO_METRICS_PORT: String(metrics),
        MMO_NETCODE_KEY_FILE: key,
        MMO_BROKER_URL: laptop.backend.internalUrl,
        MMO_BROKER_TOKEN_FILE: key,
        POD_IP: '127.0.0.1',
        AGONES_SDK_GRPC_PORT: String(sdk.port),
      }),
      'SIGTERM',
    );
    await program.until('serving', is('serving'));
    return { program, store, sdk };
  };

  const first = await start();
  const id = randomUUID();
  await check('an instance’s server tells Agones that it is ready, and is well', async () => {
    await until(first.store, 'Ready', ({ state }) => state === 'Ready');
    const before = first.sdk.healthChecks;
    await until(first.store, 'well again', () => first.sdk.healthChecks > before);
  });
  await check('allocated, it lets players of that instance in, and counts its rooms as taken', async () => {
    await order(first.store, `allocate ${id}`);
    const server = await until(first.store, 'open', ({ labels }) => labels['agones.dev/sdk-session-ready'] === id);
    assert.deepEqual(server.counters.rooms, { count: 1, capacity: 1 });
  });
  await check('with the label of an old build it finishes its session', async () => {
    await order(first.store, 'overflow');
    await first.program.until('the label', is('one of an old build, or one too many'));
    assert.equal(first.program.isOver, false);
  });
  await check('told to stop, it calls Shutdown and exits with 0', async () => {
    assert.equal(await first.program.end('SIGTERM'), 0);
    assert.equal((await first.store.read()).state, 'Shutdown');
  });
  await first.sdk.close();

  const second = await start();
  await check('one of an old build that nobody was sent to shuts down by itself', async () => {
    await until(second.store, 'Ready', ({ state }) => state === 'Ready');
    await order(second.store, 'overflow');
    assert.equal(await second.program.ended, 0);
    assert.equal((await second.store.read()).state, 'Shutdown');
  });
  await second.sdk.close();
}
