/**
 * Writes one Kubernetes object as YAML that people review: keys in the conventional order, long texts as block scalars, quotes only where needed.
 * It deliberately writes only what JSON can hold; anchors, tags and dates do not exist here. Every parser reads the same value, YAML 1.1 (Go's, which
 * Argo CD and kubectl use) and 1.2: what could be read as a boolean, number, date or sexagesimal is quoted. A property test holds it to that.
 * Our own because the library's emitter takes two thirds of a synth's time (docs/decisions/0003).
 */

import { isShared } from './shared';

/** Keys that come first, in this order, in every map; the others follow alphabetically, `status` last. */
const FIRST = ['apiVersion', 'kind', 'metadata', 'name', 'namespace', 'labels', 'annotations', 'spec', 'data'];
/** All other keys have the same rank, and `status` comes after them. */
const RANK = new Map([...FIRST.map((key, index): [string, number] => [key, index]), ['status', FIRST.length + 1]]);

const SAFE_WORD = /^[A-Za-z_/][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+)*$/;
/** Quantities and durations: no parser takes a number followed by one of these letters for a number. */
const SAFE_QUANTITY = /^[1-9][0-9]*(?:[mkMGTPshd]|[KMGTP]i)$/;
const SAFE_PHRASE = /^[A-Za-z][A-Za-z0-9_./@(),;+=' -]*[A-Za-z0-9.)]$/;
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf|e[0-9_]+|_[0-9_]*)$/i;
const WIDTH = 120;

/** Texts of shared parts (lib/emit/shared.ts), by the place that they stand at (see `placeOf`). */
export type WrittenParts = Map<object, string[]>;

/** What is written so far. Texts are added to it and not joined at the end: `join` makes two bytes of each character when one of them was some object's key. */
interface Page {
  text: string;
}

/**
 * The object as one YAML document, with a line feed at the end and without a `---`.
 * @param written give one to all objects of a run, so that parts that many hold are written once
 */
export function toYaml(value: Readonly<Record<string, unknown>>, written: WrittenParts = new Map()): string {
  const out: Page = { text: '' };
  writeMap(value, 0, false, out, written);
  if (out.text === '') return '';
  out.text += '\n';
  // Every line begins with its line feed; the first one's is the one at the end.
  return out.text.slice(1);
}

function compareKeys(a: string, b: string): number {
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return rank;
  return a < b ? -1 : a > b ? 1 : 0;
}

function rankOf(key: string): number {
  return RANK.get(key) ?? FIRST.length;
}

/** Up to so many keys are put in their order one by one, which leaves no garbage; longer maps (data, keys of all realms) are sorted. */
const FEW = 24;

/** Whether the keys that have a value are in their order, as most are. */
function isInOrder(map: Readonly<Record<string, unknown>>): boolean {
  let last = '';
  let lastRank = -1;
  for (const key in map) {
    if (map[key] === undefined) continue;
    const rank = rankOf(key);
    if (rank < lastRank || (rank === lastRank && last >= key)) return false;
    last = key;
    lastRank = rank;
  }
  return true;
}

/** Keys that have a value, put in their order. */
function keysOf(map: Readonly<Record<string, unknown>>): string[] {
  const keys = Object.keys(map).filter((key) => map[key] !== undefined);
  return keys.length > FEW ? keys.sort(compareKeys) : inOrder(keys);
}

function inOrder(keys: string[]): string[] {
  for (let next = 1; next < keys.length; next++) {
    const key = keys[next] as string;
    let at = next;
    for (; at > 0 && compareKeys(keys[at - 1] as string, key) > 0; at--) keys[at] = keys[at - 1] as string;
    keys[at] = key;
  }
  return keys;
}

/** What a line begins with, its line feed included. */
interface Head {
  /** Before a value on the same line. */
  readonly scalar: string;
  /** Before lines of their own. */
  readonly holder: string;
}

function headOf(line: string): Head {
  return { scalar: `\n${line} `, holder: `\n${line}` };
}

/** By depth: `- ` before an entry of a list. */
const dashes: Head[] = [];

function dashOf(depth: number): Head {
  let head = dashes[depth];
  if (head === undefined) {
    head = headOf(`${indentOf(depth)}-`);
    dashes[depth] = head;
  }
  return head;
}

/** Heads of a key at every place: there are some hundred keys, and a million times one of them is written. */
const heads = new Map<string, Head[]>();

function keyHead(key: string, depth: number, afterDash: boolean): Head {
  let places = heads.get(key);
  if (places === undefined) {
    places = [];
    heads.set(key, places);
  }
  const place = placeOf(depth, afterDash);
  let head = places[place];
  if (head === undefined) {
    head = headOf(`${afterDash ? `${indentOf(depth - 1)}- ` : indentOf(depth)}${writeKey(key)}:`);
    places[place] = head;
  }
  return head;
}

/** Depth, and whether the first key stands after the dash of a list's entry, as one number. */
function placeOf(depth: number, afterDash: boolean): number {
  return afterDash ? 2 * depth + 1 : 2 * depth;
}

function indentOf(depth: number): string {
  return '  '.repeat(depth);
}

