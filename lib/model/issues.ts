/**
 * Turns the schema library's issues into sentences that name the place by names (realms[aurora], not realms[0]) and propose what was meant.
 * It deliberately finds no mistakes itself: that is the schema's and validate.ts's part.
 */

import type { z } from 'zod';
import { nearestWord } from '../nearest';
import type { Mistake } from './cluster';
import { description } from './description';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** One mistake for each issue, except where a field is missing only because its name is misspelt beside it. */
export function describeIssues(error: z.ZodError, input: unknown): Mistake[] {
  const meant = new Set(meantFields(error, input));
  return error.issues
    .filter((issue) => valueAt(input, issue.path) !== undefined || !meant.has(namedPath(issue.path, input)))
    .flatMap((issue) => mistakesOf(issue, input));
}

/** Paths of the fields that misspelt ones stand for: that they are missing is said already, by the misspelt name. */
export function meantFields(error: z.ZodError, input: unknown): string[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [];
    return issue.keys
      .map((key) => nearestWord(key, knownKeys(issue.path, input)))
      .filter((field): field is string => field !== undefined && child(valueAt(input, issue.path), field) === undefined)
      .map((field) => namedPath([...issue.path, field], input));
  });
}

function mistakesOf(issue: Issue, input: unknown): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: namedPath([...issue.path, key], input),
      message: sentence(unknownField(issue.path, key, input)),
    }));
  }
  return [{ path: namedPath(issue.path, input), message: sentence(verdict(issue, input)) }];
}

function sentence(text: string): string {
  return /[.?]$/.test(text) ? text : `${text}.`;
}

