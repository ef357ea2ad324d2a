/**
 * Runs other programs for `npm run local`, with what goes in and comes out in memory. It deliberately knows none of them.
 */
import { spawn } from 'node:child_process';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly input?: string | Buffer;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Shows the program's output while it runs instead of returning it. @default false */
  readonly loud?: boolean;
}

/** A program that is not there or that failed; the message has its last words. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}

/** Runs a program to its end. @returns its standard output @throws CommandError */
export type Run = (command: Command) => Promise<string>;

export const run: Run = ({ program, args, input, env = {}, loud = false }) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      env: { ...process.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', loud ? 'inherit' : 'pipe', loud ? 'inherit' : 'pipe'],
    });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', (error) => reject(new CommandError(`${program} could not be started (${(error as NodeJS.ErrnoException).code}).`)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString('utf8'));
      const said = Buffer.concat(errors).toString('utf8').trim().split('\n').slice(-15).join('\n');
      reject(new CommandError(`${shown({ program, args })} failed (${signal ?? `exit code ${code}`})${said === '' ? '.' : `:\n${said}`}`));
    });
    // A program that ends early takes no more; how it ended says more than the broken pipe.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });

/** A command as somebody would type it. */
export function shown({ program, args }: Pick<Command, 'program' | 'args'>): string {
  return [program, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
