/**
 * Players for tests of lists: rows where a connect would have written them.
 * It deliberately goes around the rules of connecting, which have tests of their own.
 */
import { randomBytes } from 'node:crypto';
import type { Broker } from '../../src/broker.ts';

/** @param serverId such as `world:aurora/eldermoor` */
export async function addPlayer(
  { database }: Pick<Broker, 'database'>,
  serverId: string,
  as: 'active' | 'reserved' | 'queued',
): Promise<void> {
  const name = `p${randomBytes(6).toString('hex')}`;
  const [, realm, continent] = /^world:(.+)\/(.+)$/.exec(serverId) ?? [];
  const [account] = await database.query<{ id: string }>('insert into accounts (name, name_key) values ($1, $1) returning id', [name]);
  const [character] = await database.query<{ id: string }>(
    'insert into characters (account_id, name, name_key, realm, continent) values ($1, $2, $2, $3, $4) returning id',
    [account?.id, name, realm, continent],
  );
  if (as === 'queued') {
    await database.query('insert into worlds (server_id, realm, continent) values ($1, $2, $3) on conflict do nothing', [
      serverId,
      realm,
      continent,
    ]);
    await database.query('insert into queue_entries (server_id, account_id, character_id) values ($1, $2, $3)', [
      serverId,
      account?.id,
      character?.id,
    ]);
    return;
  }
  await database.query(
    `insert into play_sessions (account_id, character_id, server_id, pod_uid, client_id, state, token_expires_at)
     values ($1, $2, $3, 'pod', $4, $5, now() + interval '35 s')`,
    [account?.id, character?.id, serverId, randomBytes(8).readBigUInt64BE() >> 2n, as],
  );
}
