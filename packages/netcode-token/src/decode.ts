/**
 * Reading of tokens in the standard's form. Whatever the bytes are, the only error is NetcodeTokenError. Deliberately stricter than most
 * servers: what a careful encoder would not have written is refused, so that two different tokens never read the same.
 */
import type { SocketAddress } from './address.ts';
import { describe, isBytes, Problems, problemAt } from './errors.ts';
import { readU64 } from './u64.ts';
import {
  CONNECT_TOKEN_BYTES,
  type Ipv6Layout,
  ipv6Problem,
  KEY_BYTES,
  NONCE_BYTES,
  OFFSET,
  openPrivatePart,
  PRIVATE_PART_BYTES,
  PRIVATE_PLAINTEXT_BYTES,
  Reader,
  USER_DATA_BYTES,
  VERSION,
} from './wire.ts';

/** What the client reads. Only version, protocol id, expiry and the private part are authenticated; the carrier can change the rest. */
export interface PublicToken {
  readonly protocolId: bigint;
  /** Unix seconds. No server checks it. */
  readonly createdAt: bigint;
  /** Unix seconds; a server refuses the token from then on. `NEVER_EXPIRES` for a token that has no end. */
  readonly expiresAt: bigint;
  /** 24 bytes */
  readonly nonce: Uint8Array;
  /** 1024 bytes, which only broker and game server can read. */
  readonly encryptedPrivatePart: Uint8Array;
  /** Seconds without a packet after which the client gives up; `'never'` for any negative number. 0 means different things to different libraries. */
  readonly timeoutSeconds: number | 'never';
  /** Where the client dials, in this order; 1 to 32. */
  readonly addresses: readonly SocketAddress[];
  /** 32 bytes, secret */
  readonly clientToServerKey: Uint8Array;
  /** 32 bytes, secret */
  readonly serverToClientKey: Uint8Array;
}

/** What the game server reads. */
export interface PrivatePart {
  readonly clientId: bigint;
  /** As in `PublicToken`, for the server. */
  readonly timeoutSeconds: number | 'never';
  /** What the server compares with the addresses that it was configured with; 1 to 32. */
  readonly addresses: readonly SocketAddress[];
  /** 32 bytes, secret */
  readonly clientToServerKey: Uint8Array;
  /** 32 bytes, secret */
  readonly serverToClientKey: Uint8Array;
  /** 256 bytes; `decodeUserData` reads this library's layout of them. */
  readonly userData: Uint8Array;
}

/** How a token is read. */
export interface DecodeOptions {
  /** How IPv6 addresses are written in it. @default 'refuse': a token with an IPv6 address is an error until one is chosen */
  readonly ipv6?: Ipv6Layout;
}

/** How a private part is read. */
export interface DecodePrivateOptions extends DecodeOptions {
  /** The 32 bytes that broker and game server share. */
  readonly key: Uint8Array;
}

/**
 * Reads the public part of a token of exactly 2048 bytes.
 * @throws NetcodeTokenError that names the first field that is wrong
 */
export function decodePublicToken(token: Uint8Array, options: DecodeOptions = {}): PublicToken {
  const { publicToken, end } = readPublicToken(token, readIpv6Option(options));
  new Reader(token, end).zeros('padding');
  return publicToken;
}

/**
 * Decrypts and reads the private part of a token that `decodePublicToken` has read.
 * @throws NetcodeTokenError with field `privatePart` when the key is another one, or when private part, protocol id or expiry were changed
 */
export function decodePrivatePart(
  token: Pick<PublicToken, 'protocolId' | 'expiresAt' | 'nonce' | 'encryptedPrivatePart'>,
  options: DecodePrivateOptions,
): PrivatePart {
  const ipv6 = readIpv6Option(options);
  const problems = new Problems();
  readKey(options.key, problems);
  if (typeof token !== 'object' || token === null) throw problemAt('token', `${describe(token)} is not what decodePublicToken returns.`);
  readU64(token.protocolId, 'protocolId', problems);
  readU64(token.expiresAt, 'expiresAt', problems);
  readExactBytes(token.nonce, NONCE_BYTES, 'nonce', problems);
  readExactBytes(token.encryptedPrivatePart, PRIVATE_PART_BYTES, 'encryptedPrivatePart', problems);
  problems.throwIfAny();
  const plaintext = openPrivatePart(token, options.key);
  if (!plaintext)
    throw problemAt(
      'privatePart',
      'it does not decrypt: the key is not the one it was made with, or its bytes, the protocol id, the expiry or the nonce were changed.',
    );
  return readPrivatePart(plaintext, { ipv6 });
}

/**
 * Reads a private part that is decrypted already: exactly 1008 bytes.
 * @throws NetcodeTokenError that names the first field that is wrong
 */
export function readPrivatePart(plaintext: Uint8Array, options: DecodeOptions = {}): PrivatePart {
  const ipv6 = readIpv6Option(options);
  const problems = new Problems();
  readExactBytes(plaintext, PRIVATE_PLAINTEXT_BYTES, 'privatePart', problems);
  problems.throwIfAny();
  const reader = new Reader(plaintext);
  const clientId = reader.u64();
  const timeoutSeconds = readTimeout(reader);
  const addresses = reader.addresses('privateAddresses', ipv6);
  const clientToServerKey = reader.copy(KEY_BYTES);
  const serverToClientKey = reader.copy(KEY_BYTES);
  requireDifferentKeys(clientToServerKey, serverToClientKey, 'privatePart.serverToClientKey');
  const userData = reader.copy(USER_DATA_BYTES);
  reader.zeros('privatePart.padding');
  return { clientId, timeoutSeconds, addresses, clientToServerKey, serverToClientKey, userData };
}

