/** Addresses: what is read, in which form it is written, and what is refused. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatAddress, parseAddress } from '../src/index.ts';
import { errorOf } from './fixtures.ts';

describe('reading', () => {
  const read: readonly (readonly [string, string])[] = [
    ['203.0.113.7:7777', '203.0.113.7:7777'],
    ['0.0.0.0:1', '0.0.0.0:1'],
    ['255.255.255.255:65535', '255.255.255.255:65535'],
    ['[::]:7777', '[::]:7777'],
    ['[::1]:7777', '[::1]:7777'],
    ['[2001:DB8:0:0:0:0:0:1]:7777', '[2001:db8::1]:7777'],
    ['[2001:0db8:0000:0000:0001:0000:0000:0001]:7777', '[2001:db8::1:0:0:1]:7777'],
    ['[1:0:2:0:3:0:4:0]:7777', '[1:0:2:0:3:0:4:0]:7777'],
    ['[1::]:7777', '[1::]:7777'],
    ['[1:2:3:4:5:6:7::]:7777', '[1:2:3:4:5:6:7:0]:7777'],
    ['[::ffff:192.0.2.1]:7777', '[::ffff:192.0.2.1]:7777'],
    ['[::ffff:c000:201]:7777', '[::ffff:192.0.2.1]:7777'],
    ['[64:ff9b::192.0.2.33]:7777', '[64:ff9b::c000:221]:7777'],
  ];
  for (const [text, canonical] of read)
    it(`${text} is read and written as ${canonical}`, () => {
      assert.equal(formatAddress(parseAddress(text)), canonical);
    });

  it('the family is told', () => {
    assert.deepEqual(
      ['1.2.3.4:5', '[::1]:5'].map((text) => parseAddress(text).family),
      ['IPv4', 'IPv6'],
    );
  });
});

describe('refusing', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /holds no IP address/],
    ['203.0.113.7', /has no port/],
    ['203.0.113.7:', /no valid port/],
    ['203.0.113.7:0', /no valid port/],
    ['203.0.113.7:07777', /no valid port/],
    ['203.0.113.7:65536', /no valid port/],
    ['203.0.113.7:+1', /no valid port/],
    ['203.0.113.7:1e3', /no valid port/],
    ['203.0.113.7:77 ', /no valid port/],
    [' 203.0.113.7:77', /holds no IP address/],
    ['203.0.113.010:7777', /leading zero.*octal/],
    ['203.0.113.256:7777', /holds no IP address/],
    ['203.0.113:7777', /holds no IP address/],
    ['3405803783:7777', /holds no IP address/],
    ['0xcb.0.113.7:7777', /host name/],
    ['game.example.com:7777', /host name.*resolve it first/],
    ['localhost:7777', /host name/],
    ['2001:db8::1:7777', /IPv6 without brackets/],
    ['2001:db8::1', /IPv6 without brackets/],
    ['[2001:db8::1]', /has no port/],
    ['[fe80::1%eth0]:7777', /zone id/],
    ['[203.0.113.7]:7777', /brackets around what is not IPv6/],
    ['[1::2::3]:7777', /holds no IP address/],
    ['[1:2:3:4:5:6:7]:7777', /holds no IP address/],
    ['[1:2:3:4:5:6:7:8:9]:7777', /holds no IP address/],
    ['[1:2:3:4:5:6:7:8::]:7777', /holds no IP address/],
    ['[12345::]:7777', /holds no IP address/],
    ['[::1.2.3.4:5]:7777', /holds no IP address/],
    ['[::1.2.3.04]:7777', /holds no IP address/],
    ['[:1:2:3:4:5:6:7]:7777', /holds no IP address/],
    ['203.0.113.7:7777\n', /no valid port/],
    ['١.٢.٣.٤:7777', /holds no IP address/],
  ];
  for (const [text, says] of refused)
    it(`${JSON.stringify(text)} is refused`, () => {
      const error = errorOf(() => parseAddress(text, 'server'));
      assert.equal(error.field, 'server');
      assert.match(error.problem, says);
    });

  for (const value of [undefined, null, 7, {}, []])
    it(`${JSON.stringify(value)} is refused`, () => {
      assert.match(errorOf(() => parseAddress(value as unknown as string)).problem, /is no string/);
    });

  it('a long text is cut in the error', () => {
    assert.ok(errorOf(() => parseAddress('x'.repeat(10_000))).message.length < 300);
  });

  it('an address to be written is checked', () => {
    assert.equal(errorOf(() => formatAddress({ ip: '::1', port: 70_000 })).field, 'address.port');
  });
});

describe('properties', () => {
  const port = fc.integer({ min: 1, max: 65535 });

  it('what is read and written is read the same again', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.ipV6().map((ip) => `[${ip}]`),
        ),
        port,
        (ip, at) => {
          const address = parseAddress(`${ip}:${at}`);
          assert.deepEqual(parseAddress(formatAddress(address)), address);
        },
      ),
    );
  });

  it('every IPv6 address is written as WHATWG URLs write it, except IPv4-mapped ones', () => {
    // Words that are often zero, so that runs of zeros of each length and place come up.
    const word = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(word, { minLength: 8, maxLength: 8 }), (words) => {
        const text = words.map((one) => one.toString(16)).join(':');
        const { ip } = parseAddress(`[${text}]:1`);
        if (!ip.startsWith('::ffff:') || !ip.includes('.')) assert.equal(`[${ip}]`, new URL(`http://[${text}]`).hostname);
      }),
      { numRuns: 500 },
    );
  });

  it('what Node takes for an address is read, and nothing else is', () => {
    const piece = fc.constantFrom(':', '::', '.', '0', '00', '1', 'ff', 'ffff', '12345', '255', '256', '1.2.3.4', 'g', '%', ' ');
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (ip) => {
        const known = ip.includes('%') ? 0 : isIP(ip);
        let read = 0;
        try {
          read = parseAddress(ip.includes(':') ? `[${ip}]:1` : `${ip}:1`).family === 'IPv4' ? 4 : 6;
        } catch {}
        assert.equal(read, known);
      }),
      { numRuns: 3000 },
    );
  });
});
