/**
 * This library's layout of the 256 bytes of user data: who enters, as whom, where, and with which client id. README.md has the table for
 * game servers. Deliberately nothing that a server must believe without asking: a token cannot be revoked, so admission is decided elsewhere.
 */
import { describe, isBytes, Problems, problemAt } from './errors.ts';
import { readU64 } from './u64.ts';
import { USER_DATA_BYTES } from './wire.ts';

/** Version of the layout that is written, and the only one that is read. */
export const USER_DATA_VERSION = 1;
/** Most bytes of `serverId` in UTF-8. */
export const MAX_SERVER_ID_BYTES = 96;
/** Most bytes of `build` in UTF-8. */
export const MAX_BUILD_BYTES = 64;

/** What the user data says about a session. */
export interface UserData {
  /** The token's client id. A game server compares it with the connection's: renetcode 2.0.0 lets a player mix two tokens. */
  readonly clientId: bigint;
  /** When the token was made, unix seconds. */
  readonly issuedAt: bigint;
  /** UUIDs in text, such as `6f9619ff-8b86-4d01-b42d-00cf4fc964ff`; written and read in lower case. The nil UUID is refused. */
  readonly accountId: string;
  readonly characterId: string;
  readonly sessionId: string;
  /** The server that the token is for, 1 to 96 bytes of UTF-8 without control characters: `aurora/eldermoor`, or an instance's UUID. */
  readonly serverId: string;
  /** Build of the game that the server runs, 1 to 64 bytes of UTF-8 without control characters. */
  readonly build: string;
}

/** What `createConnectToken` needs to be told; it takes client id and time from the token. */
export type SessionUserData = Omit<UserData, 'clientId' | 'issuedAt'>;

const UUID_FIELDS = ['accountId', 'characterId', 'sessionId'] as const;
const FIELDS: readonly string[] = ['clientId', 'issuedAt', ...UUID_FIELDS, 'serverId', 'build'];
const AT = { clientId: 8, issuedAt: 16, accountId: 24, characterId: 40, sessionId: 56, serverId: 72, build: 168, reserved: 232 } as const;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NIL = '00000000-0000-0000-0000-000000000000';
const encoder = new TextEncoder();

/**
 * Writes user data, 256 bytes.
 * @throws NetcodeTokenError that names every field that is wrong
 */
export function encodeUserData(userData: UserData): Uint8Array {
  const problems = new Problems();
  const bytes = readUserData(userData, '', problems);
  problems.throwIfAny();
  return bytes as Uint8Array;
}

/**
 * Reads user data of exactly 256 bytes.
 * @throws NetcodeTokenError that names the first field that is wrong; `userData.version` for a version that this library does not know
 */
