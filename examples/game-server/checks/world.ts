/**
 * What is proven of a world's server: with the broker, a player, and everything that ends a server.
 * It deliberately needs no cluster; in a pod the kubelet calls and kills, here the checks do.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Player, Ticket } from '../../../packages/netcode-token/interop/backend.ts';
import type { Leftovers, Line, Program } from '../../../packages/netcode-token/interop/processes.ts';
import { clientProgram, is, LAPTOP, type Laptop, serverProgram, verify, WorldServer } from './programs.ts';

export interface Stage {
  readonly leftovers: Leftovers;
  readonly laptop: Laptop;
  /** Runs one check: its name is a sentence. */
  check(name: string, prove: () => Promise<void>): Promise<void>;
}

interface Item {
  readonly id: string;
}
const itemsOf = (line: Line): string[] => (line.items as Item[]).map(({ id }) => id);

/** Somebody who is in. */
export async function enter(
  { leftovers, laptop }: Stage,
  player: Player,
  args: readonly string[] = [],
): Promise<{ client: Program; welcome: Line; ticket: Ticket }> {
  // The broker believes that a server is closed until the next one's first report.
  let ticket: Ticket | undefined;
  await eventually('a place', async () => {
    ticket = await laptop.backend.connect(player, laptop.world).catch((error: Error) => {
      if (error.message.includes('realm-unavailable')) return undefined;
      throw error;
    });
    return ticket !== undefined;
  });
  assert.ok(ticket);
  const client = leftovers.program(clientProgram('the client', ticket.renet, args));
  const welcome = await client.until('welcome', is('welcome'), { seconds: 30 });
  return { client, welcome, ticket };
}

/** What a client sees. */
async function look(client: Program): Promise<Line> {
  const from = client.lines.length;
  client.write('look');
  return client.until('seen', is('seen'), { from });
}

const eventually = async (what: string, test: () => Promise<boolean>, seconds = 20): Promise<void> => {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(100)) if (await test()) return;
  assert.fail(`${what} did not become true within ${seconds} s`);
};

/** A day of a world: a player, an announced stop, a restart. */
export async function day(stage: Stage): Promise<void> {
  const { leftovers, laptop, check } = stage;
  const { backend, world } = laptop;
  let server = await WorldServer.start(leftovers, laptop, { MMO_ANNOUNCE_SECONDS: '4', MMO_SAVE_SECONDS: '20' });
  const player = await backend.newPlayer(world);
  let item: string | undefined;
  let tree: string | undefined;

  await check('the status document says what the contract says', async () => {
    const { startedAt, lastSaveAt, ...rest } = await server.status();
    assert.deepEqual(rest, {
      kind: 'world',
      realm: 'aurora',
      continent: 'eldermoor',
      state: 'running',
      accepting: true,
      players: 0,
      capacity: 64,
      build: LAPTOP.build,
      protocolId: LAPTOP.protocolId,
      netcodeKeyGeneration: 1,
    });
    for (const time of [startedAt, lastSaveAt]) assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });
  await check('a loaded world is ready and alive', async () => {
    assert.equal((await server.get('/readyz')).status, 200);
    assert.equal((await server.get('/healthz')).status, 200);
  });

  const { client, ticket } = await enter(stage, player, ['--ping', '20']);
  await check('a player with the broker’s token is in, counted by status and metrics', async () => {
    assert.equal((await server.status()).players, 1);
    assert.match(await server.metrics(), /^mmo_game_players 1$/m);
  });
  await check('datagrams of players are counted', async () => {
    await eventually('a count', async () => /^mmo_game_packets_received_total [1-9]/m.test(await server.metrics()));
  });
  await check('a player who finds something has it when he is told', async () => {
    client.write('find');
    const found = await client.until('found', is('found'));
    item = (found.item as Item).id;
    assert.deepEqual(itemsOf(await look(client)), [item]);
  });
  await check('a player changes the world', async () => {
    client.write('move 3 4');
    client.write('plant');
    tree = String((await client.until('planted', is('planted'))).tree);
    const seen = await look(client);
    assert.deepEqual(seen.trees, [tree]);
    assert.deepEqual(seen.position, [3, 4]);
  });

  // As a kubelet stops a pod: preStop, then SIGTERM.
  let served = 0;
  await check('an announcement warns players at once and in each of the last ten seconds', async () => {
    const from = client.lines.length;
    const announced = server.get('/announce?seconds=4');
    await client.until('the first warning', is('announcement', { seconds: 4 }), { from });
    const ready = await server.get('/readyz');
    const status = await server.status();
    assert.equal(ready.status, 200, 'not ready while draining: its players would lose their traffic');
    assert.equal(status.state, 'draining');
    assert.equal(status.accepting, false);
    assert.equal((await announced).status, 200);
    const told = client.lines
      .slice(from)
      .filter(is('announcement'))
      .map(({ seconds }) => seconds);
    // A machine that stands still for a second leaves one out.
    assert.equal(told[0], 4);
    assert.ok(told.length > 2 && told.every((seconds, index) => index === 0 || Number(seconds) < Number(told[index - 1])), `told ${told}`);
  });
  await check('nobody gets a token for a world that is draining', async () => {
    const newcomer = await backend.newPlayer(world);
    await assert.rejects(backend.connect(newcomer, world), /"reason":"draining".*realm-unavailable/);
  });
  await check('after the announcement and before SIGTERM the player is still served', async () => {
    assert.equal((await server.status()).state, 'stopping');
    assert.equal((await server.get('/readyz')).status, 200);
    assert.deepEqual((await look(client)).trees, [tree]);
    const from = client.lines.length;
    client.write('pings');
    served = Number((await client.until('pings', is('pings'), { from })).sent);
    // Time for their answers.
    await pause(500);
  });
  await check('a server that is told to stop says goodbye, releases, saves and exits with 0', async () => {
    assert.equal(await server.program.end('SIGTERM'), 0);
    await client.until('bye', is('bye'));
    await server.program.until('released', is('released', { sessionId: ticket.playSessionId }));
  });
  await check('a connected client lost no packet during the whole drain', async () => {
    const pings = await client.until('the last count', (line) => is('pings')(line) && Number(line.sent) > served);
    const lost = (pings.unanswered as number[]).filter((number) => number < served);
    assert.ok(served > 20, `only ${served} were sent`);
    assert.deepEqual(lost, []);
  });

  server = await WorldServer.start(leftovers, laptop);
  const back = await enter(stage, player);
  await check('after the restart the world is still there', async () => {
    const seen = await look(back.client);
    assert.deepEqual(seen.trees, [tree]);
    assert.deepEqual(seen.position, [3, 4]);
  });
  await check('after the restart the player has what he found, once', async () => {
    assert.deepEqual(itemsOf(back.welcome), [item]);
  });
  await check('a stop without an announcement saves and releases as well', async () => {
    assert.equal(await server.program.end('SIGTERM'), 0);
    await server.program.until('released', is('released', { sessionId: back.ticket.playSessionId }));
    assert.equal(await back.client.ended, 0);
  });
}

