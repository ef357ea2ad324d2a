/** Where players seem to come from, as /readyz tells the doctor: nobody plays on a node, so a node's address is one that replaced a player's. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import { clientNetworkOf, isPrivateAddress } from '../../src/http/client-address.ts';
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

test('an IPv4 address is private in its own form just when it is inside IPv6', () => {
  // ipaddr.js reads the second one, by the registry's ranges.
  const edges = [
    0, 9, 10, 11, 63, 64, 99, 100, 101, 126, 127, 128, 168, 169, 170, 171, 172, 173, 191, 192, 193, 253, 254, 255, 15, 16, 31, 32, 167,
  ];
  const differing = edges.flatMap((first) =>
    edges
      .map((second) => `${first}.${second}.3.4`)
      .filter((address) => isPrivateAddress(address) !== isPrivateAddress(`::ffff:${address}`)),
  );
  assert.deepEqual(differing, []);
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
