/**
 * The work on instances that repeats: find servers, follow them, delete the forgotten. Every replica does all of it.
 * It deliberately needs no hints between replicas: the one that makes an instance begins at once, and the others would come a second later.
 */
import { repeat, type Stop } from '../background.ts';
import type { Broker } from '../broker.ts';
import { allocateDue, endUnallocated } from './allocation.ts';
import { followServers, forgetEnded, noteOccupied, releaseLostServers } from './lifecycle.ts';
import { reap } from './reaping.ts';

/** One indexed look that mostly finds nothing; a player waits for what it finds. */
const ALLOCATE_MS = 1_000;
/** Without a change of the view; with one it is done sooner. */
const FOLLOW_MS = 5_000;
const TIDY_MS = 15_000;
/** Changes of the view that are looked at together; nobody waits for it, because tokens go by the view itself. */
const GATHER_MS = 500;

const wakers = new WeakMap<Broker, () => void>();

/** An instance was made: looks for a server now instead of within a second. */
export const wakeAllocation = (broker: Broker): void => wakers.get(broker)?.();

export const startInstanceTasks = (broker: Broker): Stop => {
  const { allocator, view, log } = broker;
  if (allocator === undefined) return async () => undefined;
  const allocation = repeat('instances: allocation', ALLOCATE_MS, log, async () => {
    if ((await allocateDue(broker, allocator)) > 0) following.soon();
  });
  const following = repeat('instances: following', FOLLOW_MS, log, () => followServers(broker));
  const tidying = repeat('instances: tidying', TIDY_MS, log, async () => {
    await endUnallocated(broker);
    await releaseLostServers(broker);
    await noteOccupied(broker);
    await reap(broker, allocator);
    await forgetEnded(broker);
  });
  wakers.set(broker, allocation.soon);
  let pending: NodeJS.Timeout | undefined;
  const unsubscribe = view.onChange(() => {
    pending ??= setTimeout(() => {
      pending = undefined;
      following.soon();
    }, GATHER_MS);
  });
  return async () => {
    unsubscribe();
    clearTimeout(pending);
    wakers.delete(broker);
    await Promise.all([allocation.stop(), following.stop(), tidying.stop()]);
  };
};
