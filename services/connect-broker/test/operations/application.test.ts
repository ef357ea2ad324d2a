/** What every listener does with requests that are wrong, large, slow or strange, whatever the route. */
import assert from 'node:assert/strict';
import net, { type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { type Database, DatabaseUnavailable } from '../../src/database/database.ts';
import { type Application, makeApplication } from '../../src/http/application.ts';
import { autoscalerApplication } from '../../src/http/autoscaler.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { makeLog } from '../../src/log.ts';
import { makeMetrics } from '../../src/metrics.ts';
import { PROBLEM_TYPE, Problem } from '../../src/problem.ts';
import { testBroker, testSettings } from '../support/broker.ts';

const lines: string[] = [];
const log = makeLog('info', { write: (line: string) => void lines.push(line) });
const metrics = makeMetrics();
let application: Application;

before(async () => {
  application = makeApplication({ log, metrics, trustedProxyHops: 1, bodyLimit: 1024, stopping: new AbortController().signal });
  application.post(
    '/echo',
    { schema: { body: z.strictObject({ name: z.string().min(2), age: z.number() }) } },
    async (request) => request.body,
  );
  application.get('/problem', async () => {
    throw new Problem('too-many-failures', 'Wait a little.', { retryAfterSeconds: 7, members: { left: 0 } });
  });
  application.get('/broken', async () => {
    throw new Error('the secret is hunter2');
  });
  application.get('/no-database', async () => {
    throw new DatabaseUnavailable(new Error('ECONNREFUSED'));
  });
  application.get('/address', async (request) => ({ ip: request.ip }));
  application.get('/leak', async (request) => {
    request.log.info({ password: 'hunter2', body: { token: 'hunter2' }, headers: { authorization: 'hunter2' } }, 'careless');
    return {};
  });
  await application.listen({ host: '127.0.0.1', port: 0 });
});
after(() => application.close());

const post = (payload: string, type = 'application/json') =>
  application.inject({ method: 'POST', url: '/echo', headers: { 'content-type': type }, payload });

describe('a request', () => {
  test('that is not JSON is answered with a problem', async () => {
    const answer = await post('{"name": ');
    assert.deepEqual([answer.statusCode, answer.headers['content-type'], answer.json().code], [400, PROBLEM_TYPE, 'bad-request']);
  });

  test('with several mistakes is told of all of them', async () => {
    const answer = await post('{"name": "x", "age": "old", "more": 1}');
    assert.equal(answer.statusCode, 422);
    assert.equal(answer.json().mistakes.length, 3);
  });

  test('of another type is told which one', async () => {
    assert.equal((await post('name=x', 'application/x-www-form-urlencoded')).statusCode, 415);
  });

  test('of one megabyte is refused', async () => {
    const answer = await post(JSON.stringify({ name: 'x'.repeat(1_000_000), age: 1 }));
    assert.deepEqual([answer.statusCode, answer.json().code], [413, 'too-large']);
  });

  test('with names in any script comes back as it was', async () => {
    const name = 'Zoë 竜 Ωmega 🐉';
    assert.equal((await post(JSON.stringify({ name, age: 1 }))).json().name, name);
  });

  test('for an unknown address is answered with a problem', async () => {
    assert.equal((await application.inject('/nowhere')).json().code, 'not-found');
  });

  test('with a broken escape in its path is answered with a problem', async () => {
    const answer = await application.inject('/%zz');
    assert.deepEqual([answer.statusCode, answer.json().code], [400, 'bad-request']);
  });

  test('gets an id that it did not choose', async () => {
    const answer = await application.inject({ url: '/address', headers: { 'x-request-id': 'mine' } });
    assert.notEqual(answer.headers['x-request-id'], 'mine');
  });

  test('is never cached', async () => {
    assert.equal((await application.inject('/address')).headers['cache-control'], 'no-store');
  });

  test('comes from the address that the one trusted proxy names, not from one that the client invents', async () => {
    const answer = await application.inject({
      url: '/address',
      remoteAddress: '10.0.0.1',
      headers: { 'x-forwarded-for': '1.1.1.1, 203.0.113.9' },
    });
    assert.equal(answer.json().ip, '203.0.113.9');
  });
});

describe('a failure', () => {
  test('that is a problem keeps its members and its Retry-After', async () => {
    const answer = await application.inject('/problem');
    assert.deepEqual([answer.statusCode, answer.headers['retry-after'], answer.json().left], [429, '7', 0]);
  });

  test('inside the broker says nothing of its reason', async () => {
    const answer = await application.inject('/broken');
    assert.equal(answer.statusCode, 500);
    assert.doesNotMatch(answer.body, /hunter2/);
  });

  test('of the database is 503 with a Retry-After', async () => {
    const answer = await application.inject('/no-database');
    assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [503, '5']);
  });
});

describe('an answer that the broker is cut off', () => {
  test('leaves the connection of a player open', async () => {
    assert.notEqual((await application.inject('/no-database')).headers.connection, 'close');
  });

  for (const [who, open, url, payload] of [
    ['a game server', internalApplication, '/v1/game/reports', { sessions: [], accepting: true, build: '0.4.2', players: 0, capacity: 5 }],
    ['Agones', autoscalerApplication, '/v1/autoscaler/dungeon', { request: { uid: 'u', status: { replicas: 0, allocatedReplicas: 0 } } }],
  ] as const) {
    test(`sends ${who} to another connection`, async () => {
      const away = async () => {
        throw new DatabaseUnavailable(new Error('ECONNREFUSED'));
      };
      const broker = testBroker({ query: away, transaction: away } as unknown as Database, testSettings());
      const opened = await open(broker);
      const headers = { authorization: `Bearer ${broker.serverTokens.get('world:aurora/eldermoor')}` };
      const answer = await opened.inject({ method: 'POST', url, headers, payload });
      await opened.close();
      broker.dispose();
      assert.deepEqual([answer.statusCode, answer.headers.connection], [503, 'close']);
    });
  }

  test('is the only one that does', async () => {
    const broker = testBroker({} as Database, testSettings());
    const internal = await internalApplication(broker);
    const answer = await internal.inject('/v1/openapi.json');
    await internal.close();
    broker.dispose();
    assert.notEqual(answer.headers.connection, 'close');
  });
});

describe('the log', () => {
  test('hides what is called a password, a token or an authorization', async () => {
    lines.length = 0;
    await application.inject('/leak');
    assert.doesNotMatch(lines.join(''), /hunter2/);
  });

  test('names the route and never the path', async () => {
    lines.length = 0;
    await application.inject('/nowhere/secret-thing');
    assert.doesNotMatch(lines.join(''), /secret-thing/);
  });

  test('has no address of a client', async () => {
    lines.length = 0;
    await application.inject({ url: '/address', remoteAddress: '203.0.113.55' });
    assert.doesNotMatch(lines.join(''), /203\.0\.113\.55/);
  });
});

test('a client that sends its request slowly holds up nobody else', async () => {
  const { port } = application.server.address() as AddressInfo;
  const slow = net.connect(port, '127.0.0.1');
  slow.on('error', () => undefined);
  slow.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
  const answer = await fetch(`http://127.0.0.1:${port}/address`);
  slow.destroy();
  assert.equal(answer.status, 200);
});
