/**
 * `npm run story`: log in, pick a character, enter aurora, find an item, go into a dungeon, find another, come back, the realm is updated, come back again:
 * both items are there, once. With the real broker, real game servers for the pods that real controllers create, on loopback; each step with its time.
 * It deliberately is one story and no test of parts: those are elsewhere. The last line is the sum.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { PlainObject } from '../../../lib/emit/manifest.ts';
import { Leftovers, type Line } from '../../../packages/netcode-token/interop/processes.ts';
import { build, is, missingPrograms } from '../checks/programs.ts';
import { tailOf } from './node-runner.ts';
import { Player } from './player.ts';
import { type Stage, setStage } from './stage.ts';

const HELP = `
npm run story

A player logs in, finds an item in a world and another in a dungeon, and has both, once, after the realm's update and after a kill. The broker, the game
servers and the control plane are real programs on loopback; every step is told with its time. Needs KUBEBUILDER_ASSETS, PostgreSQL, openssl, Rust and protoc.
STORY_REQUIRED=1 makes it fail where one of them is missing.
`;

/** Fail where something is missing, in place of a line that says so. */
const REQUIRED = process.env.STORY_REQUIRED === '1';
/** The build that the realm is updated to. */
const NEXT_BUILD = '0.4.3';
/** Seconds; a world has more, and nobody learns anything by waiting for them. */
const GRACE_OF_A_HUNG_SERVER = 3;

let steps = 0;
const began = performance.now();

async function step<Result>(name: string, happen: () => Promise<Result>): Promise<Result> {
  const start = performance.now();
  const result = await happen();
  steps += 1;
  console.log(`${((performance.now() - start) / 1000).toFixed(2).padStart(7)} s  ${name}`);
  return result;
}

const itemsOf = (line: Line): string[] => (line.items as { id: string }[]).map(({ id }) => id);
const idOf = (line: Line): string => (line.item as { id: string }).id;

async function story(leftovers: Leftovers, folder: string): Promise<void> {
  await step('the game server is built', () => build(leftovers));
  const server = path.join(import.meta.dirname, '../target/debug/game-server');
  const news: string[] = [];
  const stage = await step('a control plane with dist, a node, and the broker with its database run', () =>
    setStage(leftovers, folder, server, (what) => news.push(what)),
  );
  try {
    await play(leftovers, stage);
  } catch (error) {
    console.log(`What happened on the node:\n    ${news.join('\n    ')}`);
    const pods = new Set(stage.node.ended.map(({ pod }) => pod).concat(`${stage.continent}-0`));
    for (const pod of pods) console.log(`The end of ${pod}'s log:\n${tailOf(path.join(folder, 'pods'), pod)}`);
    throw error;
  }
}

async function play(leftovers: Leftovers, stage: Stage): Promise<void> {
  const player = new Player(stage.url, leftovers);
  await step('register', () => player.register());
  await step('log in', () => player.logIn());
  await step('make a character', () => player.makeCharacter(stage.realm));
  await step('pick a character', () => player.pickCharacter());

  const first = await step(`enter ${stage.realm}`, () => player.enterRealm(stage.realm));
  assert.deepEqual(itemsOf(first), []);
  const one = await step('find an item', async () => idOf(await player.wish('find', 'found')));
  const tree = await step('plant a tree', async () => String((await player.wish('plant', 'planted')).tree));

  const dungeon = await step('go into a dungeon', async () => {
    const { instanceId } = await player.wish(`enter ${stage.content}`, 'go');
    return player.enterInstance(String(instanceId));
  });
  assert.equal(dungeon.server, stage.content);
  assert.deepEqual(itemsOf(dungeon), [one], 'the item did not come into the dungeon, or came twice');
  const two = await step('find another', async () => idOf(await player.wish('find', 'found')));

  const back = await step('come back', () => player.enterRealm(stage.realm, ['--ping', '20']));
  assert.deepEqual(itemsOf(back), [one, two]);

  await step(`the realm is updated to build ${NEXT_BUILD}`, () => update(player, stage));

  const again = await step('come back again', () => player.enterRealm(stage.realm));
  assert.deepEqual(itemsOf(again).sort(), [one, two].sort(), 'both items are to be there, once');
  console.log(`           both items are there, once: ${itemsOf(again).join(', ')}`);
  const seen = await step('look around', () => player.wish('look', 'seen'));
  assert.deepEqual(seen.trees, [tree], 'the world is to have its tree');
  console.log(`           and so is the tree: ${tree}`);

  await step('the server hangs, and is killed after its grace period', () => hang(stage));
  const last = await step('come back once more', () => player.enterRealm(stage.realm));
  assert.deepEqual(itemsOf(last).sort(), [one, two].sort(), 'both items are to be there, once, after the kill');
  assert.deepEqual((await player.wish('look', 'seen')).trees, [tree], 'the world is to have its tree after the kill');
  console.log('           items and tree are there, once');

  const dungeons = stage.node.ended.filter(({ pod }) => pod.startsWith(stage.content));
  assert.ok(dungeons.length > 0 && dungeons.every(({ code }) => code === 0), `instances did not end with 0: ${JSON.stringify(dungeons)}`);
  await player.wish('leave', 'disconnected').catch(() => undefined);
}