export function decodeUserData(bytes: Uint8Array): UserData {
  const field = (name: string) => `userData.${name}`;
  if (!isBytes(bytes) || bytes.length !== USER_DATA_BYTES)
    throw problemAt(
      'userData',
      `it must be a Uint8Array of ${USER_DATA_BYTES} bytes, and is ${isBytes(bytes) ? describe(bytes) : `a ${typeof bytes}`}.`,
    );
  if (bytes[0] !== USER_DATA_VERSION)
    throw problemAt(field('version'), `the version is ${bytes[0]}; this library knows version ${USER_DATA_VERSION} only.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const uuid = (name: (typeof UUID_FIELDS)[number]) => {
    const text = formatUuid(bytes, AT[name]);
    if (text === NIL) throw problemAt(field(name), 'it is the nil UUID, which stands for nobody.');
    return text;
  };
  const userData = {
    clientId: view.getBigUint64(AT.clientId, true),
    issuedAt: view.getBigUint64(AT.issuedAt, true),
    accountId: uuid('accountId'),
    characterId: uuid('characterId'),
    sessionId: uuid('sessionId'),
    serverId: readText(bytes, AT.serverId, MAX_SERVER_ID_BYTES, bytes[1] ?? 0, field('serverId')),
    build: readText(bytes, AT.build, MAX_BUILD_BYTES, bytes[2] ?? 0, field('build')),
  };
  requireZeros(bytes, 3, AT.clientId, field('reserved'));
  requireZeros(bytes, AT.reserved, USER_DATA_BYTES, field('reserved'));
  return userData;
}

/** Notes mistakes under `prefix`, or returns the 256 bytes. */
export function readUserData(userData: unknown, prefix: string, problems: Problems): Uint8Array | undefined {
  const field = (name: string) => (prefix === '' ? name : `${prefix}.${name}`);
  if (typeof userData !== 'object' || userData === null)
    return problems.add(
      prefix || 'userData',
      `it is ${userData === null ? 'null' : `a ${typeof userData}`}, which is no user data; it must have the fields ${FIELDS.join(', ')}.`,
    );
  const given = userData as Partial<Record<string, unknown>>;
  for (const name of Object.keys(given))
    if (!FIELDS.includes(name)) problems.add(field(name), `there is no such field in the user data; there are ${FIELDS.join(', ')}.`);
  const clientId = readU64(given.clientId, field('clientId'), problems);
  const issuedAt = readU64(given.issuedAt, field('issuedAt'), problems);
  const uuids = UUID_FIELDS.map((name) => checkUuid(given[name], field(name), problems));
  const serverId = checkText(given.serverId, MAX_SERVER_ID_BYTES, field('serverId'), problems);
  const build = checkText(given.build, MAX_BUILD_BYTES, field('build'), problems);
  if (clientId === undefined || issuedAt === undefined || !serverId || !build) return undefined;

  const bytes = new Uint8Array(USER_DATA_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = USER_DATA_VERSION;
  bytes[1] = serverId.length;
  bytes[2] = build.length;
  view.setBigUint64(AT.clientId, clientId, true);
  view.setBigUint64(AT.issuedAt, issuedAt, true);
  for (const [index, uuid] of uuids.entries()) {
    if (uuid === undefined) return undefined;
    writeUuid(bytes, AT.accountId + 16 * index, uuid);
  }
  bytes.set(serverId, AT.serverId);
  bytes.set(build, AT.build);
  return bytes;
}

function checkUuid(value: unknown, field: string, problems: Problems): string | undefined {
  if (typeof value !== 'string' || !UUID.test(value))
    return problems.add(field, `${describe(value)} is no UUID; write one such as "6f9619ff-8b86-4d01-b42d-00cf4fc964ff".`);
  if (value === NIL) return problems.add(field, 'it is the nil UUID, which stands for nobody; write the real one.');
  return value;
}

function checkText(value: unknown, most: number, field: string, problems: Problems): Uint8Array | undefined {
  if (typeof value !== 'string') return problems.add(field, `${describe(value)} is no string; write text of 1 to ${most} bytes of UTF-8.`);
  const bytes = encoder.encode(value);
  if (bytes.length < 1 || bytes.length > most)
    return problems.add(field, `${describe(value)} has ${bytes.length} bytes of UTF-8; it must have 1 to ${most}.`);
  // encode() has put U+FFFD in the place of half a surrogate pair, so the text would come back as another one. (As many bytes as characters is ASCII.)
  if (bytes.length !== value.length && /\p{Surrogate}/u.test(value))
    return problems.add(field, `${describe(value)} holds half of a surrogate pair, which is no text.`);
  if (hasControlCharacter(bytes)) return problems.add(field, `${describe(value)} holds a control character; write printable text.`);
  return bytes;
}

function readText(bytes: Uint8Array, offset: number, most: number, length: number, field: string): string {
  if (length < 1 || length > most) throw problemAt(field, `its length is ${length}; it must be 1 to ${most}.`);
  const encoded = bytes.subarray(offset, offset + length);
  requireZeros(bytes, offset + length, offset + most, field);
  if (hasControlCharacter(encoded)) throw problemAt(field, 'it holds a control character.');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(encoded);
  } catch {
    throw problemAt(field, 'it is not valid UTF-8.');
  }
}

/** Control characters of ASCII: in UTF-8 their bytes stand for nothing else. */
function hasControlCharacter(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte < 0x20 || byte === 0x7f) return true;
  return false;
}

function requireZeros(bytes: Uint8Array, from: number, to: number, field: string): void {
  for (let at = from; at < to; at++)
    if (bytes[at] !== 0) throw problemAt(field, `byte ${at} of the user data is not zero, and nothing is written there.`);
}

function writeUuid(bytes: Uint8Array, offset: number, uuid: string): void {
  let at = offset;
  for (let index = 0; index < uuid.length; index += 2) {
    if (uuid[index] === '-') index++;
    bytes[at++] = (hexDigit(uuid.charCodeAt(index)) << 4) | hexDigit(uuid.charCodeAt(index + 1));
  }
}

/** Of a character of which is known that it is one. */
function hexDigit(code: number): number {
  return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
}

function formatUuid(bytes: Uint8Array, offset: number): string {
  const digits = Buffer.from(bytes.subarray(offset, offset + 16)).toString('hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
}
