/** New tokens: each rule is kept, each mistake is told with its field, and no error tells a secret. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type CreateConnectTokenOptions,
  createConnectToken,
  decodeConnectToken,
  decodeUserData,
  formatAddress,
  NetcodeTokenError,
} from '../src/index.ts';
import { creationError, errorOf, KEY, SESSION, validOptions } from './fixtures.ts';
import { hex } from './golden.ts';

const decode = (changes: Partial<CreateConnectTokenOptions> = {}) =>
  decodeConnectToken(createConnectToken(validOptions(changes)).token, { key: KEY, ipv6: 'octets' });

/** Refused with this field, and a sentence that says this. */
function refuses(name: string, changes: Record<string, unknown>, field: string, says: RegExp): void {
  it(`${name} is refused`, () => {
    const error = creationError(changes);
    assert.deepEqual([error.problems.length, error.field], [1, field]);
    assert.match(error.problem, says);
  });
}

describe('what a token says', () => {
  it('it has 2048 bytes', () => {
    assert.equal(createConnectToken(validOptions()).token.length, 2048);
  });

  it('it expires when its lifetime is over', () => {
    assert.equal(createConnectToken(validOptions({ lifetimeSeconds: 45 })).expiresAt, 1_700_000_045n);
  });

  it('it is made now unless a time is given', () => {
    const before = BigInt(Math.floor(Date.now() / 1000));
    const { createdAt } = createConnectToken(validOptions({ createdAt: undefined }));
    const after = BigInt(Math.floor(Date.now() / 1000));
    assert.ok(before <= createdAt && createdAt <= after);
  });

  it('client and server get lists of their own', () => {
    const { publicToken, privatePart } = decode();
    assert.deepEqual(
      [publicToken, privatePart].map(({ addresses }) => addresses.map(formatAddress)),
      [['203.0.113.7:40000'], ['10.42.7.9:7777']],
    );
  });

  it('addresses keep their order', () => {
    const publicAddresses = ['203.0.113.7:40000', '192.168.1.245:40000', '[2001:db8::1]:40000'];
    assert.deepEqual(decode({ publicAddresses, ipv6: 'octets' }).publicToken.addresses.map(formatAddress), publicAddresses);
  });

  it('client and server get the same timeout', () => {
    const { publicToken, privatePart } = decode({ timeoutSeconds: 9 });
    assert.deepEqual([publicToken.timeoutSeconds, privatePart.timeoutSeconds], [9, 9]);
  });

  it("no timeout is the typed 'never'", () => {
    assert.equal(decode({ timeoutSeconds: 'never' }).privatePart.timeoutSeconds, 'never');
  });

  it('user data in fields get the client id and time of the token', () => {
    const { userData } = decode().privatePart;
    assert.deepEqual(decodeUserData(userData), { ...SESSION, clientId: 7_000_000_000_000_000_123n, issuedAt: 1_700_000_000n });
  });

  it('user data in bytes are carried as they are', () => {
    const userData = new Uint8Array(256).map((_, index) => index);
    assert.deepEqual(decode({ userData }).privatePart.userData, userData);
  });

  it('IPv4-mapped addresses are kept when that is asked for', () => {
    const privateAddresses = ['[::ffff:192.0.2.1]:7777'];
    assert.deepEqual(
      decode({ privateAddresses, ipv6: 'octets', ipv4Mapped: 'keep' }).privatePart.addresses.map(formatAddress),
      privateAddresses,
    );
  });

  it('the private list may hold the unspecified address, which netcode-rs compares with', () => {
    assert.deepEqual(decode({ privateAddresses: ['0.0.0.0:7777'] }).privatePart.addresses.map(formatAddress), ['0.0.0.0:7777']);
  });
});

describe('randomness', () => {
  const many = Array.from({ length: 200 }, () => decode().publicToken);

  it('no two tokens have the same nonce', () => {
    assert.equal(new Set(many.map(({ nonce }) => hex(nonce))).size, 200);
  });

  it('no session key is ever used twice', () => {
    assert.equal(
      new Set(many.flatMap(({ clientToServerKey, serverToClientKey }) => [hex(clientToServerKey), hex(serverToClientKey)])).size,
      400,
    );
  });

  refuses('a random source that repeats itself', { random: (bytes: Uint8Array) => bytes.fill(7) }, 'random', /both session keys/);
  refuses('a random source that does nothing', { random: () => undefined }, 'random', /both session keys/);
  refuses('a random source that is no function', { random: 4 }, 'random', /for tests only/);
  for (const field of ['nonce', 'clientToServerKey', 'serverToClientKey'])
    refuses(`a given ${field}`, { [field]: new Uint8Array(32) }, field, /random for every token/);
});