/** Seconds between two saves here; the contract asks for 60 at most. */
const INTERVAL = 1;

/** Ends that nobody ordered, and copies that nobody waited for. */
export async function badDays(stage: Stage): Promise<void> {
  const { leftovers, laptop, check } = stage;
  const folder = path.join(laptop.folder, 'world');
  const settings = { AUTOSAVE_SECONDS: String(INTERVAL) };
  const start = () => WorldServer.start(leftovers, laptop, settings);
  const random = (most: number) => Math.random() * most;

  await check('a world is saved at every interval', async () => {
    const server = await start();
    for (let round = 0; round < 2; round++) {
      const { lastSaveAt } = await server.status();
      await eventually('a later save', async () => String((await server.status()).lastSaveAt ?? '') > String(lastSaveAt ?? ''));
    }
    assert.equal(await server.program.end('SIGTERM'), 0);
  });
  await check('killed at random moments, a world has every save that it told of: it loses at most one interval', async () => {
    for (let round = 0; round < 5; round++) {
      const server = await start();
      await pause(random(2500));
      const { lastSaveAt } = await server.status();
      await server.program.end('SIGKILL');
      const { savedAt } = await verify(folder);
      assert.ok(savedAt >= String(lastSaveAt ?? ''), `it told of a save at ${lastSaveAt}, and was loaded from ${savedAt}`);
    }
  });
  await check('what a player was told that he has, he has after the server was killed at that moment', async () => {
    const player = await laptop.backend.newPlayer(laptop.world);
    const server = await start();
    const { client } = await enter(stage, player);
    const from = client.lines.length;
    for (let count = 0; count < 10; count++) client.write('find');
    await client.until('the third thing', () => client.lines.slice(from).filter(is('found')).length >= 3);
    await server.program.end('SIGKILL');
    const told = client.lines
      .slice(from)
      .filter(is('found'))
      .map(({ item }) => (item as Item).id);
    await client.end();
    const next = await start();
    const { client: back, welcome } = await enter(stage, player);
    const has = itemsOf(welcome);
    assert.deepEqual(
      told.filter((id) => !has.includes(id)),
      [],
    );
    assert.equal(new Set(has).size, has.length, 'something is there twice');
    back.write('leave');
    await back.ended;
    assert.equal(await next.program.end('SIGTERM'), 0);
  });
  await check('a copy made file by file in the middle of saves loses at most one interval', async () => {
    const server = await start();
    for (let round = 0; round < 8; round++) {
      await pause(random(400));
      const before = Number((await verify(folder)).generation);
      const copy = path.join(laptop.folder, `copy-${round}`);
      mkdirSync(copy);
      // As a backup does: what is listed is copied, one after the other, while the next save goes on.
      for (const name of readdirSync(folder)) {
        await pause(random(30));
        if (name.endsWith('.save')) cpSync(path.join(folder, name), path.join(copy, name));
      }
      assert.ok((await verify(copy)).generation >= before);
    }
    assert.equal(await server.program.end('SIGTERM'), 0);
  });
  await check('a world of which no save verifies is not begun anew: exit code 3', async () => {
    const broken = path.join(laptop.folder, 'broken');
    mkdirSync(broken);
    writeFileSync(path.join(broken, 'world-000000000001.save'), 'half a sa');
    await assert.rejects(WorldServer.start(leftovers, laptop, { MMO_WORLD_DIRECTORY: broken }), /none verifies/);
    assert.deepEqual(readdirSync(broken).sort(), ['lock', 'world-000000000001.save']);
  });
  await check('a wrong configuration is told in sentences, all of them: exit code 2', async () => {
    const program = serverProgram('a server', { POD_NAME: 'eldermoor-0', MMO_KIND: 'world', MMO_CAPACITY: 'many' });
    assert.equal(await program.ended, 2);
    const why = String((await program.until('stopped', is('stopped'))).why);
    for (const name of ["MMO_CAPACITY is 'many'", 'MMO_REALM is not set', 'MMO_NETCODE_KEY_FILE is not set'])
      assert.ok(why.includes(name), why);
  });
  await check('a second server does not get the world of the first', async () => {
    const server = await start();
    await assert.rejects(start(), /Another server uses the world/);
    await eventually('the first one serves on', async () => (await server.get('/readyz')).status === 200);
    assert.equal(await server.program.end('SIGTERM'), 0);
  });
}
