/**
 * How the command-line client gets a password and keeps a session: never from an argument, which every process of the machine can read.
 * It deliberately writes no password anywhere.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** Environment variable with the password. */
export const PASSWORD_VARIABLE = 'BROKER_PASSWORD';

/** From the environment, typed without an echo at a terminal, or the first line of the standard input. @throws when there is none */
export async function readPassword(prompt: string): Promise<string> {
  const given = process.env[PASSWORD_VARIABLE];
  if (given !== undefined && given !== '') return given;
  const terminal = process.stdin.isTTY === true;
  if (terminal) process.stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal });
  try {
    const line = await new Promise<string | undefined>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(undefined));
      lines.once('SIGINT', () => resolve(undefined));
    });
    if (line === undefined || line === '') {
      throw new Error(`There is no password. Type it, send it as the first line of the standard input, or set ${PASSWORD_VARIABLE}.`);
    }
    return line;
  } finally {
    lines.close();
    process.stdin.pause();
    if (terminal) process.stderr.write('\n');
  }
}

/** Writes a file that its owner alone can read, whole or not at all. */
export function writePrivateFile(file: string, content: string | Uint8Array): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`);
  try {
    writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new Error(`The file ${file} cannot be written: ${(error as Error).message}`);
  }
}

interface StoredSession {
  readonly url: string;
  readonly name: string;
  readonly token: string;
}

/** The session of this broker and account in a file; undefined when there is none. @throws when others can read the file */
export function readSession(file: string, url: URL, name: string): string | undefined {
  let text: string;
  try {
    // Windows has no such bits.
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
      throw new Error(`Others can read the session in ${file}. Take their right away (chmod 600 ${file}), or delete the file.`);
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const stored = JSON.parse(text) as Partial<StoredSession>;
    return stored.url === url.origin && stored.name === name && typeof stored.token === 'string' ? stored.token : undefined;
  } catch {
    throw new Error(`The file ${file} is not a stored session. Delete it, or name another one with --session.`);
  }
}

export const writeSession = (file: string, url: URL, name: string, token: string): void =>
  writePrivateFile(file, `${JSON.stringify({ url: url.origin, name, token } satisfies StoredSession)}\n`);
