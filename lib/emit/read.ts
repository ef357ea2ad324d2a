/**
 * Reads one file of an old dist, which may hold anything: a merge that went wrong, an edit by hand.
 * It deliberately says nothing about what it cannot read: the synth writes the file anew, and only whole objects can be lost.
 */
import { parse } from 'yaml';
import type { PlainObject } from './manifest';

/** The object, or undefined when the text is none. */
export function readObject(text: string | undefined): PlainObject | undefined {
  try {
    const value = parse(text ?? '') as Partial<PlainObject> | null;
    return typeof value?.kind === 'string' && typeof value.apiVersion === 'string' && typeof value.metadata?.name === 'string'
      ? (value as PlainObject)
      : undefined;
  } catch {
    return undefined;
  }
}
