/** The laptop's dungeon: a game server speaks gRPC to it as to Agones' SDK server, and the broker sees and allocates what that server says. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import http2 from 'node:http2';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type StaticView, staticView } from '../../src/discovery/static-view.ts';
import { type LaptopDungeon, laptopDungeon } from '../../src/laptop/agones/dungeon.ts';
import { bytes, decode, integer, message, number, text, texts } from '../../src/laptop/agones/protobuf.ts';
import { freePort } from '../support/postgres.ts';

const SDK = '/agones.dev.sdk.SDK';
const BETA = '/agones.dev.sdk.beta.SDK';
const REQUEST = { contentType: 'dungeon', build: '0.1.0' };
const NOTHING = Buffer.alloc(0);

interface Answer {
  /** gRPC's code; 0: fine. */
  readonly status: number;
  readonly content: Buffer;
}

describe('the dungeon of a laptop', () => {
  let view: StaticView;
  let dungeon: LaptopDungeon;
  let session: http2.ClientHttp2Session;
  beforeEach(async () => {
    view = staticView();
    const sdkPort = await freePort();
    dungeon = await laptopDungeon({ view, sdkPort, gamePort: 40_100, protocolId: 1n, build: '0.1.0' });
    session = http2.connect(`http://127.0.0.1:${sdkPort}`);
    session.on('error', () => undefined);
  });
  afterEach(async () => {
    session.destroy();
    await dungeon.close();
  });

  /** One message in an envelope: a byte and four of length. */
  const open = (path: string) => session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
  const envelope = (content: Buffer): Buffer => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(content.length, 1);
    return Buffer.concat([head, content]);
  };
  const call = (path: string, content: Buffer = NOTHING): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const stream = open(path);
      const chunks: Buffer[] = [];
      let status = -1;
      stream.on('trailers', (trailers) => {
        status = Number(trailers['grpc-status']);
      });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => resolve({ status, content: Buffer.concat(chunks).subarray(5) }));
      stream.end(envelope(content));
    });
  const keyValue = (key: string, value: string): Buffer => Buffer.concat([bytes(1, key), bytes(2, value)]);
  const state = async (): Promise<string> => text(message(decode((await call(`${SDK}/GetGameServer`)).content), 3) ?? new Map(), 1);
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    for (const end = Date.now() + 10_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 10)))
      if (Date.now() > end) assert.fail(`not within 10 s: ${what}`);
  };

  test('has no server before one calls Ready', async () => {
    assert.deepEqual(await dungeon.allocator.allocate({ ...REQUEST, instanceId: randomUUID() }), { state: 'unallocated' });
  });

  test('has no counter that is called like something of every object', async () => {
    assert.equal((await call(`${BETA}/UpdateCounter`, bytes(1, Buffer.concat([bytes(1, '__proto__'), number(4, 0)])))).status, 5);
  });

  test('has the server that called Ready', async () => {
    await call(`${SDK}/Ready`);
    assert.deepEqual([view.instances().map(({ state }) => state), await state()], [['Ready'], 'Ready']);
  });

  test('allocates it, once', async () => {
    await call(`${SDK}/Ready`);
    const first = await dungeon.allocator.allocate({ ...REQUEST, instanceId: randomUUID() });
    const second = await dungeon.allocator.allocate({ ...REQUEST, instanceId: randomUUID() });
    assert.deepEqual([first.state, second.state], ['allocated', 'unallocated']);
  });

  test('gives the same server to the same request', async () => {
    await call(`${SDK}/Ready`);
    const request = { ...REQUEST, instanceId: randomUUID() };
    assert.deepEqual(await dungeon.allocator.allocate(request), await dungeon.allocator.allocate(request));
  });

  test('tells the server that watches of its instance and its difficulty', async () => {
    await call(`${SDK}/Ready`);
    const watching = open(`${SDK}/WatchGameServer`);
    watching.end(envelope(NOTHING));
    let heard = '';
    watching.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
    });
    const instanceId = randomUUID();
    await dungeon.allocator.allocate({ ...REQUEST, instanceId, difficulty: 'heroic' });
    await until('both are heard', () => heard.includes(instanceId) && heard.includes('heroic'));
  });

  test('is open when the server says so', async () => {
    await call(`${SDK}/Ready`);
    const instanceId = randomUUID();
    await dungeon.allocator.allocate({ ...REQUEST, instanceId });
    await call(`${SDK}/SetLabel`, keyValue('session-ready', instanceId));
    assert.equal(view.instances()[0]?.readyFor, instanceId);
  });

  test('is over with Shutdown', async () => {
    await call(`${SDK}/Ready`);
    await dungeon.allocator.allocate({ ...REQUEST, instanceId: randomUUID() });
    await call(`${SDK}/Shutdown`);
    assert.deepEqual(
      view.instances().map(({ state }) => state),
      ['Shutdown'],
    );
  });

  test('is unhealthy when the health stream ends without one', async () => {
    await call(`${SDK}/Ready`);
    const health = open(`${SDK}/Health`);
    health.write(envelope(NOTHING));
    await dungeon.allocator.allocate({ ...REQUEST, instanceId: randomUUID() });
    health.destroy();
    await until('unhealthy', () => view.instances()[0]?.state === 'Unhealthy');
  });

  test('is another server after another start, also for its caller', async () => {
    await call(`${SDK}/Ready`);
    const before = { ...dungeon.caller };
    await call(`${SDK}/Shutdown`);
    await call(`${SDK}/Ready`);
    assert.notEqual(dungeon.caller.podUid, before.podUid);
    assert.notEqual(dungeon.caller.serverId, before.serverId);
  });

  test('counts what the server says of its rooms', async () => {
    const request = Buffer.concat([bytes(1, 'rooms'), bytes(2, number(1, 1))]);
    const { content } = await call(`${BETA}/UpdateCounter`, bytes(1, request));
    assert.deepEqual([integer(decode(content), 2), integer(decode(content), 3)], [1, 1]);
  });

  test('refuses more rooms than there are', async () => {
    const request = Buffer.concat([bytes(1, 'rooms'), bytes(2, number(1, 2))]);
    assert.equal((await call(`${BETA}/UpdateCounter`, bytes(1, request))).status, 11);
  });

  test('lists who is there, each once', async () => {
    await call(`${BETA}/AddListValue`, keyValue('players', 'mira'));
    const again = await call(`${BETA}/AddListValue`, keyValue('players', 'mira'));
    const { content } = await call(`${BETA}/GetList`, bytes(1, 'players'));
    assert.deepEqual([again.status, texts(decode(content), 3)], [6, ['mira']]);
  });

  test('says so when it does not know a call', async () => {
    assert.equal((await call(`${SDK}/Reserve`)).status, 12);
  });
});
