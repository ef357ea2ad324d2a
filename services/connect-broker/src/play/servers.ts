/**
 * What the broker can tell from memory about a server that somebody wants to enter, and what servers are called in metrics.
 * It deliberately asks no database; maintenance, capacity and what servers report are decided where the place is taken.
 */
import type { Broker } from '../broker.ts';
import { MAX_VIEW_AGE_SECONDS, type ServerIdentity, type WorldServer } from '../discovery/view.ts';
import type { TargetKind } from '../metrics.ts';
import { type Client, type Fit, fits } from './connect-api.ts';

/** `open`: a place may be asked for. `wait`: it starts or sleeps, so one queues. The rest are refusals. */
export type Verdict = 'open' | 'wait' | 'outdated' | 'offline' | 'stopping' | 'stale-view' | 'no-key' | 'no-address';

export interface Consideration {
  readonly continent: string;
  readonly capacity: number;
  readonly verdict: Verdict;
  readonly phase: WorldServer['phase'];
  /** What its clients must be. */
  readonly fit: Fit;
  readonly identity?: ServerIdentity;
  readonly key?: Uint8Array;
}

/** Whether the broker has lost touch with the servers: what it knows of them may be long over. */
export const viewTooOld = ({ view }: Pick<Broker, 'view'>): boolean => !view.synced || view.ageSeconds() > MAX_VIEW_AGE_SECONDS;

/** Looks at one continent for a client. */
export function consider(
  broker: Pick<Broker, 'view' | 'netcodeKeys' | 'settings'>,
  realm: string,
  continent: { readonly name: string; readonly capacity: number },
  client: Client,
): Consideration {
  const { view, netcodeKeys, settings } = broker;
  const world = view.world(realm, continent.name);
  const identity = world?.identity;
  // What is not running yet will run the build that the configuration names.
  const fit: Fit = identity ?? { protocolId: BigInt(settings.game.protocolId), build: settings.game.build };
  const known = { continent: continent.name, capacity: continent.capacity, phase: world?.phase ?? 'missing', fit } as const;
  const is = (verdict: Verdict): Consideration => ({ ...known, verdict });
  if (viewTooOld(broker)) return is('stale-view');
  if (!world || world.phase === 'missing') return is('offline');
  if (!fits(client, fit)) return is('outdated');
  if (world.phase === 'stopping') return is('stopping');
  if (world.phase !== 'ready' || !identity) return is('wait');
  if (identity.lan.length + identity.wan.length === 0) return is('no-address');
  const key = netcodeKeys.forRealm(realm, identity.keyGeneration);
  if (!key) return is('no-key');
  return { ...known, verdict: 'open', identity, key };
}

/** Labels `kind` and `target` of metrics for a server id: realm/continent, or the content type of an instance. */
export function labelsOf(broker: Pick<Broker, 'view'>, serverId: string): { kind: TargetKind; target: string } {
  const [kind, name = ''] = serverId.split(/:(.*)/s);
  if (kind === 'world') return { kind, target: name };
  return { kind: 'instance', target: broker.view.instance(name)?.contentType ?? 'unknown' };
}
