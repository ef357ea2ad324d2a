/**
 * Server-sent events over one reply: limits, heartbeats, slow clients, and the end of the broker, the same for every stream.
 * It deliberately knows nothing of what is sent; a route opens a stream and sends events.
 *
 *   const stream = openEventStream(broker, request, reply, { accountId });
 *   stream.send({ id: '1', event: 'snapshot', data: { … } });
 *   await stream.closed;                       // when to stop sending: 'client', 'slow', 'stopping' or 'done'
 *
 * The handler returns `reply` after that call (the reply is hijacked). Give the route `exposeHeadRoute: false`, and throw problems (not logged in, not found)
 * before the stream is opened. When the broker stops, each stream gets `event: closing` with a random `retry`, so that clients come back one by one.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Broker } from '../broker.ts';
import { clientAddressKey } from '../http/client-address.ts';
import { Problem } from '../problem.ts';

export interface StreamEvent {
  /** What a client sends as Last-Event-ID when it comes back. @default none */
  readonly id?: string;
  /** Name of the event. @default message */
  readonly event?: string;
  /** Written as JSON, on one line. */
  readonly data: unknown;
  /** Milliseconds after which the client comes back when the stream breaks. @default as before */
  readonly retryMs?: number;
}

/** Why a stream has ended: the client left, took too little, the broker ends, or `close` was called. */
export type StreamEnd = 'client' | 'slow' | 'stopping' | 'done';

export interface EventStream {
  /** Sends an event, or bytes made by `formatEvent` (for one event to many). Returns false when the stream has ended: nothing was sent. */
  send(event: StreamEvent | Uint8Array): boolean;
  /** A line that clients do not see; it keeps proxies from closing an idle connection. */
  comment(text?: string): void;
  /** Ends the stream after `last`. Does nothing when it has ended. */
  close(last?: StreamEvent): void;
  readonly ended: boolean;
  /** Resolves once, when the stream has ended; never rejects. */
  readonly closed: Promise<StreamEnd>;
}

export interface EventStreamOptions {
  /** The account that is logged in; its streams are counted as well as its address's. @default none */
  readonly accountId?: string;
  /** How soon a client comes back after a break. @default 3000 */
  readonly retryMs?: number;
  /** Pause between heartbeats. @default 15000: proxies give up idle connections after 30 s at the earliest */
  readonly heartbeatMs?: number;
  /** Bytes that may wait for a client; with more it is dropped. @default 1 MiB */
  readonly mostBufferedBytes?: number;
  /** A client that has taken nothing for as long, while something waited for it, is dropped. @default 20000 */
  readonly slowAfterMs?: number;
}

/** Streams at once, of one replica. A household of players with a page and a game each stays far below. */
export const STREAM_LIMITS = { perAccount: 6, perAddress: 24, total: 10_000 } as const;

/** From `least` to `most` milliseconds, so that all clients of a replica that ends do not come at once. */
const RETRY_AT_STOP_MS = { least: 500, most: 5_000 } as const;

/** The bytes of an event (WHATWG HTML, section 9.2). JSON has no line breaks, so `data` is one line. */
export function formatEvent({ id, event, data, retryMs }: StreamEvent): Buffer {
  const lines: string[] = [];
  if (retryMs !== undefined) lines.push(`retry: ${Math.round(retryMs)}`);
  if (event !== undefined) lines.push(`event: ${event}`);
  if (id !== undefined) lines.push(`id: ${id}`);
  lines.push(`data: ${JSON.stringify(data)}`, '', '');
  return Buffer.from(lines.join('\n'));
}

/** An ended stream whose client does not take the rest is cut, because it would keep the broker from ending. */
const LAST_BYTES_MS = 3_000;

/** The open streams of a broker. */
interface OpenStreams {
  /** How to end each of them when the broker stops. */
  readonly ends: Set<() => void>;
  readonly perKey: Map<string, number>;
}
const openStreams = new WeakMap<Broker, OpenStreams>();

function openStreamsOf(broker: Broker): OpenStreams {
  let open = openStreams.get(broker);
  if (!open) {
    const made: OpenStreams = { ends: new Set(), perKey: new Map() };
    // One listener for all: removing one of ten thousand from a signal takes a walk through all of them.
    broker.stopping.addEventListener('abort', () => {
      for (const end of made.ends) end();
    });
    openStreams.set(broker, made);
    open = made;
  }
  return open;
}

