/**
 * One HTTP listener of the broker: validation, problem details, request ids, limits, metrics, the same for players and for game servers.
 * It deliberately has no routes of its own.
 */
import { randomUUID } from 'node:crypto';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { isUnavailable } from '../database/database.ts';
import { levels, requestLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { PROBLEM_TYPE, Problem, type ProblemCode } from '../problem.ts';

export interface ApplicationOptions {
  readonly log: FastifyBaseLogger;
  readonly metrics: Metrics;
  /** Proxies in front that may be believed about the client's address. */
  readonly trustedProxyHops: number;
  /** The largest body in bytes. */
  readonly bodyLimit: number;
  /** Aborted when the end begins: from then on every answer asks its client to come back on another connection, which leads to another replica. */
  readonly stopping: AbortSignal;
  /**
   * Whether a 503 closes its connection: a client that keeps one for long would otherwise stay with a replica that is cut off, while others answer.
   * @default false: players come through a proxy, which chooses for each request
   */
  readonly closeWhenUnavailable?: boolean;
  /** Asked before an answer to what no route answers: addresses that are not there, and such as are no URL. Hooks of routes see none of them. @default nothing is asked */
  readonly beforeUnrouted?: (request: FastifyRequest) => Promise<void>;
}

export type Application = FastifyInstance<
  import('node:http').Server,
  import('node:http').IncomingMessage,
  import('node:http').ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** `ip`, read once. Empty or undefined where no hook has run: for addresses that are no URL. */
    clientIp: string;
  }
}

/** A request must be whole by then: slow senders hold no connection longer. */
const REQUEST_TIMEOUT_MS = 15_000;

export function makeApplication({
  log,
  metrics,
  trustedProxyHops,
  bodyLimit,
  stopping,
  closeWhenUnavailable = false,
  beforeUnrouted = async () => undefined,
}: ApplicationOptions): Application {
  const application = Fastify({
    loggerInstance: log,
    // Fastify's own two lines a request have the player's address; ours are below.
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: (_address: string, hop: number) => hop < trustedProxyHops,
    bodyLimit,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: 0,
    keepAliveTimeout: 75_000,
    // An id that a client sends is not believed: it would end up in the logs.
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    childLoggerFactory: (logger, bindings, childOptions) => requestLog(logger, bindings, childOptions),
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => {
      // Such an answer passes no hooks.
      reply.header('x-request-id', request.id).header('cache-control', 'no-store');
      void beforeUnrouted(request as FastifyRequest).then(
        () => answerError(error, request, reply),
        (refusal: FastifyError) => answerError(refusal, request, reply),
      );
    },
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: false },
  }).withTypeProvider<ZodTypeProvider>();
  application.setValidatorCompiler(validatorCompiler);
  application.setSerializerCompiler(serializerCompiler);

  // Fastify reads the header anew each time that it is asked, and everything asks: limits, metrics, bans, the order of a token's addresses.
  application.decorateRequest('clientIp', '');
  // Hooks with a callback: a promise for each of them and each request is a fifth of the cost of a small answer.
  application.addHook('onRequest', (request, reply, done) => {
    request.clientIp = request.ip;
    reply.header('x-request-id', request.id);
    reply.header('cache-control', 'no-store');
    done();
  });
  // When the answer goes out, not when the request comes in: a connection that was busy at the end would otherwise stay open, idle, beyond the pod's grace.
  application.addHook('onSend', (_request, reply, payload, done) => {
    if (stopping.aborted || (closeWhenUnavailable && reply.statusCode === 503)) reply.header('connection', 'close');
    done(null, payload);
  });
  const observe = observer(metrics);
  const isLogged = levels(log);
  application.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { method } = request;
    const status = reply.statusCode;
    observe(route, method, status, isStream(reply.getHeader('content-type')) ? undefined : reply.elapsedTime / 1000);
    // Looking is most of the traffic and says nothing; who changes something, or fails, is worth a line.
    const level = method === 'GET' && status < 400 ? 'debug' : 'info';
    if (isLogged(level)) request.log[level]({ route, method, status, milliseconds: Math.round(reply.elapsedTime) }, 'answered');
    done();
  });
  application.setErrorHandler(answerError);
  application.setNotFoundHandler(async (request) => {
    await beforeUnrouted(request as unknown as FastifyRequest);
    throw new Problem('not-found', 'There is nothing at this address.');
  });
  return application as unknown as Application;
}

function answerError(
  error: FastifyError,
  request: Pick<FastifyRequest, 'id' | 'log'>,
  reply: Pick<FastifyReply, 'header' | 'getHeader' | 'status'>,
): FastifyReply {
  const problem = problemOf(error, request, Number(reply.getHeader('retry-after')));
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .status(problem.status)
    .type(PROBLEM_TYPE)
    .serializer(JSON.stringify)
    .send(problem.body(`urn:uuid:${request.id}`));
}

/** Counts an answer. Series are looked up once each: prom-client would put their names together for every request. */
function observer({
  requests,
  requestDuration,
}: Metrics): (route: string, method: string, status: number, seconds: number | undefined) => void {
  const counters = new Map<string, { inc(): void }>();
  const histograms = new Map<string, { observe(seconds: number): void }>();
  return (route, method, status, seconds) => {
    const timed = `${method} ${route}`;
    const counted = `${status} ${timed}`;
    let counter = counters.get(counted);
    if (!counter) {
      counter = requests.labels({ route, method, status: String(status) });
      counters.set(counted, counter);
    }
    counter.inc();
    if (seconds === undefined) return;
    let histogram = histograms.get(timed);
    if (!histogram) {
      histogram = requestDuration.labels({ route, method });
      histograms.set(timed, histogram);
    }
    histogram.observe(seconds);
  };
}

const isStream = (type: unknown): boolean => typeof type === 'string' && type.startsWith('text/event-stream');

const FASTIFY_CODES: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too-large', 'The body is larger than this address takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'Send the body as application/json.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['bad-request', 'The body is empty; it must be a JSON object.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['bad-request', 'The body is not valid JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad-request', 'The body is not as long as Content-Length says.'],
  FST_ERR_BAD_URL: ['bad-request', 'The address is not a valid URL path.'],
  FST_ERR_MAX_PARAM_LENGTH: ['bad-request', 'A part of the path is too long.'],
};

/** What was thrown, as what is told. Only a Problem and mistakes of the request are told in detail; the rest is logged. */
function problemOf(error: FastifyError, request: Pick<FastifyRequest, 'id' | 'log'>, limitedSeconds: number): Problem {
  if ((error as unknown) instanceof Problem) return error as unknown as Problem;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const mistakes = error.validation.map((issue) => ({
      in: error.validationContext ?? 'request',
      at: issue.instancePath,
      problem: issue.message ?? 'is wrong',
    }));
    return new Problem('invalid', mistakes.map((mistake) => `${mistake.in}${mistake.at}: ${mistake.problem}`).join('; '), {
      members: { mistakes },
    });
  }
  const known = FASTIFY_CODES[error.code];
  if (known) return new Problem(...known);
  if (error.statusCode === 429)
    return new Problem('too-many-requests', error.message, { retryAfterSeconds: limitedSeconds > 0 ? limitedSeconds : 10 });
  if (isUnavailable(error)) {
    request.log.warn({ err: error }, 'the database is not available');
    return new Problem('unavailable', 'The broker cannot reach its database at the moment. Try again in some seconds.', {
      retryAfterSeconds: 5,
    });
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) return new Problem('bad-request', error.message);
  request.log.error({ err: error }, 'a request failed');
  return new Problem('internal', `Something went wrong. The log has it under ${request.id}.`);
}