describe('lifetime', () => {
  for (const lifetimeSeconds of [1, 120])
    it(`${lifetimeSeconds} s is a lifetime`, () => {
      assert.equal(createConnectToken(validOptions({ lifetimeSeconds })).expiresAt, 1_700_000_000n + BigInt(lifetimeSeconds));
    });
  for (const lifetimeSeconds of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '30', 30n, undefined, null])
    refuses(
      `a lifetime of ${typeof lifetimeSeconds} ${lifetimeSeconds}`,
      { lifetimeSeconds },
      'lifetimeSeconds',
      /whole number of seconds from 1 to 120/,
    );
  refuses('a lifetime of 121 s', { lifetimeSeconds: 121 }, 'lifetimeSeconds', /^121 .* from 1 to 120/);
  refuses('a lifetime in milliseconds', { lifetimeSeconds: 30_000 }, 'lifetimeSeconds', /not milliseconds/);
  refuses('a time for a lifetime', { lifetimeSeconds: 1_763_830_000_000 }, 'lifetimeSeconds', /not milliseconds or a time/);

  it('the bound can be raised', () => {
    assert.equal(createConnectToken(validOptions({ lifetimeSeconds: 600, maxLifetimeSeconds: 600 })).expiresAt, 1_700_000_600n);
  });

  refuses('a bound of more than a day', { maxLifetimeSeconds: 86_401 }, 'maxLifetimeSeconds', /1 to 86400/);
  refuses('a time of creation in milliseconds', { createdAt: 1_763_830_000_000n }, 'createdAt', /looks like milliseconds/);
  refuses(
    'a time of creation that is no bigint',
    { createdAt: 1_763_830_000 },
    'createdAt',
    /BigInt\(Math\.floor\(Date\.now\(\) \/ 1000\)\)/,
  );
  refuses('a time of creation before 1970', { createdAt: -1n }, 'createdAt', /before 1970/);
  refuses('a given expiry', { expiresAt: 1_700_000_030n }, 'expiresAt', /createdAt plus lifetimeSeconds/);
});

describe('timeout', () => {
  refuses('a timeout of 0', { timeoutSeconds: 0 }, 'timeoutSeconds', /0 means no timeout to some libraries and at once to others/);
  refuses('a negative timeout', { timeoutSeconds: -1 }, 'timeoutSeconds', /write 'never'/);
  refuses('a timeout in milliseconds', { timeoutSeconds: 5000 }, 'timeoutSeconds', /not milliseconds/);
  refuses('half a second of timeout', { timeoutSeconds: 0.5 }, 'timeoutSeconds', /whole number/);
  refuses('a timeout above int32', { timeoutSeconds: 2 ** 31, maxTimeoutSeconds: 2 ** 31 - 1 }, 'timeoutSeconds', /1 to 2147483647/);
  refuses('a bound of timeouts above int32', { maxTimeoutSeconds: 2 ** 31 }, 'maxTimeoutSeconds', /1 to 2147483647/);

  const addresses = (count: number) => Array.from({ length: count }, (_, index) => `203.0.113.${index + 1}:40000`);
  refuses(
    'a list of which the last address is tried when the token has expired',
    { publicAddresses: addresses(4), timeoutSeconds: 10, lifetimeSeconds: 30 },
    'timeoutSeconds',
    /tried after 3 x 10 = 30 s/,
  );

  it('a list of which the last address is tried just in time is taken', () => {
    assert.equal(decode({ publicAddresses: addresses(4), timeoutSeconds: 10, lifetimeSeconds: 31 }).publicToken.addresses.length, 4);
  });

  it('the private list costs no time', () => {
    assert.equal(decode({ privateAddresses: addresses(32), timeoutSeconds: 30 }).privatePart.addresses.length, 32);
  });

  it('32 addresses fit with a short timeout', () => {
    assert.equal(decode({ publicAddresses: addresses(32), timeoutSeconds: 1, lifetimeSeconds: 32 }).publicToken.addresses.length, 32);
  });

  refuses(
    'several addresses without a timeout',
    { publicAddresses: addresses(2), timeoutSeconds: 'never' },
    'timeoutSeconds',
    /never tries the other 1/,
  );
});

