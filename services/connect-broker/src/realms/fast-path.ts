/**
 * GET /v1/realms answered before the framework sees it: every open page and every starting game asks for it, and its bytes lie ready.
 * It deliberately is the same answer as the route's (a test compares them) without its costs: no request id, no line in the log, no counting of requests by
 * address. Everything else, and everything while the broker stops, goes on to the framework.
 */
import type { IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { Broker } from '../broker.ts';
import type { Board, Prebuilt } from './board.ts';
import { isNamed } from './etag.ts';

export const FAST_PATH = '/v1/realms';

/** Puts the fast path in front of what the server does with requests so far. */
export function answerRealmsFirst(server: Server, broker: Broker, board: Board): void {
  const { metrics, settings, stopping } = broker;
  const counted = (status: string) => metrics.requests.labels({ route: FAST_PATH, method: 'GET', status });
  const [whole, unchanged] = [counted('200'), counted('304')];
  const duration = metrics.requestDuration.labels({ route: FAST_PATH, method: 'GET' });
  const fixed: OutgoingHttpHeaders = {
    'cache-control': 'no-cache',
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    ...(settings.publicUrl.startsWith('https:') ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
  };
  let headers: { readonly of: Prebuilt; readonly whole: OutgoingHttpHeaders; readonly unchanged: OutgoingHttpHeaders } | undefined;

  const answer = (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.url !== FAST_PATH || request.method !== 'GET' || stopping.aborted) return false;
    const list = board.list();
    if (headers?.of !== list) {
      const same = { ...fixed, etag: list.etag };
      headers = {
        of: list,
        whole: { ...same, 'content-type': 'application/json; charset=utf-8', 'content-length': list.body.length },
        unchanged: same,
      };
    }
    const start = performance.now();
    if (isNamed(list.etag, request.headers['if-none-match'])) {
      response.writeHead(304, headers.unchanged).end();
      unchanged.inc();
    } else {
      response.writeHead(200, headers.whole).end(list.body);
      whole.inc();
    }
    duration.observe((performance.now() - start) / 1000);
    return true;
  };

  const others = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (answer(request, response)) return;
    for (const other of others) other.call(server, request, response);
  });
}
