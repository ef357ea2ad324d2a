/**
 * Writes one Kubernetes object as YAML that people review: keys in the conventional order, long texts as block scalars, quotes only where needed.
 * It deliberately writes only what JSON can hold; anchors, tags and dates do not exist here. Every parser reads the same value, YAML 1.1 (Go's, which
 * Argo CD and kubectl use) and 1.2: what could be read as a boolean, number, date or sexagesimal is quoted. A property test holds it to that.
 * Our own because the library's emitter takes two thirds of a synth's time (docs/decisions/0003).
 */

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

/** The object as one YAML document, with a line feed at the end and without a `---`. */
export function toYaml(value: Readonly<Record<string, unknown>>): string {
  const out: string[] = [];
  writeMap(value, keysOf(value), '', out);
  return out.join('');
}

function compareKeys(a: string, b: string): number {
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return rank;
  return a < b ? -1 : a > b ? 1 : 0;
}

function rankOf(key: string): number {
  return RANK.get(key) ?? FIRST.length;
}

/** Keys that have a value, in their order. */
function keysOf(map: Readonly<Record<string, unknown>>): string[] {
  const keys: string[] = [];
  let sorted = true;
  let last = '';
  let lastRank = -1;
  for (const key in map) {
    if (map[key] === undefined) continue;
    // Most maps are in order already, and asking costs less than sorting.
    if (sorted) {
      const rank = rankOf(key);
      sorted = rank > lastRank || (rank === lastRank && last < key);
      last = key;
      lastRank = rank;
    }
    keys.push(key);
  }
  return sorted ? keys : keys.sort(compareKeys);
}

function writeMap(
  map: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  indent: string,
  out: string[],
  firstPrefix = indent,
): void {
  let prefix = firstPrefix;
  for (const key of keys) {
    writeValue(`${prefix}${scalarKey(key)}:`, map[key], indent, out, false);
    prefix = indent;
  }
}

function writeValue(head: string, value: unknown, indent: string, out: string[], inSequence: boolean): void {
  if (typeof value === 'string') {
    out.push(head, ' ', text(value, indent, inSequence, head.length), '\n');
  } else if (value === null || typeof value === 'boolean' || typeof value === 'number') {
    out.push(head, ' ', atom(value), '\n');
  } else if (Array.isArray(value)) {
    if (value.length === 0) out.push(head, ' []\n');
    else if (inSequence) throw new TypeError('A list directly within a list has no place in a Kubernetes object.');
    else {
      out.push(head, '\n');
      for (const item of value) writeItem(item, indent, out);
    }
  } else if (typeof value === 'object') {
    const map = value as Record<string, unknown>;
    const keys = keysOf(map);
    if (keys.length === 0) out.push(head, ' {}\n');
    else if (inSequence) writeMap(map, keys, indent, out, `${head} `);
    else {
      out.push(head, '\n');
      writeMap(map, keys, `${indent}  `, out);
    }
  } else throw new TypeError(`A ${typeof value} cannot be written as YAML (at '${head.trim()}').`);
}

function writeItem(item: unknown, indent: string, out: string[]): void {
  writeValue(`${indent}-`, item ?? null, `${indent}  `, out, true);
}

function atom(value: null | boolean | number): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} cannot be written as YAML.`);
  return String(value);
}

/** Keys as they are written: there are some hundred, and a million times one of them is written. */
const writtenKeys = new Map<string, string>();

function scalarKey(key: string): string {
  let written = writtenKeys.get(key);
  if (written === undefined) {
    written = writeKey(key);
    writtenKeys.set(key, written);
  }
  return written;
}

function writeKey(key: string): string {
  // YAML's limit for a key on one line; Kubernetes' own limits are far below.
  if (key.length > 200) throw new TypeError(`A key of ${key.length} characters cannot be written as YAML: '${key.slice(0, 40)}…'.`);
  return SAFE_WORD.test(key) && !RESERVED.test(key) ? key : JSON.stringify(key);
}

function text(value: string, parent: string, inSequence: boolean, column: number): string {
  if (SAFE_WORD.test(value) || SAFE_QUANTITY.test(value) || (column + value.length < WIDTH && SAFE_PHRASE.test(value))) {
    if (!RESERVED.test(value)) return value;
  }
  const indent = inSequence ? parent : `${parent}  `;
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
