/** Reading: what is no token is refused with a field, whatever its bytes are, and what is authenticated cannot be changed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type CreateConnectTokenOptions,
  createConnectToken,
  decodeConnectToken,
  decodePrivatePart,
  decodePublicToken,
  decodeRenet,
  encodeRenet,
  formatAddress,
  type Ipv6Layout,
  NEVER_EXPIRES,
  NetcodeTokenError,
  type PublicToken,
  readPrivatePart,
} from '../src/index.ts';
import { errorOf, KEY, validOptions } from './fixtures.ts';
import { bytes, vector } from './golden.ts';

const TOKEN = createConnectToken(validOptions());
const RENET = encodeRenet(TOKEN);
const PLAINTEXT = bytes(vector('c-ipv4-1').privatePlaintext);

/** A copy with a change. */
function changed(source: Uint8Array, change: (view: DataView, copy: Uint8Array) => void): Uint8Array {
  const copy = source.slice();
  change(new DataView(copy.buffer), copy);
  return copy;
}

describe('the public part', () => {
  const refused: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
    ['no bytes at all', new Uint8Array(0), 'token', /0 bytes long/],
    ['a byte less', TOKEN.token.subarray(0, 2047), 'token', /2047 bytes long.*exactly 2048/],
    ['a byte more', new Uint8Array([...TOKEN.token, 0]), 'token', /2049 bytes long/],
    ["renet's form", RENET, 'token', /decodeRenet/],
    ['a client id in front of 2048 bytes', new Uint8Array(2048).fill(1), 'version', /does not begin with "NETCODE 1.02"/],
    ['another version', changed(TOKEN.token, (_, copy) => copy.set([0x31], 11)), 'version', /another version/],
    ['a version without its zero byte', changed(TOKEN.token, (_, copy) => copy.set([0x20], 12)), 'version', /zero byte/],
    [
      'an expiry that is the creation',
      changed(TOKEN.token, (view) => view.setBigUint64(29, 1_700_000_000n, true)),
      'expiresAt',
      /not after/,
    ],
    ['an expiry before the creation', changed(TOKEN.token, (view) => view.setBigUint64(29, 5n, true)), 'expiresAt', /^5 is not after/],
    ['no address', changed(TOKEN.token, (view) => view.setUint32(1089, 0, true)), 'publicAddresses', /is 0; it must be 1 to 32/],
    ['33 addresses', changed(TOKEN.token, (view) => view.setUint32(1089, 33, true)), 'publicAddresses', /is 33/],
    ['4294967295 addresses', changed(TOKEN.token, (view) => view.setUint32(1089, 0xffffffff, true)), 'publicAddresses', /4294967295/],
    ['a big-endian count', changed(TOKEN.token, (view) => view.setUint32(1089, 1, false)), 'publicAddresses', /lightyear/],
    ['an address of type 0', changed(TOKEN.token, (_, copy) => copy.set([0], 1093)), 'publicAddresses[0]', /type is 0/],
    ['an address of type 3', changed(TOKEN.token, (_, copy) => copy.set([3], 1093)), 'publicAddresses[0]', /type is 3/],
    ['port 0', changed(TOKEN.token, (view) => view.setUint16(1098, 0, true)), 'publicAddresses[0]', /port is 0/],
    ['two equal session keys', changed(TOKEN.token, (_, copy) => copy.copyWithin(1132, 1100, 1132)), 'serverToClientKey', /must differ/],
    ['a byte behind the last field', changed(TOKEN.token, (_, copy) => copy.set([1], 1164)), 'padding', /byte 1164/],
    ['a byte at the very end', changed(TOKEN.token, (_, copy) => copy.set([1], 2047)), 'padding', /byte 2047/],
  ];
  for (const [name, token, field, says] of refused)
    it(`${name} is refused`, () => {
      const error = errorOf(() => decodePublicToken(token));
      assert.equal(error.field, field);
      assert.match(error.problem, says);
    });

  it('an IPv6 address is refused until its layout is chosen', () => {
    const error = errorOf(() => decodePublicToken(bytes(vector('c-ipv6-1-standard').token)));
    assert.deepEqual([error.field, /'words'.*'octets'/.test(error.problem)], ['publicAddresses[0]', true]);
  });

  it('a token that never expires is read as that', () => {
    const token = changed(TOKEN.token, (view) => view.setBigUint64(29, NEVER_EXPIRES, true));
    assert.equal(decodePublicToken(token).expiresAt, NEVER_EXPIRES);
  });

  it('every negative timeout is none', () => {
    assert.equal(decodePublicToken(changed(TOKEN.token, (view) => view.setInt32(1085, -2147483648, true))).timeoutSeconds, 'never');
  });

  it('a timeout of 0 is told as it is', () => {
    assert.equal(decodePublicToken(changed(TOKEN.token, (view) => view.setInt32(1085, 0, true))).timeoutSeconds, 0);
  });

  it('a part of a larger buffer is read', () => {
    const buffer = Buffer.concat([Buffer.alloc(5), TOKEN.token, Buffer.alloc(5)]);
    assert.deepEqual(decodePublicToken(buffer.subarray(5, 2053)), decodePublicToken(TOKEN.token));
  });

  it('what was read does not change with the bytes that were read', () => {
    const source = TOKEN.token.slice();
    const read = decodePublicToken(source);
    source.fill(0);
    assert.deepEqual(read, decodePublicToken(TOKEN.token));
  });

  for (const value of [undefined, null, 'x', {}, [], new DataView(new ArrayBuffer(2048)), new Uint16Array(2048)])
    it(`${Object.prototype.toString.call(value)} instead of bytes is refused`, () => {
      assert.equal(errorOf(() => decodePublicToken(value as Uint8Array)).field, 'token');
    });

  it('an unknown layout of IPv6 is refused', () => {
    assert.equal(errorOf(() => decodePublicToken(TOKEN.token, { ipv6: 'standard' as Ipv6Layout })).field, 'ipv6');
  });
});

