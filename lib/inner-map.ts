/**
 * Maps within maps, for keys of several texts: the texts are there already, where one text for all of them would be made for every question.
 * It deliberately is no class: a nested map is a Map, and reads as one.
 */

/** The map within a map; an empty one is put there first where there is none. */
export function innerMap<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let found = map.get(key);
  if (!found) {
    found = new Map();
    map.set(key, found);
  }
  return found;
}
