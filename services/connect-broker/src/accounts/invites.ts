/**
 * Invitations: codes with which somebody may make an account where registration is by invite.
 * It deliberately does not record who used one: accounts are not tied to whoever let them in.
 */
import type { Queryable } from '../database/database.ts';
import { Problem } from '../problem.ts';
import { hashCode, normalizedCode, randomCode } from './codes.ts';

export interface NewInvite {
  /** What it is for, for whoever lists invitations. @default nothing */
  readonly note?: string | undefined;
  /** Accounts that can be made with it. @default 1 */
  readonly uses?: number | undefined;
  /** Days until it ends. @default 14 */
  readonly days?: number | undefined;
  /** Account that makes it. @default none: the command on the server */
  readonly createdBy?: string | undefined;
}

export interface Invite {
  /** `7KQ2-9XWD-M0AV-RR5H`; shown only now, the database has its hash. */
  readonly code: string;
  readonly uses: number;
  readonly expiresAt: Date;
}

/**
 * Makes an invitation.
 * @throws RangeError for uses outside of 1–1000 or days outside of 0–365 (0 not included)
 */
export async function makeInvite(queryable: Queryable, { note = '', uses = 1, days = 14, createdBy }: NewInvite = {}): Promise<Invite> {
  if (!Number.isInteger(uses) || uses < 1 || uses > 1000) throw new RangeError(`An invitation is for 1 to 1000 accounts, not for ${uses}.`);
  if (!(days > 0 && days <= 365)) throw new RangeError(`An invitation lasts up to 365 days, not ${days}.`);
  const code = randomCode();
  const [row] = await queryable.query<{ expires_at: Date }>(
    `insert into invites (code_hash, note, uses_left, created_by, expires_at) values ($1, $2, $3, $4, now() + $5 * interval '1 day')
     returning expires_at`,
    [hashCode('invite', normalizedCode(code)), note, uses, createdBy ?? null, days],
  );
  if (!row) throw new Error('The invitation was not stored.');
  return { code, uses, expiresAt: row.expires_at };
}

const notValid = (): Problem =>
  new Problem('invite-invalid', 'This invitation does not exist, has been used, or has ended. Ask for another one.');

/** Whether a code can be used now, so that nothing expensive is done for one that cannot. @throws Problem `invite-invalid` */
export async function requireInvite(queryable: Queryable, code: string): Promise<void> {
  const rows = await queryable.query('select 1 from invites where code_hash = $1 and uses_left > 0 and expires_at > now()', [
    hashCode('invite', normalizedCode(code)),
  ]);
  if (rows.length === 0) throw notValid();
}

/** Uses a code once, in the transaction that makes the account. @throws Problem `invite-invalid` */
export async function useInvite(transaction: Queryable, code: string): Promise<void> {
  const rows = await transaction.query(
    'update invites set uses_left = uses_left - 1 where code_hash = $1 and uses_left > 0 and expires_at > now() returning 1',
    [hashCode('invite', normalizedCode(code))],
  );
  if (rows.length === 0) throw notValid();
}
