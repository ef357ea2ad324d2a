/**
 * A Kubernetes API server for tests of bad days: lists, watches and creations over HTTP on loopback, and every way in which they can fail.
 * It deliberately checks nothing that a real one checks (schemas, rights, tokens): for that there are the tests on the real one.
 */
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ApiCredentials } from '../../src/discovery/api-credentials.ts';

export interface FakeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** What happens to a request instead of its answer. */
export type Trouble =
  /** The connection is taken and nothing is ever answered. */
  | 'hang'
  /** The connection breaks. */
  | 'break'
  /** An answer with this status, of kind Status. */
  | number
  /** A watch begins and then is silent, its end included: a half-open connection. */
  | 'silent'
  /** A watch begins and says at once that its version is too old. */
  | 'expired-event'
  | undefined;

export interface FakeApi {
  readonly credentials: () => Promise<ApiCredentials>;
  readonly requests: FakeRequest[];
  /** Called for each request; what it returns happens. */
  trouble: (request: FakeRequest) => Trouble;
  /** Answers POSTs: status and body. @default 404 */
  create: (
    request: FakeRequest,
  ) => { readonly status: number; readonly body: object } | 'break-after' | Promise<{ readonly status: number; readonly body: object }>;
  /** Puts an object into a collection, or exchanges it. */
  put(collection: string, object: FakeObject): void;
  remove(collection: string, name: string): void;
  /** Every version up to now becomes too old to watch from. */
  compact(): void;
  /** Breaks every connection. */
  breakAll(): void;
  /** Nobody listens any more, until `listen`. */
  away(): Promise<void>;
  listen(): Promise<void>;
  /** Watches that are open. */
  watching(): number;
  close(): Promise<void>;
}

interface Event {
  readonly version: number;
  readonly collection: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: FakeObject;
}

const status = (code: number, reason = '') => ({ kind: 'Status', status: 'Failure', code, reason, message: `the test says ${code}` });

export async function fakeApi(): Promise<FakeApi> {
  const collections = new Map<string, Map<string, FakeObject>>();
  const events = new Map<string, Event[]>();
  const watches = new Set<{ readonly collection: string; readonly selector: string; readonly send: (event: Event) => void }>();
  const sockets = new Set<Socket>();
  let version = 100;
  let oldest = 0;
  let port = 0;

  const versioned = (object: FakeObject, at: number): FakeObject => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(at) },
  });
  const happen = (type: Event['type'], collection: string, object: FakeObject) => {
    version++;
    const event = { version, collection, type, object: versioned(object, version) };
    const earlier = events.get(collection) ?? [];
    events.set(collection, earlier);
    earlier.push(event);
    for (const watch of watches) if (watch.collection === collection && selects(watch.selector, object)) watch.send(event);
    return event.object;
  };

  const answer = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://fake');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const asked: FakeRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      body: text === '' ? undefined : JSON.parse(text),
    };
    api.requests.push(asked);
    const trouble = api.trouble(asked);
    if (trouble === 'hang') return;
    if (trouble === 'break') {
      request.socket.destroy();
      return;
    }
    const send = (code: number, body: object) => response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (typeof trouble === 'number') {
      send(trouble, status(trouble, trouble === 410 ? 'Expired' : trouble === 403 ? 'Forbidden' : ''));
      return;
    }
    if (asked.method === 'POST') {
      const made = await api.create(asked);
      if (made === 'break-after') request.socket.destroy();
      else send(made.status, made.body);
      return;
    }
    if (asked.method === 'DELETE') {
      const parts = asked.path.split('/');
      const name = parts.pop() ?? '';
      const found = collections.get(parts.join('/'))?.get(name);
      const uid = (asked.body as { preconditions?: { uid?: string } } | undefined)?.preconditions?.uid;
      if (!found) send(404, status(404, 'NotFound'));
      else if (uid !== undefined && uid !== found.metadata.uid) send(409, status(409, 'Conflict'));
      else {
        api.remove(parts.join('/'), name);
        send(200, { kind: 'Status', status: 'Success' });
      }
      return;
    }
    const selector = asked.query.get('labelSelector') ?? '';
    if (asked.query.get('watch') !== 'true') {
      const all = [...(collections.get(asked.path)?.values() ?? [])].filter((object) => selects(selector, object));
      const from = Number(asked.query.get('continue') ?? 0);
      const to = from + Number(asked.query.get('limit') ?? all.length);
      send(200, {
        kind: 'List',
        metadata: { resourceVersion: String(version), ...(to < all.length ? { continue: String(to) } : {}) },
        items: all.slice(from, to),
      });
      return;
    }
    const since = Number(asked.query.get('resourceVersion'));
    const line = (event: object) => response.write(`${JSON.stringify(event)}\n`);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (trouble === 'expired-event' || since < oldest) {
      line({ type: 'ERROR', object: status(410, 'Expired') });
      response.end();
      return;
    }
    if (trouble === 'silent') return;
    const watch = { collection: asked.path, selector, send: ({ type, object }: Event) => line({ type, object }) };
    for (const event of events.get(asked.path) ?? []) if (event.version > since && selects(selector, event.object)) watch.send(event);
    watches.add(watch);
    const timer = setTimeout(
      () => {
        line({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } });
        response.end();
      },
      Number(asked.query.get('timeoutSeconds')) * 1000,
    );
    response.on('close', () => {
      clearTimeout(timer);
      watches.delete(watch);
    });
  };

  const server = http.createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = () => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const away = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      api.breakAll();
    });
  const api: FakeApi = {
    credentials: async () => ({ server: `http://127.0.0.1:${port}`, tls: {}, authorization: async () => 'Bearer test' }),
    requests: [],
    trouble: () => undefined,
    create: () => ({ status: 404, body: status(404, 'NotFound') }),
    put: (collection, object) => {
      const objects = collections.get(collection) ?? new Map<string, FakeObject>();
      collections.set(collection, objects);
      const { name } = object.metadata;
      objects.set(name, happen(objects.has(name) ? 'MODIFIED' : 'ADDED', collection, object));
    },
    remove: (collection, name) => {
      const found = collections.get(collection)?.get(name);
      if (!found) return;
      collections.get(collection)?.delete(name);
      happen('DELETED', collection, found);
    },
    compact: () => {
      oldest = version + 1;
      version++;
    },
    breakAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    away,
    listen,
    watching: () => watches.size,
    close: away,
  };
  await listen();
  port = (server.address() as AddressInfo).port;
  return api;
}

/** Label selectors as the broker writes them: `key=value` and `key`, with commas. */
function selects(selector: string, { metadata }: FakeObject): boolean {
  return selector
    .split(',')
    .filter(Boolean)
    .every((each) => {
      const [key = '', value] = each.split('=');
      const has = metadata.labels?.[key];
      return value === undefined ? has !== undefined : has === value;
    });
}
