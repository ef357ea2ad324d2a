/** The stream of realms: snapshot, changes, coming back, limits, slow clients and the end of the broker. */
import assert from 'node:assert/strict';
import net, { type AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, it } from 'node:test';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { boardOf } from '../../src/realms/board.ts';
import type { RealmsDocument } from '../../src/realms/document.ts';
import { openEventStream, STREAM_LIMITS, type StreamEnd } from '../../src/realms/event-stream.ts';
import { startRealmTasks } from '../../src/realms/tasks.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { type EventReader, readEvents } from '../support/event-source.ts';

const PATH = '/v1/events/realms';

onDatabase('The stream of realms', (database) => {
  let broker: TestBroker;
  let application: Application;
  let port: number;
  const readers: EventReader[] = [];
  const read = async (headers: Record<string, string> = {}, path = PATH): Promise<EventReader> => {
    const reader = await readEvents(port, path, headers);
    readers.push(reader);
    return reader;
  };
  /** How the streams of /test ended, in their order. */
  let ends: Promise<StreamEnd>[];
  beforeEach(async () => {
    broker = testBroker(database(), testSettings({ trustedProxyHops: 1 }));
    application = await publicApplication(broker);
    ends = [];
    application.get('/test', { exposeHeadRoute: false }, async (request, reply) => {
      const stream = openEventStream(broker, request, reply, { heartbeatMs: 20, mostBufferedBytes: 100_000 });
      ends.push(stream.closed);
      const flood = setInterval(() => stream.send({ data: 'x'.repeat(50_000) }), 5);
      void stream.closed.then(() => clearInterval(flood));
      return reply;
    });
    application.get('/test-quiet', { exposeHeadRoute: false }, async (request, reply) => {
      openEventStream(broker, request, reply, { heartbeatMs: 20 });
      return reply;
    });
    await boardOf(broker).refresh();
    await application.listen({ host: '127.0.0.1', port: 0 });
    port = (application.server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    broker.stop();
    for (const reader of readers.splice(0)) reader.close();
    await application.close();
    broker.dispose();
  });
  const change = (phase: 'ready' | 'starting') => {
    const world = broker.view.world('aurora', 'sunreach');
    assert.ok(world);
    broker.view.setWorld({ ...world, phase });
    boardOf(broker).look();
  };

  it('begins with a snapshot, the document of the list', async () => {
    const event = await (await read()).next();
    assert.deepEqual([event.event, event.data], ['snapshot', (await application.inject('/v1/realms')).json<RealmsDocument>()]);
  });

  it('goes on with the realms that changed, and only those', async () => {
    const reader = await read();
    await reader.next();
    change('starting');
    const { event, data } = await reader.next();
    assert.deepEqual([event, (data as unknown as RealmsDocument).realms.map(({ name }) => name)], ['change', ['aurora']]);
  });

  it('numbers its events upwards', async () => {
    const reader = await read();
    const ids = [(await reader.next()).id];
    change('starting');
    ids.push((await reader.next()).id);
    change('ready');
    ids.push((await reader.next()).id);
    assert.deepEqual(
      ids.map((id) => id?.split('.')[1]),
      ['0', '1', '2'],
    );
  });

  it('gives what was missed to a client that comes back', async () => {
    const reader = await read();
    const { id } = await reader.next();
    reader.close();
    change('starting');
    change('ready');
    const again = await read({ 'last-event-id': id as string });
    assert.deepEqual([(await again.next()).event, (await again.next()).event], ['change', 'change']);
  });

  it('gives nothing twice to a client that has missed nothing', async () => {
    const { id } = await (await read()).next();
    const again = await read({ 'last-event-id': id as string });
    change('starting');
    assert.equal((await again.next()).id?.split('.')[1], '1');
  });

  it('gives a snapshot to a client of another replica', async () => {
    const reader = await read({ 'last-event-id': 'AbCdEfGh.3' });
    assert.equal((await reader.next()).event, 'snapshot');
  });

  it('gives a snapshot to a client that was away for too long', async () => {
    const { id } = await (await read()).next();
    for (let count = 0; count < 260; count++) change(count % 2 === 0 ? 'starting' : 'ready');
    const again = await read({ 'last-event-id': id as string });
    assert.equal((await again.next()).event, 'snapshot');
  });

  it('is not buffered or kept by proxies', async () => {
    const { headers } = await read();
    assert.deepEqual(
      [headers['content-type'], headers['cache-control'], headers['x-accel-buffering']],
      ['text/event-stream; charset=utf-8', 'no-store, no-transform', 'no'],
    );
  });

  it('has heartbeats that clients do not see', async () => {
    const reader = await read({}, '/test-quiet');
    for (let waited = 0; waited < 200 && !reader.text().includes(':still here'); waited++)
      await new Promise((done) => setTimeout(done, 10));
    assert.match(reader.text(), /^retry: 3000\n\n:still here\n\n/);
  });

  it('is refused to an address with too many', async () => {
    for (let count = 0; count < STREAM_LIMITS.perAddress; count++) await (await read({ 'x-forwarded-for': '198.51.100.7' })).next();
    assert.equal((await read({ 'x-forwarded-for': '198.51.100.7' })).status, 429);
  });

  it('is counted by its /64 where addresses are IPv6', async () => {
    for (let count = 0; count < STREAM_LIMITS.perAddress; count++) {
      await (await read({ 'x-forwarded-for': `2001:db8:1:2::${count.toString(16)}` })).next();
    }
    assert.equal((await read({ 'x-forwarded-for': '2001:db8:1:2:ffff::1' })).status, 429);
  });

  it('gives its place back when the client leaves', async () => {
    for (let count = 0; count < STREAM_LIMITS.perAddress; count++) await (await read({ 'x-forwarded-for': '198.51.100.7' })).next();
    readers[0]?.close();
    let status = 429;
    for (let tries = 0; tries < 100 && status === 429; tries++) {
      const reader = await read({ 'x-forwarded-for': '198.51.100.7' });
      status = reader.status;
      if (status === 429) await new Promise((done) => setTimeout(done, 10));
    }
    assert.equal(status, 200);
  });

  it('is dropped when its client does not take what is sent', async () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET /test HTTP/1.1\r\nHost: test\r\n\r\n');
    while (ends.length === 0) await new Promise((done) => setTimeout(done, 5));
    const end = await ends[0];
    socket.destroy();
    assert.equal(end, 'slow');
  });

  it('ends with a time to come back when the broker stops', async () => {
    const reader = await read();
    await reader.next();
    broker.stop();
    const { event, retry } = await reader.next();
    assert.ok(event === 'closing' && retry !== undefined && retry >= 500 && retry <= 5_000, `${event} ${retry}`);
  });

  it('is over after that', async () => {
    const reader = await read();
    broker.stop();
    await reader.ended;
    assert.match(reader.text(), /event: closing\ndata: .*\n\n$/);
  });

  it('tells a client of a broker that already stops when to come back, because an error would end its attempts', async () => {
    broker.stop();
    assert.equal((await (await read()).next()).event, 'closing');
  });

  it('is counted once in the metrics, also when the client leaves', async () => {
    const reader = await read();
    await reader.next();
    reader.close();
    const counted = async () => (await broker.metrics.requests.get()).values.filter(({ labels }) => labels.route === PATH);
    for (let tries = 0; tries < 100 && (await counted()).length === 0; tries++) await new Promise((done) => setTimeout(done, 10));
    assert.deepEqual(
      (await counted()).map(({ value, labels }) => [value, labels.status]),
      [[1, '200']],
    );
  });
});

