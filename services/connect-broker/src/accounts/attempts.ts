/**
 * Limits how often passwords and recovery codes can be tried: per account and address, per address, and per account.
 * It deliberately keeps nothing in memory: the count is the database's, so that it holds over replicas and restarts. Its rules stand in `begin_attempt` (migrations/001).
 */

import { isIPv4 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import type { Broker } from '../broker.ts';
import type { Queryable } from '../database/database.ts';
import { clientAddressKey } from '../http/client-address.ts';
import { Problem } from '../problem.ts';
import { nameKey } from './names.ts';

/** Where a request comes from. */
export interface ClientAddress {
  /** What is counted: an IPv4 address or a network of /64. */
  readonly key: string;
  /** What bans are compared with; null when a proxy told something that is no address. */
  readonly inet: string | null;
}

/** A zone (fe80::1%eth0) means something on one host only. */
export function clientAddress(request: Pick<FastifyRequest, 'ip'>): ClientAddress {
  // Nearly every request, and already in the form that both want.
  if (isIPv4(request.ip)) return { key: request.ip, inet: request.ip };
  const address = request.ip.replace(/%.*$/, '');
  return { key: clientAddressKey(address), inet: ipaddr.isValid(address) ? ipaddr.process(address).toString() : null };
}

export interface Attempt {
  /** Undefined where no account has the name: it is counted all the same. */
  readonly accountId: string | undefined;
  readonly name: string;
  readonly address: ClientAddress;
  /**
   * What is tried. Recovery codes are counted for themselves, and only per address: 80 random bits cannot be guessed, and whoever tries an account's password from many
   * places must not keep its owner from them. @default password
   */
  readonly what?: 'password' | 'recovery-code';
}

/** What is counted of a name: a keyed hash, because people type passwords where the name belongs. */
export const attemptKey = (broker: Pick<Broker, 'sessionKeys'>, name: string, what: Attempt['what'] = 'password'): string =>
  Buffer.from(broker.sessionKeys.hash(`attempt:${what === 'password' ? '' : `${what}:`}${nameKey(name)}`)).toString('base64url');

/**
 * Counts an attempt, runs it, and takes it back when it was right.
 * What was counted before on this account from this address is forgiven then, and the address is known from then on.
 * @param check whether the password or the code is right
 * @throws Problem `too-many-failures` for this account, `too-many-requests` for this address; what `check` throws, uncounted
 */
export async function attempt(
  broker: Broker,
  { accountId, name, address, what = 'password' }: Attempt,
  check: () => Promise<boolean>,
): Promise<boolean> {
  const accountKey = attemptKey(broker, name, what);
  const [begun] = await broker.database.query<{
    attempt_id: bigint | null;
    refused_for: string | null;
    retry_after_seconds: number | null;
  }>('select attempt_id, refused_for, retry_after_seconds from begin_attempt($1, $2, $3, $4)', [
    accountId ?? null,
    accountKey,
    address.key,
    what === 'password',
  ]);
  if (!begun || begun.attempt_id === null) throw refusal(begun?.refused_for, begun?.retry_after_seconds);
  let right: boolean;
  try {
    right = await check();
  } catch (error) {
    await broker.database.query('delete from login_failures where id = $1', [begun.attempt_id]).catch(() => undefined);
    throw error;
  }
  if (right && accountId !== undefined) await remember(broker.database, accountId, accountKey, address.key);
  return right;
}

function refusal(because: string | null | undefined, seconds: number | null | undefined): Problem {
  const retryAfterSeconds = Math.max(1, seconds ?? 60);
  return because === 'address'
    ? new Problem('too-many-requests', `Too many failed attempts from this address. Try again in ${retryAfterSeconds} s.`, {
        retryAfterSeconds,
      })
    : new Problem('too-many-failures', `Too many failed attempts. Try again in ${retryAfterSeconds} s.`, { retryAfterSeconds });
}

async function remember(queryable: Queryable, accountId: string, accountKey: string, addressKey: string): Promise<void> {
  // The account may have been deleted meanwhile; then there is nothing to remember.
  await queryable.query(
    `with forgiven as (delete from login_failures where account_key = $2 and address_key = $3)
     insert into known_addresses (account_id, address_key) select id, $3 from accounts where id = $1
     on conflict (account_id, address_key) do update set last_success_at = now()`,
    [accountId, accountKey, addressKey],
  );
}

/** Forgets what was counted on an account: a new password makes guesses of the old one worthless. */
export async function forgiveAttempts(broker: Pick<Broker, 'sessionKeys'>, queryable: Queryable, name: string): Promise<void> {
  await queryable.query('delete from login_failures where account_key = any ($1)', [
    [attemptKey(broker, name), attemptKey(broker, name, 'recovery-code')],
  ]);
}
