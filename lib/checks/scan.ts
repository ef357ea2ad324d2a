/**
 * One pass over every value of every object, shared by the checks that must look at all of them: which objects have an empty value, and which a private key.
 * It deliberately says only which objects: the checks look there again, and find the place.
 */
import type { BuiltObject } from '../build';
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
    for (const object of input.objects) {
      const found = scanInner(object.manifest, '', false);
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

/** Called for maps and lists only, which are the few; written for speed, because it sees every value that there is. Judges emptiness as `isEmpty` does. */
function scanInner(value: object, field: string, inList: boolean): number {
  let found = 0;
  let holdsNothing = true;
  if (Array.isArray(value)) {
    holdsNothing = value.length === 0;
    for (let index = 0; index < value.length; index++) found |= scanValue(value[index], field, true);
  } else {
    for (const key in value) {
      const inner = (value as Record<string, unknown>)[key];
      if (inner === undefined) continue;
      holdsNothing = false;
      if (typeof inner !== 'number' && typeof inner !== 'boolean') found |= scanValue(inner, key, false);
    }
  }
  if (holdsNothing && !inList && !MEANINGFUL_EMPTY.has(field)) found |= EMPTY;
  return found !== 0 && FREE_FIELDS.has(field) ? found & PRIVATE_KEY : found;
}

function scanValue(value: unknown, field: string, inList: boolean): number {
  if (typeof value === 'string') return value.length > 26 && isPrivateKey(value) ? PRIVATE_KEY : 0;
  if (value === null) return EMPTY;
  return typeof value === 'object' ? scanInner(value, field, inList) : 0;
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
