/** (placeholder until its owner writes it) */
import type { Mistake } from './cluster';
import type { ParsedDescription } from './description';
export function networkMistakes(_data: ParsedDescription): Mistake[] {
  return [];
}