/** Takes a place for a stream; returns how to give it back. @throws Problem `too-many-requests` */
function takePlace({ ends, perKey }: OpenStreams, address: string, accountId: string | undefined): () => void {
  const wanted: [key: string, most: number, whose: string][] = [[`address ${address}`, STREAM_LIMITS.perAddress, 'this address']];
  if (accountId !== undefined) wanted.push([`account ${accountId}`, STREAM_LIMITS.perAccount, 'this account']);
  for (const [key, most, whose] of wanted) {
    if ((perKey.get(key) ?? 0) >= most) {
      throw new Problem('too-many-requests', `There are already ${most} event streams of ${whose}. Close one, or ask without a stream.`, {
        retryAfterSeconds: 30,
      });
    }
  }
  if (ends.size >= STREAM_LIMITS.total) {
    throw new Problem('too-many-requests', 'Too many event streams are open. Ask without a stream for now.', { retryAfterSeconds: 30 });
  }
  for (const [key] of wanted) perKey.set(key, (perKey.get(key) ?? 0) + 1);
  return () => {
    for (const [key] of wanted) {
      const left = (perKey.get(key) ?? 1) - 1;
      if (left > 0) perKey.set(key, left);
      else perKey.delete(key);
    }
  };
}

/**
 * Turns the reply into a stream of events.
 * @throws Problem `too-many-requests` when the address or the account has too many; nothing has been answered then
 */
export function openEventStream(
  broker: Broker,
  request: FastifyRequest,
  reply: FastifyReply,
  { accountId, retryMs = 3_000, heartbeatMs = 15_000, mostBufferedBytes = 1024 * 1024, slowAfterMs = 20_000 }: EventStreamOptions = {},
): EventStream {
  const open = openStreamsOf(broker);
  const giveBack = takePlace(open, clientAddressKey(request.ip), accountId);
  const raw = reply.raw;
  reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store, no-transform')
    // nginx and those who copied it buffer answers otherwise.
    .header('x-accel-buffering', 'no');
  reply.hijack();
  reply.statusCode = 200;
  raw.writeHead(200, reply.getHeaders() as Record<string, string | number | string[]>);

  let ended = false;
  let fullSince: number | undefined;
  let resolveClosed: (end: StreamEnd) => void = () => undefined;
  const closed = new Promise<StreamEnd>((resolve) => {
    resolveClosed = resolve;
  });
  const finish = (why: StreamEnd) => {
    if (ended) return;
    ended = true;
    clearInterval(heartbeat);
    open.ends.delete(onStopping);
    giveBack();
    if (why === 'client' || why === 'slow') {
      // Fastify counts an answer when it was sent to its end; this one never is.
      broker.metrics.requests.inc({ route: request.routeOptions.url ?? 'unknown', method: request.method, status: '200' });
      raw.destroy();
    } else {
      const cut = setTimeout(() => raw.destroy(), LAST_BYTES_MS);
      raw.end(() => clearTimeout(cut));
    }
    resolveClosed(why);
  };
  const write = (bytes: Uint8Array | string): boolean => {
    if (ended) return false;
    if (raw.writableLength > mostBufferedBytes || (fullSince !== undefined && Date.now() - fullSince > slowAfterMs)) {
      request.log.info({ buffered: raw.writableLength }, 'an event stream was dropped: its client does not take what is sent');
      finish('slow');
      return false;
    }
    if (!raw.write(bytes)) fullSince ??= Date.now();
    return true;
  };
  const stream: EventStream = {
    send: (event) => write(event instanceof Uint8Array ? event : formatEvent(event)),
    comment: (text = '') => void write(`:${text.replaceAll(/[\r\n]+/g, ' ')}\n\n`),
    close: (last) => {
      if (last !== undefined) stream.send(last);
      finish('done');
    },
    get ended() {
      return ended;
    },
    closed,
  };
  const onStopping = () => {
    const retry = RETRY_AT_STOP_MS.least + Math.random() * (RETRY_AT_STOP_MS.most - RETRY_AT_STOP_MS.least);
    stream.send({ event: 'closing', data: { reason: 'restart', retryMs: Math.round(retry) }, retryMs: retry });
    finish('stopping');
  };
  const heartbeat = setInterval(() => stream.comment('still here'), heartbeatMs);
  heartbeat.unref();
  raw.on('drain', () => {
    fullSince = undefined;
  });
  raw.on('close', () => finish('client'));
  // A response that waits behind another on its connection is never told that the connection has gone.
  const onGone = () => finish('client');
  request.raw.socket.once('close', onGone);
  void closed.then(() => request.raw.socket.off('close', onGone));
  raw.on('error', () => finish('client'));
  // Each broken stream is a client that comes back; a proxy's error page would end an EventSource for good, so a broker that stops answers as well.
  write(`retry: ${retryMs}\n\n`);
  if (broker.stopping.aborted) onStopping();
  else open.ends.add(onStopping);
  return stream;
}
