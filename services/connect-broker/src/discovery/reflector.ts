/**
 * Keeps one collection of the Kubernetes API in step: list, watch from there, and again whenever the watch is lost.
 * It deliberately keeps no objects: each is projected to the few fields that are needed, and the rest is dropped while the next page is still on its way.
 *
 * What goes wrong, and what happens then:
 * - the version is too old (410, or an ERROR event of any kind): a new list, as of now, replaces everything;
 * - the connection is half open and silent: the server ends every watch after `watchSeconds`, so silence that is longer means that nobody is there;
 * - the API is away: the last state stays and ages; attempts back off up to `retryMs.most`, with jitter, so that replicas do not come back in step;
 * - the API refuses (the kind is not there yet, the right is not granted yet): it was heard, there is nothing to see, so others need not wait for it.
 *   Of a collection that was seen before, the last state stays for `REFUSED_SECONDS`: rights are sometimes lost for a moment during a sync;
 * - a version goes back in time (etcd was restored from a backup): a watch would wait for ever; a full list every `relistSeconds` ends that.
 */
import type { FastifyBaseLogger } from 'fastify';
import { type ApiClient, ApiRefusal, type WatchEvent } from './api-client.ts';

export interface ReflectorTiming {
  /** The server ends a watch after that, give or take a quarter: so an idle collection is heard at least that often, and never counts as old. @default 45 */
  readonly watchSeconds: number;
  /** How much longer than its watch's time a connection may be silent. @default 10 */
  readonly graceSeconds: number;
  /** Pause after a failure: doubles from the first to the most, and a random half is taken off. @default 500 ms to 15 s */
  readonly retryMs: { readonly first: number; readonly most: number };
  /** Pause after a refusal. @default 10 s */
  readonly refusedMs: number;
  /** A full list at least that often, give or take a quarter. @default 1800 */
  readonly relistSeconds: number;
}

export const REFLECTOR_TIMING: ReflectorTiming = {
  watchSeconds: 45,
  graceSeconds: 10,
  retryMs: { first: 500, most: 15_000 },
  refusedMs: 10_000,
  relistSeconds: 1_800,
};

/** How long the last state of a collection stays that the API refuses to show. */
export const REFUSED_SECONDS = 300;

/** Objects of one page: ten pages of 10,000 game servers' 5 MB each, instead of one of 50 MB. */
const PAGE = 500;
const LIST_TIMEOUT_MS = 30_000;
const SHORTEST_WATCH_MS = 1_000;

export interface Collection<Item> {
  /** For logs: `pods of realm-aurora`. */
  readonly name: string;
  /** `/api/v1/namespaces/realm-aurora/pods`. */
  readonly path: string;
  /** @default everything */
  readonly labelSelector?: string;
  /** The fields that are needed; undefined for an object that does not concern us. It must not keep the object. */
  project(object: never): Item | undefined;
  /** Takes the place of everything that was there. */
  replace(items: ReadonlyMap<string, Item>): void;
  /** `undefined`: the object is gone, or does not concern us any more. */
  set(key: string, item: Item | undefined): void;
}

export interface Reflector {
  /** Whether there was a first answer: a list, or a refusal. */
  readonly answered: boolean;
  /** Whether what is known is the API's own list, and not what a refusal left. */
  readonly listed: boolean;
  /** Milliseconds (performance.now) when the API was last heard here; undefined while it refuses, because then there is nothing to be old. */
  lastHeard(): number | undefined;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

interface KubernetesObject {
  readonly metadata?: { readonly name?: string; readonly uid?: string; readonly resourceVersion?: string };
}

interface KubernetesList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly KubernetesObject[];
}

/** Lists that run at once, over all collections: a thousand realms must not be asked for in one instant. */
export interface Turns {
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function turns(most: number): Turns {
  let free = most;
  const waiting: (() => void)[] = [];
  return {
    run: async (work) => {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else free++;
      }
    },
  };
}

export interface ReflectorOptions<Item> {
  readonly client: ApiClient;
  readonly collection: Collection<Item>;
  readonly log: FastifyBaseLogger;
  readonly lists: Turns;
  /** Called after the first answer, and when something was heard after a silence. */
  readonly onState: () => void;
  readonly timing?: Partial<ReflectorTiming>;
}

