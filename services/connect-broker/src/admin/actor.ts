/**
 * Who acts with an operator's rights: an account with the role, or the command on the server.
 * It deliberately checks the role again where the change is made, so that somebody whose role was taken a moment ago changes nothing any more.
 */
import type { Database, Transaction } from '../database/database.ts';
import { Problem } from '../problem.ts';
import { audit } from './audit.ts';

export interface Actor {
  /** @default none: the command on the server, which whoever has the cluster may run */
  readonly accountId?: string;
  /** Its name at the moment, for the audit log. */
  readonly name: string;
  /** Where the request came from; a ban that would hit it is refused. */
  readonly address?: string;
}

/** The command on the server. */
export const COMMAND_ACTOR: Actor = { name: 'command' };

/** Writes an audit entry of this actor. */
export type Note = (action: string, target: string, details?: Readonly<Record<string, unknown>>) => Promise<void>;

/** The way to write entries of `actor` in `transaction`. */
export const noteOf =
  (transaction: Transaction, actor: Actor): Note =>
  (action, target, details) =>
    audit(transaction, { actorId: actor.accountId, actorName: actor.name, action, target, ...(details ? { details } : {}) });

/**
 * Runs a change and its audit entries in one transaction.
 * The actor's account is locked against a change of its role until the end.
 * @throws Problem `not-allowed` when the actor is an account that is no administrator any more
 */
export function act<T>(database: Database, actor: Actor, work: (transaction: Transaction, note: Note) => Promise<T>): Promise<T> {
  return database.transaction(async (transaction) => {
    if (actor.accountId !== undefined) {
      const [row] = await transaction.query("select 1 from accounts where id = $1 and role = 'admin' for share", [actor.accountId]);
      if (!row) throw notAdminAnyMore();
    }
    return work(transaction, noteOf(transaction, actor));
  });
}

export const notAdminAnyMore = (): Problem => new Problem('not-allowed', 'Only administrators may do that.');
