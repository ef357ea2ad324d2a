/**
 * The API of game servers: claim a session before its player enters, report every 5 s, save and release characters.
 * It deliberately holds no rules: each route is one function of migration 003, which decides under its locks; a caller acts for its own server alone.
 */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Broker } from '../broker.ts';
import { retryConflicts } from '../database/database.ts';
import type { GameServerCaller } from '../discovery/game-server-auth.ts';
import type { ClaimResult } from '../metrics.ts';
import { Problem } from '../problem.ts';
import { labelsOf } from './servers.ts';

const SECURITY: Record<string, string[]>[] = [{ gameServer: [] }];
const TAGS = ['game servers'];

/** What a character's state may be at most, in bytes. */
export const MOST_STATE_BYTES = 65_536;
/** Sessions that one report may name: netcode's servers have at most 1024 clients; twice as many leave room for those that just left. */
const MOST_SESSIONS = 2_048;
const MOST_INT32 = 2_147_483_647;

/** Seconds after which a refused claim that waits for another server is made again. */
const WAIT_SECONDS = 1;

const unsigned = z.int().min(0).max(MOST_INT32);
const epochSchema = z
  .string()
  .regex(/^[0-9]{1,18}$/, 'must be the epoch of the claim: digits in a string')
  .describe('The epoch that the claim gave: a number in a string.');
const sequenceSchema = z
  .int()
  .min(0)
  .optional()
  .describe(
    'Number of this save or release among those of its session, each higher than those before: an older one that comes late is refused. @default none: the last to come is stored',
  );
const orderId = z.string().regex(/^[0-9]{1,18}$/, 'must be the id of an order: digits in a string');
const stateSchema = z
  .string()
  .max(Math.ceil(MOST_STATE_BYTES / 3) * 4, `must be base64 of at most ${MOST_STATE_BYTES} bytes`)
  .superRefine((text, context) => {
    const bytes = Buffer.from(text, 'base64');
    if (bytes.toString('base64') !== text)
      context.addIssue({ code: 'custom', message: 'must be base64 in the standard alphabet, with its padding' });
    else if (bytes.length > MOST_STATE_BYTES)
      context.addIssue({ code: 'custom', message: `is ${bytes.length} bytes; at most ${MOST_STATE_BYTES} are stored` });
  })
  .describe('What the game stores of the character, in base64: at most 64 KiB. Opaque to the broker.');

/** The caller behind a request of the internal port. @throws Problem as `GameServerAuthenticator` */
export function requireGameServer(broker: Pick<Broker, 'gameServers'>, request: FastifyRequest): Promise<GameServerCaller> {
  return broker.gameServers.authenticate(/^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1], request.ip);
}

const REFUSED: Readonly<Record<Exclude<ClaimResult, 'accepted' | 'error'>, string>> = {
  superseded: 'The account has connected again since; that later session counts.',
  banned: 'The account is banned.',
  expired: 'The token was not used in time, or the session is unknown. The client asks for another one.',
  claimed: 'The session was claimed already. A client that comes back needs a new token.',
  mismatch: 'The session is for another server, another pod, or another client id.',
};

