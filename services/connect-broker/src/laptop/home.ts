/**
 * The folder in which a laptop's broker keeps what a cluster would give it: database, keys, tokens of game servers, settings.
 * It deliberately is git-ignored and readable by its owner alone; losing it loses the accounts of one laptop.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';

export interface LaptopHome {
  readonly directory: string;
  readonly database: string;
  readonly sessionKeys: string;
  readonly netcodeKeys: string;
  /** Folder with a file for each server: the bearer token with which it calls the internal port. */
  readonly gameServerTokens: string;
  /** Gives up the folder. */
  release(): void;
}

/** Makes a file of random bytes unless it is there; never overwrites. */
export function ensureSecret(file: string, content: () => string | Uint8Array): void {
  if (existsSync(file)) return;
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, content(), { mode: 0o600, flag: 'wx' });
}

/** @throws when another broker uses the folder: two processes would destroy the embedded database */
export function openHome(directory: string, keyFiles: readonly string[], servers: readonly string[]): LaptopHome {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const release = lock(path.join(directory, 'lock'), directory);
  const home = {
    directory,
    database: path.join(directory, 'database'),
    sessionKeys: path.join(directory, 'session-keys'),
    netcodeKeys: path.join(directory, 'netcode-keys'),
    gameServerTokens: path.join(directory, 'game-server-tokens'),
    release,
  };
  try {
    ensureSecret(path.join(home.sessionKeys, 'generation-1'), () => randomBytes(32));
    for (const name of keyFiles) ensureSecret(path.join(home.netcodeKeys, name), () => randomBytes(32));
    for (const name of servers) ensureSecret(path.join(home.gameServerTokens, name), () => randomBytes(32).toString('base64url'));
  } catch (error) {
    release();
    throw error;
  }
  return home;
}

/** A file with our process id, made exclusively; one of a process that is gone is taken over. */
function lock(file: string, directory: string): () => void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const descriptor = openSync(file, 'wx', 0o600);
      writeSync(descriptor, String(process.pid));
      closeSync(descriptor);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = Number(readFileSync(file, 'utf8'));
      if (isRunning(holder)) {
        throw new Error(`Another broker (process ${holder}) uses ${directory}. End it, or give this one a folder of its own with --home.`);
      }
      rmSync(file, { force: true });
    }
  }
  throw new Error(`The file ${file} cannot be made; another broker starts at the same moment.`);
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