onDatabase('The task of the realms', (database) => {
  let broker: TestBroker;
  let stop: () => Promise<void>;
  before(() => {
    broker = testBroker(database());
    // The first list is no change.
    boardOf(broker).list();
    stop = startRealmTasks(broker);
  });
  after(async () => {
    await stop();
    broker.dispose();
  });
  const changed = () =>
    new Promise<void>((resolve) => {
      const end = boardOf(broker).onChange(() => {
        end();
        resolve();
      });
    });

  it('makes a new list when a server changes', async () => {
    const next = changed();
    const world = broker.view.world('umbra', 'nightfall');
    assert.ok(world);
    broker.view.setWorld({ ...world, phase: 'asleep' });
    await next;
    assert.equal((JSON.parse(boardOf(broker).list().body.toString()) as RealmsDocument).realms[1]?.status, 'asleep');
  });

  it('makes a new list when the database has news', async () => {
    for (;;) {
      const { numbers } = JSON.parse(boardOf(broker).list().body.toString()) as RealmsDocument;
      if (numbers.current) break;
      await changed();
    }
    const next = changed();
    await database().query(`insert into realm_maintenance (realm, message) values ('aurora', 'New roofs.')`);
    await next;
    assert.equal((JSON.parse(boardOf(broker).list().body.toString()) as RealmsDocument).realms[0]?.status, 'maintenance');
  });
});
