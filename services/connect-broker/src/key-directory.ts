/**
 * A directory of secret files that may change while the broker runs, as a mounted Secret does: read now, and again when it changes.
 * It deliberately watches by polling: the kubelet exchanges such directories through a symbolic link, which file events miss.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** A changed Secret reaches a pod after a minute or so anyway. */
const POLL_MS = 10_000;

export interface KeyDirectory<T> {
  /** What `parse` made of the files when they were last whole. */
  current(): T;
  /** Reads now; for tests, and for a key that is asked for and not there yet. */
  refresh(): void;
  close(): void;
}

/**
 * @param parse makes the value out of files by name; it throws when they are wrong: then, at the start, so does this function, and later the last good value stays
 * @param onError is told of a later failure
 */
export function keyDirectory<T>(
  directory: string,
  parse: (files: ReadonlyMap<string, Uint8Array>) => T,
  onError: (error: unknown) => void,
): KeyDirectory<T> {
  const read = () => {
    const files = new Map<string, Uint8Array>();
    for (const name of readdirSync(directory).sort()) {
      // Kubernetes' own entries (..data and its timestamped folder), and whatever is no file.
      if (name.startsWith('.') || !statSync(path.join(directory, name)).isFile()) continue;
      files.set(name, readFileSync(path.join(directory, name)));
    }
    return parse(files);
  };
  let value = read();
  const refresh = () => {
    try {
      value = read();
    } catch (error) {
      onError(error);
    }
  };
  const timer = setInterval(refresh, POLL_MS);
  timer.unref();
  return { current: () => value, refresh, close: () => clearInterval(timer) };
}

/** @throws when a key is not 32 bytes; the message has its name and length, never its content */
export function requireKey(name: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 32) throw new Error(`The key file '${name}' has ${bytes.length} bytes; a key has exactly 32 raw bytes.`);
  return bytes;
}