describe('addresses', () => {
  refuses('an IPv6 address while none is expected', { publicAddresses: ['[2001:db8::1]:7777'] }, 'publicAddresses[0]', /'words'.*'octets'/);
  refuses(
    'a private IPv6 address while none is expected',
    { privateAddresses: ['[2001:db8::1]:7777'] },
    'privateAddresses[0]',
    /'words'.*'octets'/,
  );
  refuses('an unknown way to write IPv6', { ipv6: 'network' }, 'ipv6', /"network" is no way to write IPv6/);
  refuses(
    'an IPv4-mapped address',
    { privateAddresses: ['[::ffff:192.0.2.1]:7777'], ipv6: 'words' },
    'privateAddresses[0]',
    /write 192\.0\.2\.1/,
  );
  refuses('an unknown choice for IPv4-mapped addresses', { ipv4Mapped: true }, 'ipv4Mapped', /'keep' or 'refuse'/);
  refuses('the unspecified address in the public list', { publicAddresses: ['0.0.0.0:7777'] }, 'publicAddresses[0]', /nobody can dial/);
  refuses(
    'a link-local address in the public list',
    { publicAddresses: ['[fe80::1]:7777'], ipv6: 'octets' },
    'publicAddresses[0]',
    /link-local/,
  );
  refuses('a list that is none', { publicAddresses: '203.0.113.7:7777' }, 'publicAddresses', /is no list/);
  refuses('an address of another type', { publicAddresses: [7] }, 'publicAddresses[0]', /^7 is no address/);
  refuses('an address with a wrong port', { publicAddresses: [{ ip: '203.0.113.7', port: 0 }] }, 'publicAddresses[0].port', /1 to 65535/);
  refuses('a host name in a field', { publicAddresses: [{ ip: 'localhost', port: 1 }] }, 'publicAddresses[0].ip', /host name/);
});

describe('numbers, keys, user data', () => {
  refuses('a client id that is a number', { clientId: 5 }, 'clientId', /5 is no bigint.*such as 5n/);
  refuses('a protocol id in text', { protocolId: '0x1' }, 'protocolId', /is no bigint/);
  refuses('a protocol id above 64 bits', { protocolId: 2n ** 64n }, 'protocolId', /does not fit into 64 bits/);
  refuses('a key of zeros', { key: new Uint8Array(32) }, 'key', /renet's Unsecure/);
  refuses('a key of 33 bytes', { key: new Uint8Array(33).fill(1) }, 'key', /32 bytes, and is 33 bytes/);
  refuses('user data of 255 bytes', { userData: new Uint8Array(255) }, 'userData', /255 bytes.*exactly 256.*pad it/);
  refuses('missing user data', { userData: undefined }, 'userData', /256 bytes, or an object/);
  refuses(
    'a client id of its own in the user data',
    { userData: { ...SESSION, clientId: 1n } },
    'userData.clientId',
    /taken from the token/,
  );
  refuses('a wrong field in the user data', { userData: { ...SESSION, accountId: 'me' } }, 'userData.accountId', /is no UUID/);
  refuses('an option that does not exist', { timeout: 5 }, 'timeout', /no such option/);

  for (const options of [undefined, null, 5, 'x'])
    it(`options that are ${options} are refused`, () => {
      assert.equal(errorOf(() => createConnectToken(options as unknown as CreateConnectTokenOptions)).field, 'options');
    });
});

describe('errors', () => {
  it('all mistakes are told at once, in the order of the fields', () => {
    const error = creationError({ clientId: -1n, lifetimeSeconds: 0, publicAddresses: ['a:1', 'b:2'], key: 'x', nonce: 1 });
    assert.deepEqual(
      error.problems.map(({ field }) => field),
      ['nonce', 'clientId', 'lifetimeSeconds', 'publicAddresses[0]', 'publicAddresses[1]', 'key'],
    );
  });

  it('the message holds every field and sentence', () => {
    const error = creationError({ clientId: -1n, key: KEY.subarray(1) });
    assert.equal(error.message, ['2 mistakes:', ...error.problems.map(({ field, problem }) => `- ${field}: ${problem}`)].join('\n'));
  });

  it('an empty object is told every field that it lacks', () => {
    const error = errorOf(() => createConnectToken({} as CreateConnectTokenOptions));
    assert.deepEqual(
      error.problems.map(({ field }) => field),
      ['protocolId', 'clientId', 'lifetimeSeconds', 'timeoutSeconds', 'publicAddresses', 'privateAddresses', 'userData', 'key'],
    );
  });

  for (const [kind, key] of [
    ['text', 'correct horse battery staple'],
    ['bytes', new Uint8Array(31).fill(0xab)],
    ['a list', Array.from({ length: 32 }, () => 171)],
  ] as const)
    it(`a wrong key in ${kind} is not repeated in the error`, () => {
      assert.doesNotMatch(creationError({ key }).message, /horse|ab|171/);
    });

  it('the error has its own name', () => {
    assert.ok(creationError({ clientId: 1 }) instanceof NetcodeTokenError && creationError({ clientId: 1 }).name === 'NetcodeTokenError');
  });
});
