/**
 * Byte layout of netcode 1.02: sizes, and how integers, addresses and the sealed private part are written and read. Every integer is
 * little-endian. Deliberately without rules about what makes sense in a new token, which are create.ts's.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { type PackedAddress, type SocketAddress, unpackAddress } from './address.ts';
import { describe, problemAt } from './errors.ts';
import { seal } from './seal.ts';

/** Bytes of a token in the standard's form. */
export const CONNECT_TOKEN_BYTES = 2048;
/** Bytes of the private part as it travels: ciphertext and a tag of 16 bytes. */
export const PRIVATE_PART_BYTES = 1024;
/** Bytes of the private part before encryption. */
export const PRIVATE_PLAINTEXT_BYTES = 1008;
/** Bytes of user data, always. */
export const USER_DATA_BYTES = 256;
/** Bytes of the key that broker and game servers share, and of each session key. */
export const KEY_BYTES = 32;
/** Bytes of the nonce. */
export const NONCE_BYTES = 24;
/** Most addresses in either list. */
export const MAX_ADDRESSES = 32;
/** The expiry of a token that never expires, which some libraries write for a negative lifetime. This one never writes it. */
export const NEVER_EXPIRES = 0xffff_ffff_ffff_ffffn;

/** Version info with its zero byte. */
export const VERSION = new Uint8Array([...'NETCODE 1.02\0'].map((character) => character.charCodeAt(0)));

/**
 * How IPv6 addresses are written: as eight little-endian words (`words`: the standard, its C library, the crate netcode-official), as
 * sixteen octets in network order (`octets`: the crates renet, renetcode, netcode-rs), or not at all (`refuse`). The families cannot read
 * each other's, and no token says which one it is.
 */
export type Ipv6Layout = 'words' | 'octets' | 'refuse';

/** Offsets of the token's head, which are the same in every token. */
export const OFFSET = { protocolId: 13, createdAt: 21, expiresAt: 29, nonce: 37, privatePart: 61, timeout: 1085 } as const;

/** Everything that is in a token, checked by the caller. */
export interface TokenFields {
  readonly protocolId: bigint;
  readonly clientId: bigint;
  readonly createdAt: bigint;
  readonly expiresAt: bigint;
  /** int32; below 0 means none. */
  readonly timeoutSeconds: number;
  readonly publicAddresses: readonly PackedAddress[];
  readonly privateAddresses: readonly PackedAddress[];
  readonly userData: Uint8Array;
  readonly ipv6: Ipv6Layout;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly clientToServerKey: Uint8Array;
  readonly serverToClientKey: Uint8Array;
}

/** Writes a token in the standard's form. Checks nothing: whoever picks nonce and keys is responsible for their being fresh. */
export function writeToken(fields: TokenFields): Uint8Array {
  const plaintext = new Uint8Array(PRIVATE_PLAINTEXT_BYTES);
  const secret = new DataView(plaintext.buffer);
  secret.setBigUint64(0, fields.clientId, true);
  secret.setInt32(8, fields.timeoutSeconds, true);
  let end = writeAddresses(secret, plaintext, 12, fields.privateAddresses, fields.ipv6);
  plaintext.set(fields.clientToServerKey, end);
  plaintext.set(fields.serverToClientKey, end + KEY_BYTES);
  plaintext.set(fields.userData, end + 2 * KEY_BYTES);

  const token = new Uint8Array(CONNECT_TOKEN_BYTES);
  const view = new DataView(token.buffer);
  token.set(VERSION, 0);
  view.setBigUint64(OFFSET.protocolId, fields.protocolId, true);
  view.setBigUint64(OFFSET.createdAt, fields.createdAt, true);
  view.setBigUint64(OFFSET.expiresAt, fields.expiresAt, true);
  token.set(fields.nonce, OFFSET.nonce);
  const additional = additionalData(fields.protocolId, fields.expiresAt);
  seal({ key: fields.key, nonce: fields.nonce, additional }, plaintext, token, OFFSET.privatePart);
  view.setInt32(OFFSET.timeout, fields.timeoutSeconds, true);
  end = writeAddresses(view, token, OFFSET.timeout + 4, fields.publicAddresses, fields.ipv6);
  token.set(fields.clientToServerKey, end);
  token.set(fields.serverToClientKey, end + KEY_BYTES);
  return token;
}

