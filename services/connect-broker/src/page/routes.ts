/**
 * Serves the page: one document under the page's own paths, and its script and style sheet under names that change with their content.
 * It deliberately answers no other path: a mistyped address of the API must stay a 404.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Broker } from '../broker.ts';
import { Problem } from '../problem.ts';
import { isNamed } from '../realms/etag.ts';
import { type BuiltAsset, buildPage, type PageBundle, readPage } from './build.ts';
import { PAGE_PATHS, pageShell } from './shell.ts';

const FOR_EVER = 'public, max-age=31536000, immutable';

// Built once for a process, when somebody first asks: tests of the API need no page.
let built: Promise<PageBundle> | undefined;
function sharedBuild(): Promise<PageBundle> {
  built ??= buildPage().catch((error: unknown) => {
    built = undefined;
    throw error;
  });
  return built;
}

/** The best encoding that the client takes; what it refuses with q=0 is left out. */
function chosenEncoding(header: string | undefined): 'br' | 'gzip' | undefined {
  const accepted = new Set(
    (header ?? '')
      .split(',')
      .map((part) => part.trim().toLowerCase())
      .filter((part) => !/;\s*q=0(\.0*)?$/.test(part))
      .map((part) => part.split(';')[0] as string),
  );
  return accepted.has('br') ? 'br' : accepted.has('gzip') ? 'gzip' : undefined;
}

function sendAsset(request: FastifyRequest, reply: FastifyReply, asset: BuiltAsset): FastifyReply {
  const encoding = chosenEncoding(request.headers['accept-encoding']);
  reply.type(asset.type).header('vary', 'accept-encoding');
  if (encoding) reply.header('content-encoding', encoding);
  return reply.send(encoding === 'br' ? asset.brotli : encoding === 'gzip' ? asset.gzip : asset.body);
}

export const pageRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const ready = readPage();
    const bundle = async (): Promise<PageBundle> => ready ?? (await sharedBuild());
    let shell: ReturnType<typeof pageShell> | undefined;

    for (const path of PAGE_PATHS) {
      application.get(path, { schema: { hide: true } }, async (request, reply) => {
        shell ??= pageShell(broker.settings, await bundle());
        reply.header('cache-control', 'no-cache').header('etag', shell.etag);
        if (isNamed(shell.etag, request.headers['if-none-match'])) return reply.status(304).send();
        return reply.type('text/html; charset=utf-8').send(shell.body);
      });
    }

    application.get(
      '/assets/:file',
      { schema: { hide: true, params: z.object({ file: z.string().max(100) }) } },
      async (request, reply) => {
        const assets = Object.values(await bundle());
        const { file } = request.params;
        const exact = assets.find((asset) => asset.file === file);
        if (exact) return sendAsset(request, reply.header('cache-control', FOR_EVER), exact);
        // During an update the document may come from one replica and its script from another: ours does as well, but not for ever.
        const kind = /^page-[0-9a-f]{12}(\.js|\.css)$/.exec(file)?.[1];
        const similar = kind === undefined ? undefined : assets.find((asset) => asset.file.endsWith(kind));
        if (similar) return sendAsset(request, reply.header('cache-control', 'no-store'), similar);
        throw new Problem('not-found', 'There is no such file.');
      },
    );
    application.get('/robots.txt', { schema: { hide: true } }, async (_request, reply) =>
      reply.type('text/plain; charset=utf-8').send('User-agent: *\nDisallow: /\n'),
    );
  };