describe('the private part', () => {
  const publicToken = decodePublicToken(TOKEN.token);
  const open = (token: PublicToken, key = KEY) => decodePrivatePart(token, { key });

  it('another key does not open it', () => {
    assert.match(errorOf(() => open(publicToken, KEY.slice().fill(1, 0, 1))).message, /^privatePart: it does not decrypt/);
  });

  it('a key of zeros is refused', () => assert.equal(errorOf(() => open(publicToken, new Uint8Array(32))).field, 'key'));
  it('a key of another length is refused', () => assert.equal(errorOf(() => open(publicToken, KEY.subarray(1))).field, 'key'));
  it('another protocol id does not open it', () =>
    assert.equal(errorOf(() => open({ ...publicToken, protocolId: 1n })).field, 'privatePart'));
  it('a later expiry does not open it', () =>
    assert.equal(errorOf(() => open({ ...publicToken, expiresAt: publicToken.expiresAt + 1n })).field, 'privatePart'));
  it('a token that is none is refused with all its fields', () =>
    assert.deepEqual(
      errorOf(() => open({} as PublicToken)).problems.map(({ field }) => field),
      ['protocolId', 'expiresAt', 'nonce', 'encryptedPrivatePart'],
    ));
  it('nothing instead of a token is refused', () => assert.equal(errorOf(() => open(undefined as unknown as PublicToken)).field, 'token'));
  it('nothing instead of options is refused', () =>
    assert.equal(errorOf(() => decodePrivatePart(publicToken, undefined as unknown as { key: Uint8Array })).field, 'options'));

  it('what is not authenticated can be changed', () => {
    const token = changed(TOKEN.token, (view) => view.setBigUint64(21, 1n, true));
    assert.equal(decodeConnectToken(token, { key: KEY }).privatePart.clientId, TOKEN.clientId);
  });

  it('session keys that differ from the public ones are refused', () => {
    const token = changed(TOKEN.token, (_, copy) => copy.set([(copy[1100] ?? 0) ^ 1], 1100));
    assert.equal(errorOf(() => decodeConnectToken(token, { key: KEY })).field, 'clientToServerKey');
  });

  const refused: readonly (readonly [string, Uint8Array, string])[] = [
    ['1007 bytes', PLAINTEXT.subarray(1), 'privatePart'],
    ['no address', changed(PLAINTEXT, (view) => view.setUint32(12, 0, true)), 'privateAddresses'],
    ['33 addresses', changed(PLAINTEXT, (view) => view.setUint32(12, 33, true)), 'privateAddresses'],
    ['an address of type 0', changed(PLAINTEXT, (_, copy) => copy.set([0], 16)), 'privateAddresses[0]'],
    ['two equal session keys', changed(PLAINTEXT, (_, copy) => copy.copyWithin(55, 23, 55)), 'privatePart.serverToClientKey'],
    ['a byte at the very end', changed(PLAINTEXT, (_, copy) => copy.set([1], 1007)), 'privatePart.padding'],
  ];
  for (const [name, plaintext, field] of refused)
    it(`a decrypted part of or with ${name} is refused`, () => assert.equal(errorOf(() => readPrivatePart(plaintext)).field, field));
});

