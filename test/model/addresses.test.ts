/** Addresses as numbers: parsing, ranges and their overlaps. */
import fc from 'fast-check';
import { contains, fromNumber, isIPv4, overlaps, parseRange, toNumber } from '../../lib/model/addresses';

const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test('every number is the address that it came from', () => {
  fc.assert(fc.property(number, (value) => toNumber(fromNumber(value)) === value));
});

test('every number has the form of an address', () => {
  fc.assert(fc.property(number, (value) => isIPv4(fromNumber(value))));
});

test('the order of numbers is the order of addresses, also above 127.255.255.255', () => {
  expect(['10.0.0.9', '10.0.0.10', '192.168.1.1', '255.255.255.255'].map(toNumber)).toEqual([167772169, 167772170, 3232235777, 4294967295]);
});

test.each(['10.1', '10.0.0.256', '10.0.0', '10.0.0.1.2', '0x0a.0.0.1', '10.0.0.01', ' 10.0.0.1', '10.0.0.1/32', '::1', 'host', ''])(
  "'%s' is no address",
  (text) => {
    expect(isIPv4(text)).toBe(false);
  },
);

test('what is no address has no number', () => {
  expect(() => toNumber('10.1')).toThrow("'10.1' is not an IPv4 address in dotted-decimal form.");
});

describe('a range', () => {
  test.each([
    ['192.168.1.240-192.168.1.254', '192.168.1.240', '192.168.1.254'],
    ['192.168.1.240 - 192.168.1.254', '192.168.1.240', '192.168.1.254'],
    ['192.168.1.240-192.168.1.240', '192.168.1.240', '192.168.1.240'],
    ['192.168.1.0/24', '192.168.1.0', '192.168.1.255'],
    ['192.168.1.7/32', '192.168.1.7', '192.168.1.7'],
    ['0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
  ])("'%s' is from %s to %s", (text, first, last) => {
    expect(parseRange(text)).toEqual({ first: toNumber(first), last: toNumber(last) });
  });

  test.each([
    ['192.168.1.254-192.168.1.240', "'192.168.1.254-192.168.1.240' ends before it begins; write it as '192.168.1.240-192.168.1.254'."],
    ['192.168.1.240-254', "'192.168.1.240-254' is not a range of IPv4 addresses; write it as '192.168.1.240-192.168.1.254'."],
    ['192.168.1.7/24', "'192.168.1.7/24' has host bits set; did you mean '192.168.1.0/24'?"],
    ['192.168.1.0/33', "'192.168.1.0/33' is neither a range ('192.168.1.240-192.168.1.254') nor a CIDR block ('192.168.1.0/24')."],
    ['192.168.1.1', "'192.168.1.1' is neither a range ('192.168.1.240-192.168.1.254') nor a CIDR block ('192.168.1.0/24')."],
  ])("'%s' is refused with the way to write it", (text, sentence) => {
    expect(parseRange(text)).toBe(sentence);
  });

  test('contains its ends and nothing beside them', () => {
    const range = { first: toNumber('10.0.0.2'), last: toNumber('10.0.0.4') };
    expect(['10.0.0.1', '10.0.0.2', '10.0.0.4', '10.0.0.5'].map((address) => contains(range, address))).toEqual([false, true, true, false]);
  });

  test('as a block holds as many addresses as its prefix says', () => {
    fc.assert(
      fc.property(number, fc.integer({ min: 0, max: 32 }), (value, prefix) => {
        const size = 2 ** (32 - prefix);
        const range = parseRange(`${fromNumber(Math.floor(value / size) * size)}/${prefix}`);
        return typeof range !== 'string' && range.last - range.first + 1 === size && value >= range.first && value <= range.last;
      }),
    );
  });

  test('overlaps another exactly when they share an address', () => {
    const small = fc
      .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 4 }))
      .map(([first, size]) => ({ first, last: first + size }));
    fc.assert(
      fc.property(small, small, (a, b) => {
        const shared = Array.from({ length: 20 }, (_, address) => address).some(
          (address) => contains(a, fromNumber(address)) && contains(b, fromNumber(address)),
        );
        return overlaps(a, b) === shared && overlaps(b, a) === shared;
      }),
    );
  });
});
