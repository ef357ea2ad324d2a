/**
 * Password hashes: argon2id with a bounded number at once, so that a wave of logins costs neither the event loop nor more memory than the pod has.
 * It deliberately knows no accounts.
 */
import { type Algorithm, hash as argon2Hash, verify as argon2Verify } from '@node-rs/argon2';
import { Problem } from '../problem.ts';

/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane. */
export const PASSWORD_COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** The package's enum is of types only (`const enum`), which a bundler does not see: 2 is argon2id. */
const ARGON2ID: Algorithm = 2;

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** Takes as long without a hash as with one, so that an answer does not say whether the account exists. */
  verify(hash: string | undefined, password: string): Promise<boolean>;
  /** Passwords that wait for their turn. */
  waiting(): number;
}

export interface PasswordHasherOptions {
  /** Hashes at once. @default 4: libuv's threads; each takes 19 MiB */
  readonly concurrency?: number;
  /** Passwords that may wait; the next one is told to come back. @default 100: some seconds of work */
  readonly most?: number;
}

export function passwordHasher({ concurrency = 4, most = 100 }: PasswordHasherOptions = {}): PasswordHasher {
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
  // A hash of nothing that anybody knows, made once, of the same cost as real ones.
  let decoy: Promise<string> | undefined;
  return {
    hash: (password) => inTurn(() => argon2Hash(password, { algorithm: ARGON2ID, ...PASSWORD_COST })),
    verify: (hash, password) =>
      inTurn(async () => {
        decoy ??= argon2Hash(crypto.randomUUID(), { algorithm: ARGON2ID, ...PASSWORD_COST });
        const matches = await argon2Verify(hash ?? (await decoy), password);
        return hash !== undefined && matches;
      }),
    waiting: () => queue.length,
  };
}
