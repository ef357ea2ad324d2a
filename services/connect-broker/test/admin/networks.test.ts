/** Networks as operators write them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isTooWide, networkContains, readNetwork } from '../../src/admin/networks.ts';

describe('readNetwork', () => {
  for (const [text, cidr] of [
    ['203.0.113.7', '203.0.113.7/32'],
    ['203.0.113.0/24', '203.0.113.0/24'],
    [' 203.0.113.7 ', '203.0.113.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::/0', '::/0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:3:4:5:6/128', '2001:db8:1:2:3:4:5:6/128'],
    ['2001:DB8::/48', '2001:db8::/48'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
    ['::ffff:cb00:7107', '203.0.113.7/32'],
    ['::ffff:203.0.113.0/120', '203.0.113.0/24'],
  ] as const) {
    test(`reads '${text}' as ${cidr}`, () => assert.equal(readNetwork(text).cidr, cidr));
  }

  for (const text of ['', 'ann', '203.0.113', '203.0.113.256', '0x7f.0.0.1', '127.1', '203.0.113.7/8/9', '010.0.0.1', '1.2.3.4 or 5']) {
    test(`refuses '${text}' as no address`, () =>
      assert.throws(() => readNetwork(text), /is no address or network; write it as 203\.0\.113\.7/));
  }

  test('refuses a length that the address does not have', () => {
    assert.throws(() => readNetwork('203.0.113.0/33'), /has the length '33'; for this kind of address it is a number from 0 to 32/);
  });

  test('refuses an empty length', () => {
    assert.throws(() => readNetwork('203.0.113.0/'), /has the length ''/);
  });

  test('says what the network is when bits are set behind its length', () => {
    assert.throws(
      () => readNetwork('203.0.113.7/24'),
      /'203\.0\.113\.7\/24' has bits set behind its \/24; the network is 203\.0\.113\.0\/24\./,
    );
  });

  test('says what the network is for IPv6 too', () => {
    assert.throws(() => readNetwork('2001:db8:1:ffff::/49'), /the network is 2001:db8:1:8000::\/49\./);
  });

  test('refuses a zone', () => {
    assert.throws(() => readNetwork('fe80::1%eth0'), /has a zone/);
  });
});

describe('isTooWide', () => {
  for (const [text, expected] of [
    ['0.0.0.0/0', true],
    ['10.0.0.0/7', true],
    ['10.0.0.0/8', false],
    ['2001::/31', true],
    ['2001:db8::/32', false],
  ] as const) {
    test(`${text} ${expected ? 'is' : 'is not'}`, () => assert.equal(isTooWide(readNetwork(text)), expected));
  }
});

describe('networkContains', () => {
  for (const [network, address, expected] of [
    ['203.0.113.0/24', '203.0.113.9', true],
    ['203.0.113.0/24', '::ffff:203.0.113.9', true],
    ['203.0.113.0/24', '203.0.114.9', false],
    ['203.0.113.0/24', '2001:db8::1', false],
    ['2001:db8:1:2::/64', '2001:db8:1:2:ffff::', true],
    ['::/0', '203.0.113.9', false],
    ['203.0.113.0/24', 'unknown', false],
  ] as const) {
    test(`${network} ${expected ? 'has' : 'does not have'} ${address}`, () =>
      assert.equal(networkContains(readNetwork(network), address), expected));
  }
});
