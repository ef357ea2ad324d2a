/**
 * The broker's connection to the Kubernetes API: the view of servers, the proof of game servers, and the allocator.
 * It deliberately waits for nothing: it is there at once, empty and not synced, and fills while the broker starts.
 */
import type { FastifyBaseLogger } from 'fastify';
import { agonesAllocator } from '../instances/agones-allocator.ts';
import type { Allocator } from '../instances/allocator.ts';
import type { Settings } from '../settings.ts';
import { kubernetesScaler, type WorldScaler } from '../sleep/scaler.ts';
import { type AddressBookOptions, addressBook } from './address-book.ts';
import { apiClient } from './api-client.ts';
import { type ApiCredentials, findCredentials } from './api-credentials.ts';
import type { GameServerAuthenticator } from './game-server-auth.ts';
import { kubernetesIndex } from './kubernetes-index.ts';
import { type ReflectorTiming, reflector, turns } from './reflector.ts';
import { tokenReview } from './token-review.ts';
import type { ServerView } from './view.ts';

export interface KubernetesConnection {
  readonly view: ServerView;
  readonly allocator: Allocator | undefined;
  readonly worldScaler: WorldScaler;
  readonly gameServers: GameServerAuthenticator;
  close(): Promise<void>;
}

export interface KubernetesOptions {
  /** @default KUBECONFIG, otherwise the pod's ServiceAccount */
  readonly credentials?: () => Promise<ApiCredentials>;
  readonly timing?: Partial<ReflectorTiming>;
  readonly resolve?: AddressBookOptions['resolve'];
}

/** Lists at once: a start with many realms asks a small API server for a few at a time. */
const LISTS_AT_ONCE = 8;
/** With many realms watches last longer, so that renewing them stays cheap: 45 s up to 90 s, which with their jitter stays below the two minutes that raise an alert. */
const watchSecondsFor = (watches: number): number => Math.min(90, 45 + watches / 40);

export function connectToKubernetes(settings: Settings, log: FastifyBaseLogger, options: KubernetesOptions = {}): KubernetesConnection {
  const client = apiClient(options.credentials ?? (() => findCredentials()));
  const addresses = addressBook({
    log,
    onChange: () => index.addressesChanged(),
    ...(options.resolve ? { resolve: options.resolve } : {}),
  });
  const index = kubernetesIndex(settings, addresses.find);
  const { collections, instanceCollections, addressesChanged, ...reading } = index;
  const lists = turns(LISTS_AT_ONCE);
  const startedAt = performance.now();
  let synced = false;
  const onState = () => {
    if (synced || !reflectors.every(({ answered }) => answered)) return;
    synced = true;
    log.info(
      { collections: reflectors.length, seconds: Math.round((performance.now() - startedAt) / 100) / 10 },
      'the Kubernetes API is in view',
    );
  };
  // Their first answers come in a later turn, when all of them are there.
  const reflectors = collections.map((collection) =>
    reflector({
      client,
      collection,
      log,
      lists,
      onState,
      timing: { watchSeconds: watchSecondsFor(collections.length), ...options.timing },
    }),
  );
  const ofInstances = reflectors.filter((_, number) => instanceCollections.includes(collections[number] as (typeof collections)[number]));
  const view: ServerView = {
    ...reading,
    get synced() {
      return synced;
    },
    get instancesKnown() {
      return ofInstances.every(({ listed }) => listed);
    },
    ageSeconds: () => {
      const now = performance.now();
      let oldest = now;
      for (const each of reflectors) oldest = Math.min(oldest, each.lastHeard() ?? now);
      return (now - oldest) / 1000;
    },
  };
  const { instancesNamespace, audience } = settings.kubernetes;
  return {
    view,
    allocator: instancesNamespace === undefined ? undefined : agonesAllocator(client, instancesNamespace),
    worldScaler: kubernetesScaler(client),
    gameServers: tokenReview({ client, view, audience }),
    close: async () => {
      addresses.close();
      const stopped = Promise.all(reflectors.map((each) => each.stop()));
      client.close();
      await stopped;
    },
  };
}
