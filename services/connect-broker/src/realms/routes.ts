/**
 * The realms as players see them: the list, one realm, and a stream of changes. Nobody needs to be logged in.
 * It deliberately computes nothing; all answers lie ready in `board.ts`.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { requireAccount } from '../accounts/authenticate.ts';
import type { Broker } from '../broker.ts';
import { Problem } from '../problem.ts';
import { boardOf, type Prebuilt } from './board.ts';
import { REALM_STATUSES } from './document.ts';
import { isNamed } from './etag.ts';
import { openEventStream } from './event-stream.ts';

const currency = z.object({
  current: z.boolean(),
  asOf: z.iso.datetime().nullable().describe('Since when it is not current; null while it is, and when it never was known.'),
});
const continent = z.object({
  name: z.string(),
  title: z.string(),
  status: z
    .enum(REALM_STATUSES)
    .describe(
      'online: there is room; full: one has to wait; starting: its server is on the way up; asleep: it starts when somebody connects; draining: nobody new is let in, a stop is near; offline: nothing is there; maintenance: closed by an operator.',
    ),
  players: z.int().describe('Players in the world now.'),
  capacity: z.int().describe('Places; some may be reserved, or held for players who just lost their connection.'),
  queue: z.int().describe('Players who wait.'),
});
const realm = continent.extend({
  maintenance: z.object({ message: z.string(), until: z.iso.datetime().nullable() }).nullable(),
  continents: z.array(continent),
});
const currencies = {
  numbers: currency.describe('Players and queues. Not current while the database is away.'),
  servers: currency.describe(
    'Statuses. Not current while the servers have not been heard of for five minutes; nobody is sent to one then.',
  ),
};
const notModified = z.void().describe('It still is what If-None-Match names.');

/** The bytes as they are: the reply's serialiser and its type are for objects. */
function answer(request: FastifyRequest, reply: unknown, { body, etag }: Prebuilt): void {
  const raw = reply as FastifyReply;
  // May be kept, and must be asked about each time: the answer then is a 304 without a body.
  raw.header('cache-control', 'no-cache').header('etag', etag);
  if (isNamed(etag, request.headers['if-none-match'])) raw.status(304).send();
  else raw.type('application/json; charset=utf-8').send(body);
}

/** The account behind a session, if there is a valid one: streams are counted by it. A database that is away makes no difference here. */
async function accountIfAny(broker: Broker, request: FastifyRequest): Promise<string | undefined> {
  if (request.headers.authorization === undefined && request.headers.cookie === undefined) return undefined;
  try {
    return (await requireAccount(broker, request)).accountId;
  } catch {
    return undefined;
  }
}

export const realmRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const board = boardOf(broker);

    application.get(
      '/v1/realms',
      {
        schema: {
          tags: ['realms'],
          summary: 'All realms with their status, players and queues.',
          description:
            'Served from memory. Send the ETag back as If-None-Match; 304 means that nothing has changed. Changes come at most once a second or so.',
          response: { 200: z.object({ ...currencies, realms: z.array(realm) }), 304: notModified },
        },
      },
      (request, reply) => answer(request as FastifyRequest, reply, board.list()),
    );

    application.get(
      '/v1/realms/:realm',
      {
        schema: {
          tags: ['realms'],
          summary: 'One realm.',
          params: z.object({ realm: z.string().max(63) }),
          response: { 200: realm.extend(currencies), 304: notModified },
        },
      },
      (request, reply) => {
        const found = board.realm(request.params.realm);
        if (!found) throw new Problem('not-found', `There is no realm '${request.params.realm}'. GET /v1/realms lists them.`);
        answer(request as FastifyRequest, reply, found);
      },
    );

    application.get(
      '/v1/events/realms',
      {
        exposeHeadRoute: false,
        schema: {
          tags: ['realms'],
          summary: 'Changes of the realms as server-sent events.',
          description:
            'First `snapshot` (the document of GET /v1/realms), then `change` (the same without the realms that stayed as they were). ' +
            'With Last-Event-ID the missed changes come instead of the snapshot, as long as this replica has them. `closing` is the last event when the broker ends; its `retry` says when to come back.',
          // Loose: a strict one would take the session's header away.
          headers: z.looseObject({ 'last-event-id': z.string().max(200).optional() }),
          response: { 200: { description: 'The events.', content: { 'text/event-stream': { schema: z.string() } } } },
        },
      },
      async (request, reply) => {
        const accountId = await accountIfAny(broker, request);
        const stream = openEventStream(broker, request, reply, accountId === undefined ? {} : { accountId });
        const lastId = request.headers['last-event-id'];
        const missed = typeof lastId === 'string' ? board.since(lastId) : undefined;
        for (const event of missed ?? [board.snapshot()]) stream.send(event);
        const stop = board.onChange((event) => stream.send(event));
        void stream.closed.then(stop);
        return reply;
      },
    );
  };
