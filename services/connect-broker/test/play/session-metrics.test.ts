/** What becomes of sessions, as the broker's metrics tell it. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Application } from '../../src/http/application.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { publicApplication } from '../../src/http/public.ts';
import { sessionMeter } from '../../src/play/session-metrics.ts';
import { expirePlaces } from '../../src/play/tasks.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { asServer, connect, makePlayer, type Player, settle } from '../support/players.ts';

const SUNREACH = 'world:aurora/sunreach';

onDatabase('metrics of sessions', (database) => {
  let broker: TestBroker;
  let application: Application;
  let internal: Application;
  let player: Player;
  let meter: () => Promise<void>;

  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    internal = await internalApplication(broker);
  });
  beforeEach(async () => {
    for (const table of ['play_sessions', 'game_servers', 'server_orders', 'accounts']) await database().query(`delete from ${table}`);
    await settle(database());
    broker.metrics.sessionsEnded.reset();
    player = await makePlayer(broker);
    meter = sessionMeter(broker);
    await meter();
  });
  after(async () => {
    await application.close();
    await internal.close();
    broker.dispose();
  });

  const entered = async () => {
    const { body } = await connect(application, player, 'aurora', { continent: 'sunreach' });
    const { playSessionId, clientId } = body as { playSessionId: string; clientId: string };
    const claimed = await asServer(internal, broker, SUNREACH, 'claims', { playSessionId, clientId });
    assert.equal(claimed.status, 200, JSON.stringify(claimed.body));
    return { playSessionId, epoch: claimed.body.character.epoch as string };
  };
  const left = async (reason: string) => {
    const { status } = await asServer(internal, broker, SUNREACH, 'releases', { ...(await entered()), reason });
    assert.equal(status, 204);
  };
  const reported = (accepting: boolean, players = 1) =>
    asServer(internal, broker, SUNREACH, 'reports', { sessions: [], accepting, build: '0.4.2', players, capacity: 100 });
  /** Lets as much time pass as an end needs to be settled, and then measures. */
  const later = async () => {
    await database().query(`update play_sessions set claimed_at = claimed_at - interval '60 s', released_at = released_at - interval '15 s',
      held_until = held_until - interval '15 s', ended_at = ended_at - interval '15 s', superseded_at = superseded_at - interval '15 s'`);
    await meter();
  };
  /** Of what the meter has counted, what is not zero. */
  const ended = async () => {
    const { values } = await broker.metrics.sessionsEnded.get();
    return Object.fromEntries(
      values.filter(({ value }) => value > 0).map(({ labels, value }) => [`${labels.target} ${labels.because}`, value]),
    );
  };

  test('a session that is played counts as one of its world', async () => {
    await entered();
    await meter();
    const { values } = await broker.metrics.sessions.get();
    assert.deepEqual(
      values.map(({ labels, value }) => ({ ...labels, value })),
      [{ kind: 'world', target: 'aurora/sunreach', value: 1 }],
    );
  });

  test('a world that nobody plays on any more has no sessions', async () => {
    await left('logged-out');
    await meter();
    assert.deepEqual((await broker.metrics.sessions.get()).values, []);
  });

  test('time that is played adds up over sessions', async () => {
    await entered();
    const before = Date.now();
    await meter();
    const { values } = await broker.metrics.sessionSeconds.get();
    const [{ value = Number.NaN } = {}] = values;
    // The meter was made in the test's own setup: no more time than since the process began can have been played.
    assert.ok(value >= 0 && value <= (Date.now() - before) / 1000 + process.uptime(), String(value));
  });

  test('cuts of a world that is played on begin at zero', async () => {
    await entered();
    await meter();
    const { values } = await broker.metrics.sessionsEnded.get();
    assert.deepEqual(values.map(({ labels, value }) => [labels.because, value]).sort(), [
      ['disconnected', 0],
      ['lost', 0],
    ]);
  });

  test('who logs out is counted so', async () => {
    await left('logged-out');
    await later();
    assert.deepEqual(await ended(), { 'aurora/sunreach logged-out': 1 });
  });

  test('a broken connection is counted at once, although the place is kept', async () => {
    await left('disconnected');
    await later();
    assert.deepEqual(await ended(), { 'aurora/sunreach disconnected': 1 });
  });

  test('a broken connection is counted once, also when its place ends later', async () => {
    await left('disconnected');
    await later();
    await database().query("update play_sessions set held_until = held_until - interval '300 s'");
    await expirePlaces(broker);
    await later();
    assert.deepEqual(await ended(), { 'aurora/sunreach disconnected': 1 });
  });

  test('a broken connection stays one when its player comes back', async () => {
    await left('disconnected');
    await entered();
    await later();
    assert.deepEqual(await ended(), { 'aurora/sunreach disconnected': 1 });
  });

  test('the players of a server that falls silent are lost', async () => {
    await entered();
    await database().query("update play_sessions set claimed_at = claimed_at - interval '60 s'");
    await expirePlaces(broker);
    await later();
    assert.deepEqual(await ended(), { 'aurora/sunreach lost': 1 });
  });

  test('a connection that breaks while the world lets nobody in is a planned stop', async () => {
    await left('disconnected');
    await reported(false);
    await later();
    assert.deepEqual(await ended(), { 'aurora/sunreach drained': 1 });
  });

  test('a connection that breaks while the world is full is none', async () => {
    await left('disconnected');
    await reported(false, 100);
    await later();
    assert.deepEqual(await ended(), { 'aurora/sunreach disconnected': 1 });
  });

  test('a token that nobody used was no session', async () => {
    await connect(application, player, 'aurora', { continent: 'sunreach' });
    await database().query("update play_sessions set token_expires_at = now() - interval '1 hour'");
    await expirePlaces(broker);
    await later();
    assert.deepEqual(await ended(), {});
  });

  test('what ended before the first look is not counted again by the next process', async () => {
    await left('logged-out');
    await later();
    broker.metrics.sessionsEnded.reset();
    const next = sessionMeter(broker);
    await next();
    await next();
    assert.deepEqual(await ended(), {});
  });
});
