/**
 * Counts by key within a window of time that begins with a key's first count: what limits of one replica are made of.
 * It deliberately keeps everything in memory and decides nothing; every request passes one, so it makes neither promises nor timers.
 */
export interface WindowCounter {
  /** Counts once more; what there is now, and how long the window lasts. */
  add(key: string): { readonly count: number; readonly secondsLeft: number };
}

/** Keys that are remembered; of more than that, those whose window began first begin anew. */
const REMEMBERED = 20_000;

/** @param now milliseconds; for tests */
export function windowCounter(windowMs: number, now: () => number = () => performance.now()): WindowCounter {
  const counts = new Map<string, { from: number; count: number }>();
  return {
    add: (key) => {
      const at = now();
      let counted = counts.get(key);
      if (!counted || at - counted.from >= windowMs) {
        counts.delete(key);
        counted = { from: at, count: 0 };
        remember(counts, key, counted, REMEMBERED);
      }
      counted.count++;
      return { count: counted.count, secondsLeft: Math.max(1, Math.ceil((counted.from + windowMs - at) / 1000)) };
    },
  };
}

/** Adds to a map that keeps the youngest. */
export function remember<Value>(map: Map<string, Value>, key: string, value: Value, most: number = REMEMBERED): void {
  map.set(key, value);
  if (map.size <= most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
