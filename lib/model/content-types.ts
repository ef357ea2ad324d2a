/** (placeholder until its owner writes it) */
import type { Mistake } from './cluster';
import type { ParsedDescription } from './description';
export function contentTypeMistakes(_data: ParsedDescription): Mistake[] {
  return [];
}
