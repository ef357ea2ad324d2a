/**
 * Defaults that both the rules and the derived model use.
 * It deliberately holds no default of a single field: those stand beside the field, in description.ts.
 */

/** The UDP port of a continent that has an address of its own and names none. */
export const DEFAULT_GAME_PORT = 40000;
