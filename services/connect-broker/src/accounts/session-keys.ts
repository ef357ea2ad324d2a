/**
 * The keys under which session tokens are hashed: the highest generation signs, all are accepted, so that a rotation logs nobody out.
 * It deliberately stores nothing: a database that leaks holds no token that works, and without the key not even a hash that can be tried.
 */
import { hash } from 'node:crypto';
import { type KeyDirectory, keyDirectory, requireKey } from '../key-directory.ts';

export interface SessionKeys {
  /** Hash of a new token, under the newest key. */
  hash(token: string): Uint8Array;
  /** Hashes of a presented token under every key, the newest first. */
  candidates(token: string): Uint8Array[];
  close(): void;
}

const FILE = /^generation-([1-9][0-9]*)$/;

/** @param directory has the files `generation-<n>`, 32 raw bytes each (lib/broker-contract.ts) */
export function openSessionKeys(directory: string, onError: (error: unknown) => void): SessionKeys {
  const keys: KeyDirectory<readonly Hmac[]> = keyDirectory(
    directory,
    (files) => {
      const generations = [...files].map(([name, bytes]) => {
        const generation = FILE.exec(name)?.[1];
        if (generation === undefined) throw new Error(`The key file '${name}' is not named generation-<n>.`);
        return { generation: Number(generation), key: requireKey(name, bytes) };
      });
      if (generations.length === 0)
        throw new Error(`There is no session key in ${directory}; it needs a file generation-1 of 32 random bytes.`);
      return generations.sort((a, b) => b.generation - a.generation).map(({ key }) => hmacSha256(key));
    },
    onError,
  );
  return {
    hash: (token) => (keys.current()[0] as Hmac)(token),
    candidates: (token) => keys.current().map((under) => under(token)),
    close: keys.close,
  };
}

type Hmac = (text: string) => Uint8Array;

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;

/**
 * HMAC-SHA-256 (RFC 2104) under one key, as `createHmac` makes it: two hashes in one call each take a third of the time of an object that is made, fed and asked, and every
 * request of somebody who is logged in needs one.
 */
export function hmacSha256(key: Uint8Array): Hmac {
  const padded = new Uint8Array(BLOCK_BYTES);
  padded.set(key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key);
  const inner = padded.map((byte) => byte ^ 0x36);
  const outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES);
  outer.set(padded.map((byte) => byte ^ 0x5c));
  return (text) => {
    const bytes = Buffer.from(text);
    // Not Buffer.concat: what is made of the key would stay in memory that other buffers are cut from.
    const message = new Uint8Array(BLOCK_BYTES + bytes.length);
    message.set(inner);
    message.set(bytes, BLOCK_BYTES);
    outer.set(hash('sha256', message, 'buffer'), BLOCK_BYTES);
    return hash('sha256', outer, 'buffer');
  };
}