/**
 * Reads both parts of a token of exactly 2048 bytes and requires that they belong together: client and server get the same session keys.
 * @throws NetcodeTokenError that names the first field that is wrong
 */
export function decodeConnectToken(
  token: Uint8Array,
  options: DecodePrivateOptions,
): { publicToken: PublicToken; privatePart: PrivatePart } {
  const publicToken = decodePublicToken(token, options);
  const privatePart = decodePrivatePart(publicToken, options);
  for (const field of ['clientToServerKey', 'serverToClientKey'] as const)
    if (!equalBytes(publicToken[field], privatePart[field]))
      throw problemAt(field, "the public part's key is not the private part's, so client and server could not read each other.");
  return { publicToken, privatePart };
}

/** Reads a public token whose end is found and returned; what stands behind it is the caller's to check. The bytes are 2048. */
export function readPublicToken(token: Uint8Array, ipv6: Ipv6Layout): { publicToken: PublicToken; end: number } {
  if (!isBytes(token)) throw problemAt('token', `${describe(token)} are no bytes; give a Uint8Array of ${CONNECT_TOKEN_BYTES} bytes.`);
  if (token.length !== CONNECT_TOKEN_BYTES) {
    const hint = startsWithVersion(token, 8) ? '; this one is in the form of renet, which decodeRenet reads' : '';
    throw problemAt('token', `it is ${token.length} bytes long; the standard's form has exactly ${CONNECT_TOKEN_BYTES}${hint}.`);
  }
  if (!startsWithVersion(token, 0))
    throw problemAt(
      'version',
      startsWithVersion(token, 8)
        ? 'it stands behind eight other bytes, so this is a client id with a token; decode what follows the client id.'
        : 'the token does not begin with "NETCODE 1.02" and a zero byte; it is damaged, encrypted, or of another version of netcode.',
    );
  const reader = new Reader(token, OFFSET.protocolId);
  const protocolId = reader.u64();
  const createdAt = reader.u64();
  const expiresAt = reader.u64();
  if (expiresAt <= createdAt) throw problemAt('expiresAt', `${expiresAt} is not after createdAt (${createdAt}).`);
  const nonce = reader.copy(NONCE_BYTES);
  const encryptedPrivatePart = reader.copy(PRIVATE_PART_BYTES);
  const timeoutSeconds = readTimeout(reader);
  const addresses = reader.addresses('publicAddresses', ipv6);
  const clientToServerKey = reader.copy(KEY_BYTES);
  const serverToClientKey = reader.copy(KEY_BYTES);
  requireDifferentKeys(clientToServerKey, serverToClientKey, 'serverToClientKey');
  const publicToken = {
    protocolId,
    createdAt,
    expiresAt,
    nonce,
    encryptedPrivatePart,
    timeoutSeconds,
    addresses,
    clientToServerKey,
    serverToClientKey,
  };
  return { publicToken, end: reader.offset };
}

/** True when the version info stands at the offset. */
export function startsWithVersion(bytes: Uint8Array, offset: number): boolean {
  return VERSION.every((byte, index) => bytes[offset + index] === byte);
}

/** Notes a mistake unless the key is 32 bytes that are not all zero. */
export function readKey(key: unknown, problems: Problems): void {
  if (!isBytes(key) || key.length !== KEY_BYTES)
    // A key given as text must not end up in a log.
    problems.add('key', `it must be a Uint8Array of ${KEY_BYTES} bytes, and is ${isBytes(key) ? describe(key) : `a ${typeof key}`}.`);
  else if (key.every((byte) => byte === 0))
    problems.add(
      'key',
      "all of its bytes are zero, which is the key of renet's Unsecure mode and known to everybody; use 32 random bytes.",
    );
}

/** Notes a mistake unless the value is a Uint8Array of this length. */
export function readExactBytes(value: unknown, length: number, field: string, problems: Problems): Uint8Array | undefined {
  if (isBytes(value) && value.length === length) return value;
  return problems.add(
    field,
    `it must be a Uint8Array of ${length} bytes, and is ${isBytes(value) ? describe(value) : `a ${typeof value}`}.`,
  );
}

/** The option ipv6 of a decoder. */
export function readIpv6Option(options: DecodeOptions, fallback: Ipv6Layout = 'refuse'): Ipv6Layout {
  if (typeof options !== 'object' || options === null) throw problemAt('options', `${describe(options)} is no object with options.`);
  const ipv6 = options.ipv6 ?? fallback;
  const problem = ipv6Problem(ipv6);
  if (problem) throw problemAt('ipv6', problem);
  return ipv6;
}

/** True when both are of the same bytes. For keys of one's own token only: not in constant time. */
function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => b[index] === byte);
}

function requireDifferentKeys(clientToServerKey: Uint8Array, serverToClientKey: Uint8Array, field: string): void {
  if (equalBytes(clientToServerKey, serverToClientKey))
    throw problemAt(field, 'it equals clientToServerKey, so both directions would use the same key and nonce; they must differ.');
}

function readTimeout(reader: Reader): number | 'never' {
  const seconds = reader.i32();
  return seconds < 0 ? 'never' : seconds;
}
