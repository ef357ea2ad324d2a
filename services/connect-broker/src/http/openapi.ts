/**
 * How routes become operations of the OpenAPI document: by their schemas, and with the problem that each of them may answer with.
 * It deliberately lists no problem per route; clients act on `code`, and any of them may come from anywhere (a limit, the database away).
 */
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { PROBLEM_TYPE, PROBLEMS } from '../problem.ts';
import type { Application } from './application.ts';

const problem = {
  description: 'A problem (RFC 9457). With 429 and 503 comes Retry-After.',
  content: {
    [PROBLEM_TYPE]: {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'code', 'detail', 'instance'],
        properties: {
          type: { type: 'string', description: 'A URN that names the kind of problem.' },
          title: { type: 'string' },
          status: { type: 'integer' },
          code: { type: 'string', enum: Object.keys(PROBLEMS), description: 'What clients act on.' },
          detail: { type: 'string', description: 'A sentence for people.' },
          instance: { type: 'string', description: 'The request, as the log names it.' },
          retryAfterSeconds: { type: 'number' },
        },
      },
    },
  },
};

export const operationOf: typeof jsonSchemaTransform = (input) => {
  const operation = jsonSchemaTransform(input);
  const { schema } = operation;
  if (!schema || schema.hide) return operation;
  return { ...operation, schema: { ...schema, response: { ...(schema.response as object | undefined), default: problem } } };
};

/** Serves the document of all routes. It is written once: anybody may ask for it, and writing it takes milliseconds. */
export function serveOpenApi(application: Application): void {
  let document: string | undefined;
  application.get('/v1/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    document ??= JSON.stringify(application.swagger());
    return reply.type('application/json; charset=utf-8').send(document);
  });
}
