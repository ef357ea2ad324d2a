/** Where players seem to come from, as /readyz tells the doctor: nobody plays on a node, so a node's address is one that replaced a player's. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import { clientNetworkOf } from '../../src/http/client-address.ts';
import { operationsApplication } from '../../src/http/operations.ts';
import { publicApplication } from '../../src/http/public.ts';
import { testBroker } from '../support/broker.ts';

const NODES = new Set(['192.168.1.11']);
const away = { up: false, poolState: () => ({ idle: 0, busy: 0, waiting: 0 }) } as unknown as Database;

describe('an address', () => {
  for (const [address, network] of [
    ['198.51.100.20', 'internet'],
    ['2001:db9::1', 'internet'],
    ['192.168.1.50', 'private'],
    ['100.64.3.4', 'private'],
    ['fd00::7', 'private'],
    ['192.168.1.11', 'node'],
    ['::ffff:192.168.1.11', 'node'],
  ] as const) {
    test(`${address} is ${network}`, () => assert.equal(clientNetworkOf(address, NODES), network));
  }
});

describe('/readyz', () => {
  const broker = testBroker(away);
  let counts: unknown;

  before(async () => {
    const players = await publicApplication(broker);
    for (const address of ['198.51.100.20', '198.51.100.21', '192.168.1.50', '192.168.1.11'])
      await players.inject({ url: '/v1/openapi.json', headers: { 'x-forwarded-for': address } });
    const operations = await operationsApplication(broker);
    counts = (await operations.inject('/readyz')).json().clients;
    await Promise.all([players.close(), operations.close()]);
  });
  after(() => broker.dispose());

  test('counts requests of players by where they seem to come from', () => {
    assert.deepEqual(counts, { internet: 2, private: 1, nodes: 1 });
  });
});
