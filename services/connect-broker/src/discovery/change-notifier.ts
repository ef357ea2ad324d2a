/**
 * Tells listeners that a view of servers has changed: once for all changes of one turn of the event loop.
 * It deliberately does not say what has changed; whoever listens reads the view again.
 */

export interface ChangeNotifier {
  /** Something has changed; listeners hear of it soon, and once. */
  changed(): void;
  /** @returns how to stop listening */
  onChange(listener: () => void): () => void;
}

export function changeNotifier(): ChangeNotifier {
  const listeners = new Set<() => void>();
  let told = false;
  return {
    changed: () => {
      if (told) return;
      told = true;
      setImmediate(() => {
        told = false;
        for (const listener of listeners) listener();
      });
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
