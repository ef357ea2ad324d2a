/**
 * Tokens as JSON: every 64-bit number a decimal string, bytes in base64. Deliberately no JSON with session keys in it except inside the
 * token itself, so that a description of a token can be logged and the token cannot be mistaken for one.
 */
import { formatAddress } from './address.ts';
import type { ConnectToken } from './create.ts';
import type { PublicToken } from './decode.ts';
import { describe, problemAt } from './errors.ts';
import { encodeRenet } from './renet.ts';
import { formatProtocolId } from './u64.ts';
import { CONNECT_TOKEN_BYTES } from './wire.ts';

/** Which form of a token is wanted: the standard's, or renet's. */
export type TokenEncoding = 'netcode' | 'renet';

/** A token as an HTTP answer carries it to its player. A secret. */
export interface ConnectTokenJson {
  /** Decimal */
  readonly clientId: string;
  /** Unix seconds, decimal */
  readonly expiresAt: string;
  /** The token in each form that was asked for, in base64 */
  readonly tokens: { readonly [encoding in TokenEncoding]?: string };
}

/** What may be told about a token: no keys, nothing encrypted, no nonce. */
export interface PublicTokenJson {
  /** Hexadecimal with `0x` */
  readonly protocolId: string;
  /** Unix seconds, decimal */
  readonly createdAt: string;
  /** Unix seconds, decimal */
  readonly expiresAt: string;
  readonly timeoutSeconds: number | 'never';
  readonly addresses: readonly string[];
}

/**
 * A new token for JSON.stringify, in the wanted forms.
 * @throws NetcodeTokenError for a form that does not exist, and where `encodeRenet` does
 */
export function connectTokenToJson(token: ConnectToken, encodings: readonly TokenEncoding[] = ['netcode']): ConnectTokenJson {
  const tokens: { [encoding in TokenEncoding]?: string } = {};
  for (const encoding of encodings) {
    if (encoding === 'netcode') tokens.netcode = toBase64(token.token);
    else if (encoding === 'renet') tokens.renet = toBase64(encodeRenet(token));
    else throw problemAt('encodings', `${describe(encoding)} is no form of a token; there are "netcode" and "renet".`);
  }
  return { clientId: token.clientId.toString(), expiresAt: token.expiresAt.toString(), tokens };
}

/** What may be told about a token that was read, for logs and command lines. */
export function publicTokenToJson(token: PublicToken): PublicTokenJson {
  return {
    protocolId: formatProtocolId(token.protocolId),
    createdAt: token.createdAt.toString(),
    expiresAt: token.expiresAt.toString(),
    timeoutSeconds: token.timeoutSeconds,
    addresses: token.addresses.map(formatAddress),
  };
}

/**
 * The bytes of a token from base64, for either decoder.
 * @throws NetcodeTokenError unless it is canonical base64 (standard alphabet, padded) of at most 2056 bytes
 */
export function tokenFromBase64(text: string): Uint8Array {
  if (typeof text !== 'string') throw problemAt('token', `it is a ${typeof text}; write base64 in a string.`);
  if (text.length > Math.ceil((CONNECT_TOKEN_BYTES + 8) / 3) * 4)
    throw problemAt('token', `it has ${text.length} characters; no token has as many.`);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== text)
    throw problemAt('token', 'it is not base64 in the standard alphabet (A-Z, a-z, 0-9, +, /) with its padding.');
  return new Uint8Array(bytes);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