/** Decrypts a private part; undefined when the tag does not fit. */
export function openPrivatePart(
  sealed: { protocolId: bigint; expiresAt: bigint; nonce: Uint8Array; encryptedPrivatePart: Uint8Array },
  key: Uint8Array,
): Uint8Array | undefined {
  const cipher = xchacha20poly1305(key, sealed.nonce, additionalData(sealed.protocolId, sealed.expiresAt));
  try {
    return cipher.decrypt(sealed.encryptedPrivatePart);
  } catch {
    // Lengths were checked by the caller: what is left is the tag.
    return undefined;
  }
}

/** What the tag protects beside the private part: version, protocol id, expiry. */
function additionalData(protocolId: bigint, expiresAt: bigint): Uint8Array {
  const data = new Uint8Array(29);
  const view = new DataView(data.buffer);
  data.set(VERSION, 0);
  view.setBigUint64(13, protocolId, true);
  view.setBigUint64(21, expiresAt, true);
  return data;
}

/** Writes the number of addresses and each of them; returns the offset behind. */
function writeAddresses(view: DataView, bytes: Uint8Array, offset: number, list: readonly PackedAddress[], ipv6: Ipv6Layout): number {
  view.setUint32(offset, list.length, true);
  let at = offset + 4;
  for (const { octets, port } of list) {
    bytes[at++] = octets.length === 4 ? 1 : 2;
    bytes.set(octets.length === 16 && ipv6 === 'words' ? swapWords(octets) : octets, at);
    at += octets.length;
    view.setUint16(at, port, true);
    at += 2;
  }
  return at;
}

/** Between sixteen octets in network order and eight little-endian words, both ways. */
function swapWords(octets: Uint8Array): Uint8Array {
  return octets.map((_, index) => octets[index ^ 1] ?? 0);
}

/** Reads fields one after the other. Every mistake is a NetcodeTokenError that names the field. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Offset of the next field. */
  offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#step(4), true);
  }

  /** A copy: what is read does not change with the caller's buffer, and does not keep it alive. */
  copy(length: number): Uint8Array {
    const from = this.#step(length);
    return new Uint8Array(this.#bytes.subarray(from, from + length));
  }

  /** The number of addresses (1..32) and the addresses. The caller has as many bytes as 32 IPv6 addresses and all that follows need. */
  addresses(field: string, ipv6: Ipv6Layout): SocketAddress[] {
    const count = this.#view.getUint32(this.#step(4), true);
    if (count < 1 || count > MAX_ADDRESSES) {
      const swapped = this.#view.getUint32(this.offset - 4, false);
      const hint = swapped >= 1 && swapped <= MAX_ADDRESSES ? '; the bytes look big-endian, as lightyear_netcode writes them' : '';
      throw problemAt(field, `the number of addresses is ${count}; it must be 1 to ${MAX_ADDRESSES}${hint}.`);
    }
    const list: SocketAddress[] = [];
    for (let index = 0; index < count; index++) list.push(this.#address(`${field}[${index}]`, ipv6));
    return list;
  }

  /** Refuses anything but zeros up to the end. */
  zeros(field: string): void {
    for (let at = this.offset; at < this.#bytes.length; at++)
      if (this.#bytes[at] !== 0)
        throw problemAt(field, `byte ${at} is not zero, and nothing may stand behind the last field, which ends at byte ${this.offset}.`);
  }

  #address(field: string, ipv6: Ipv6Layout): SocketAddress {
    const type = this.#bytes[this.#step(1)];
    if (type !== 1 && type !== 2) throw problemAt(field, `the address type is ${type}; it must be 1 (IPv4) or 2 (IPv6).`);
    if (type === 2 && ipv6 === 'refuse')
      throw problemAt(
        field,
        "the address is IPv6, whose bytes differ between libraries; say with the option ipv6 which they are: 'words' (the standard, C) or 'octets' (renet, netcode-rs).",
      );
    const raw = this.copy(type === 1 ? 4 : 16);
    const port = this.#view.getUint16(this.#step(2), true);
    if (port === 0) throw problemAt(field, 'the port is 0; it must be 1 to 65535.');
    return unpackAddress({ octets: type === 2 && ipv6 === 'words' ? swapWords(raw) : raw, port });
  }

  #step(length: number): number {
    const at = this.offset;
    this.offset += length;
    return at;
  }
}

/** Refuses what is no way to write IPv6; undefined becomes the default. */
export function ipv6Problem(value: unknown): string | undefined {
  if (value === 'words' || value === 'octets' || value === 'refuse') return undefined;
  return `${describe(value)} is no way to write IPv6; it must be 'words' (the standard, C), 'octets' (renet, netcode-rs) or 'refuse'.`;
}
