/** The end of a broker under load: nobody's request is cut. */
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import { startServer } from '../../src/server.ts';
import { pause } from '../../src/shutdown.ts';
import { testBroker, testSettings } from '../support/broker.ts';
import { embeddedDatabase, postgresDatabase, testPostgres } from '../support/databases.ts';

const get = (port: number, path: string, agent: http.Agent): Promise<{ status: number; connection: string | undefined }> =>
  new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent }, (response) => {
        response.resume();
        response.on('end', () => resolve({ status: response.statusCode ?? 0, connection: response.headers.connection }));
        response.on('aborted', () => reject(new Error('cut')));
      })
      .on('error', reject);
  });

describe('a broker that ends under load', () => {
  let database: Database;
  let drop = async (): Promise<void> => undefined;
  before(async () => {
    const address = testPostgres();
    if (!address) {
      database = await embeddedDatabase();
      return;
    }
    const fresh = await postgresDatabase(address);
    database = fresh.open();
    drop = fresh.drop;
  });
  after(async () => {
    await database.close();
    await drop();
  });

  test('answers every request that was sent until the drain was over', async () => {
    const broker = testBroker(database, testSettings({ trustedProxyHops: 0 }));
    const server = await startServer(broker, { host: '127.0.0.1', ports: { http: 0, internal: 0, metrics: 0 } });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    let sending = true;
    const statuses = new Map<number, number>();
    const workers = Array.from({ length: 20 }, async () => {
      while (sending) {
        const { status } = await get(server.ports.http, '/v1/openapi.json', agent);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await pause(5);
      }
    });
    await pause(200);
    broker.stop();
    await pause(300);
    // Endpoints and the proxy have learnt of it by now.
    sending = false;
    await Promise.all(workers);
    await server.close();
    agent.destroy();
    broker.dispose();
    assert.deepEqual(
      [...statuses.keys()].filter((status) => status !== 200 && status !== 429),
      [],
    );
  });

  test('asks clients to come back on another connection as soon as the end begins', async () => {
    const broker = testBroker(database);
    const server = await startServer(broker, { host: '127.0.0.1', ports: { http: 0, internal: 0, metrics: 0 } });
    broker.stop();
    const agent = new http.Agent({ keepAlive: true });
    const { connection } = await get(server.ports.http, '/v1/openapi.json', agent);
    await server.close();
    agent.destroy();
    broker.dispose();
    assert.equal(connection, 'close');
  });

  test('is not held up by a connection that never says anything', async () => {
    const broker = testBroker(database);
    const server = await startServer(broker, { host: '127.0.0.1', ports: { http: 0, internal: 0, metrics: 0 }, longestRequestMs: 200 });
    const silent = net.connect(server.ports.http, '127.0.0.1');
    silent.on('error', () => undefined);
    silent.resume();
    const cut = new Promise((resolve) => silent.once('close', resolve));
    silent.write('POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    await pause(100);
    broker.stop();
    await server.close();
    await cut;
    broker.dispose();
  });

  test('is unready at once', async () => {
    const broker = testBroker(database);
    const server = await startServer(broker, { host: '127.0.0.1', ports: { http: 0, internal: 0, metrics: 0 } });
    const agent = new http.Agent();
    const earlier = await get(server.ports.metrics, '/readyz', agent);
    broker.stop();
    const later = await get(server.ports.metrics, '/readyz', agent);
    await server.close();
    broker.dispose();
    assert.deepEqual([earlier.status, later.status], [200, 503]);
  });

  for (const [port, request, status] of [
    ['http', { path: '/v1/sessions', body: { name: 'x', password: 'x' } }, /^HTTP\/1\.1 4\d\d /],
    ['internal', { path: '/v1/game/reports', body: { sessions: [] } }, /^HTTP\/1\.1 4\d\d /],
    ['autoscaler', { path: '/v1/autoscaler/dungeon', body: { request: { uid: 'u', status: {} } } }, /^HTTP\/1\.1 200 /],
  ] as const) {
    test(`finishes a request whose body was still under way on the port '${port}'`, async () => {
      const broker = testBroker(database);
      const server = await startServer(broker, { host: '127.0.0.1', ports: { http: 0, internal: 0, autoscaler: 0, metrics: 0 } });
      const socket = net.connect(server.ports[port] ?? 0, '127.0.0.1');
      const body = JSON.stringify(request.body);
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk.toString();
      });
      const ended = new Promise((resolve) => socket.once('close', resolve));
      socket.write(
        `POST ${request.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
      );
      await pause(100);
      broker.stop();
      const closing = server.close();
      await pause(100);
      socket.write(body.slice(5));
      await closing;
      socket.end();
      await ended;
      broker.dispose();
      assert.match(answer, status);
    });
  }

  test('takes no new connection on any port while a request is still under way on one of them', async () => {
    const broker = testBroker(database);
    const ports = { http: 0, internal: 0, autoscaler: 0, metrics: 0 };
    const server = await startServer(broker, { host: '127.0.0.1', ports, longestRequestMs: 60_000 });
    const slow = net.connect(server.ports.http, '127.0.0.1');
    slow.resume();
    const ended = new Promise((resolve) => slow.once('close', resolve));
    slow.write('POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{');
    await pause(100);
    broker.stop();
    const closing = server.close();
    const isRefused = (port: number) =>
      new Promise<boolean>((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
        socket.once('connect', () => socket.destroy());
      });
    const refused = await Promise.all(
      [server.ports.http, server.ports.internal, server.ports.autoscaler ?? 0].map(async (port) => {
        for (let tries = 0; tries < 100; tries++) {
          if (await isRefused(port)) return true;
          await pause(50);
        }
        return false;
      }),
    );
    slow.write('}');
    await closing;
    await ended;
    broker.dispose();
    assert.deepEqual(refused, [true, true, true]);
  });

  test('has no port for Agones unless it was given one', async () => {
    const broker = testBroker(database);
    const server = await startServer(broker, { host: '127.0.0.1', ports: { http: 0, internal: 0, metrics: 0 } });
    await server.close();
    broker.dispose();
    assert.deepEqual(Object.keys(server.ports), ['http', 'internal', 'metrics']);
  });
});
