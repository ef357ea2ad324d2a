/**
 * What keeps places and queues right without anybody asking: the heartbeat of the brokers, the end of what has run out, and the metrics of queues and sessions.
 * It deliberately needs no leader: every replica does all of it, and rows that another one has locked are left to it.
 */
import { repeat, type Stop } from '../background.ts';
import type { Broker } from '../broker.ts';
import { onHint } from './hints.ts';
import { queueStreams } from './queue-streams.ts';
import { viewTooOld } from './servers.ts';
import { sessionMeter } from './session-metrics.ts';

/** Well below the 5 s that count as an outage (migration 003, broker_beat). */
const BEAT_EVERY_MS = 2_000;
const EXPIRE_EVERY_MS = 5_000;
const FORGET_EVERY_MS = 600_000;
const MEASURE_EVERY_MS = 10_000;
/** Half of Prometheus' interval; each time the sessions of a day are read. */
const COUNT_EVERY_MS = 15_000;

export const startPlayTasks = (broker: Broker): Stop => {
  const { database, log, settings, metrics } = broker;
  const beating = repeat('heartbeat', BEAT_EVERY_MS, log, async () => {
    await database.query('select broker_beat($1)', [!viewTooOld(broker)]);
  });
  const expiring = repeat('end of places', EXPIRE_EVERY_MS, log, () => expirePlaces(broker));
  const forgetting = repeat('forgetting of places', FORGET_EVERY_MS, log, async () => {
    await database.query('select forget_places()');
  });
  const measuring = repeat('queue metrics', MEASURE_EVERY_MS, log, async () => {
    const rows = await database.query<{ server_id: string; waiting: number; oldest: number }>(
      `select server_id, count(*)::integer as waiting, extract(epoch from now() - min(entered_at))::double precision as oldest
       from queue_entries where still_waits(polled_at, ready_at, (select broker_up_since())) group by server_id`,
    );
    const waiting = new Map(rows.map((row) => [row.server_id, row]));
    for (const { name: realm, continents } of settings.realms) {
      for (const { name: continent } of continents) {
        const row = waiting.get(`world:${realm}/${continent}`);
        metrics.queueLength.set({ realm, continent }, row?.waiting ?? 0);
        metrics.queueOldest.set({ realm, continent }, row?.oldest ?? 0);
      }
    }
  });
  const meter = sessionMeter(broker);
  const counting = repeat('session metrics', COUNT_EVERY_MS, log, meter);
  const stopListening = onHint(broker, (hint) => {
    if (hint === 'queue' || hint === '') queueStreams(broker).soon();
  });
  return async () => {
    stopListening();
    await Promise.all([beating.stop(), expiring.stop(), forgetting.stop(), measuring.stop(), counting.stop()]);
  };
};

/** Ends what has run out: reservations, held places, sessions of silent servers, queue entries, old orders and rows. Safe to call at any time, by any replica. */
export async function expirePlaces({ database }: Pick<Broker, 'database'>): Promise<void> {
  await database.transaction((transaction) => transaction.query('select expire_places()'));
}