/** What is wrong with the value, and what would be right. */
function verdict(issue: Issue, input: unknown): string {
  const value = valueAt(input, issue.path);
  const shown = show(value);
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = wantedType(issue.expected, issue.path, input);
      if (value === undefined) return `is missing; it must be ${wanted}`;
      if (issue.expected === 'int') return `${shown} is wrong: it must be ${wanted}`;
      if (typeof value === 'number' && issue.expected === 'number') return `${shown} is wrong: it must be a finite number`;
      return isSimple(value) ? `${shown} is ${kindOf(value)}; it must be ${wanted}` : `is ${kindOf(value)}; it must be ${wanted}`;
    }
    case 'invalid_value':
      return notOneOf(value, issue.values.map(String));
    case 'invalid_union': {
      const variants = variantsAt(issue.path.slice(0, -1), input);
      const known = variants && issue.path.at(-1) === variants.discriminator ? variants.names : [];
      return known.length > 0 ? notOneOf(value, known) : `${shown} ${asEnd(issue.message)}`;
    }
    case 'too_small':
      if (issue.origin === 'array') return 'the list is empty; it must have at least one entry';
      if (issue.origin === 'string')
        return value === '' ? 'must not be empty' : `${shown} is too short: it must have at least ${issue.minimum} characters`;
      return `${shown} is too small: it must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'string') return `${shown} is too long: it must have at most ${issue.maximum} characters`;
      return `${shown} is too big: it must be at most ${issue.maximum}`;
    case 'invalid_format':
      return issue.format === 'email' ? `${shown} is not an e-mail address` : `${shown} ${asEnd(issue.message)}`;
    default:
      // The schema's own sentences: those that begin with 'must' leave the value to be named, the others are whole.
      return issue.message.startsWith('must ') ? `${shown} ${asEnd(issue.message)}` : issue.message;
  }
}

function asEnd(message: string): string {
  return message.replace(/^must /, 'is wrong: it must ');
}

function notOneOf(value: unknown, known: readonly string[]): string {
  const list = `it must be one of ${known.map((each) => `'${each}'`).join(', ')}`;
  if (value === undefined) return `is missing; ${list}`;
  const meant = typeof value === 'string' ? nearestWord(value, known) : undefined;
  return `${show(value)} is not allowed; ${meant === undefined ? list : `did you mean '${meant}'? I${list.slice(1)}`}`;
}

function isSimple(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** The value as it may stand in a sentence: numbers as they are written in TypeScript (JSON makes `null` of NaN), nothing that fills a page. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return value === null || typeof value !== 'object' ? String(value) : kindOf(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'a text';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'object':
      return 'an object';
    default:
      return `a ${typeof value}`;
  }
}

const WANTED: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  string: 'a text',
};

function wantedType(type: string, path: Path, input: unknown): string {
  const variants = type === 'object' ? variantsAt(path, input) : undefined;
  if (!variants) return WANTED[type] ?? `of type ${type}`;
  const value = valueAt(input, path);
  const name = variants.names.find((each) => each === value) ?? variants.names[0];
  return `an object such as { ${variants.discriminator}: '${name}'${name === value ? '' : ', …'} }`;
}

function unknownField(path: Path, key: string, input: unknown): string {
  const owners = otherVariantsWith(path, key, input);
  return owners ?? `there is no such field${didYouMean(key, knownKeys(path, input))}`;
}

/** A field of another variant is no slip of the fingers: it says which variant has it. */
function otherVariantsWith(path: Path, key: string, input: unknown): string | undefined {
  const variants = variantsAt(path, input);
  if (!variants) return undefined;
  const { discriminator, options } = variants;
  const owners = options.filter(({ keys }) => keys.includes(key)).map(({ name }) => `{ ${discriminator}: '${name}' }`);
  if (owners.length === 0) return undefined;
  const name = child(valueAt(input, path), discriminator);
  return `is a field of ${[...owners.slice(0, -2), owners.slice(-2).join(' and ')].join(', ')}, not of { ${discriminator}: '${String(name)}' }; remove it, or change the ${discriminator}`;
}

/** `realms[aurora].continents[eldermoor].address`: list entries by their name, because a reader looks for the name and not for the place. */
function namedPath(path: Path, input: unknown): string {
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

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, part) => child(at, part), input);
}

/** The end of a sentence about an unknown word: what was meant, or else all that there is. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const meant = nearestWord(word, known);
  return meant === undefined ? `; known fields are ${known.map((key) => `'${key}'`).join(', ')}` : `; did you mean '${meant}'?`;
}

/** The same as the end of a whole sentence, with its full stop or question mark. @param all how the sentence calls all that there is, in the plural */
export function endWithMeant(word: string, known: readonly string[], all: string): string {
  const end = didYouMean(word, known).replace('known fields', all);
  return end.endsWith('?') ? end : `${end}.`;
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

/** An object of several variants: the field that tells them apart, and what each has. */
interface Variants {
  readonly discriminator: string;
  readonly names: readonly string[];
  readonly options: readonly { readonly name: string; readonly keys: readonly string[]; readonly node: Node }[];
}

function unwrap(node: Node | undefined): Node | undefined {
  let at = node;
  while (at && (at._zod.def.innerType || at._zod.def.in)) at = at._zod.def.innerType ?? at._zod.def.in;
  return at;
}

/** The schema at a path; where it has variants, all of them. On the way there, the variant that the input chose. */
function schemaAt(path: Path, input: unknown): Node | undefined {
  let node = unwrap(description as unknown as Node);
  for (const [index, part] of path.entries()) {
    const def = (chosen(node, valueAt(input, path.slice(0, index))) ?? node)?._zod.def;
    node = unwrap(typeof part === 'number' ? def?.element : def?.shape?.[String(part)]);
  }
  return node;
}

function variantsOf(node: Node | undefined): Variants | undefined {
  const { discriminator, options } = node?._zod.def ?? {};
  if (discriminator === undefined || !options) return undefined;
  const variants = options.flatMap((option) => {
    const variant = unwrap(option);
    const shape = variant?._zod.def.shape ?? {};
    const names = shape[discriminator]?._zod.def.values ?? [];
    return variant ? names.map((name) => ({ name: String(name), keys: Object.keys(shape), node: variant })) : [];
  });
  return { discriminator, names: variants.map(({ name }) => name), options: variants };
}

function variantsAt(path: Path, input: unknown): Variants | undefined {
  return variantsOf(schemaAt(path, input));
}

function chosen(node: Node | undefined, value: unknown): Node | undefined {
  const variants = variantsOf(node);
  return variants?.options.find(({ name }) => name === child(value, variants.discriminator))?.node;
}

function knownKeys(path: Path, input: unknown): string[] {
  const node = schemaAt(path, input);
  return Object.keys((chosen(node, valueAt(input, path)) ?? node)?._zod.def.shape ?? {});
}