/** @param afterDash whether the first key stands on the line of the dash */
function writeMap(map: Readonly<Record<string, unknown>>, depth: number, afterDash: boolean, out: Page, written: WrittenParts): void {
  let dash = afterDash;
  if (isInOrder(map)) {
    for (const key in map) {
      if (map[key] === undefined) continue;
      writeValue(keyHead(key, depth, dash), map[key], depth, false, out, written);
      dash = false;
    }
    return;
  }
  for (const key of keysOf(map)) {
    writeValue(keyHead(key, depth, dash), map[key], depth, false, out, written);
    dash = false;
  }
}

/** @param depth of the map that holds the value; in a list, of what follows in the value's own lines */
function writeValue(head: Head, value: unknown, depth: number, inSequence: boolean, out: Page, written: WrittenParts): void {
  if (typeof value === 'string') {
    // Less the line feed and the space.
    out.text += head.scalar + text(value, depth, inSequence, head.scalar.length - 2);
  } else if (value === null || typeof value === 'boolean' || typeof value === 'number') {
    out.text += head.scalar + atom(value);
  } else if (typeof value !== 'object') {
    throw new TypeError(`A ${typeof value} cannot be written as YAML (at '${head.scalar.trim()}').`);
  } else writeHolder(head, value, depth, inSequence, out, written);
}

function writeHolder(head: Head, value: object, depth: number, inSequence: boolean, out: Page, written: WrittenParts): void {
  const before = out.text;
  // The first line of a map in a list begins with the dash.
  if (!inSequence) out.text += head.holder;
  const { length } = out.text;
  if (isShared(value)) out.text += sharedContent(value, depth, inSequence, written);
  else writeContent(value, depth, inSequence, out, written);
  if (out.text.length === length) out.text = `${before}${head.scalar}${Array.isArray(value) ? '[]' : '{}'}`;
}

/** What a map or list holds, in lines of its own; nothing when it is empty. */
function writeContent(value: object, depth: number, inSequence: boolean, out: Page, written: WrittenParts): void {
  if (!Array.isArray(value)) {
    writeMap(value as Record<string, unknown>, inSequence ? depth : depth + 1, inSequence, out, written);
    return;
  }
  if (inSequence && value.length > 0) throw new TypeError('A list directly within a list has no place in a Kubernetes object.');
  const dash = dashOf(depth);
  for (let index = 0; index < value.length; index++) writeValue(dash, value[index] ?? null, depth + 1, true, out, written);
}

/** The same of a shared part. */
function sharedContent(value: object, depth: number, inSequence: boolean, written: WrittenParts): string {
  let places = written.get(value);
  if (places === undefined) {
    places = [];
    written.set(value, places);
  }
  const place = placeOf(depth, inSequence);
  let found = places[place];
  if (found === undefined) {
    const out: Page = { text: '' };
    writeContent(value, depth, inSequence, out, written);
    found = out.text;
    places[place] = found;
  }
  return found;
}

function atom(value: null | boolean | number): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} cannot be written as YAML.`);
  return String(value);
}

function writeKey(key: string): string {
  // YAML's limit for a key on one line; Kubernetes' own limits are far below.
  if (key.length > 200) throw new TypeError(`A key of ${key.length} characters cannot be written as YAML: '${key.slice(0, 40)}…'.`);
  return SAFE_WORD.test(key) && !RESERVED.test(key) ? key : JSON.stringify(key);
}

/** @param column where the line is when the value begins, less the space before it */
function text(value: string, depth: number, inSequence: boolean, column: number): string {
  if (SAFE_WORD.test(value) || SAFE_QUANTITY.test(value) || (column + value.length < WIDTH && SAFE_PHRASE.test(value))) {
    if (!RESERVED.test(value)) return value;
  }
  const indent = indentOf(inSequence ? depth : depth + 1);
  if (value.includes('\n')) return literal(value, indent) ?? quoted(value);
  if (column + value.length >= WIDTH) return folded(value, indent) ?? quoted(value);
  return quoted(value);
}

/** JSON's strings are YAML's double-quoted scalars, except for three characters that YAML counts as line breaks or refuses. */
function quoted(value: string): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that a block scalar cannot hold.
const NOT_IN_BLOCKS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|[\ud800-\udfff]/;

/** `|` keeps every line; impossible when the first line begins with a space or lines end in spaces, where editors would change the value. */
function literal(value: string, indent: string): string | undefined {
  if (NOT_IN_BLOCKS.test(value) || /^[ \n]/.test(value) || / (\n|$)/.test(value)) return undefined;
  const body = value.replace(/\n+$/, '');
  const trailing = value.length - body.length;
  const header = trailing === 0 ? '|-' : trailing === 1 ? '|' : '|+';
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${indent}${line}`));
  return `${header}\n${lines.join('\n')}${'\n'.repeat(Math.max(0, trailing - 1))}`;
}

/** `>-` breaks one long line at single spaces; impossible when spaces at the ends or double ones would be lost. */
function folded(value: string, indent: string): string | undefined {
  // The cheapest question first: most long values are sealed ones, without a space.
  if (!value.includes(' ') || /^ | $| {2}/.test(value) || NOT_IN_BLOCKS.test(value)) return undefined;
  const lines: string[] = [];
  let line = '';
  for (const word of value.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return `>-\n${lines.map((part) => `${indent}${part}`).join('\n')}`;
}
