/**
 * Keeps banned accounts and addresses out at log-in and registration.
 * It deliberately makes no bans (admin/bans.ts) and does not end what is open already: whoever bans does that.
 */
import type { Queryable } from '../database/database.ts';
import { Problem } from '../problem.ts';

/**
 * @param accountId undefined for an address alone
 * @throws Problem `banned` with `until` (null: until it is lifted) and `reason`
 */
export async function refuseBanned(queryable: Queryable, accountId: string | undefined, inet: string | null): Promise<void> {
  const [ban] = await queryable.query<{ reason: string; until: Date | null }>('select reason, until from active_ban($1, $2::inet)', [
    accountId ?? null,
    inet,
  ]);
  if (ban) throw bannedProblem(ban.reason, ban.until);
}

export function bannedProblem(reason: string, until: Date | null): Problem {
  const end = until ? ` until ${until.toISOString()}` : '';
  return new Problem('banned', `This account or address is banned${end}: ${reason}`, {
    members: { reason, until: until?.toISOString() ?? null },
  });
}
