/**
 * Defaults that both the rules and the derived model use.
 * It deliberately holds no default of a single field: those stand beside the field, in description.ts.
 */

import type { Resources } from './description';

/** The UDP port of a continent that has an address of its own and names none. */
export const DEFAULT_GAME_PORT = 40000;

/**
 * A continent's resources: the realm's, with what the continent says itself. A continent with more memory than the realm's limit does not inherit
 * that limit, which would forbid what it asks for.
 */
export function continentResources(realm: Resources, own: Partial<Resources> = {}): Resources {
  const { memoryLimit, ...rest } = realm;
  const inherited = own.memory === undefined && memoryLimit !== undefined ? { memoryLimit } : {};
  return { ...rest, ...inherited, ...own };
}
