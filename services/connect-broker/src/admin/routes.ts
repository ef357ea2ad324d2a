import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Broker } from '../broker.ts';

export const adminRoutes =
  (_broker: Broker): FastifyPluginAsyncZod =>
  async () => {};
