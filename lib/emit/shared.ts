/**
 * Parts that many objects hold by identity, such as what all worlds' pods have in common: a walk over all objects may look at such a part once and remember its answer.
 * It deliberately remembers no answer itself: what is remembered lives no longer than the walk, so that whoever changes an object between two walks is judged anew.
 */

const parts = new WeakSet<object>();

/**
 * Marks plain data, and every map and list in it, as held by many objects, and freezes it: a change for one of them would reach all others, and
 * no check would look again. Whoever tries gets a TypeError.
 */
export function share<T>(value: T): T {
  if (typeof value !== 'object' || value === null || parts.has(value)) return value;
  parts.add(value);
  for (const inner of Object.values(value)) share(inner);
  Object.freeze(value);
  return value;
}

/** Whether a map or list was marked. Asking for one that was not costs next to nothing. */
export function isShared(value: object): boolean {
  return parts.has(value);
}
