/**
 * The broker's log: one JSON object a line, without passwords, tokens, cookies or players' addresses.
 * It deliberately drops what it must not say wherever it appears, because one careless line is enough.
 */

import type { FastifyBaseLogger } from 'fastify';
import { type DestinationStream, type LoggerOptions, pino } from 'pino';

const SECRET = ['password', 'newPassword', 'token', 'recoveryCode', 'invite', 'authorization', 'cookie', 'secret', 'key', 'userData'];

const options: LoggerOptions = {
  messageKey: 'message',
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }), bindings: () => ({}) },
  redact: { paths: SECRET.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `err.${name}`]), censor: '(hidden)' },
  serializers: {
    // Neither headers nor addresses: routes, methods and ids are logged by name where they are needed.
    req: (request: { method?: string; id?: string }) => ({ method: request.method, id: request.id }),
    res: (reply: { statusCode?: number }) => ({ status: reply.statusCode }),
    // Without the values that an error of PostgreSQL repeats in `detail` ("Key (name)=(…) already exists").
    err: (error: Error & { code?: string }) => ({ type: error.name, message: error.message, code: error.code, stack: error.stack }),
  },
};

export function makeLog(level: string, destination?: DestinationStream): FastifyBaseLogger {
  return destination ? pino({ ...options, level }, destination) : pino({ ...options, level });
}

/**
 * The log of one request, which names the request in each line. It is made when something is said: most requests say nothing, and a pino child costs more than their route.
 */
export function requestLog(
  parent: FastifyBaseLogger,
  bindings: Parameters<FastifyBaseLogger['child']>[0],
  childOptions: Parameters<FastifyBaseLogger['child']>[1],
): FastifyBaseLogger {
  return new RequestLog(parent, bindings, childOptions) as FastifyBaseLogger;
}

class RequestLog {
  readonly #parent: FastifyBaseLogger;
  readonly #bindings: Parameters<FastifyBaseLogger['child']>[0];
  readonly #options: Parameters<FastifyBaseLogger['child']>[1];
  #child: FastifyBaseLogger | undefined;

  constructor(
    parent: FastifyBaseLogger,
    bindings: Parameters<FastifyBaseLogger['child']>[0],
    options: Parameters<FastifyBaseLogger['child']>[1],
  ) {
    this.#parent = parent;
    this.#bindings = bindings;
    this.#options = options;
  }

  get #made(): FastifyBaseLogger {
    this.#child ??= this.#parent.child(this.#bindings, this.#options);
    return this.#child;
  }

  get level(): string {
    return this.#parent.level;
  }
  fatal(...line: Line): void {
    this.#made.fatal(...line);
  }
  error(...line: Line): void {
    this.#made.error(...line);
  }
  warn(...line: Line): void {
    this.#made.warn(...line);
  }
  info(...line: Line): void {
    this.#made.info(...line);
  }
  debug(...line: Line): void {
    this.#made.debug(...line);
  }
  trace(...line: Line): void {
    this.#made.trace(...line);
  }
  silent(): void {}
  child(...given: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#made.child(...given);
  }
}

type Line = [fields: object, message?: string];

/** Whether a line of that level would be written, by the level that the log has now. */
export function levels(log: FastifyBaseLogger): (level: 'debug' | 'info') => boolean {
  const values: Readonly<Record<string, number>> = pino.levels.values;
  return (level) => (values[level] ?? 0) >= (values[log.level] ?? Number.POSITIVE_INFINITY);
}