describe("renet's form", () => {
  const refused: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
    ['no bytes at all', new Uint8Array(0), 'version', /does not begin/],
    ["the standard's form", TOKEN.token, 'clientId', /decodePublicToken/],
    ['a token that was cut off', RENET.subarray(0, 1100), 'token', /cut off/],
    ['a token without its last byte', RENET.subarray(0, 1171), 'token', /cut off/],
    ['a byte more', new Uint8Array([...RENET, 0]), 'token', /no padding/],
    ['padding', new Uint8Array([...RENET.subarray(0, 8), ...TOKEN.token]), 'token', /no padding/],
    ['a megabyte', new Uint8Array(1_000_000), 'token', /1000000 bytes long/],
  ];
  for (const [name, token, field, says] of refused)
    it(`${name} is refused`, () => {
      const error = errorOf(() => decodeRenet(token));
      assert.equal(error.field, field);
      assert.match(error.problem, says);
    });

  it('it is read like the token that it was made of', () => {
    assert.deepEqual(decodeRenet(RENET), { clientId: TOKEN.clientId, token: TOKEN.token, publicToken: decodePublicToken(TOKEN.token) });
  });

  it('words are no layout of renet', () => {
    assert.equal(errorOf(() => decodeRenet(RENET, { ipv6: 'words' as 'octets' })).field, 'ipv6');
  });

  it('a token with IPv6 as words is not written', () => {
    const token = createConnectToken(validOptions({ publicAddresses: ['[2001:db8::1]:1'], ipv6: 'words' }));
    assert.match(errorOf(() => encodeRenet(token)).problem, /\[2001:db8::1\]:1 as the standard's words/);
  });

  it('what is no token is not written', () => {
    assert.equal(errorOf(() => encodeRenet({ ...TOKEN, token: new Uint8Array(2048) })).field, 'version');
  });

  it('a token with something behind its last field is not written', () => {
    assert.equal(errorOf(() => encodeRenet({ ...TOKEN, token: changed(TOKEN.token, (_, copy) => copy.set([1], 2047)) })).field, 'padding');
  });
});

