/**
 * How often one account may connect: far more than any client does, and far below what would keep the database busy for one player.
 * It deliberately counts in memory, for one replica: it protects what all share from one of them, and needs no exact count.
 */
import type { Broker } from '../broker.ts';
import { Problem } from '../problem.ts';
import { remember, windowCounter } from '../window-counter.ts';

/** Connects in a window: a client that loses its connection at once tries every second or two. */
const MOST = 30;
const WINDOW_MS = 10_000;

export interface ConnectLimit {
  /** Counts a connect. @throws Problem `too-many-requests` */
  count(accountId: string): void;
  /** The same for a session that was not looked up yet: it is counted once it is known whose it is. */
  countSession(tokenHash: Uint8Array): void;
  /** Whose session that was, as the database has said now. */
  learn(tokenHash: Uint8Array, accountId: string): void;
}

const limits = new WeakMap<Broker, ConnectLimit>();

/** The limit of a broker, over worlds and instances together. */
export function connectLimit(broker: Broker): ConnectLimit {
  let limit = limits.get(broker);
  if (!limit) {
    limit = makeConnectLimit();
    limits.set(broker, limit);
  }
  return limit;
}

/** @param now milliseconds; for tests */
export function makeConnectLimit(now?: () => number): ConnectLimit {
  const counts = windowCounter(WINDOW_MS, now);
  const owners = new Map<string, string>();
  const nameOf = (hash: Uint8Array) => Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('base64');
  const count = (accountId: string) => {
    const { count: connects, secondsLeft } = counts.add(accountId);
    if (connects <= MOST) return;
    throw new Problem(
      'too-many-requests',
      'This account asks for tokens too often. A token is good for one attempt: wait before the next.',
      { retryAfterSeconds: secondsLeft },
    );
  };
  return {
    count,
    countSession: (tokenHash) => {
      const owner = owners.get(nameOf(tokenHash));
      if (owner !== undefined) count(owner);
    },
    learn: (tokenHash, accountId) => {
      const name = nameOf(tokenHash);
      if (owners.get(name) === accountId) return;
      remember(owners, name, accountId);
      counts.add(accountId);
    },
  };
}
