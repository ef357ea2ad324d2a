/** Limits that hold for whatever is sent: addresses that are not there, such as are no URL, one account that asks for token after token, a game server that was taken over, and an Agones that asks without end. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '../../src/http/application.ts';
import { autoscalerApplication } from '../../src/http/autoscaler.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { connect, makePlayer } from '../support/players.ts';

onDatabase('limits', (database) => {
  let broker: TestBroker;
  let application: Application;
  let internal: Application;
  let autoscaler: Application;
  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    internal = await internalApplication(broker, { rate: { max: 20, timeWindow: 60_000 } });
    autoscaler = await autoscalerApplication(broker, { rate: { max: 20, timeWindow: 60_000 } });
  });
  after(async () => {
    await application.close();
    await internal.close();
    await autoscaler.close();
    broker.dispose();
  });

  for (const [what, url, remoteAddress] of [
    ['realms', '/v1/realms', '198.51.100.33'],
    ['addresses that are not there', '/nowhere', '198.51.100.31'],
    ['addresses that are no URL', '/%zz', '198.51.100.32'],
  ] as const) {
    test(`${what} are answered three hundred times in ten seconds and then refused`, async () => {
      const answers = [];
      for (let tries = 0; tries < 301; tries++) answers.push(await application.inject({ url, remoteAddress }));
      const last = answers.at(-1);
      assert.deepEqual([answers.filter(({ statusCode }) => statusCode === 429).length, last?.json().code], [1, 'too-many-requests']);
      assert.ok(Number(last?.headers['retry-after']) > 0);
    });
  }

  const report = (remoteAddress: string, payload: object = {}) =>
    internal.inject({ method: 'POST', url: '/v1/game/reports', remoteAddress, payload });

  test('a pod that floods the port of game servers is refused, and others are answered', async () => {
    await Promise.all(Array.from({ length: 20 }, () => report('10.42.0.66')));
    assert.deepEqual([(await report('10.42.0.66')).statusCode, (await report('10.42.0.67')).statusCode], [429, 422]);
  });

  test('a report of the most sessions and orders fits', async () => {
    const uuid = '00000000-0000-4000-8000-000000000000';
    const sessions = Array.from({ length: 2_048 }, () => uuid);
    const acknowledged = Array.from({ length: 1_000 }, () => '9'.repeat(18));
    const body = { sessions, accepting: true, build: '0.1.0', players: 1, capacity: 1, acknowledged };
    assert.equal((await report('10.42.0.68', body)).statusCode, 401);
  });

  test('a body that no game server needs is too large', async () => {
    assert.equal((await report('10.42.0.69', { sessions: 'x'.repeat(200_000) })).statusCode, 413);
  });

  const review = (remoteAddress: string, annotation = '') => {
    const request = { uid: 'u', annotations: { annotation }, status: { replicas: 0, allocatedReplicas: 0 } };
    return autoscaler.inject({ method: 'POST', url: '/v1/autoscaler/dungeon', remoteAddress, payload: { request } });
  };

  test('a pod that floods the port of the autoscaler is refused, and others are answered', async () => {
    await Promise.all(Array.from({ length: 20 }, () => review('10.42.0.70')));
    assert.deepEqual([(await review('10.42.0.70')).statusCode, (await review('10.42.0.71')).statusCode], [429, 200]);
  });

  test('a question with all the annotations that a Fleet may have fits', async () => {
    assert.equal((await review('10.42.0.72', '\u0001'.repeat(256 * 1024))).statusCode, 200);
  });

  test('a question that no Fleet can have is too large', async () => {
    assert.equal((await review('10.42.0.73', 'x'.repeat(1_700_000))).statusCode, 413);
  });

  test('an account that asks for token after token is told to wait, from whatever addresses it asks', async () => {
    const player = await makePlayer(broker);
    const statuses: number[] = [];
    for (let tries = 0; tries < 32; tries++)
      statuses.push((await connect(application, player, 'aurora', {}, `198.51.101.${tries}`)).status);
    assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.at(-1)], [30, 429]);
  });
});
