/**
 * Password hashes: argon2id with a bounded number at once, so that a wave of logins costs neither the event loop nor more memory than the pod has.
 * It deliberately knows no accounts and no rules for passwords (password-rules.ts).
 */
import { availableParallelism } from 'node:os';
import { hash as argon2Hash, verify as argon2Verify, parseOptions } from '@node-rs/argon2';
import { Problem } from '../problem.ts';

/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane. */
export const PASSWORD_COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** The library's `Algorithm.Argon2id`, which is a const enum of its types and not there when the program runs. */
const ARGON2ID = 2;

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** Takes as long without a hash as with one, so that an answer does not say whether the account exists. */
  verify(hash: string | undefined, password: string): Promise<boolean>;
  /** Whether a hash was made at another cost than new ones. */
  needsRehash(hash: string): boolean;
  /** Passwords that wait for their turn. */
  waiting(): number;
}

export interface PasswordCost {
  /** KiB. */
  readonly memoryCost: number;
  /** Passes. */
  readonly timeCost: number;
  /** Lanes. */
  readonly parallelism: number;
}

export interface PasswordHasherOptions {
  /** Hashes at once; each takes a thread and its memory. @default as many as there are cores, but one less than libuv's threads: files and names are read there, too */
  readonly concurrency?: number;
  /** Passwords that may wait; the next one is told to come back. @default 100: some seconds of work */
  readonly most?: number;
  /** @default PASSWORD_COST */
  readonly cost?: PasswordCost;
}

/** libuv's threads, which argon2 runs on: four unless the environment says otherwise. */
const threads = (): number => {
  const configured = Number(process.env.UV_THREADPOOL_SIZE);
  return Number.isInteger(configured) && configured > 0 ? configured : 4;
};

/** Hashes at once where nothing else is said. */
export const defaultConcurrency = (): number => Math.max(1, Math.min(availableParallelism(), threads() - 1));

export function passwordHasher({
  concurrency = defaultConcurrency(),
  most = 100,
  cost = PASSWORD_COST,
}: PasswordHasherOptions = {}): PasswordHasher {
  const options = { ...cost, algorithm: ARGON2ID };
  let running = 0;
  const queue: (() => void)[] = [];
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= concurrency) {
      if (queue.length >= most) {
        throw new Problem('unavailable', 'Too many people log in at this moment. Try again in some seconds.', { retryAfterSeconds: 5 });
      }
      await new Promise<void>((resolve) => queue.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      // The place passes on, so `running` stays as it is.
      if (next) next();
      else running--;
    }
  };
  // A hash of nothing that anybody knows, of the same cost as real ones. Made at once: made at the first need, that answer would take twice as long.
  const decoy = argon2Hash(crypto.randomUUID(), options);
  decoy.catch(() => undefined);
  return {
    hash: (password) => inTurn(() => argon2Hash(password, options)),
    verify: async (hash, password) => {
      const compared = hash ?? (await decoy);
      const matches = await inTurn(() => argon2Verify(compared, password));
      return hash !== undefined && matches;
    },
    needsRehash: (hash) => {
      const made = parseOptions(hash);
      return (
        made.algorithm !== ARGON2ID ||
        made.memoryCost !== cost.memoryCost ||
        made.timeCost !== cost.timeCost ||
        made.parallelism !== cost.parallelism
      );
    },
    waiting: () => queue.length,
  };
}
