/**
 * How a player gets into a world: connect, and the queue when there is no place.
 * It deliberately decides nothing: the database does (connect-decisions.ts); this file prepares the question and words the outcome.
 */
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { MAX_SERVER_ID_BYTES } from 'netcode-token';
import { z } from 'zod';
import { clientAddress } from '../accounts/attempts.ts';
import { notLoggedIn, presentedSession, requireAccount } from '../accounts/authenticate.ts';
import { bannedProblem } from '../accounts/bans.ts';
import type { Broker } from '../broker.ts';
import { worldServerId } from '../discovery/view.ts';
import type { TokenResult } from '../metrics.ts';
import { Problem } from '../problem.ts';
import { openEventStream } from '../realms/event-stream.ts';
import {
  clientOutdated,
  clientSchema,
  encodingsSchema,
  QUEUE_URLS,
  tokenAnswerJson,
  tokenAnswerSchema,
  type WaitAnswer,
  waitAnswerSchema,
} from './connect-api.ts';
import { type ConnectOutcome, connectDecisions, QUEUE_LIMIT } from './connect-decisions.ts';
import { connectLimit } from './connect-limit.ts';
import { estimate, leaveQueue, queueStates, waitState } from './queue.ts';
import { queueStreams } from './queue-streams.ts';
import { type Consideration, consider } from './servers.ts';
import { freshClientId } from './sessions.ts';
import { issueToken } from './tokens.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const SECURITY: Record<string, string[]>[] = [{ bearer: [] }, { cookie: [] }];

/** Refusals: their code, their reason for programs, a sentence, and when to try again. */
const UNAVAILABLE: Readonly<Record<string, readonly [reason: string, detail: string, retryAfterSeconds: number]>> = {
  offline: ['offline', 'Its server is not there at the moment.', 30],
  stopping: ['draining', 'Its server is about to stop.', 30],
  'not-accepting': ['draining', 'Its server lets nobody new in at the moment.', 30],
  'stale-view': [
    'view-too-old',
    'The broker has lost touch with the servers and sends nobody anywhere until it knows again where they are.',
    15,
  ],
  'no-key': ['key-missing', 'The broker does not have this server’s key yet.', 15],
  'no-address': ['no-address', 'No address is known under which this server can be reached.', 30],
};

export const connectRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { settings, metrics } = broker;
    const decide = connectDecisions(broker);
    const limit = connectLimit(broker);
    requireShortNames(settings);
    const counted = tokenCounter(metrics);
    const realms = new Map(settings.realms.map((realm) => [realm.name, realm]));

    application.post(
      '/v1/realms/:realm/connect',
      {
        schema: {
          tags: ['play'],
          summary: 'Asks for a place in a world: a connect token, or a place in the queue.',
          description:
            'Load first and ask for the token last: it lives for about half a minute, and is good for one attempt. The place is kept 15 s longer. ' +
            'Problems: not-logged-in, banned, not-found, client-outdated (with `required`), realm-unavailable (with `reason`: maintenance, draining, offline, view-too-old, key-missing or no-address), queue-full, too-many-requests.',
          security: SECURITY,
          params: z.object({ realm: z.string().max(63) }),
          body: z.strictObject({
            characterId: z.uuid(),
            continent: z.string().max(63).optional().describe('@default the character’s home, or in another realm its first.'),
            client: clientSchema,
            encodings: encodingsSchema,
          }),
          response: { 200: tokenAnswerSchema, 202: waitAnswerSchema },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const { candidates } = presentedSession(broker, request, { changes: true });
        const [presented] = candidates;
        if (presented) limit.countSession(presented);
        const realm = realms.get(request.params.realm);
        const continents = realm?.continents.filter(({ name }) => body.continent === undefined || name === body.continent) ?? [];
        if (!realm || continents.length === 0) {
          await requireAccount(broker, request);
          throw new Problem(
            'not-found',
            realm ? `The realm '${realm.name}' has no continent '${body.continent}'.` : `There is no realm '${request.params.realm}'.`,
          );
        }
        const considered = continents.map((continent) => consider(broker, realm.name, continent, body.client));
        const clientId = freshClientId();
        const row = await decide({
          candidates,
          address: clientAddress({ ip: request.clientIp }).inet,
          realm: realm.name,
          continents: considered.map(({ continent }) => continent),
          pods: considered.map(({ identity }) => identity?.podUid ?? ''),
          places: considered.map(({ capacity }) => capacity),
          verdicts: considered.map(({ verdict }) => verdict),
          characterId: body.characterId,
          clientId,
        });
        if (presented && row.account) limit.learn(presented, row.account);
        const choice = considered[(row.chosen ?? 1) - 1] as Consideration;
        const count = (result: TokenResult) => counted(`${realm.name}/${choice.continent}`, result);
        if (row.outcome === 'reserved' && row.account && row.session && choice.identity && choice.key) {
          try {
            const issued = issueToken(broker, choice.identity, {
              clientId,
              accountId: row.account,
              characterId: body.characterId,
              playSessionId: row.session,
              clientAddress: request.clientIp,
              key: choice.key,
            });
            const answer = tokenAnswerJson(issued, row.session, body.encodings);
            count('issued');
            // Bytes go out as they are, whatever the schema: all of them are ASCII.
            return (reply as FastifyReply).type(JSON_TYPE).send(Buffer.from(answer, 'latin1'));
          } catch (error) {
            count('error');
            throw error;
          }
        }
        if (row.outcome === 'queued') {
          const state = waitState(choice.phase);
          count(state === 'queued' ? 'queued' : 'starting');
          const position = Number(row.queue_position);
          const answer: WaitAnswer = {
            state,
            realm: realm.name,
            continent: choice.continent,
            characterId: body.characterId,
            position,
            waiting: Number(row.waiting),
            estimateSeconds: estimate(position, row.seconds_each),
            ...QUEUE_URLS,
          };
          return reply.status(202).send(answer);
        }
        count(row.outcome === 'outdated' ? 'outdated' : 'refused');
        throw refusal(broker, row, choice, realm.title, body.client);
      },
    );

    application.get(
      '/v1/queue',
      {
        schema: {
          tags: ['play'],
          summary: 'How one’s entry in a queue stands. Asking keeps it for another 60 s.',
          description:
            'When the state is `ready`, connect again within a minute: that takes the place. Nobody overtakes. Without an entry: not-found. ' +
            'realm-unavailable (`reason` view-too-old): this broker has lost touch with the servers and the entry was not renewed; ask again after Retry-After.',
          security: SECURITY,
          response: { 200: waitAnswerSchema },
        },
      },
      async (request) => {
        const { accountId } = await requireAccount(broker, request);
        return (await queueStates(broker, [accountId])).get(accountId) ?? notQueued();
      },
    );

    application.delete(
      '/v1/queue',
      {
        schema: { tags: ['play'], summary: 'Gives one’s place in the queue up.', security: SECURITY, response: { 204: z.null() } },
      },
      async (request, reply) => {
        const { accountId } = await requireAccount(broker, request);
        await leaveQueue(broker, accountId);
        return reply.status(204).send(null);
      },
    );

    application.get(
      '/v1/events/queue',
      {
        exposeHeadRoute: false,
        schema: {
          tags: ['play'],
          summary: 'One’s entry in a queue as server-sent events; an open stream counts as asking.',
          description:
            'Event `queue` has the same document as GET /v1/queue, now and at each change. `gone` ends the stream: the entry was used, given up, or has run out. ' +
            '`closing` ends it because the broker restarts, or has lost touch with the servers (`reason`); come back after `retry`.',
          security: SECURITY,
          response: { 200: { description: 'The events.', content: { 'text/event-stream': { schema: z.string() } } } },
        },
      },
      async (request, reply) => {
        const { accountId } = await requireAccount(broker, request);
        const first = (await queueStates(broker, [accountId])).get(accountId) ?? notQueued();
        queueStreams(broker).add(accountId, openEventStream(broker, request, reply, { accountId }), first);
        return reply;
      },
    );
  };

