/** The layout of the user data: where each field stands, what is refused, and that every value comes back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeUserData, encodeUserData, type UserData } from '../src/index.ts';
import { errorOf, SESSION } from './fixtures.ts';
import { hex } from './golden.ts';

const FULL: UserData = { ...SESSION, clientId: 0x1122334455667788n, issuedAt: 1_700_000_000n };
const written = () => encodeUserData(FULL);

/** The field that an error about these bytes names. */
function fieldAfter(change: (bytes: Uint8Array) => void): string {
  const bytes = written();
  change(bytes);
  return errorOf(() => decodeUserData(bytes)).field;
}

describe('bytes', () => {
  it('there are 256', () => assert.equal(written().length, 256));
  it('byte 0 is the version', () => assert.equal(written()[0], 1));
  it('byte 1 is the length of the server id', () => assert.equal(written()[1], 16));
  it('byte 2 is the length of the build', () => assert.equal(written()[2], 5));
  it('bytes 8 to 15 are the client id, little-endian', () => assert.equal(hex(written().subarray(8, 16)), '8877665544332211'));
  it('bytes 16 to 23 are the time, little-endian', () => assert.equal(hex(written().subarray(16, 24)), '00f1536500000000'));
  it('bytes 24 to 39 are the account in network order', () =>
    assert.equal(hex(written().subarray(24, 40)), '6f9619ff8b864d01b42d00cf4fc964ff'));
  it('bytes 40 to 55 are the character', () => assert.equal(hex(written().subarray(40, 56)), '0b0e3c0a52d74f368f4e1d2c3b4a5968'));
  it('bytes 56 to 71 are the session', () => assert.equal(hex(written().subarray(56, 72)), 'a3bb189e8bf94c3d9f6c7d1b2f0e5a44'));
  it('bytes 72 to 167 are the server id and zeros', () =>
    assert.equal(Buffer.from(written().subarray(72, 168)).toString(), `aurora/eldermoor${'\0'.repeat(80)}`));
  it('bytes 168 to 231 are the build and zeros', () =>
    assert.equal(Buffer.from(written().subarray(168, 232)).toString(), `0.4.2${'\0'.repeat(59)}`));
  it('the rest is zero', () => assert.equal(hex(written().subarray(3, 8)) + hex(written().subarray(232)), '00'.repeat(29)));
});

describe('writing', () => {
  const refused: readonly (readonly [string, Record<string, unknown>, string, RegExp])[] = [
    ['a UUID without hyphens', { accountId: '6f9619ff8b864d01b42d00cf4fc964ff' }, 'accountId', /is no UUID/],
    ['a nil UUID', { sessionId: '00000000-0000-0000-0000-000000000000' }, 'sessionId', /nil UUID/],
    ['a missing character', { characterId: undefined }, 'characterId', /undefined is no UUID/],
    ['an empty server id', { serverId: '' }, 'serverId', /has 0 bytes/],
    ['a server id of 97 bytes', { serverId: `${'x'.repeat(95)}é` }, 'serverId', /has 97 bytes of UTF-8; it must have 1 to 96/],
    ['a build of 65 bytes', { build: 'x'.repeat(65) }, 'build', /has 65 bytes/],
    ['half a surrogate pair', { serverId: 'a\ud83d' }, 'serverId', /surrogate/],
    ['a control character', { build: 'a\nb' }, 'build', /control character/],
    ['a client id that is a number', { clientId: 5 }, 'clientId', /is no bigint/],
    ['a field that does not exist', { realm: 'aurora' }, 'realm', /no such field/],
  ];
  for (const [name, changes, field, says] of refused)
    it(`${name} is refused`, () => {
      const error = errorOf(() => encodeUserData({ ...FULL, ...changes } as UserData));
      assert.deepEqual([error.problems.length, error.field], [1, field]);
      assert.match(error.problem, says);
    });

  it('all mistakes are told at once', () => {
    const error = errorOf(() => encodeUserData({ accountId: 'x', build: '' } as UserData));
    assert.deepEqual(
      error.problems.map(({ field }) => field),
      ['clientId', 'issuedAt', 'accountId', 'characterId', 'sessionId', 'serverId', 'build'],
    );
  });
});

describe('reading', () => {
  it('UUIDs come back in lower case', () => {
    assert.equal(decodeUserData(encodeUserData({ ...FULL, accountId: FULL.accountId.toUpperCase() })).accountId, FULL.accountId);
  });

  it('an unknown version is refused', () => {
    assert.match(
      errorOf(() => decodeUserData(written().fill(2, 0, 1))).message,
      /^userData\.version: the version is 2; this library knows version 1 only/,
    );
  });

  it('user data of zeros are refused as of an unknown version', () => {
    assert.equal(errorOf(() => decodeUserData(new Uint8Array(256))).field, 'userData.version');
  });

  for (const length of [0, 255, 257])
    it(`${length} bytes are refused`, () => assert.equal(errorOf(() => decodeUserData(new Uint8Array(length))).field, 'userData'));

  it('a length above the field is refused', () =>
    assert.equal(
      fieldAfter((bytes) => bytes.fill(97, 1, 2)),
      'userData.serverId',
    ));
  it('a length of 0 is refused', () =>
    assert.equal(
      fieldAfter((bytes) => bytes.fill(0, 2, 3)),
      'userData.build',
    ));
  it('bytes behind the server id are refused', () =>
    assert.equal(
      fieldAfter((bytes) => bytes.fill(1, 167, 168)),
      'userData.serverId',
    ));
  it('bytes behind the build are refused', () =>
    assert.equal(
      fieldAfter((bytes) => bytes.fill(1, 231, 232)),
      'userData.build',
    ));
  it('invalid UTF-8 is refused', () =>
    assert.equal(
      fieldAfter((bytes) => bytes.fill(0xff, 72, 73)),
      'userData.serverId',
    ));
  it('a nil UUID is refused', () =>
    assert.equal(
      fieldAfter((bytes) => bytes.fill(0, 40, 56)),
      'userData.characterId',
    ));
  it('reserved bytes in the head are refused', () =>
    assert.equal(
      fieldAfter((bytes) => bytes.fill(1, 3, 4)),
      'userData.reserved',
    ));
  it('reserved bytes at the end are refused', () =>
    assert.equal(
      fieldAfter((bytes) => bytes.fill(1, 255, 256)),
      'userData.reserved',
    ));
});

describe('properties', () => {
  const text = (most: number) =>
    fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: most })
      .filter((value) => Buffer.byteLength(value) <= most && [...Buffer.from(value)].every((byte) => byte >= 0x20 && byte !== 0x7f));
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

  it('whatever is written is read the same', () => {
    const userData = fc.record(
      {
        clientId: u64,
        issuedAt: u64,
        accountId: fc.uuid(),
        characterId: fc.uuid(),
        sessionId: fc.uuid(),
        serverId: text(96),
        build: text(64),
      },
      { noNullPrototype: true },
    );
    fc.assert(fc.property(userData, (one) => assert.deepEqual(decodeUserData(encodeUserData(one)), one)));
  });

  it('whatever bytes are read, they are written the same or refused with a field', () => {
    // Mutations of valid user data: random bytes alone would hardly pass the version.
    const mutation = fc.array(fc.tuple(fc.nat(255), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(mutation, (changes) => {
        const bytes = written();
        for (const [at, value] of changes) bytes[at] = value;
        let read: UserData | undefined;
        try {
          read = decodeUserData(bytes);
        } catch (error) {
          assert.match((error as { field: string }).field, /^userData\./);
        }
        if (read) assert.deepEqual(encodeUserData(read), bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