export function reflector<Item>({ client, collection, log, lists, onState, timing }: ReflectorOptions<Item>): Reflector {
  const { watchSeconds, graceSeconds, retryMs, refusedMs, relistSeconds } = { ...REFLECTOR_TIMING, ...timing };
  const stopping = new AbortController();
  const { signal } = stopping;
  let answered = false;
  let heard = performance.now();
  /** When the API began to refuse; undefined while it does not. */
  let refusedSince: number | undefined;
  let listedAt: number | undefined;
  let version: string | undefined;
  let failures = 0;
  let told = '';

  const hear = () => {
    heard = performance.now();
  };
  const answer = () => {
    refusedSince = undefined;
    if (told !== '') log.info({ collection: collection.name }, 'the Kubernetes API answers again');
    told = '';
    if (answered) return;
    answered = true;
    onState();
  };

  const list = async (): Promise<void> => {
    const items = new Map<string, Item>();
    let next = '';
    do {
      const query = new URLSearchParams({ limit: String(PAGE) });
      if (collection.labelSelector) query.set('labelSelector', collection.labelSelector);
      if (next) query.set('continue', next);
      const page = await client.request<KubernetesList>({ path: `${collection.path}?${query}`, timeoutMs: LIST_TIMEOUT_MS, signal });
      hear();
      for (const object of page.items ?? []) {
        const key = object.metadata?.name;
        const item = key === undefined ? undefined : collection.project(object as never);
        if (key !== undefined && item !== undefined) items.set(key, item);
      }
      next = page.metadata?.continue ?? '';
      version = page.metadata?.resourceVersion;
    } while (next !== '');
    collection.replace(items);
    listedAt = performance.now();
    answer();
  };

  const watch = async (): Promise<void> => {
    const seconds = Math.max(1, Math.round(watchSeconds * (0.75 + Math.random() / 2)));
    const query = new URLSearchParams({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: version ?? '',
      timeoutSeconds: String(seconds),
    });
    if (collection.labelSelector) query.set('labelSelector', collection.labelSelector);
    await client.watch({
      path: `${collection.path}?${query}`,
      silenceMs: (seconds + graceSeconds) * 1000,
      signal,
      onHeard: hear,
      onEvent: ({ type, object }: WatchEvent) => {
        if (type === 'ERROR') {
          const { code, reason, message } = object as { code?: number; reason?: string; message?: string };
          throw new ApiRefusal(code ?? 0, reason ?? '', `watch of the ${collection.name}: ${message ?? 'failed'}`);
        }
        answer();
        failures = 0;
        const { metadata } = object as KubernetesObject;
        if (metadata?.resourceVersion) version = metadata.resourceVersion;
        if (type === 'BOOKMARK' || metadata?.name === undefined) return;
        collection.set(metadata.name, type === 'DELETED' ? undefined : collection.project(object as never));
      },
    });
    // An orderly end is a sign of life too.
    if (signal.aborted) return;
    hear();
    answer();
  };

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(done, milliseconds);
      function done() {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
    });

  const say = (error: Error, what: string) => {
    if (told === what) return;
    told = what;
    log.warn(
      { err: error, collection: collection.name },
      'the Kubernetes API does not show a collection; the last state is used and it is tried again',
    );
  };

  const refused = (error: ApiRefusal): void => {
    hear();
    refusedSince ??= performance.now();
    say(error, `refused ${error.status}`);
    // Never seen: nothing is there. Seen before: the rights may come back.
    if (listedAt === undefined || performance.now() - refusedSince > REFUSED_SECONDS * 1000) {
      collection.replace(new Map());
      listedAt = undefined;
    }
    version = undefined;
    if (!answered) {
      answered = true;
      onState();
    }
  };

  const run = async (): Promise<void> => {
    let relistAt = Number.POSITIVE_INFINITY;
    while (!signal.aborted) {
      try {
        if (version === undefined || performance.now() >= relistAt) {
          await lists.run(list);
          relistAt = performance.now() + relistSeconds * 1000 * (0.75 + Math.random() / 2);
        }
        const began = performance.now();
        await watch();
        // Something in between that ends watches at once must not be asked without a pause.
        if (performance.now() - began < SHORTEST_WATCH_MS) await pause(SHORTEST_WATCH_MS);
        else failures = 0;
      } catch (caught) {
        if (signal.aborted) return;
        const error = caught as Error;
        if (error instanceof ApiRefusal && (error.status === 403 || error.status === 404)) {
          refused(error);
          await pause(refusedMs * (0.75 + Math.random() / 2));
          continue;
        }
        failures++;
        // Expired, or in any other way not a version to go on from. A failure that lasts may be one of the version as well.
        if ((error instanceof ApiRefusal && (error.status === 410 || error.status === 0 || error.status === 504)) || failures % 5 === 0) {
          version = undefined;
        }
        const expired = error instanceof ApiRefusal && error.status === 410;
        if (expired && failures === 1) continue;
        say(error, error.name);
        const most = Math.min(retryMs.most, retryMs.first * 2 ** Math.min(failures - 1, 20));
        await pause(most * (0.5 + Math.random() / 2));
      }
    }
  };
  const running = run();
  return {
    get answered() {
      return answered;
    },
    get listed() {
      return listedAt !== undefined && refusedSince === undefined;
    },
    lastHeard: () => (refusedSince === undefined ? heard : undefined),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