/** Counts answers. Series are looked up once each: prom-client would put their names together for every answer. */
function tokenCounter({ tokens }: Broker['metrics']): (target: string, result: TokenResult) => void {
  const series = new Map<string, { inc(): void }>();
  return (target, result) => {
    const name = `${result} ${target}`;
    let counter = series.get(name);
    if (!counter) {
      counter = tokens.labels({ kind: 'world', target, result });
      series.set(name, counter);
    }
    counter.inc();
  };
}

/** A world's id must fit into a token. @throws with every world whose names are too long together */
function requireShortNames({ realms }: Broker['settings']): void {
  const most = MAX_SERVER_ID_BYTES - worldServerId('', '').length;
  const mistakes = realms.flatMap(({ name, continents }) =>
    continents
      .filter((continent) => name.length + continent.name.length > most)
      .map(
        (continent) =>
          `realms.${name}.continents.${continent.name}: the names of realm and continent have ${name.length + continent.name.length} characters together; there is room for at most ${most} in a connect token.`,
      ),
  );
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
}

function notQueued(): never {
  throw new Problem('not-found', 'This account waits in no queue. Connect again.');
}

function refusal(
  broker: Broker,
  row: ConnectOutcome,
  choice: Consideration,
  title: string,
  client: Parameters<typeof clientOutdated>[1],
): Problem {
  const { outcome, message, ends } = row;
  const until = ends ? { until: ends.toISOString() } : {};
  if (outcome === 'not-logged-in') return notLoggedIn();
  if (outcome === 'no-character') return new Problem('not-found', 'This account has no such character.');
  if (outcome === 'outdated') return clientOutdated(broker.settings, client, choice.fit);
  if (outcome === 'banned') return bannedProblem(message ?? '', ends);
  if (outcome === 'queue-full')
    return new Problem('queue-full', `${QUEUE_LIMIT} players wait for ${title} already. Try again later.`, { retryAfterSeconds: 60 });
  if (outcome === 'maintenance')
    return new Problem('realm-unavailable', `${title} is closed for maintenance: ${message}`, {
      members: { reason: 'maintenance', message, ...until },
      retryAfterSeconds: 60,
    });
  const known = UNAVAILABLE[outcome];
  if (!known) return new Problem('internal', `The outcome '${outcome}' of a connect is unknown.`);
  const [reason, detail, retryAfterSeconds] = known;
  return new Problem('realm-unavailable', `${title} cannot be entered: ${detail}`, { members: { reason }, retryAfterSeconds });
}