export const gameServerRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { database, metrics } = broker;
    const call = async <Row extends object>(text: string, values: readonly unknown[]): Promise<Row> => {
      const [row] = await retryConflicts(() => database.query<Row>(text, values));
      if (!row) throw new Error('A function of the schema gave no row.');
      return row;
    };

    application.post(
      '/v1/game/claims',
      {
        schema: {
          tags: TAGS,
          summary: 'Claims a session: may this player enter, and with what?',
          description:
            'Before a player enters, with the ids of the token’s user data, after comparing its client id with the connection’s. Accepted, the character is this server’s under the epoch. ' +
            'claim-refused (`reason`: superseded, banned, expired, claimed, mismatch): disconnect. claim-waits: the account’s earlier session is still on another server; ' +
            'keep the connection and claim again after Retry-After; when `blockedBy.serverId` is this very server, let that session go at once. ' +
            'Any other status: the broker or its database is away; try again while the connection lives, and let nobody in meanwhile.',
          security: SECURITY,
          body: z.strictObject({
            playSessionId: z.uuid(),
            clientId: z
              .string()
              .regex(/^[0-9]{1,20}$/, 'must be a client id: digits in a string')
              .describe('The connection’s client id, decimal.'),
            claimId: z
              .uuid()
              .optional()
              .describe(
                'Made by the server for this claim. Repeated with the same one, an accepted claim is answered again instead of refused.',
              ),
          }),
          response: {
            200: z.object({
              playSessionId: z.uuid(),
              accountId: z.uuid(),
              character: z.object({
                id: z.uuid(),
                name: z.string(),
                state: z.string().nullable().describe('What was last stored, in base64; null for a new character.'),
                epoch: z.string().describe('Names this ownership in saves and the release.'),
              }),
            }),
          },
        },
      },
      async (request) => {
        const caller = await requireGameServer(broker, request);
        const { playSessionId, clientId, claimId } = request.body;
        const labels = labelsOf(broker, caller.serverId);
        let row: {
          outcome: ClaimResult | 'wait';
          account: string;
          played_character: string;
          character_name: string;
          character_state: Uint8Array | null;
          character_epoch: bigint;
          blocking_session: string | null;
          blocking_server: string | null;
          message: string | null;
          ends: Date | null;
        };
        try {
          row = await call('select * from claim_place($1, $2, $3, $4, $5)', [
            playSessionId,
            caller.serverId,
            caller.podUid,
            // A client id that no reservation can have fits no bigint either.
            BigInt(clientId) < 2n ** 63n ? clientId : '0',
            claimId ?? null,
          ]);
        } catch (error) {
          metrics.claims.inc({ ...labels, result: 'error' });
          throw error;
        }
        if (row.outcome === 'wait')
          throw new Problem('claim-waits', 'The account’s earlier session has not been let go yet. Claim again.', {
            members: { blockedBy: { playSessionId: row.blocking_session, serverId: row.blocking_server } },
            retryAfterSeconds: WAIT_SECONDS,
          });
        metrics.claims.inc({ ...labels, result: row.outcome });
        if (row.outcome !== 'accepted')
          throw new Problem('claim-refused', REFUSED[row.outcome as keyof typeof REFUSED], {
            members: {
              reason: row.outcome,
              ...(row.outcome === 'banned' && row.message ? { message: row.message, until: row.ends?.toISOString() ?? null } : {}),
            },
          });
        return {
          playSessionId,
          accountId: row.account,
          character: {
            id: row.played_character,
            name: row.character_name,
            state: row.character_state === null ? null : Buffer.from(row.character_state).toString('base64'),
            epoch: row.character_epoch.toString(),
          },
        };
      },
    );

    application.post(
      '/v1/game/reports',
      {
        schema: {
          tags: TAGS,
          summary: 'What a server tells every 5 s: who is there, and what it is. The answer has its orders.',
          description:
            'Name every session that was claimed and not released. An order comes with each answer until a report acknowledges its id, or it has run out: carry it out once. ' +
            'kick: disconnect the session (`playSessionId`), store its character with a release. announce: tell players `details`. drain: let nobody in. save: save the world. ' +
            '`dropped`: sessions that were named and are not (any more) this server’s: remove them at once, without a release: their characters may play elsewhere.',
          security: SECURITY,
          body: z.strictObject({
            sessions: z.array(z.uuid()).max(MOST_SESSIONS),
            accepting: z.boolean().describe('Whether newcomers may enter.'),
            build: z
              .string()
              .min(1)
              .max(63)
              .regex(/^[^\p{Cc}]+$/u, 'must have no control characters'),
            players: unsigned,
            capacity: unsigned.describe('Players at once; the smaller one of this and the configuration’s counts.'),
            acknowledged: z.array(orderId).max(1_000).default([]).describe('Orders that were received.'),
          }),
          response: {
            200: z.object({
              orders: z.array(
                z.object({
                  id: orderId,
                  kind: z.enum(['kick', 'announce', 'drain', 'save']),
                  playSessionId: z.uuid().nullable(),
                  details: z.record(z.string(), z.unknown()),
                }),
              ),
              dropped: z.array(z.uuid()),
            }),
          },
        },
      },
      async (request) => {
        const { serverId, podUid } = await requireGameServer(broker, request);
        const { sessions, accepting, build, players, capacity, acknowledged } = request.body;
        const row = await call<{
          dropped: string[];
          orders: {
            id: string;
            kind: 'kick' | 'announce' | 'drain' | 'save';
            playSessionId: string | null;
            details: Record<string, unknown>;
          }[];
        }>('select * from report_server($1, $2, $3::uuid[], $4, $5, $6, $7, $8::bigint[])', [
          serverId,
          podUid,
          sessions,
          accepting,
          build,
          players,
          capacity,
          acknowledged,
        ]);
        return { orders: row.orders, dropped: row.dropped };
      },
    );

    const stale = (present: bigint | null) =>
      new Problem('stale-epoch', 'The character is no longer this server’s under that epoch; nothing was stored. Remove it.', {
        members: { reason: 'moved-on', presentEpoch: present === null ? null : present.toString() },
      });
    interface Stored {
      readonly outcome: string;
      readonly present_epoch: bigint | null;
      readonly stored_sequence: bigint | null;
    }
    const older = (stored: bigint | null) =>
      new Problem(
        'stale-epoch',
        `This is an older save: number ${stored} of the session is stored already, and nothing was stored now. The character is still this server’s.`,
        { members: { reason: 'older-save', storedSequence: Number(stored) } },
      );
    const notItsOwn = () => new Problem('not-allowed', 'The session is another server’s, or another pod’s.');

    application.post(
      '/v1/game/saves',
      {
        schema: {
          tags: TAGS,
          summary: 'Stores a character’s state while it plays.',
          description:
            'Optional, as often as the game wants. Number them (`sequence`): a repeated save may otherwise replace a newer one. ' +
            'stale-epoch: nothing was stored. `reason` moved-on: the character is not this server’s any more; remove it. older-save: `storedSequence`, the same or a newer one, is stored; play on.',
          security: SECURITY,
          body: z.strictObject({ playSessionId: z.uuid(), epoch: epochSchema, sequence: sequenceSchema, state: stateSchema }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { serverId, podUid } = await requireGameServer(broker, request);
        const { playSessionId, epoch, sequence, state } = request.body;
        const row = await call<Stored>('select * from save_character($1, $2, $3, $4, $5, $6)', [
          playSessionId,
          serverId,
          podUid,
          epoch,
          Buffer.from(state, 'base64'),
          sequence ?? null,
        ]);
        if (row.outcome === 'mismatch') throw notItsOwn();
        if (row.outcome === 'older') throw older(row.stored_sequence);
        if (row.outcome !== 'saved') throw stale(row.present_epoch);
        return reply.status(204).send(null);
      },
    );

    application.post(
      '/v1/game/releases',
      {
        schema: {
          tags: TAGS,
          summary: 'Gives a character back, with its state, when its player leaves.',
          description:
            'logged-out frees the place at once; disconnected keeps it for 300 s; handed-over: the player goes to another server; his place in a world is kept while he is in an instance. ' +
            'Repeat it until it is answered: the same release again is answered the same. stale-epoch: nothing was stored. `reason` moved-on: the character is not this server’s any more; ' +
            'older-save: a save with the same or a higher `sequence` is stored; the character is still this server’s: release it with a higher one.',
          security: SECURITY,
          body: z.strictObject({
            playSessionId: z.uuid(),
            epoch: epochSchema,
            sequence: sequenceSchema,
            state: stateSchema.optional().describe('@default what was stored last stays'),
            reason: z.enum(['logged-out', 'disconnected', 'handed-over']),
          }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { serverId, podUid } = await requireGameServer(broker, request);
        const { playSessionId, epoch, sequence, state, reason } = request.body;
        const row = await call<Stored>('select * from release_place($1, $2, $3, $4, $5, $6, $7)', [
          playSessionId,
          serverId,
          podUid,
          epoch,
          state === undefined ? null : Buffer.from(state, 'base64'),
          reason,
          sequence ?? null,
        ]);
        if (row.outcome === 'mismatch') throw notItsOwn();
        if (row.outcome === 'older') throw older(row.stored_sequence);
        if (row.outcome !== 'released') throw stale(row.present_epoch);
        return reply.status(204).send(null);
      },
    );
  };
