/**
 * Hints between replicas that something has changed, over one listening connection of a replica for all who want to know.
 * It deliberately promises nothing: a hint may be lost, so whoever listens also looks every few seconds.
 */
import type { Broker } from '../broker.ts';

/** Payloads on the channel 'broker': `queue` (places or queues have changed), `orders` (a server has new orders), and empty after a reconnection. */
export type Hint = string;

const listeners = new WeakMap<Broker, Set<(hint: Hint) => void>>();

/**
 * Calls back at each hint; returns how to stop. The first call of a broker opens the connection, which the database closes at its end.
 * A listening connection that cannot be opened is tried again for ever.
 */
export function onHint(broker: Broker, listener: (hint: Hint) => void): () => void {
  let all = listeners.get(broker);
  if (!all) {
    const made = new Set<(hint: Hint) => void>();
    listeners.set(broker, made);
    void broker.database
      .listen('broker', (hint) => {
        for (const tell of made) tell(hint);
      })
      .catch((error: unknown) => broker.log.warn({ err: error }, 'hints between replicas are not heard; polling goes on'));
    all = made;
  }
  all.add(listener);
  return () => void all.delete(listener);
}
