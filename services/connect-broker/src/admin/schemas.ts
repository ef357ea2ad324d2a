/**
 * Shapes that several of the operators' routes share, and what every one of them says of itself in the API document.
 * It deliberately holds no rules that the database or a function of this folder checks.
 */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Authenticated, requireAdmin } from '../accounts/authenticate.ts';
import type { Broker } from '../broker.ts';
import type { Actor } from './actor.ts';

/** A logged-in administrator as the one who acts. */
export const actorOf = ({ accountId, accountName }: Authenticated, { ip }: Pick<FastifyRequest, 'ip'>): Actor => ({
  accountId,
  name: accountName,
  address: ip,
});

/** The operator behind a request. @throws Problem as `requireAdmin` */
export const requireActor = async (broker: Broker, request: FastifyRequest): Promise<Actor> =>
  actorOf(await requireAdmin(broker, request), request);

/** Tag and security of every route. */
export const ADMIN: { readonly tags: string[]; readonly security: Record<string, string[]>[] } = {
  tags: ['admin'],
  security: [{ bearer: [] }, { cookie: [] }],
};

/** A line that people read: players, in a game's chat or on the page. */
export const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    // Half of a surrogate pair (Cs) is taken by neither PostgreSQL nor the JSON parsers of other languages.
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must be one line of valid Unicode without control characters');

/** A moment with its offset: `2026-01-31T18:00:00Z`. */
export const moment = z
  .string()
  .pipe(z.iso.datetime({ offset: true, error: 'must be a time such as 2026-01-31T18:00:00Z' }))
  .transform((text) => new Date(text));

export const idParams = z.object({ id: z.uuid() });

/** Entries of one page. */
export const limit = z.coerce.number().int().min(1).max(200).default(50).describe('Entries of one page.');

export const removal = z.object({
  loggedOut: z.int().describe('Sessions of the page and of game clients that were ended.'),
  kicked: z.int().describe('Play sessions whose servers are ordered to kick them.'),
});

export const ban = z.object({
  id: z.uuid(),
  account: z.object({ id: z.uuid(), name: z.string() }).nullable(),
  network: z.string().nullable().describe('An address is a network too: 203.0.113.7/32.'),
  reason: z.string(),
  until: z.date().nullable().describe('Null: until it is lifted.'),
  createdAt: z.date(),
  createdBy: z.string().nullable().describe('Null: the command on the server, or an account that is gone.'),
  liftedAt: z.date().nullable(),
  liftedBy: z.string().nullable(),
  active: z.boolean(),
});
