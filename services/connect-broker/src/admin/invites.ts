/**
 * Invitations and reset links as operators give them out: made with an audit entry, listed, revoked.
 * It deliberately never shows a code or a link again; an invitation is named by the beginning of its code's hash.
 */

import { hashCode, normalizedCode } from '../accounts/codes.ts';
import { type Invite, makeInvite } from '../accounts/invites.ts';
import { nameKey, nameMistakes, normalizedName } from '../accounts/names.ts';
import { makeResetLink, type ResetLink } from '../accounts/recovery.ts';
import { type Queryable, sqlState, type Transaction } from '../database/database.ts';
import { Problem } from '../problem.ts';
import type { Actor, Note } from './actor.ts';

export interface InviteLine {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly note: string;
  readonly usesLeft: number;
  readonly createdAt: Date;
  /** Name of who made it; null for the command, and for an account that is gone. */
  readonly createdBy: string | null;
  readonly expiresAt: Date;
  /** Whether it can be used now. */
  readonly usable: boolean;
}

const ID = "left(encode(code_hash, 'hex'), 16)";

const SELECT_INVITE = `
  select ${ID} as id, note, uses_left as "usesLeft", invites.created_at as "createdAt", accounts.name as "createdBy", expires_at as "expiresAt",
    uses_left > 0 and expires_at > now() as usable
  from invites left join accounts on accounts.id = invites.created_by`;

/** Every invitation that the database still has, the latest first. */
export const listInvites = (queryable: Queryable): Promise<InviteLine[]> =>
  queryable.query<InviteLine>(`${SELECT_INVITE} order by invites.created_at desc, id limit 500`);

/** @throws RangeError as `makeInvite` */
export async function giveInvite(
  transaction: Transaction,
  note: Note,
  actor: Actor,
  options: { readonly note?: string | undefined; readonly uses?: number | undefined; readonly days?: number | undefined },
): Promise<Invite & { readonly id: string }> {
  const invite = await makeInvite(transaction, { ...options, createdBy: actor.accountId });
  const id = Buffer.from(hashCode('invite', normalizedCode(invite.code)))
    .toString('hex')
    .slice(0, 16);
  await note('invite.made', `invite:${id}`, { note: options.note ?? '', uses: invite.uses, until: invite.expiresAt });
  return { ...invite, id };
}

/** @throws Problem `not-found` */
export async function revokeInvite(transaction: Transaction, note: Note, id: string): Promise<void> {
  const [row] = await transaction.query<{ note: string; uses_left: number }>(
    `delete from invites where ${ID} = $1 returning note, uses_left`,
    [id],
  );
  if (!row) throw new Problem('not-found', `There is no invitation '${id}'.`);
  await note('invite.revoked', `invite:${id}`, { note: row.note, usesLeft: row.uses_left });
}

/**
 * A link with which the owner of an account sets a new password, once.
 * Over HTTP there is none for administrators: whoever gets hold of one administrator's session would have all of them.
 * @throws Problem `not-found`; `not-allowed` for an administrator's account unless the command asks; RangeError as `makeResetLink`
 */
export async function giveResetLink(
  transaction: Transaction,
  note: Note,
  actor: Actor,
  settings: { readonly publicUrl: string },
  accountId: string,
  { hours }: { readonly hours?: number | undefined } = {},
): Promise<ResetLink> {
  const [account] = await transaction.query<{ name: string; role: string }>('select name, role from accounts where id = $1', [accountId]);
  if (!account) throw new Problem('not-found', 'There is no account with this id.');
  if (account.role === 'admin' && actor.accountId !== undefined) {
    throw new Problem(
      'not-allowed',
      `'${account.name}' is an administrator. Their reset links are made by the command on the server only.`,
    );
  }
  const link = await makeResetLink({ settings, database: transaction }, accountId, hours === undefined ? {} : { hours });
  await note('account.reset-link-made', `account:${accountId}`, { name: account.name, until: link.expiresAt });
  return link;
}

/**
 * Makes an account without a password and a link with which its owner sets one. No invitation is needed.
 * @throws Problem `invalid` with what is wrong with the name, `name-taken`
 */
export async function createAccount(
  transaction: Transaction,
  note: Note,
  actor: Actor,
  settings: { readonly publicUrl: string },
  name: string,
): Promise<{ readonly id: string; readonly name: string; readonly link: ResetLink }> {
  const mistakes = nameMistakes(name);
  if (mistakes.length > 0) throw new Problem('invalid', `The name '${name}' ${mistakes.join(', and ')}.`);
  const shown = normalizedName(name);
  try {
    const [row] = await transaction.query<{ id: string }>('insert into accounts (name, name_key) values ($1, $2) returning id', [
      shown,
      nameKey(name),
    ]);
    const id = row?.id as string;
    await note('account.made', `account:${id}`, { name: shown });
    return { id, name: shown, link: await giveResetLink(transaction, note, actor, settings, id) };
  } catch (error) {
    if (sqlState(error) === '23505') throw new Problem('name-taken', `The name '${shown}' is taken.`);
    throw error;
  }
}
