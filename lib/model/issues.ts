/**
 * Turns the schema library's issues into sentences that name the place by names (realms[aurora], not realms[0]) and propose what was meant.
 * It deliberately finds no mistakes itself: that is the schema's and validate.ts's part.
 */
import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import type { Mistake } from './cluster';
import { description } from './description';

export function describeIssues(error: z.ZodError, input: unknown): Mistake[] {
  return error.issues.flatMap((issue) => sentences(issue, input));
}

type Issue = z.core.$ZodIssue;

function sentences(issue: Issue, input: unknown): Mistake[] {
  const path = namedPath(issue.path, input);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path, input);
    return issue.keys.map((key) => ({
      path: path === '' ? key : `${path}.${key}`,
      message: sentence(`there is no such field${didYouMean(key, known)}`),
    }));
  }
  if (issue.code === 'invalid_union' && 'discriminator' in issue && typeof issue.discriminator === 'string') {
    return [{ path, message: unionSentence(issue, input) }];
  }
  const value = valueAt(input, issue.path);
  if (value === undefined && issue.code === 'invalid_type') return [{ path, message: `is missing; it must be ${expected(issue)}.` }];
  const message = issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  const said = typeof value === 'string' && message.includes(`'${value}'`) ? '' : `${JSON.stringify(value)} `;
  return [{ path, message: sentence(`${said}${reword(message)}`) }];
}

function sentence(text: string): string {
  return /[.?]$/.test(text) ? text : `${text}.`;
}

/** The library's own phrases, as the end of a sentence that begins with the value. */
function reword(message: string): string {
  return message
    .replace(/^invalid input: expected /, 'is wrong: it must be of type ')
    .replace(/^invalid option: expected one of /, 'is not allowed: it must be one of ')
    .replace(/^too small: expected (\w+) to be /, 'is too small: it must be ')
    .replace(/^too big: expected (\w+) to be /, 'is too big: it must be ')
    .replace(/^too small: expected (\w+) to have /, 'is too short: it must have ')
    .replace(/^too big: expected (\w+) to have /, 'is too long: it must have ')
    .replace(/^invalid email address/, 'is not an e-mail address')
    .replace(/^must be /, 'is wrong: it must be ')
    .replace(/>=(\d+)/, 'at least $1')
    .replace(/<=(\d+)/, 'at most $1')
    .replace(/>(\d+)/, 'more than $1')
    .replace(/at least 1 items/, 'at least one entry');
}

function expected(issue: Issue): string {
  return issue.code === 'invalid_type' ? `of type ${issue.expected}` : 'given';
}

function unionSentence(issue: Issue, input: unknown): string {
  const value = valueAt(input, issue.path);
  const discriminator = 'discriminator' in issue ? String(issue.discriminator) : '';
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map((option) => `'${String(option)}'`) : [];
  const known = options.length > 0 ? options : discriminatorOptions(issue.path, input);
  const one = `it must be one of ${known.join(', ')}`;
  return value === undefined ? `is missing; ${one}.` : `${JSON.stringify(value)} is not allowed for '${discriminator}'; ${one}.`;
}

/** `realms[aurora].continents[eldermoor].address`: list entries by their name, because a reader looks for the name and not for the place. */
export function namedPath(path: readonly PropertyKey[], input: unknown): string {
  let text = '';
  let at: unknown = input;
  for (const part of path) {
    at = child(at, part);
    if (typeof part === 'number') {
      const entryName = child(at, 'name');
      text += `[${typeof entryName === 'string' ? entryName : part}]`;
    } else text += text === '' ? String(part) : `.${String(part)}`;
  }
  return text;
}

function child(value: unknown, key: PropertyKey): unknown {
  return value !== null && typeof value === 'object' ? (value as Record<PropertyKey, unknown>)[key] : undefined;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, part) => child(at, part), input);
}

/** Proposes the nearest known word when it is near enough to be a slip of the fingers. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const nearest = closest(word, known as string[]);
  return distance(word.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, Math.floor(word.length / 3))
    ? `; did you mean '${nearest}'?`
    : `; known fields are ${known.map((key) => `'${key}'`).join(', ')}`;
}

// The schema's own structure answers which keys exist at a path, so that no second list of fields can grow old.
interface Node {
  readonly _zod: {
    readonly def: {
      type: string;
      shape?: Record<string, Node>;
      element?: Node;
      innerType?: Node;
      options?: Node[];
      in?: Node;
      discriminator?: string;
      values?: unknown[];
    };
  };
}

function unwrap(node: Node | undefined): Node | undefined {
  let at = node;
  while (at && (at._zod.def.innerType || at._zod.def.in)) at = at._zod.def.innerType ?? at._zod.def.in;
  return at;
}

function schemaAt(path: readonly PropertyKey[], input: unknown): Node | undefined {
  let node = unwrap(description as unknown as Node);
  let value: unknown = input;
  for (const part of path) {
    value = child(value, part);
    const def = node?._zod.def;
    node = unwrap(typeof part === 'number' ? def?.element : def?.shape?.[String(part)]);
    if (node?._zod.def.type === 'union') node = chosenOption(node, value) ?? node;
  }
  return node;
}

function chosenOption(union: Node, value: unknown): Node | undefined {
  const { discriminator, options = [] } = union._zod.def;
  if (!discriminator) return undefined;
  return options
    .map(unwrap)
    .find((option) => option?._zod.def.shape?.[discriminator]?._zod.def.values?.includes(child(value, discriminator)));
}

function knownKeys(path: readonly PropertyKey[], input: unknown): string[] {
  return Object.keys(schemaAt(path, input)?._zod.def.shape ?? {});
}

function discriminatorOptions(path: readonly PropertyKey[], input: unknown): string[] {
  const union = schemaAt(path.slice(0, -1), input);
  const { discriminator = '', options = [] } = union?._zod.def ?? {};
  return options
    .flatMap((option) => unwrap(option)?._zod.def.shape?.[discriminator]?._zod.def.values ?? [])
    .map((value) => `'${String(value)}'`);
}
