import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Broker } from '../broker.ts';

export const pageRoutes =
  (_broker: Broker): FastifyPluginAsyncZod =>
  async () => {};
