/**
 * Requests to the Kubernetes API, and watches as lines of JSON, with a limit of time on everything.
 * It deliberately knows no kinds. It is not the official client's: that one's watch makes a TLS connection of its own for each request, has no limit of time
 * (a half-open connection is silent for ever), and swallows lines that are not JSON.
 */
import { setMaxListeners } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { ApiCredentials } from './api-credentials.ts';

/** The API answered, with a refusal. */
export class ApiRefusal extends Error {
  readonly status: number;
  /** Kubernetes' word for it: NotFound, Forbidden, Expired, … */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = 'ApiRefusal';
    this.status = status;
    this.reason = reason;
  }
}

/** No answer: the API is away, hangs, or the connection broke. What was asked may or may not have happened. */
export class ApiUnreachable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ApiUnreachable';
  }
}

export interface ApiRequest {
  /** @default GET */
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'PATCH';
  /** Path with its query. */
  readonly path: string;
  /** JSON; of a PATCH a JSON merge patch. */
  readonly body?: object;
  /** Until the whole answer is there. @default 10 s */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ApiWatch {
  readonly path: string;
  /** Called with each parsed line. What it throws ends the watch with that error. */
  readonly onEvent: (event: WatchEvent) => void;
  /** Called when the API gave a sign of life: headers, or bytes. */
  readonly onHeard: () => void;
  /** Silence after which the connection counts as dead. The server ends a watch after its own `timeoutSeconds`, so this is a little more. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

export interface ApiClient {
  /** @throws ApiRefusal, ApiUnreachable */
  request<Body>(request: ApiRequest): Promise<Body>;
  /** Resolves when the server ends the watch in order, or `signal` does. @throws ApiRefusal, ApiUnreachable */
  watch(watch: ApiWatch): Promise<void>;
  close(): void;
}

/** A request is small; an answer that takes longer says that the API is ill. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Until the headers of a watch are there. */
const HEADERS_TIMEOUT_MS = 10_000;
/** An object is at most 1.5 MiB in etcd (its own default limit), with some of JSON around it. */
const MOST_LINE_BYTES = 8 * 1024 * 1024;
const CONNECTIONS = 8;

/** @param credentials found at the first request, and again while that fails */
export function apiClient(credentials: () => Promise<ApiCredentials>): ApiClient {
  let connected: Promise<Connected> | undefined;
  const closed = new AbortController();
  // Every request listens to it, and a thousand realms have thousands of watches.
  setMaxListeners(0, closed.signal);
  const connect = () => {
    connected ??= credentials().then(connectTo);
    connected.catch(() => {
      connected = undefined;
    });
    return connected;
  };

  /** Sends, and gives the response once its headers are there. */
  const send = async (
    { method = 'GET', path, body }: ApiRequest,
    agent: 'requests' | 'watches',
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> => {
    let to: Connected;
    let authorization: string | undefined;
    try {
      to = await connect();
      authorization = await to.credentials.authorization();
    } catch (error) {
      throw new ApiUnreachable(`There are no credentials for the Kubernetes API: ${(error as Error).message}`, error);
    }
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = to.request(
        {
          ...to.target,
          agent: to[agent],
          method,
          path: to.prefix + path,
          signal,
          headers: {
            accept: 'application/json',
            'user-agent': 'connect-broker',
            ...(authorization === undefined ? {} : { authorization }),
            ...(payload === undefined
              ? {}
              : {
                  'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
                  'content-length': Buffer.byteLength(payload),
                }),
          },
        },
        resolve,
      );
      request.on('error', (error) =>
        reject(new ApiUnreachable(`${method} ${path.split('?')[0]}: the Kubernetes API cannot be reached: ${error.message}`, error)),
      );
      request.on('socket', (socket) => socket.setKeepAlive(true, 15_000));
      request.end(payload);
    });
  };

  /** Combines limits by hand: AbortSignal.any keeps every signal of a long-lived one alive. */
  const limited = async <T>(
    signals: readonly (AbortSignal | undefined)[],
    timeoutMs: number,
    what: string,
    work: (signal: AbortSignal, restart: (milliseconds: number) => void) => Promise<T>,
  ): Promise<T> => {
    const controller = new AbortController();
    let late = false;
    const expire = () => {
      late = true;
      controller.abort();
    };
    let timer = setTimeout(expire, timeoutMs);
    const stop = () => controller.abort();
    for (const signal of signals) {
      if (signal?.aborted) stop();
      signal?.addEventListener('abort', stop, { once: true });
    }
    try {
      return await work(controller.signal, (milliseconds) => {
        clearTimeout(timer);
        timer = setTimeout(expire, milliseconds);
      });
    } catch (error) {
      if (late) throw new ApiUnreachable(`${what}: the Kubernetes API did not answer in time.`, error);
      throw error;
    } finally {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', stop);
    }
  };

