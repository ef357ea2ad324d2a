/**
 * Runs another program of the machine (git, kubectl, ping) and gives back what it said.
 * It deliberately judges nothing: that a program is missing or fails is an answer like any other, and whoever asks knows what it means.
 */
import { execFile } from 'node:child_process';

export interface ProgramAnswer {
  /** Exit code; 124 when it took too long. */
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

export interface ProgramOptions {
  /** Standard input. @default none */
  readonly input?: string;
  /** @default 30 */
  readonly seconds?: number;
}

/** Undefined when the machine has no such program. */
export type RunProgram = (program: string, args: readonly string[], options?: ProgramOptions) => Promise<ProgramAnswer | undefined>;

/** Lists of a whole cluster are some ten megabytes. */
const MOST_OUTPUT = 256 * 1024 * 1024;

export const runProgram: RunProgram = (program, args, { input, seconds = 30 } = {}) =>
  new Promise((resolve) => {
    const child = execFile(
      program,
      [...args],
      // The words of an answer are read, so they must not depend on where somebody lives.
      { maxBuffer: MOST_OUTPUT, timeout: seconds * 1000, killSignal: 'SIGKILL', env: { ...process.env, LC_ALL: 'C' } },
      (error, output, errors) => {
        if (error === null) resolve({ code: 0, output, errors });
        else if (error.code === 'ENOENT') resolve(undefined);
        else
          resolve({ code: error.killed ? 124 : typeof error.code === 'number' ? error.code : 1, output, errors: errors || error.message });
      },
    );
    // A program that ends without reading is no mistake of ours.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });
