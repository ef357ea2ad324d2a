/**
 * A stand-in for the SDK server that Agones puts beside every game server: gRPC on loopback, written from the public protocol (sdk.proto and beta.proto, v1.59.0).
 * It deliberately has no HTTP gateway, no alpha calls and no health deadline; what happens to the GameServer is the store's business. Where Agones' own can be had
 * (`sdk-server --local`), take that.
 */
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { bytes, decode, type Fields, integer, map, message, number, text, texts } from './protobuf.ts';

export interface Counter {
  count: number;
  capacity: number;
}
export interface List {
  values: string[];
  capacity: number;
}

/** What the SDK shows of a GameServer, and lets its game change. */
export interface GameServer {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  state: string;
  readonly address: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly counters: Record<string, Counter>;
  readonly lists: Record<string, List>;
}

/** Where the GameServer is: in memory on a laptop, in the Kubernetes API otherwise. */
export interface GameServerStore {
  read(): Promise<GameServer>;
  /** Changes it. `change` may be called again when somebody else changed it meanwhile, and may throw a `Refusal`. */
  update(change: (server: GameServer) => void): Promise<void>;
  /** Calls back after every change, until the returned function is called. */
  watch(changed: (server: GameServer) => void): () => void;
}

/** gRPC's codes that these calls give. */
const STATUS = { ok: 0, unknown: 2, notFound: 5, alreadyExists: 6, outOfRange: 11, unimplemented: 12 } as const;

class Refusal extends Error {
  readonly code: number;
  constructor(code: number, why: string) {
    super(why);
    this.code = code;
  }
}

export interface SdkServer {
  readonly port: number;
  /** Health messages so far. */
  readonly healthChecks: number;
  close(): Promise<void>;
}

/** Labels and annotations of the SDK get this prefix, so that a game server can change no other. */
export const SDK_PREFIX = 'agones.dev/sdk-';

const EMPTY = Buffer.alloc(0);

export interface SdkServerOptions {
  /** @default any free one */
  readonly port?: number;
  /** Called when the game's health stream has ended: with the process, mostly. @default nothing */
  readonly lost?: () => void;
}

/** @throws when the port is taken */
export async function startSdkServer(store: GameServerStore, { port = 0, lost }: SdkServerOptions = {}): Promise<SdkServer> {
  let healthChecks = 0;
  const sessions = new Set<{ destroy(): void }>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    const path = String(headers[':path']);
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
    let status: readonly [number, string] = [STATUS.ok, ''];
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'grpc-status': String(status[0]), ...(status[1] ? { 'grpc-message': encodeURIComponent(status[1]) } : {}) }),
    );
    const end = (error?: unknown): void => {
      if (error !== undefined) status = error instanceof Refusal ? [error.code, error.message] : [STATUS.unknown, String(error)];
      if (!stream.closed) stream.end();
    };
    if (path === '/agones.dev.sdk.SDK/Health') {
      if (lost) stream.once('close', lost);
      readMessages(stream, () => {
        healthChecks += 1;
      }).then(() => {
        stream.write(frame(EMPTY));
        end();
      }, end);
      return;
    }
    readMessages(stream, async (request) => {
      if (path === '/agones.dev.sdk.SDK/WatchGameServer') return follow(store, stream);
      try {
        stream.write(frame(await call(store, path, decode(request))));
        end();
      } catch (error) {
        // Not out of the loop: leaving it destroys the stream, and the reason would not arrive.
        end(error);
      }
    }).catch(end);
  });
  await listen(server, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    get healthChecks() {
      return healthChecks;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}

function listen(server: Http2Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

/** gRPC's envelope: a byte for compression (none), four for the length. */
function frame(content: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

async function readMessages(stream: ServerHttp2Stream, take: (message: Buffer) => void | Promise<void>): Promise<void> {
  let rest: Buffer = EMPTY;
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const length = rest.readUInt32BE(1);
      await take(rest.subarray(5, 5 + length));
      rest = rest.subarray(5 + length);
    }
  }
}

/** The present state first, then every change. */
async function follow(store: GameServerStore, stream: ServerHttp2Stream): Promise<void> {
  const send = (server: GameServer): void => {
    if (!stream.closed && !stream.writableEnded) stream.write(frame(encodeGameServer(server)));
  };
  const stop = store.watch(send);
  stream.on('close', stop);
  send(await store.read());
}

async function call(store: GameServerStore, path: string, request: Fields): Promise<Buffer> {
  const become = async (state: string): Promise<Buffer> => {
    await store.update((server) => {
      server.state = state;
    });
    return EMPTY;
  };
  switch (path) {
    case '/agones.dev.sdk.SDK/Ready':
      return become('RequestReady');
    case '/agones.dev.sdk.SDK/Allocate':
      return become('Allocated');
    case '/agones.dev.sdk.SDK/Shutdown':
      return become('Shutdown');
    case '/agones.dev.sdk.SDK/GetGameServer':
      return encodeGameServer(await store.read());
    case '/agones.dev.sdk.SDK/SetLabel':
    case '/agones.dev.sdk.SDK/SetAnnotation':
      await store.update(({ labels, annotations }) => {
        const where = path.endsWith('Label') ? labels : annotations;
        where[`${SDK_PREFIX}${text(request, 1)}`] = text(request, 2);
      });
      return EMPTY;
    case '/agones.dev.sdk.beta.SDK/GetCounter': {
      const name = text(request, 1);
      return encodeCounter(name, found((await store.read()).counters, name));
    }
    case '/agones.dev.sdk.beta.SDK/UpdateCounter':
      return updateCounter(store, message(request, 1) ?? new Map());
    case '/agones.dev.sdk.beta.SDK/GetList': {
      const name = text(request, 1);
      return encodeList(name, found((await store.read()).lists, name));
    }
    case '/agones.dev.sdk.beta.SDK/AddListValue':
    case '/agones.dev.sdk.beta.SDK/RemoveListValue':
      return changeList(store, text(request, 1), text(request, 2), path.endsWith('AddListValue'));
    case '/agones.dev.sdk.beta.SDK/UpdateList':
      return updateList(store, message(request, 1) ?? new Map(), texts(message(request, 2) ?? new Map(), 1));
    default:
      throw new Refusal(STATUS.unimplemented, `The stand-in does not know ${path}.`);
  }
}

function found<Value>(values: Readonly<Record<string, Value>>, name: string): Value {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined) throw new Refusal(STATUS.notFound, `${name} not found`);
  return value;
}

/** CounterUpdateRequest: name 1, count 2 and capacity 3 as wrapped numbers, countDiff 4. */
async function updateCounter(store: GameServerStore, request: Fields): Promise<Buffer> {
  const name = text(request, 1);
  let answer: Buffer = EMPTY;
  await store.update(({ counters }) => {
    const counter = found(counters, name);
    const wrapped = (field: number): number | undefined => {
      const value = message(request, field);
      return value && integer(value, 1);
    };
    const capacity = wrapped(3) ?? counter.capacity;
    const count = (wrapped(2) ?? counter.count) + integer(request, 4);
    if (count < 0 || count > capacity) throw new Refusal(STATUS.outOfRange, `count ${count} is not within 0 and ${capacity}`);
    Object.assign(counter, { count, capacity });
    answer = encodeCounter(name, counter);
  });
  return answer;
}

async function changeList(store: GameServerStore, name: string, value: string, add: boolean): Promise<Buffer> {
  let answer: Buffer = EMPTY;
  await store.update(({ lists }) => {
    const list = found(lists, name);
    const there = list.values.includes(value);
    if (add && there) throw new Refusal(STATUS.alreadyExists, `${value} is in ${name} already`);
    if (add && list.values.length >= list.capacity) throw new Refusal(STATUS.outOfRange, `${name} is full`);
    if (!add && !there) throw new Refusal(STATUS.notFound, `${value} is not in ${name}`);
    list.values = add ? [...list.values, value] : list.values.filter((each) => each !== value);
    answer = encodeList(name, list);
  });
  return answer;
}

/** List: name 1, capacity 2, values 3. Only the fields of the mask count. */
async function updateList(store: GameServerStore, request: Fields, mask: readonly string[]): Promise<Buffer> {
  const name = text(request, 1);
  let answer: Buffer = EMPTY;
  await store.update(({ lists }) => {
    const list = found(lists, name);
    if (mask.includes('capacity')) list.capacity = integer(request, 2);
    if (mask.includes('values')) list.values = texts(request, 3);
    list.values = list.values.slice(0, list.capacity);
    answer = encodeList(name, list);
  });
  return answer;
}

const encodeCounter = (name: string, { count, capacity }: Counter): Buffer =>
  Buffer.concat([bytes(1, name), number(2, count), number(3, capacity)]);
const encodeList = (name: string, { values, capacity }: List): Buffer =>
  Buffer.concat([bytes(1, name), number(2, capacity), ...values.map((value) => bytes(3, value))]);

/** GameServer: object_meta 1 (name 1, namespace 2, uid 3, annotations 8, labels 9), status 3 (state 1, address 2, ports 3, counters 5, lists 6). */
function encodeGameServer(server: GameServer): Buffer {
  const value = (content: string): Buffer => bytes(2, content);
  const meta = Buffer.concat([
    bytes(1, server.name),
    bytes(2, server.namespace),
    bytes(3, server.uid),
    map(8, server.annotations, value),
    map(9, server.labels, value),
  ]);
  const status = Buffer.concat([
    bytes(1, server.state),
    bytes(2, server.address),
    ...server.ports.map((port) => bytes(3, Buffer.concat([bytes(1, port.name), number(2, port.port)]))),
    map(5, server.counters, ({ count, capacity }) => bytes(2, Buffer.concat([number(1, count), number(2, capacity)]))),
    map(6, server.lists, ({ capacity, values }) => bytes(2, Buffer.concat([number(1, capacity), ...values.map((each) => bytes(2, each))]))),
  ]);
  return Buffer.concat([bytes(1, meta), bytes(3, status)]);
}
