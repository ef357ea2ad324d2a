/**
 * The broker's log: one JSON object a line, without passwords, tokens, cookies or players' addresses.
 * It deliberately drops what it must not say wherever it appears, because one careless line is enough.
 */

import type { FastifyBaseLogger } from 'fastify';
import { type DestinationStream, type LoggerOptions, pino } from 'pino';

const SECRET = [
  'password',
  'newPassword',
  'token',
  'recoveryCode',
  'code',
  'invite',
  'authorization',
  'cookie',
  'secret',
  'key',
  'userData',
];

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
