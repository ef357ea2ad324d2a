/**
 * Open event streams of players who wait: one look at the database for all of a replica's streams, every 5 s and at hints.
 * It deliberately keeps nothing but open streams; a client that is cut off comes back to any replica and finds its entry.
 */
import { type Repeated, repeat } from '../background.ts';
import type { Broker } from '../broker.ts';
import type { EventStream } from '../realms/event-stream.ts';
import type { WaitAnswer } from './connect-api.ts';
import { queueStates } from './queue.ts';
import { viewTooOld } from './servers.ts';

const LOOK_EVERY_MS = 5_000;
/** From `least` to `most`: not all at once, and well within the 60 s after which an entry is gone. */
const RETRY_MS = { least: 1_000, most: 5_000 } as const;

interface QueueStreams {
  add(accountId: string, stream: EventStream, first: WaitAnswer): void;
  /** Looks now: something has changed. */
  soon(): void;
}

const ofBroker = new WeakMap<Broker, QueueStreams>();

export function queueStreams(broker: Broker): QueueStreams {
  const known = ofBroker.get(broker);
  if (known) return known;
  const open = new Map<string, Map<EventStream, string>>();
  let looking: Repeated | undefined;
  const look = async () => {
    if (viewTooOld(broker)) {
      // Another replica may know more.
      for (const streams of open.values()) {
        for (const stream of streams.keys()) {
          const retryMs = Math.round(RETRY_MS.least + Math.random() * (RETRY_MS.most - RETRY_MS.least));
          stream.close({ event: 'closing', data: { reason: 'view-too-old', retryMs }, retryMs });
        }
      }
      return;
    }
    const states = await queueStates(broker, [...open.keys()]);
    for (const [accountId, streams] of open) {
      const state = states.get(accountId);
      for (const [stream, told] of streams) {
        if (state === undefined) {
          stream.close({ event: 'gone', data: { reason: 'the account waits in no queue any more' } });
          continue;
        }
        const text = JSON.stringify(state);
        if (text === told) continue;
        streams.set(stream, text);
        stream.send({ event: 'queue', data: state });
      }
    }
  };
  const streams: QueueStreams = {
    add: (accountId, stream, first) => {
      const mine = open.get(accountId) ?? new Map<EventStream, string>();
      open.set(accountId, mine.set(stream, JSON.stringify(first)));
      stream.send({ event: 'queue', data: first });
      looking ??= repeat('queue streams', LOOK_EVERY_MS, broker.log, look);
      void stream.closed.then(() => {
        mine.delete(stream);
        if (mine.size === 0 && open.get(accountId) === mine) open.delete(accountId);
        if (open.size > 0) return;
        void looking?.stop();
        looking = undefined;
      });
    },
    soon: () => looking?.soon(),
  };
  ofBroker.set(broker, streams);
  return streams;
}
