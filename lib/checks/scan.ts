/**
 * One pass over every value of every object, shared by the checks that must look at all of them: which objects have an empty value, and which a private key.
 * It deliberately says only which objects: the checks look there again, and find the place.
 */
import type { BuiltObject } from '../build';
import { isShared } from '../emit/shared';
import type { CheckInput } from './types';

export interface Scan {
  /** Objects with a null, or with an empty map or list that means nothing. */
  readonly empty: readonly BuiltObject[];
  /** Objects with a private key in PEM. */
  readonly privateKeys: readonly BuiltObject[];
}

/** Fields whose empty value says something: everything (selectors), with all defaults (kinds of volumes, issuers, Middlewares), the default certificate. */
const MEANINGFUL_EMPTY = new Set([
  'emptyDir',
  'podSelector',
  'namespaceSelector',
  'labelSelector',
  'selfSigned',
  'compress',
  'contentType',
  'tls',
  'automated',
]);

/** Helm merges values into the chart's own: null removes a default there, an empty list replaces one. */
export const FREE_FIELDS: ReadonlySet<string> = new Set(['valuesObject']);

const scans = new WeakMap<CheckInput, Scan>();

/** The scan of a run, made at the first question. */
export function scanOf(input: CheckInput): Scan {
  let scan = scans.get(input);
  if (!scan) {
    const empty: BuiltObject[] = [];
    const privateKeys: BuiltObject[] = [];
    const shared = new Map<object, number>();
    for (const object of input.objects) {
      const found = scanHolder(object.manifest, '', false, shared);
      if (found & EMPTY) empty.push(object);
      if (found & PRIVATE_KEY) privateKeys.push(object);
    }
    scan = { empty, privateKeys };
    scans.set(input, scan);
  }
  return scan;
}

const EMPTY = 1;
const PRIVATE_KEY = 2;
/** The map or list itself holds nothing; whether that says something is judged where it stands. */
const NOTHING = 4;

/** What is in shared parts (lib/emit/shared.ts) that were scanned already. */
type Scanned = Map<object, number>;

/** Called for maps and lists only, which are the few; judges emptiness as `isEmpty` does. */
function scanHolder(value: object, field: string, inList: boolean, shared: Scanned): number {
  let content: number | undefined;
  if (isShared(value)) {
    content = shared.get(value);
    if (content === undefined) {
      content = scanContent(value, field, shared);
      shared.set(value, content);
    }
  } else content = scanContent(value, field, shared);
  let found = content & ~NOTHING;
  if (content & NOTHING && !inList && !MEANINGFUL_EMPTY.has(field)) found |= EMPTY;
  return found !== 0 && FREE_FIELDS.has(field) ? found & PRIVATE_KEY : found;
}

/** Written for speed, because it sees every value that there is. @param field of a list, whose entries have no other */
function scanContent(value: object, field: string, shared: Scanned): number {
  let found = 0;
  let holdsNothing = true;
  if (Array.isArray(value)) {
    holdsNothing = value.length === 0;
    for (let index = 0; index < value.length; index++) found |= scanValue(value[index], field, true, shared);
  } else {
    for (const key in value) {
      const inner = (value as Record<string, unknown>)[key];
      if (inner === undefined) continue;
      holdsNothing = false;
      if (typeof inner !== 'number' && typeof inner !== 'boolean') found |= scanValue(inner, key, false, shared);
    }
  }
  return holdsNothing ? found | NOTHING : found;
}

function scanValue(value: unknown, field: string, inList: boolean, shared: Scanned): number {
  if (typeof value === 'string') return value.length > 26 && isPrivateKey(value) ? PRIVATE_KEY : 0;
  if (value === null) return EMPTY;
  return typeof value === 'object' ? scanHolder(value, field, inList, shared) : 0;
}

/** Whether a text holds a private key in PEM, of any format. */
export function isPrivateKey(text: string): boolean {
  return text.includes('-----BEGIN ') && /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text);
}

/**
 * Whether a value is null, or a map or list that holds nothing and means nothing; `undefined` is not there at all, for the writer as for the schemas.
 * @param inList whether the value is an entry of a list, where `{}` means everything (`ingress: [{}]`)
 */
export function isEmpty(value: unknown, field: string, inList: boolean): boolean {
  if (value === null) return true;
  if (typeof value !== 'object' || inList || MEANINGFUL_EMPTY.has(field)) return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) if ((value as Record<string, unknown>)[key] !== undefined) return false;
  return true;
}
