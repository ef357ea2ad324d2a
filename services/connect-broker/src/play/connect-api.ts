/**
 * What a client sends to connect and what it is answered, the same for worlds and for instances.
 * It deliberately has no routes; each kind of server has its own.
 */
import { formatProtocolId } from 'netcode-token';
import { z } from 'zod';
import type { ServerIdentity } from '../discovery/view.ts';
import { Problem } from '../problem.ts';
import type { Settings } from '../settings.ts';
import type { IssuedToken } from './tokens.ts';

/** What the client says of itself; what it leaves out is not compared. */
export const clientSchema = z
  .strictObject({
    protocolId: z
      .string()
      .regex(
        /^(0x[0-9a-fA-F]{1,16}|[0-9]{1,20})$/,
        'must be an unsigned 64-bit number: hexadecimal such as "0x4d4d4f0000000001", or decimal',
      )
      .optional()
      .describe("netcode's protocol id, hexadecimal with 0x or decimal."),
    build: z.string().min(1).max(63).optional().describe('Build of the game, as the server’s label has it.'),
  })
  .default({});
export type Client = z.output<typeof clientSchema>;

export const encodingsSchema = z
  .array(z.enum(['standard', 'renet']))
  .min(1)
  .max(2)
  .default(['standard'])
  .describe('Forms of the token that are wanted: netcode 1.02 as standardised, or as the crate renetcode reads it.');
export type Encodings = z.output<typeof encodingsSchema>;

export const tokenAnswerSchema = z.object({
  token: z
    .string()
    .optional()
    .describe('The connect token in the standard’s form (2048 bytes), in base64. A secret: never log or keep it.'),
  renet: z.string().optional().describe('The same token in renet’s form, in base64.'),
  clientId: z.string().describe('netcode’s client id, decimal; new with every token.'),
  playSessionId: z.uuid(),
  expiresAt: z.iso.datetime().describe('Servers refuse the token from then on. Load first, ask for the token last.'),
});

export const waitAnswerSchema = z.object({
  state: z
    .enum(['queued', 'ready', 'starting', 'asleep'])
    .describe(
      'queued: every place is taken. ready: it is your turn, connect within a minute. starting: the server is on its way up. asleep: no server is wanted there at the moment.',
    ),
  realm: z.string().optional(),
  continent: z.string().optional(),
  characterId: z.uuid(),
  position: z.int().describe('Place in the queue: 1 is next.'),
  waiting: z.int().describe('Everybody in this queue.'),
  estimateSeconds: z
    .int()
    .nullable()
    .describe('Likely time until it is your turn, from how fast the queue has moved; null when nothing is known.'),
  pollAfterSeconds: z.int().describe('Ask again after as long; not asking for 60 s loses the place in the queue.'),
  pollUrl: z.string(),
  streamUrl: z.string(),
});
export type WaitAnswer = z.output<typeof waitAnswerSchema>;

/** Where an entry in a queue is asked for, and how often. */
export const QUEUE_URLS = { pollAfterSeconds: 5, pollUrl: '/v1/queue', streamUrl: '/v1/events/queue' } as const;

/** The answer with a token in the wanted forms. */
export function tokenAnswer(issued: IssuedToken, playSessionId: string, encodings: Encodings): z.output<typeof tokenAnswerSchema> {
  return {
    ...(encodings.includes('standard') ? { token: issued.token } : {}),
    ...(encodings.includes('renet') ? { renet: issued.renet } : {}),
    clientId: issued.clientId,
    playSessionId,
    expiresAt: issued.expiresAt,
  };
}

/**
 * The same as JSON, for the answer that everybody waits for in the evening: validation and serialisation of two kilobytes cost as much as sealing them. None of the values has
 * a character that JSON escapes; a test compares both with the schema.
 */
export function tokenAnswerJson(issued: IssuedToken, playSessionId: string, encodings: Encodings): string {
  const standard = encodings.includes('standard') ? `"token":"${issued.token}",` : '';
  const renet = encodings.includes('renet') ? `"renet":"${issued.renet}",` : '';
  return `{${standard}${renet}"clientId":"${issued.clientId}","playSessionId":"${playSessionId}","expiresAt":"${issued.expiresAt}"}`;
}

/** What a server wants of its clients. */
export type Fit = Pick<ServerIdentity, 'protocolId' | 'build'>;

export const fits = (client: Client, server: Fit): boolean =>
  (client.protocolId === undefined || BigInt(client.protocolId) === server.protocolId) &&
  (client.build === undefined || client.build === server.build);

/** Refusal of a client that cannot speak with the server, with what it needs. */
export function clientOutdated(settings: Settings, client: Client, server: Fit): Problem {
  const protocolId = formatProtocolId(server.protocolId);
  const theirs = [client.build && `build ${client.build}`, client.protocolId && `protocol ${client.protocolId}`].filter(Boolean).join(', ');
  return new Problem(
    'client-outdated',
    `The server runs build ${server.build} (protocol ${protocolId}); this client is ${theirs}. Update it.`,
    {
      members: {
        required: {
          protocolId,
          build: server.build,
          ...(settings.game.downloadUrl === undefined ? {} : { downloadUrl: settings.game.downloadUrl }),
        },
      },
    },
  );
}