describe('properties', () => {
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const port = fc.integer({ min: 1, max: 65535 });
  // 2000::/3 and 1.0.0.0 up: neither unspecified, mapped nor link-local, which new tokens refuse.
  const ipv4 = fc.tuple(fc.integer({ min: 1, max: 255 }), fc.nat(255), fc.nat(255), fc.nat(255)).map((octets) => octets.join('.'));
  const ipv6 = fc
    .tuple(fc.integer({ min: 0x2000, max: 0x3fff }), fc.array(fc.nat(0xffff), { minLength: 7, maxLength: 7 }))
    .map(([first, others]) => [first, ...others].map((word) => word.toString(16)).join(':'));
  const address = fc.record({ ip: fc.oneof(ipv4, ipv6), port });
  const list = fc.array(address, { minLength: 1, maxLength: 32 });
  const options = fc.record({
    protocolId: u64,
    clientId: u64,
    createdAt: fc.bigInt({ min: 0n, max: 99_999_999_999n }),
    lifetimeSeconds: fc.integer({ min: 32, max: 120 }),
    timeoutSeconds: fc.constant<number | 'never'>(1),
    publicAddresses: list,
    privateAddresses: list,
    userData: fc.uint8Array({ minLength: 256, maxLength: 256 }),
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((key) => key.some((byte) => byte !== 0)),
    ipv6: fc.constantFrom<Ipv6Layout>('words', 'octets'),
  }) satisfies fc.Arbitrary<CreateConnectTokenOptions>;

  /** Addresses in their canonical form. */
  const texts = (addresses: readonly { ip: string; port: number }[]) => addresses.map(formatAddress);

  it('whatever token is made, both parts are read as they were given', () => {
    fc.assert(
      fc.property(options, (given) => {
        const made = createConnectToken(given);
        const { publicToken, privatePart } = decodeConnectToken(made.token, given);
        assert.deepEqual(
          { ...publicToken, ...privatePart, addresses: [texts(publicToken.addresses), texts(privatePart.addresses)] },
          {
            protocolId: given.protocolId,
            clientId: given.clientId,
            createdAt: given.createdAt,
            expiresAt: given.createdAt + BigInt(given.lifetimeSeconds),
            timeoutSeconds: 1,
            addresses: [texts(given.publicAddresses), texts(given.privateAddresses)],
            userData: given.userData,
            nonce: publicToken.nonce,
            encryptedPrivatePart: publicToken.encryptedPrivatePart,
            clientToServerKey: publicToken.clientToServerKey,
            serverToClientKey: publicToken.serverToClientKey,
          },
        );
      }),
    );
  });

  it("whatever token is made, it goes through renet's form unchanged", () => {
    fc.assert(
      fc.property(options, (given) => {
        const made = createConnectToken({ ...given, ipv6: 'octets' });
        const { clientId, token } = decodeRenet(encodeRenet(made));
        assert.deepEqual([clientId, token], [made.clientId, made.token]);
      }),
    );
  });

  it('no change of version, protocol id, expiry, nonce or private part leaves a private part that opens', () => {
    const authenticated = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 29, max: 1084 }));
    fc.assert(
      fc.property(authenticated, fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const token = changed(TOKEN.token, (_, copy) => copy.set([(copy[at] ?? 0) ^ bits], at));
        assert.ok(['version', 'expiresAt', 'privatePart'].includes(errorOf(() => decodeConnectToken(token, { key: KEY })).field));
      }),
      { numRuns: 500 },
    );
  });

  /** Runs every decoder; whatever it throws must be an error with a field. Returns how many succeeded. */
  function decodeAll(input: Uint8Array): number {
    const decoders = (['words', 'octets', 'refuse'] as const).flatMap((layout) => [
      () => decodePublicToken(input, { ipv6: layout }),
      () => decodeConnectToken(input, { key: KEY, ipv6: layout }),
      () => decodeRenet(input, { ipv6: layout as 'octets' }),
      () => readPrivatePart(input, { ipv6: layout }),
    ]);
    let succeeded = 0;
    for (const decode of decoders) {
      try {
        decode();
        succeeded++;
      } catch (error) {
        if (!(error instanceof NetcodeTokenError) || error.field === '' || error.problem === '') throw error;
      }
    }
    return succeeded;
  }

  it('random bytes of every length are refused with a field', () => {
    const length = fc.oneof(fc.nat(3000), fc.constantFrom(0, 8, 1008, 1024, 1172, 2048, 2056));
    fc.assert(
      fc.property(length, fc.integer(), (size, seed) => {
        // A cheap generator: fast-check's own arrays of this size take most of the time.
        let state = seed | 1;
        const input = new Uint8Array(size).map(() => {
          state = Math.imul(state, 1664525) + 1013904223;
          return state >>> 24;
        });
        assert.equal(decodeAll(input), 0);
      }),
      { numRuns: 1000 },
    );
  });

  it('damaged tokens are read or refused with a field, in every form', () => {
    const sources = [
      TOKEN.token,
      RENET,
      PLAINTEXT,
      bytes(vector('c-ipv6-32-standard').token),
      bytes(vector('own-mixed-octets').token),
      bytes(vector('own-mixed-octets').privatePlaintext),
    ];
    const place = fc.oneof(fc.nat(2047), fc.integer({ min: 1085, max: 1110 }), fc.nat(60));
    const damage = fc.array(fc.tuple(place, fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 32, 33, 255))), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.constantFrom(...sources), damage, fc.option(fc.nat(2100)), (source, changes, cut) => {
        const input = source.slice(0, cut ?? source.length);
        for (const [at, value] of changes) if (at < input.length) input[at] = value;
        decodeAll(input);
      }),
      { numRuns: 3000 },
    );
  });
});
