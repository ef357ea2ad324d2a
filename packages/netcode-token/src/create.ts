/**
 * Making of new tokens, and the rules that a new token keeps. Deliberately strict where the standard is silent: each rule is a way in which
 * players were kept out, or let in for too long. README.md's table tells them all.
 */
import { randomFillSync } from 'node:crypto';
import { type AddressInput, isIpv4Mapped, type PackedAddress, readAddress, unpackAddress } from './address.ts';
import { readKey } from './decode.ts';
import { describe, isBytes, Problems, problemAt } from './errors.ts';
import { readU64 } from './u64.ts';
import { readUserData, type SessionUserData } from './user-data.ts';
import { type Ipv6Layout, ipv6Problem, KEY_BYTES, MAX_ADDRESSES, NONCE_BYTES, USER_DATA_BYTES, writeToken } from './wire.ts';

/** What a token is made of. */
export interface CreateConnectTokenOptions {
  /** Number of the game's protocol, the same at client and server; `parseProtocolId` reads it from text. */
  readonly protocolId: bigint;
  /** Who connects. Fresh for every token (`randomClientId`). */
  readonly clientId: bigint;
  /** Seconds from creation to expiry, a whole number from 1 to `maxLifetimeSeconds`; 30 to 45 suit a game that loads first and asks for its token last. */
  readonly lifetimeSeconds: number;
  /**
   * Seconds without a packet after which client and server give up, a whole number from 1 to `maxTimeoutSeconds`; 5 to 30 suit a game.
   * `'never'` switches the timeout off, for debugging: it is written as -1, which every library reads the same. 0 is not, so it is refused.
   */
  readonly timeoutSeconds: number | 'never';
  /** Where the client dials, in this order; 1 to 32. All but the last may each cost a timeout, which must be over before the token expires. */
  readonly publicAddresses: readonly AddressInput[];
  /** What the server was told that its address is; 1 to 32, such as its pod's IP and port. An exact match of IP and port admits. */
  readonly privateAddresses: readonly AddressInput[];
  /** Exactly 256 bytes of the game's own, or the fields of this library's layout, to which client id and time are added. */
  readonly userData: Uint8Array | SessionUserData;
  /** The 32 bytes that broker and game servers share. Never logged, never part of an error. */
  readonly key: Uint8Array;
  /** How IPv6 addresses are written, which depends on the library of the game server. @default 'refuse': IPv4 only */
  readonly ipv6?: Ipv6Layout;
  /** What becomes of IPv4-mapped addresses (`::ffff:192.0.2.1`), which match no IPv4 address of a server. @default 'refuse' */
  readonly ipv4Mapped?: 'keep' | 'refuse';
  /** Unix seconds. @default the clock of this machine */
  readonly createdAt?: bigint;
  /** Bound of `lifetimeSeconds`, itself at most 86400. @default 120: a token cannot be revoked */
  readonly maxLifetimeSeconds?: number;
  /** Bound of `timeoutSeconds`, itself at most 2147483647. @default 60 */
  readonly maxTimeoutSeconds?: number;
  /**
   * For tests with known tokens only: fills 88 bytes with nonce, client-to-server key and server-to-client key, in this order. Anything but a
   * cryptographically secure source breaks every connection's encryption. @default the operating system's random numbers
   */
  readonly random?: (bytes: Uint8Array) => void;
}