/** Applies the changed dist, and watches what players and load balancers see of the world until the next one is ready. */
async function update(player: Player, stage: Stage): Promise<void> {
  const { client, namespace, continent, node } = stage;
  const podPath = `/api/v1/namespaces/${namespace}/pods/${continent}-0`;
  const uidOf = (pod: PlainObject): string => (pod.metadata as unknown as { uid: string }).uid;
  const old = uidOf(await client.get(podPath));
  const { client: game } = player;
  assert.ok(game);
  await stage.update(NEXT_BUILD);

  await game.until('the announcement', is('announcement'), { seconds: 60 });
  const warned = Date.now();
  // Shortly before the end: what was sent until then must be answered by then. What is under way when the server says goodbye does not count.
  const counted = game
    .until('the last warnings', (line) => is('announcement')(line) && Number(line.seconds) <= 2, { seconds: 60 })
    .then(() => player.wish('pings', 'pings'))
    .then(({ sent }) => Number(sent));
  // Until the goodbye, the pod stays an endpoint that serves: that is what keeps a player's UDP traffic.
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io/service-name%3D${continent}`;
  let looks = 0;
  while (game.find(is('bye')) === undefined && !game.isOver) {
    const endpoints = (await client.list(slices)).flatMap((slice) => (slice.endpoints ?? []) as { conditions: Record<string, boolean> }[]);
    if (game.find(is('bye')) === undefined)
      assert.ok(
        endpoints.some(({ conditions }) => conditions.serving),
        `no endpoint serves while players do: ${JSON.stringify(endpoints)}`,
      );
    looks += 1;
    await pause(100);
  }
  assert.ok(looks > 2, 'the drain was over before it could be watched');
  const before = await counted;
  const pings = await game.until('the last count of pings', (line) => is('pings')(line) && Number(line.sent) > before, { seconds: 30 });
  const lost = (pings.unanswered as number[]).filter((number) => number < before);
  assert.deepEqual(lost, [], `the player lost packets in the drain (${before} counted)`);

  const isNext = async (): Promise<boolean> => {
    const pod = await client.get(podPath).catch(() => undefined);
    const ready = pod?.status?.conditions?.some(
      ({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True',
    );
    return pod !== undefined && uidOf(pod) !== old && ready && pod.metadata.labels?.['mmo/build'] === NEXT_BUILD;
  };
  for (const end = Date.now() + 90_000; !(await isNext()); await pause(200))
    assert.ok(Date.now() < end, 'the next pod did not become ready');
  const ended = node.ended.find(({ uid }) => uid === old);
  assert.equal(ended?.code, 0, 'the old server did not stop in order');
  const warnings = game.lines.filter(is('announcement')).map(({ seconds }) => seconds);
  console.log(
    `           warned ${warnings.join(', ')} s before; ${before} pings, none lost; ${((Date.now() - warned) / 1000).toFixed(1)} s from the warning to the next server`,
  );
}

/** A server that does nothing any more, whose pod is deleted: no preStop is answered and no SIGTERM heard. */
async function hang({ client, namespace, continent, node }: Stage): Promise<void> {
  const podPath = `/api/v1/namespaces/${namespace}/pods/${continent}-0`;
  const { uid } = (await client.get(podPath)).metadata as unknown as { uid: string };
  node.freeze(uid);
  await client.request('DELETE', podPath, { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: GRACE_OF_A_HUNG_SERVER });
  for (const end = Date.now() + 60_000; !node.ended.some((ended) => ended.uid === uid); await pause(100))
    assert.ok(Date.now() < end, 'the server that hangs was not killed');
  const ended = node.ended.find((each) => each.uid === uid);
  assert.equal(ended?.killed, true, 'the server that hangs ended by itself');
  assert.ok(
    (ended?.tookMs ?? 0) >= GRACE_OF_A_HUNG_SERVER * 1000,
    `it was killed after ${ended?.tookMs} ms, before its grace period was over`,
  );
}

const { values: options } = parseArgs({ options: { help: { type: 'boolean' } } });
const missing = [
  ...missingPrograms(),
  ...(process.env.KUBEBUILDER_ASSETS ? [] : ['KUBEBUILDER_ASSETS (docs/how-to/test-on-a-real-api-server.md)']),
];
if (options.help) {
  console.log(HELP.trim());
} else if (missing.length > 0) {
  console.log(`${REQUIRED ? 'FAILED' : 'skipped'}: the story needs ${missing.join(' and ')}`);
  process.exitCode = REQUIRED ? 1 : 0;
} else {
  const leftovers = new Leftovers();
  const folder = leftovers.folder('story');
  let failure: unknown;
  await story(leftovers, folder)
    .finally(() => leftovers.clean())
    .catch((error: unknown) => {
      failure = error;
    });
  if (failure !== undefined) console.log(`FAILED: ${failure instanceof Error ? failure.message : failure}`);
  console.log(
    `${failure === undefined ? 'the story is told' : 'the story broke off'}: ${steps} steps in ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
  process.exitCode = failure === undefined ? 0 : 1;
}
