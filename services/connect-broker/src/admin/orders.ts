/**
 * Orders to game servers: announce, drain, save. A server hears them with the answer to its next report, at most five seconds later.
 * It deliberately waits for no server and does not know whether one obeyed; an order that nobody fetched runs out.
 */
import type { Transaction } from '../database/database.ts';
import type { ServerView } from '../discovery/view.ts';
import { Problem } from '../problem.ts';
import type { Note } from './actor.ts';

export type OrderKind = 'announce' | 'drain' | 'save';

/** Whom an order is for: one server, every world of a realm, or every server that runs. */
export type Recipients = { readonly server: string } | { readonly realm: string } | { readonly all: true };

/** How long an order waits for its server. An announcement that comes later than this confuses more than it tells. */
const LIFETIME: Readonly<Record<OrderKind, string>> = { announce: '1 minute', drain: '10 minutes', save: '1 minute' };

/**
 * Ids of the servers that run, of those that are meant.
 * @throws Problem `not-found` for a server or a realm that the view does not have, `conflict` when none of them runs
 */
export function recipients(view: ServerView, to: Recipients): string[] {
  const worlds = view.worlds();
  const instances = view.instances();
  const running = [
    ...worlds.filter(({ identity }) => identity).map(({ serverId }) => serverId),
    // A server that is Ready waits for players and has nobody to tell.
    ...instances.flatMap(({ identity, state }) => (identity && state === 'Allocated' ? [identity.serverId] : [])),
  ];
  const meant = ((): string[] => {
    if ('all' in to) return running;
    if ('realm' in to) {
      const ids = new Set(worlds.filter(({ realm }) => realm === to.realm).map(({ serverId }) => serverId));
      if (ids.size === 0) throw new Problem('not-found', `There is no realm '${to.realm}'.`);
      return running.filter((id) => ids.has(id));
    }
    const known = worlds.some(({ serverId }) => serverId === to.server) || instances.some(({ name }) => `instance:${name}` === to.server);
    if (!known) {
      throw new Problem(
        'not-found',
        `There is no server '${to.server}'. Servers are named world:<realm>/<continent> and instance:<GameServer>.`,
      );
    }
    return running.filter((id) => id === to.server);
  })();
  if (meant.length === 0) throw new Problem('conflict', 'No server of those that are meant runs at the moment.');
  return meant.sort();
}

/** Gives an order to each of `servers`. */
export async function order(
  transaction: Transaction,
  note: Note,
  kind: OrderKind,
  servers: readonly string[],
  to: Recipients,
  details: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await transaction.query(
    `insert into server_orders (server_id, kind, details, expires_at)
     select id, $2, $3::jsonb, now() + $4::interval from unnest($1::text[]) as id`,
    [servers, kind, JSON.stringify(details), LIFETIME[kind]],
  );
  const target = 'server' in to ? `server:${to.server}` : 'realm' in to ? `realm:${to.realm}` : 'servers:all';
  await note(`server.${kind}-ordered`, target, { ...details, servers });
  await transaction.query("select pg_notify('broker', 'orders')");
}
