/** The queue as an event stream: positions as they change, the turn, and the end. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { leaveQueue } from '../../src/play/queue.ts';
import { queueStreams } from '../../src/play/queue-streams.ts';
import { startPlayTasks } from '../../src/play/tasks.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { type EventReader, readEvents } from '../support/event-source.ts';
import { as, connect, makePlayer, makePlayers, type Player, settle } from '../support/players.ts';

onDatabase('the event stream of a queue', (database) => {
  let broker: TestBroker;
  let application: Application;
  let inside: Player[];
  const open: EventReader[] = [];

  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    await application.listen({ host: '127.0.0.1', port: 0 });
  });
  beforeEach(async () => {
    broker.view.setAgeSeconds(0);
    for (const table of ['play_sessions', 'queue_entries', 'accounts']) await database().query(`delete from ${table}`);
    await settle(database());
    inside = await makePlayers(broker, 3);
    for (const player of inside) await connect(application, player);
  });
  afterEach(() => {
    for (const stream of open.splice(0)) stream.close();
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });
  const waiting = async () => {
    const player = await makePlayer(broker);
    assert.equal((await connect(application, player)).status, 202);
    return player;
  };
  const stream = async (player: Player) => {
    const reader = await readEvents((application.server.address() as AddressInfo).port, '/v1/events/queue', player.headers);
    open.push(reader);
    return reader;
  };
  const someoneLeaves = () => database().query("update play_sessions set state = 'ended' where account_id = $1", [inside.pop()?.accountId]);

  test('begins with the present position', async () => {
    const { event, data } = await (await stream(await waiting())).next();
    assert.deepEqual([event, data.state, data.position], ['queue', 'queued', 1]);
  });

  test('tells when it is one’s turn', async () => {
    const reader = await stream(await waiting());
    await reader.next();
    await someoneLeaves();
    queueStreams(broker).soon();
    assert.equal((await reader.next()).data.state, 'ready');
  });

  test('ends with `gone` when the place was taken', async () => {
    const player = await waiting();
    const reader = await stream(player);
    await reader.next();
    await someoneLeaves();
    assert.equal((await connect(application, player)).status, 200);
    queueStreams(broker).soon();
    // A look between the two steps may have told first that it is one's turn.
    let { event } = await reader.next();
    while (event === 'queue') ({ event } = await reader.next());
    assert.equal(event, 'gone');
    await reader.ended;
  });

  test('counts as asking', async () => {
    const player = await waiting();
    const reader = await stream(player);
    await reader.next();
    await database().query("update queue_entries set polled_at = now() - interval '50 s'");
    await someoneLeaves();
    queueStreams(broker).soon();
    await reader.next();
    const [row] = await database().query<{ fresh: boolean }>("select polled_at > now() - interval '20 s' as fresh from queue_entries");
    assert.equal(row?.fresh, true);
  });

  test('is refused to who waits nowhere', async () => {
    const [player] = inside as [Player];
    assert.equal((await as(application, player, 'GET', '/v1/events/queue')).status, 404);
  });

  test('hears of changes by a hint of another replica', async () => {
    const [first, second] = [await waiting(), await waiting()];
    const stop = startPlayTasks(broker);
    const reader = await stream(second);
    assert.equal((await reader.next()).data.position, 2);
    const elsewhere = testBroker(database());
    await leaveQueue(elsewhere, first.accountId);
    elsewhere.dispose();
    assert.equal((await reader.next()).data.position, 1);
    await stop();
  });

  test('ends with a time to come back when the view is too old', async () => {
    const reader = await stream(await waiting());
    await reader.next();
    broker.view.setAgeSeconds(1_000);
    queueStreams(broker).soon();
    const last = await reader.next();
    await reader.ended;
    assert.deepEqual([last.event, last.data.reason, (last.retry ?? 0) >= 1_000], ['closing', 'view-too-old', true]);
  });

  test('ends with a random time to come back when the broker stops', async () => {
    const stopped = testBroker(database(), undefined, { sessionKeys: broker.sessionKeys });
    const other = await publicApplication(stopped);
    await other.listen({ host: '127.0.0.1', port: 0 });
    const reader = await readEvents((other.server.address() as AddressInfo).port, '/v1/events/queue', (await waiting()).headers);
    await reader.next();
    stopped.stop();
    const last = await reader.next();
    await reader.ended;
    await other.close();
    stopped.dispose();
    assert.deepEqual([last.event, (last.retry ?? 0) >= 500], ['closing', true]);
  });
});
