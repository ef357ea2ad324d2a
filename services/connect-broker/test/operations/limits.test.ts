/** Limits of the players' listener that hold for whatever is sent: addresses that are not there, such as are no URL, and one account that asks for token after token. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { connect, makePlayer } from '../support/players.ts';

onDatabase('limits', (database) => {
  let broker: TestBroker;
  let application: Application;
  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });

  for (const [what, url, remoteAddress] of [
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

  test('an account that asks for token after token is told to wait, from whatever addresses it asks', async () => {
    const player = await makePlayer(broker);
    const statuses: number[] = [];
    for (let tries = 0; tries < 32; tries++)
      statuses.push((await connect(application, player, 'aurora', {}, `198.51.101.${tries}`)).status);
    assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.at(-1)], [30, 429]);
  });
});