  return {
    request: <Body>(request: ApiRequest) =>
      limited(
        [closed.signal, request.signal],
        request.timeoutMs ?? REQUEST_TIMEOUT_MS,
        request.path.split('?')[0] ?? '',
        async (signal) => {
          const response = await send(request, 'requests', signal);
          const text = await readAll(response);
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) return parse(text) as Body;
          throw refusal(status, text, `${request.method ?? 'GET'} ${request.path.split('?')[0]}`);
        },
      ),
    watch: ({ path, onEvent, onHeard, silenceMs, signal: asked }) =>
      limited([closed.signal, asked], HEADERS_TIMEOUT_MS, path.split('?')[0] ?? '', async (signal, restart) => {
        let response: http.IncomingMessage;
        try {
          response = await send({ path }, 'watches', signal);
          if (response.statusCode !== 200) throw refusal(response.statusCode ?? 0, await readAll(response), `watch ${path.split('?')[0]}`);
        } catch (error) {
          if (asked.aborted || closed.signal.aborted) return;
          throw error;
        }
        onHeard();
        restart(silenceMs);
        try {
          await readLines(response, onEvent, () => {
            onHeard();
            restart(silenceMs);
          });
        } catch (error) {
          response.destroy();
          if (asked.aborted || closed.signal.aborted) return;
          throw error;
        }
      }),
    close: () => {
      closed.abort();
      connected?.then(
        ({ requests, watches }) => {
          requests.destroy();
          watches.destroy();
        },
        () => undefined,
      );
    },
  };
}

interface Connected {
  readonly credentials: ApiCredentials;
  readonly request: typeof https.request;
  readonly target: { readonly host: string; readonly port: string };
  /** Path of the server's address: behind some proxies the API is not at the root. */
  readonly prefix: string;
  readonly requests: http.Agent;
  /** Watches hold their connections, which must not be those that requests wait for. */
  readonly watches: http.Agent;
}

function connectTo(credentials: ApiCredentials): Connected {
  const url = new URL(credentials.server);
  const secure = url.protocol === 'https:';
  const agent = (maxSockets: number): http.Agent =>
    secure
      ? new https.Agent({ keepAlive: true, maxSockets, maxFreeSockets: 4, ...credentials.tls })
      : new http.Agent({ keepAlive: true, maxSockets, maxFreeSockets: 4 });
  return {
    credentials,
    request: (secure ? https.request : http.request) as typeof https.request,
    target: { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || (secure ? '443' : '80') },
    prefix: url.pathname.replace(/\/$/, ''),
    requests: agent(CONNECTIONS),
    watches: agent(Number.POSITIVE_INFINITY),
  };
}

async function readAll(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    throw new ApiUnreachable(`The Kubernetes API broke off its answer: ${(error as Error).message}`, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function readLines(response: http.IncomingMessage, onEvent: (event: WatchEvent) => void, onBytes: () => void): Promise<void> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const emit = (line: string) => {
    if (line.trim() === '') return;
    const event = parse(line) as WatchEvent;
    if (typeof event?.type !== 'string')
      throw new ApiUnreachable('A line of a watch has no type: something between here and the API is broken.');
    onEvent(event);
  };
  const chunks = response[Symbol.asyncIterator]();
  for (;;) {
    let next: IteratorResult<Buffer>;
    try {
      next = (await chunks.next()) as IteratorResult<Buffer>;
    } catch (error) {
      throw new ApiUnreachable(`The Kubernetes API broke off a watch: ${(error as Error).message}`, error);
    }
    if (next.done) return;
    onBytes();
    let rest = next.value;
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      pending.push(rest.subarray(0, end));
      emit(Buffer.concat(pending).toString('utf8'));
      pending = [];
      pendingBytes = 0;
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) pending.push(rest);
    pendingBytes += rest.length;
    if (pendingBytes > MOST_LINE_BYTES) throw new ApiUnreachable(`A line of a watch is longer than ${MOST_LINE_BYTES} bytes.`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiUnreachable(`The Kubernetes API answered with something that is not JSON: ${(error as Error).message}`, error);
  }
}

/** Kubernetes says what is wrong in an object of kind Status; a proxy in between says it in text. */
function refusal(status: number, text: string, what: string): ApiRefusal {
  try {
    const { reason, message } = JSON.parse(text) as { reason?: unknown; message?: unknown };
    return new ApiRefusal(
      status,
      typeof reason === 'string' ? reason : '',
      `${what}: ${status} ${typeof message === 'string' ? message : ''}`,
    );
  } catch {
    return new ApiRefusal(status, '', `${what}: ${status} ${text.slice(0, 200)}`);
  }
}
