/**
 * The keys under which session tokens are hashed: the highest generation signs, all are accepted, so that a rotation logs nobody out.
 * It deliberately stores nothing: a database that leaks holds no token that works, and without the key not even a hash that can be tried.
 */
import { createHmac } from 'node:crypto';
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
  const keys: KeyDirectory<readonly Uint8Array[]> = keyDirectory(
    directory,
    (files) => {
      const generations = [...files].map(([name, bytes]) => {
        const generation = FILE.exec(name)?.[1];
        if (generation === undefined) throw new Error(`The key file '${name}' is not named generation-<n>.`);
        return { generation: Number(generation), key: requireKey(name, bytes) };
      });
      if (generations.length === 0)
        throw new Error(`There is no session key in ${directory}; it needs a file generation-1 of 32 random bytes.`);
      return generations.sort((a, b) => b.generation - a.generation).map(({ key }) => key);
    },
    onError,
  );
  const under = (key: Uint8Array, token: string) => createHmac('sha256', key).update(token).digest();
  return {
    hash: (token) => under(keys.current()[0] as Uint8Array, token),
    candidates: (token) => keys.current().map((key) => under(key, token)),
    close: keys.close,
  };
}