/** A new token. It is a bearer secret, for its player alone: only over HTTPS, never cached, never in a log or a URL. */
export interface ConnectToken {
  /** The standard's form, 2048 bytes. `encodeRenet` makes renet's. */
  readonly token: Uint8Array;
  readonly clientId: bigint;
  /** Unix seconds */
  readonly createdAt: bigint;
  /** Unix seconds; servers refuse it from then on. */
  readonly expiresAt: bigint;
  readonly ipv6: Ipv6Layout;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof CreateConnectTokenOptions>([
  'protocolId',
  'clientId',
  'lifetimeSeconds',
  'timeoutSeconds',
  'publicAddresses',
  'privateAddresses',
  'userData',
  'key',
  'ipv6',
  'ipv4Mapped',
  'createdAt',
  'maxLifetimeSeconds',
  'maxTimeoutSeconds',
  'random',
]);
/** What a caller might hand in that must be random. */
const RANDOM_FIELDS: ReadonlySet<string> = new Set(['nonce', 'clientToServerKey', 'serverToClientKey', 'expiresAt']);
/** Nonce and both session keys. */
const SECRET_BYTES = NONCE_BYTES + 2 * KEY_BYTES;
const DEFAULT_MAX_LIFETIME = 120;
const DEFAULT_MAX_TIMEOUT = 60;
const DAY = 86_400;
const MAX_INT32 = 2_147_483_647;
/** As seconds, a time in the year 5138; as milliseconds, one in 1973. */
const FIRST_MILLISECONDS = 100_000_000_000n;

/**
 * Makes a token with a fresh nonce and fresh session keys.
 * @throws NetcodeTokenError that names every wrong option, its value where it is no secret, and what would be right
 */
export function createConnectToken(options: CreateConnectTokenOptions): ConnectToken {
  if (typeof options !== 'object' || options === null) throw problemAt('options', `${describe(options)} is no object with options.`);
  const problems = new Problems();
  for (const name of Object.keys(options)) if (!OPTIONS.has(name)) problems.add(name, unknownOption(name));
  const protocolId = readU64(options.protocolId, 'protocolId', problems);
  const clientId = readU64(options.clientId, 'clientId', problems);
  const createdAt = readCreatedAt(options.createdAt, problems);
  const lifetime = readLifetime(options, problems);
  const timeout = readTimeout(options, problems);
  const ipv6 = options.ipv6 ?? 'refuse';
  const wrongIpv6 = ipv6Problem(ipv6);
  if (wrongIpv6) problems.add('ipv6', wrongIpv6);
  const mapped = options.ipv4Mapped ?? 'refuse';
  if (mapped !== 'keep' && mapped !== 'refuse')
    problems.add('ipv4Mapped', `${describe(mapped)} is no choice; it must be 'keep' or 'refuse'.`);
  const publicAddresses = readList(options, 'publicAddresses', problems);
  const privateAddresses = readList(options, 'privateAddresses', problems);
  checkTimeToTryAll(options, lifetime, timeout, problems);
  const userData = readUserDataOption(options.userData, clientId, createdAt, problems);
  readKey(options.key, problems);
  if (options.random !== undefined && typeof options.random !== 'function')
    problems.add('random', `${describe(options.random)} is no function; leave it out, it is for tests only.`);
  problems.throwIfAny();

  const expiresAt = (createdAt as bigint) + BigInt(lifetime as number);
  const token = writeToken({
    ...freshSecrets(options.random),
    protocolId: protocolId as bigint,
    clientId: clientId as bigint,
    createdAt: createdAt as bigint,
    expiresAt,
    timeoutSeconds: timeout === 'never' ? -1 : (timeout as number),
    publicAddresses,
    privateAddresses,
    userData: userData as Uint8Array,
    ipv6,
    key: options.key,
  });
  return { token, clientId: clientId as bigint, createdAt: createdAt as bigint, expiresAt, ipv6 };
}

/** Nonce and session keys. A source that repeats itself is refused: two equal keys break the encryption of the whole connection. */
function freshSecrets(random: CreateConnectTokenOptions['random']) {
  const bytes = new Uint8Array(SECRET_BYTES);
  if (random) random(bytes);
  else takeRandom(bytes);
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const clientToServerKey = bytes.subarray(NONCE_BYTES, NONCE_BYTES + KEY_BYTES);
  const serverToClientKey = bytes.subarray(NONCE_BYTES + KEY_BYTES);
  if (clientToServerKey.every((byte, index) => serverToClientKey[index] === byte))
    throw problemAt('random', 'it filled both session keys with the same bytes; use a cryptographically secure source, or leave it out.');
  return { nonce, clientToServerKey, serverToClientKey };
}

/** Random bytes that were fetched and not used yet are behind `used`: to ask the operating system takes as long for one token as for many. */
const store = new Uint8Array(64 * SECRET_BYTES);
let used = store.length;

function takeRandom(into: Uint8Array): void {
  if (used === store.length) {
    randomFillSync(store);
    used = 0;
  }
  const from = used;
  used += into.length;
  into.set(store.subarray(from, used));
  // Nobody gets them twice, whatever goes wrong, and keys of players do not stay in memory.
  store.fill(0, from, used);
}

function unknownOption(name: string): string {
  if (name === 'expiresAt') return 'it cannot be given; it is createdAt plus lifetimeSeconds.';
  if (RANDOM_FIELDS.has(name)) return 'it cannot be given; it is random for every token, since a repeated one breaks the encryption.';
  return `there is no such option; there are ${[...OPTIONS].join(', ')}.`;
}

function readCreatedAt(value: unknown, problems: Problems): bigint | undefined {
  if (value === undefined) return BigInt(Math.floor(Date.now() / 1000));
  if (typeof value !== 'bigint')
    return problems.add('createdAt', `${describe(value)} is no bigint; write unix seconds, such as BigInt(Math.floor(Date.now() / 1000)).`);
  if (value < 0n) return problems.add('createdAt', `${value} is before 1970; write unix seconds.`);
  if (value >= FIRST_MILLISECONDS)
    return problems.add('createdAt', `${value} looks like milliseconds; write unix seconds, or the token is good for thousands of years.`);
  return value;
}

function readLifetime(options: CreateConnectTokenOptions, problems: Problems): number | undefined {
  const most = readMost(options.maxLifetimeSeconds, 'maxLifetimeSeconds', DEFAULT_MAX_LIFETIME, DAY, problems);
  const value: unknown = options.lifetimeSeconds;
  if (isWhole(value, 1, most)) return value;
  const hint = typeof value === 'number' && value > most ? ' It is seconds, not milliseconds or a time: a token cannot be revoked.' : '';
  return problems.add(
    'lifetimeSeconds',
    `${describe(value)} is no lifetime; it must be a whole number of seconds from 1 to ${most}.${hint}`,
  );
}

function readTimeout(options: CreateConnectTokenOptions, problems: Problems): number | 'never' | undefined {
  const most = readMost(options.maxTimeoutSeconds, 'maxTimeoutSeconds', DEFAULT_MAX_TIMEOUT, MAX_INT32, problems);
  const value: unknown = options.timeoutSeconds;
  if (value === 'never' || isWhole(value, 1, most)) return value;
  const hint =
    value === 0
      ? ' 0 means no timeout to some libraries and at once to others.'
      : typeof value === 'number' && value < 0
        ? " For no timeout write 'never'."
        : typeof value === 'number' && value > most
          ? ' It is seconds, not milliseconds.'
          : '';
  return problems.add('timeoutSeconds', `${describe(value)} is no timeout; it must be a whole number of seconds from 1 to ${most}.${hint}`);
}

function readMost(value: unknown, field: string, fallback: number, ceiling: number, problems: Problems): number {
  if (value === undefined) return fallback;
  if (isWhole(value, 1, ceiling)) return value;
  problems.add(field, `${describe(value)} is no bound; it must be a whole number of seconds from 1 to ${ceiling}.`);
  return fallback;
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function readList(
  options: CreateConnectTokenOptions,
  field: 'publicAddresses' | 'privateAddresses',
  problems: Problems,
): readonly PackedAddress[] {
  const list: unknown = options[field];
  if (!Array.isArray(list)) {
    problems.add(field, `${describe(list)} is no list; write an array of 1 to ${MAX_ADDRESSES} addresses such as ["203.0.113.7:7777"].`);
    return [];
  }
  if (list.length < 1 || list.length > MAX_ADDRESSES) {
    problems.add(field, `there are ${list.length} addresses; there must be 1 to ${MAX_ADDRESSES}.`);
    return [];
  }
  const addresses: PackedAddress[] = [];
  for (const [index, input] of list.entries()) {
    const place = `${field}[${index}]`;
    const packed = readAddress(input, place, problems);
    if (!packed) continue;
    const problem = addressProblem(packed, options, field === 'publicAddresses');
    if (problem) problems.add(place, `${unpackAddress(packed).ip} ${problem}`);
    else addresses.push(packed);
  }
  return addresses;
}

/** Why a valid address has no place in the list. */
function addressProblem({ octets }: PackedAddress, options: CreateConnectTokenOptions, dialled: boolean): string | undefined {
  if (isIpv4Mapped(octets) && options.ipv4Mapped !== 'keep')
    return `is an IPv4-mapped address, which matches no IPv4 address of a server; write ${octets.subarray(12).join('.')}, or set ipv4Mapped: 'keep'.`;
  if (octets.length === 16 && (options.ipv6 ?? 'refuse') === 'refuse')
    return "is IPv6, whose bytes differ between libraries; set ipv6 to 'words' (the standard, C) or 'octets' (renet, netcode-rs), or write IPv4 only.";
  if (!dialled) return undefined;
  if (octets.every((octet) => octet === 0))
    return 'means any address of a machine, which nobody can dial; write the address that players reach.';
  if (octets.length === 16 && octets[0] === 0xfe && ((octets[1] ?? 0) & 0xc0) === 0x80)
    return 'is link-local, which cannot be dialled without a zone id, and a token cannot carry one; write another address.';
  return undefined;
}

/** The client tries one address after the other, each for a timeout, and its token must still be good at the last one. */
function checkTimeToTryAll(
  options: CreateConnectTokenOptions,
  lifetime: number | undefined,
  timeout: number | 'never' | undefined,
  problems: Problems,
): void {
  if (!Array.isArray(options.publicAddresses) || options.publicAddresses.length > MAX_ADDRESSES) return;
  const others = options.publicAddresses.length - 1;
  if (others < 1 || lifetime === undefined || timeout === undefined) return;
  if (timeout === 'never')
    problems.add(
      'timeoutSeconds',
      `without a timeout the client never tries the other ${others} of the public addresses; give one address, or a timeout.`,
    );
  else if (others * timeout >= lifetime)
    problems.add(
      'timeoutSeconds',
      `the last of ${others + 1} public addresses is tried after ${others} x ${timeout} = ${others * timeout} s, when the token of ${lifetime} s has expired; ` +
        `give fewer addresses or a shorter timeout (addresses - 1, times the timeout, must be below the lifetime).`,
    );
}

function readUserDataOption(
  value: unknown,
  clientId: bigint | undefined,
  createdAt: bigint | undefined,
  problems: Problems,
): Uint8Array | undefined {
  if (isBytes(value)) {
    if (value.length === USER_DATA_BYTES) return value;
    return problems.add(
      'userData',
      `it has ${value.length} bytes; netcode carries exactly ${USER_DATA_BYTES}, so ${value.length > USER_DATA_BYTES ? 'shorten it' : 'pad it, with its version or length inside'}.`,
    );
  }
  if (typeof value === 'object' && value !== null) {
    for (const name of ['clientId', 'issuedAt'])
      if (Object.hasOwn(value, name)) return problems.add(`userData.${name}`, 'it is taken from the token; leave it out.');
    // A mistake in either is noted already, under its own name.
    return readUserData({ ...value, clientId: clientId ?? 0n, issuedAt: createdAt ?? 0n }, 'userData', problems);
  }
  return problems.add(
    'userData',
    `it must be ${USER_DATA_BYTES} bytes, or an object with accountId, characterId, sessionId, serverId and build.`,
  );
}
