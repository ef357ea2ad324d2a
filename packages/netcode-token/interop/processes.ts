/**
 * Programs that the checks start: what they say in JSON lines, and their end, whatever ends the checks.
 * It deliberately knows nothing of tokens. Programs run in process groups of their own, so that Ctrl+C reaches only us and everything ends in order.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** A line of a program's standard output. */
export type Line = Readonly<Record<string, unknown>> & { readonly message: string };

/** Milliseconds that an orderly end may take before the program is killed. */
const PATIENCE = 10_000;

export class Program {
  readonly name: string;
  readonly lines: Line[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number | null>;
  readonly #listeners = new Set<() => void>();
  #isOver = false;
  #complaints = '';

  constructor(name: string, command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.name = name;
    const child = spawn(command, args, { env: { ...process.env, ...environment }, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    // A program that has ended does not read what is written to it.
    child.stdin.on('error', () => {});
    child.stderr.on('data', (data) => {
      this.#complaints += data;
    });
    createInterface({ input: child.stdout }).on('line', (text) => {
      this.lines.push(asLine(text));
      this.#tell();
    });
    this.#ended = new Promise((resolve) => {
      const over = (code: number | null) => {
        this.#isOver = true;
        resolve(code);
        this.#tell();
      };
      child.on('error', (error) => {
        this.#complaints += error.message;
        over(null);
      });
      child.on('close', over);
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Its exit code when it has ended; null when it could not be started or was killed. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  /** What it wrote to standard error. */
  get complaints(): string {
    return this.#complaints.trim();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  find(wanted: (line: Line) => boolean, from = 0): Line | undefined {
    return this.lines.slice(from).find(wanted);
  }

  /**
   * The first line that is wanted, said already or yet to come.
   * @param from lines before this one do not count @default 0
   * @throws when it has not come in time, or the program ends without it; with what it said last
   */
  async until(what: string, wanted: (line: Line) => boolean, { seconds = 15, from = 0 } = {}): Promise<Line> {
    const found = await this.#wait(() => this.find(wanted, from), seconds * 1000);
    if (found) return found;
    const last = this.lines.slice(-8).map((line) => JSON.stringify(line));
    const why = this.#isOver ? 'ended without it' : `did not say so within ${seconds} s`;
    throw new Error(
      [`${this.name} was to say "${what}" and ${why}. Last lines:`, ...last, this.#complaints.trim()].join('\n    ').trimEnd(),
    );
  }

  #wait(look: () => Line | undefined, milliseconds: number): Promise<Line | undefined> {
    return new Promise((resolve) => {
      const check = () => {
        const found = look();
        if (found === undefined && !this.#isOver) return;
        this.#listeners.delete(check);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(check);
        resolve(undefined);
      }, milliseconds);
      this.#listeners.add(check);
      check();
    });
  }

  /** Ends it by the end of its input or by a signal, and by force when that takes too long. @returns its exit code; null when it was killed */
  async end(how: 'input' | NodeJS.Signals = 'input'): Promise<number | null> {
    this.#child.stdin.end();
    if (how !== 'input') this.#child.kill(how);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(timer);
    }
  }
}

function asLine(text: string): Line {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string') return value as Line;
  } catch {
    // Not every program speaks JSON.
  }
  return { message: text };
}

/** What must not outlive the checks. */
export class Leftovers {
  readonly #ends: (() => Promise<void> | void)[] = [];
  #cleaned: Promise<void> | undefined;
  #interrupted = false;

  constructor() {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      process.once(signal, () => {
        console.log(`interrupted by ${signal}`);
        this.#interrupted = true;
        const exit = () => process.exit(code);
        this.clean().then(exit, exit);
      });
    }
  }

  /** Whether a signal ends the checks: whatever fails from now on fails because of it. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** A program that is ended with the checks, which must be an orderly end. */
  program(program: Program, how: 'input' | NodeJS.Signals = 'input'): Program {
    this.#ends.push(async () => {
      if (program.isOver) return;
      const code = await program.end(how);
      if (code !== 0) throw new Error(`${program.name} ended with ${code ?? 'a signal'} and not with 0. ${program.complaints}`);
    });
    return program;
  }

  /** Something else that is ended with the checks. */
  ends(end: () => Promise<void> | void): void {
    this.#ends.push(end);
  }

  /** A temporary folder that goes with the checks. */
  folder(name = 'netcode-token-interop'): string {
    const folder = mkdtempSync(path.join(tmpdir(), `${name}-`));
    this.#ends.push(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  /** Ends everything, the last first. @throws afterwards, when something did not end in order */
  clean(): Promise<void> {
    this.#cleaned ??= (async () => {
      const complaints: string[] = [];
      for (const end of this.#ends.reverse()) {
        try {
          await end();
        } catch (error) {
          complaints.push(error instanceof Error ? error.message : String(error));
        }
      }
      if (complaints.length > 0) throw new Error(complaints.join('\n    '));
    })();
    return this.#cleaned;
  }
}
