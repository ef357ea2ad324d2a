/**
 * What is proven of an instance's server on a laptop: its life as Agones sees it, through Agones' own crate, and a player who goes in from a world and comes back.
 * It deliberately runs no Agones: the laptop's broker stands in for it, with an SDK server written from the public protocol.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Player } from '../../../packages/netcode-token/interop/backend.ts';
import { freeTcpPorts } from '../../../packages/netcode-token/interop/ports.ts';
import type { Line, Program } from '../../../packages/netcode-token/interop/processes.ts';
import { clientProgram, is, LAPTOP, serverProgram, WorldServer } from './programs.ts';
import { enter, type Stage } from './world.ts';

const itemsOf = (line: Line): string[] => (line.items as { id: string }[]).map(({ id }) => id);

interface Answer {
  readonly state?: string;
  readonly endedBecause?: string;
  readonly renet?: string;
  readonly instanceId: string;
  readonly pollAfterSeconds?: number;
}

export async function instances(stage: Stage): Promise<void> {
  const { check, leftovers, laptop } = stage;
  const { backend, dungeon } = laptop;
  const start = async (): Promise<Program> => {
    const [status, metrics] = [await freeTcpPorts(1), await freeTcpPorts(1)];
    const program = leftovers.program(
      serverProgram('the dungeon’s server', {
        MMO_KIND: 'instance',
        MMO_CONTENT_TYPE: 'dungeon',
        MMO_CAPACITY: '5',
        MMO_BUILD: LAPTOP.build,
        MMO_PROTOCOL_ID: LAPTOP.protocolId,
        MMO_GAME_PORT: String(dungeon.game),
        MMO_STATUS_PORT: String(status),
        MMO_METRICS_PORT: String(metrics),
        MMO_NETCODE_KEY_FILE: path.join(backend.home, 'netcode-keys/instance.dungeon.1'),
        MMO_BROKER_URL: backend.internalUrl,
        MMO_BROKER_TOKEN_FILE: path.join(backend.home, 'game-server-tokens/instance-dungeon'),
        POD_IP: '127.0.0.1',
        AGONES_SDK_GRPC_PORT: String(dungeon.sdk),
      }),
      'SIGTERM',
    );
    await program.until('serving', is('serving'));
    return program;
  };
  /** Asks for a place until there is one, as often as the broker says: it refuses whom it cannot serve more often. @param target an instance's id or a content type */
  const place = async (player: Player, target: string): Promise<{ readonly renet: string; readonly instanceId: string }> => {
    for (const end = Date.now() + 30_000; Date.now() < end; ) {
      const body = { characterId: player.characterId, encodings: ['renet'] };
      const answer = await backend.request<Answer>('POST', `/v1/instances/${target}/connect`, player.bearer, body);
      if (answer.renet !== undefined) return { renet: answer.renet, instanceId: answer.instanceId };
      await pause((answer.pollAfterSeconds ?? 1) * 1000);
    }
    assert.fail(`there was no place in ${target}`);
  };

  const world = await WorldServer.start(leftovers, laptop);
  const player = await backend.newPlayer(laptop.world);
  const { client: outside, welcome } = await enter(stage, player);
  const first = await start();
  let inside: Program | undefined;
  let id = '';
  await check('a player goes from a world into a dungeon and has what he had', async () => {
    outside.write('find');
    const found = await outside.until('found', is('found'));
    outside.write('enter dungeon');
    id = String((await outside.until('go', is('go'))).instanceId);
    const { renet } = await place(player, id);
    inside = leftovers.program(clientProgram('the client in the dungeon', renet));
    outside.write('go');
    const arrived = await inside.until('welcome', is('welcome'), { seconds: 30 });
    assert.equal(arrived.server, 'dungeon');
    assert.deepEqual(itemsOf(arrived), [...itemsOf(welcome), (found.item as { id: string }).id]);
  });
  await check('he comes back with what he found there, and the empty dungeon shuts down and exits with 0', async () => {
    assert.ok(inside);
    inside.write('find');
    const found = await inside.until('found', is('found'));
    const ticket = await backend.connect(player, laptop.world);
    const back = leftovers.program(clientProgram('the client that is back', ticket.renet));
    inside.write('go');
    const items = itemsOf(await back.until('welcome', is('welcome'), { seconds: 30 }));
    assert.ok(items.includes((found.item as { id: string }).id));
    assert.equal(new Set(items).size, items.length);
    assert.equal(await first.ended, 0);
    back.write('leave');
    await back.ended;
  });
  await check('the next start of the server is another instance', async () => {
    const second = await start();
    const { instanceId } = await place(player, 'dungeon');
    assert.notEqual(instanceId, id);
    id = instanceId;
    await second.until('allocated', is('allocated', { instance: id }));
    await second.end('SIGKILL');
  });
  await check('a server that only ends counts as unhealthy, and its instance is over', async () => {
    for (const end = Date.now() + 20_000; Date.now() < end; await pause(100)) {
      const { state } = await backend.request<Answer>('GET', `/v1/instances/${id}`, player.bearer);
      if (state === 'ended') return;
    }
    assert.fail('the instance did not end');
  });
  await check('a server that is told to stop before anybody was sent there calls Shutdown and exits with 0', async () => {
    const third = await start();
    assert.equal(await third.end('SIGTERM'), 0);
  });
  assert.equal(await world.program.end('SIGTERM'), 0);
}
