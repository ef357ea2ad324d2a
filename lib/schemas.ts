/**
 * Validation of objects against the generated schemas (imports/schemas): fields that do not exist, wrong types, missing
 * fields, values out of range, as an API server with strict field validation refuses them. It deliberately knows one
 * object at a time (references between objects are the checks'), and no rule written in CEL.
 *
 * It walks the schema beside the value instead of compiling the schema to code. Measured for the kinds of a whole
 * cluster, 290 KB of schemas: compiling with ajv at each start takes 2.1 CPU seconds; code that ajv generated beforehand
 * is 4.7 MB to commit and takes 0.2 s to load and warm up; walking takes 0.02 s. After that an object takes 3
 * to 10 microseconds, against ajv's 11 to 12. That it judges as ajv does is proven by a test that compares the two.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isShared } from './emit/shared';
import { INDEX_FILE, type JsonType, type ValidationSchema } from './imports/validation-schema';
import { nearestWord } from './nearest';

/** What is wrong with an object, at one place. */
export interface SchemaViolation {
  /** `spec.template.spec.containers[0].image`; the empty string is the object itself. */
  readonly path: string;
  /** A sentence: the wrong value, and what would be right. */
  readonly message: string;
}

/**
 * Validates an object against the schema of its `apiVersion` and `kind`. The schemas are those in the working
 * directory, which is the project's root in every command and test.
 * @param object plain JSON, as it will be written; fields whose value is `undefined` count as absent.
 * @returns every violation, in the order of the object's fields; empty when an API server would take its shape.
 */
export function validateObject(object: unknown): SchemaViolation[] {
  return schemasOfProject().validate(object);
}

/** `validateObject` for all objects of one run, none of which is changed in it: parts that many of them hold are walked once. */
export function objectsValidator(): (object: unknown) => SchemaViolation[] {
  const valid: ValidParts = new Map();
  return (object) => schemasOfProject().validate(object, valid);
}

function schemasOfProject(): SchemaSet {
  projectSchemas ??= new SchemaSet(join('imports', 'schemas'));
  return projectSchemas;
}

/** Shared parts (lib/emit/shared.ts) that are as a rule wants them. */
type ValidParts = Map<object, unknown>;

let projectSchemas: SchemaSet | undefined;

/** The schemas of one folder; each file is read when a kind needs it for the first time. */
export class SchemaSet {
  private readonly folder: string;
  private readonly index: Record<string, Record<string, string>>;
  private readonly files = new Map<string, Record<string, ValidationSchema>>();
  private readonly rules = new Map<string, Rule>();

  /** @throws when the folder has no readable index. */
  constructor(folder: string) {
    this.folder = resolve(folder);
    const path = join(this.folder, INDEX_FILE);
    try {
      this.index = JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new Error(
        `The validation schemas cannot be read from ${path} (${error instanceof Error ? error.message : error}). Run the command in the project's root; \`npm run import\` makes them anew.`,
      );
    }
  }

  /** Every kind that can be validated, as `[apiVersion, kind]`, sorted. */
  kinds(): [apiVersion: string, kind: string][] {
    return Object.entries(this.index).flatMap(([apiVersion, kinds]) =>
      Object.keys(kinds)
        .sort()
        .map((kind): [string, string] => [apiVersion, kind]),
    );
  }

  /** As `validateObject`. */
  validate(object: unknown, valid: ValidParts = new Map()): SchemaViolation[] {
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      return [
        {
          path: '',
          message: `${show(object)} is ${article(nameOf(object))}, but a Kubernetes object is expected.`,
        },
      ];
    }
    const { apiVersion, kind } = object as {
      apiVersion?: unknown;
      kind?: unknown;
    };
    if (typeof apiVersion !== 'string' || apiVersion === '' || typeof kind !== 'string' || kind === '')
      return withoutKind({ apiVersion, kind });
    const reference = this.index[apiVersion]?.[kind];
    if (reference === undefined) return [this.unknownKind(apiVersion, kind)];
    const walk = new Walk(valid);
    check(this.rule(reference, ''), object, walk);
    return walk.violations;
  }

  private unknownKind(apiVersion: string, kind: string): SchemaViolation {
    const ending = 'If it is right, add it to lib/imports/kinds.ts and run `npm run import`.';
    const kinds = this.index[apiVersion];
    if (kinds !== undefined) {
      return {
        path: 'kind',
        message: `The kind "${kind}" of ${apiVersion} is not known${suggest(kind, Object.keys(kinds), ': ')} ${ending}`,
      };
    }
    const others = Object.keys(this.index).filter((each) => this.index[each]?.[kind] !== undefined);
    const hint =
      others.length > 0
        ? `: ${kind} is of ${others.map((each) => `"${each}"`).join(' or ')}.`
        : suggest(apiVersion, Object.keys(this.index), ': ');
    return {
      path: 'apiVersion',
      message: `The apiVersion "${apiVersion}" of the kind "${kind}" is not known${hint} ${ending}`,
    };
  }

  /** The rule behind `file#/definitions/name`, or behind `#/definitions/name` in the file that says so. */
  private rule(reference: string, from: string): Rule {
    const at = reference.indexOf('#');
    const file = at === 0 ? from : reference.slice(0, at);
    const key = at === 0 ? from + reference : reference;
    let rule = this.rules.get(key);
    if (rule === undefined) {
      const schema = this.read(file)[reference.slice(at + '#/definitions/'.length)];
      if (schema === undefined) throw new Error(`${key} does not exist in ${this.folder}; run \`npm run import\`.`);
      rule = new Rule(schema, (each) => this.resolve(each, file));
      this.rules.set(key, rule);
    }
    return rule;
  }

  private resolve(schema: ValidationSchema, file: string): Rule {
    return schema.$ref === undefined ? new Rule(schema, (each) => this.resolve(each, file)) : this.rule(schema.$ref, file);
  }

  private read(file: string): Record<string, ValidationSchema> {
    let definitions = this.files.get(file);
    if (definitions === undefined) {
      definitions = (
        JSON.parse(readFileSync(join(this.folder, file), 'utf8')) as {
          definitions: Record<string, ValidationSchema>;
        }
      ).definitions;
      this.files.set(file, definitions);
    }
    return definitions;
  }
}

function withoutKind(fields: Readonly<Record<'apiVersion' | 'kind', unknown>>): SchemaViolation[] {
  return Object.entries(fields)
    .filter(([, value]) => typeof value !== 'string' || value === '')
    .map(([path, value]) => ({
      path,
      message: `An object must say its ${path} as a string; this one has ${value === undefined ? 'none' : show(value)}.`,
    }));
}

/** JSON's types as bits, so that "any of these" is one operation. */
const BIT: Readonly<Record<JsonType, number>> = {
  array: 1,
  boolean: 2,
  integer: 4,
  null: 8,
  // Every integer is a number.
  number: 4 | 16,
  object: 32,
  string: 64,
};

/** Types whose values hold others. */
const HOLDER = BIT.object | BIT.array;

function bitOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return BIT.string;
    case 'number':
      return Number.isInteger(value) ? BIT.integer : BIT.number & ~BIT.integer;
    case 'boolean':
      return BIT.boolean;
    case 'object':
      return value === null ? BIT.null : Array.isArray(value) ? BIT.array : BIT.object;
    default:
      // Functions, symbols, big integers: nothing that JSON can say, so no type is theirs.
      return 0;
  }
}

/** A schema made ready for walking: what is asked often is at hand, and children are made ready when first needed. */
class Rule {
  readonly types: readonly JsonType[];
  /** 0 takes everything. */
  readonly typeBits: number;
  readonly required: readonly string[];
  /** Whether fields may be there that `property` has no rule for, and are not looked at. */
  readonly open: boolean;
  /** Whether there is more to ask than type, fields and items, which is rare. */
  readonly special: boolean;
  /** Whether the schema is made of other schemas, which is rarer still. */
  readonly combined: boolean;
  /** Whether any text will do: most values are one, and nothing more is asked of them. */
  readonly takesAnyText: boolean;
  readonly pattern: RegExp | undefined;
  private readonly names: Readonly<Record<string, ValidationSchema>>;
  private readonly properties = new Map<string, Rule>();
  private itemRule: Rule | undefined;
  private otherRule: Rule | undefined;

  constructor(
    readonly schema: ValidationSchema,
    private readonly resolve: (schema: ValidationSchema) => Rule,
  ) {
    const { type, pattern } = schema;
    this.types = type === undefined ? [] : typeof type === 'string' ? [type] : type;
    this.typeBits = this.types.reduce((bits, each) => bits | BIT[each], 0);
    this.required = schema.required ?? [];
    this.open = schema.additionalProperties === undefined;
    this.names = schema.properties ?? {};
    this.pattern = pattern === undefined ? undefined : compilePattern(pattern);
    this.special = Object.keys(schema).some((keyword) => !COMMON.has(keyword));
    this.takesAnyText = !this.special && (this.typeBits === 0 || (this.typeBits & BIT.string) !== 0);
    this.combined = [schema.anyOf, schema.allOf, schema.oneOf, schema.not].some((each) => each !== undefined);
  }

  fields(): string[] {
    return Object.keys(this.names);
  }

  /** The rule of a field; `undefined` when the schema does not name it and has no rule for the others. */
  property(name: string): Rule | undefined {
    let rule = this.properties.get(name);
    if (rule === undefined) {
      if (Object.hasOwn(this.names, name)) {
        rule = this.resolve(this.names[name] as ValidationSchema);
        this.properties.set(name, rule);
      } else if (this.schema.additionalProperties) {
        this.otherRule ??= this.resolve(this.schema.additionalProperties);
        rule = this.otherRule;
      }
    }
    return rule;
  }

  items(): Rule | undefined {
    if (this.itemRule === undefined && this.schema.items !== undefined) this.itemRule = this.resolve(this.schema.items);
    return this.itemRule;
  }

  alternatives(keyword: 'anyOf' | 'allOf' | 'oneOf'): Rule[] {
    return (this.schema[keyword] ?? []).map((each) => this.resolve(each));
  }

  negated(): Rule | undefined {
    return this.schema.not === undefined ? undefined : this.resolve(this.schema.not);
  }
}

const COMMON = new Set(['type', 'properties', 'required', 'additionalProperties', 'items']);

/** The way from the object to the value that is looked at, and what was found. */
class Walk {
  readonly violations: SchemaViolation[] = [];
  readonly keys: (string | number)[];

  constructor(
    readonly valid: ValidParts,
    keys: readonly (string | number)[] = [],
  ) {
    this.keys = [...keys];
  }

  report(message: string, field?: string): void {
    this.violations.push({
      path: pathOf(field === undefined ? this.keys : [...this.keys, field]),
      message,
    });
  }
}

/** Validates a value; children's keys are pushed and popped, so that a path is only built for a violation. */
function check(rule: Rule, value: unknown, walk: Walk): void {
  const bit = bitOf(value);
  if (rule.typeBits !== 0 && (rule.typeBits & bit) === 0) {
    const wanted = rule.types.map(article).join(' or ');
    walk.report(
      value === null
        ? `null is not allowed here; it must be ${wanted}, or the field left out.`
        : `${show(value)} is ${article(nameOf(value))}, but must be ${wanted}.`,
    );
    return;
  }
  if ((bit & HOLDER) !== 0 && isShared(value as object)) checkShared(rule, value as object, bit, walk);
  else checkContent(rule, value, bit, walk);
}

/** What is in a value of the right type. */
function checkContent(rule: Rule, value: unknown, bit: number, walk: Walk): void {
  if (bit === BIT.object) checkFields(rule, value as Record<string, unknown>, walk);
  else if (bit === BIT.array) checkItems(rule, value as unknown[], walk);
  if (rule.special) checkSpecial(rule, value, walk);
}

/** The same, once for all objects that hold the value where the same is wanted of it. */
function checkShared(rule: Rule, value: object, bit: number, walk: Walk): void {
  if (walk.valid.get(value) === rule) return;
  const before = walk.violations.length;
  checkContent(rule, value, bit, walk);
  if (walk.violations.length === before) walk.valid.set(value, rule);
}

function checkFields(rule: Rule, value: Record<string, unknown>, walk: Walk): void {
  for (const name in value) {
    const field = value[name];
    if (field === undefined) continue;
    const next = rule.property(name);
    if (next !== undefined) {
      if (next.takesAnyText && typeof field === 'string') continue;
      walk.keys.push(name);
      check(next, field, walk);
      walk.keys.pop();
    } else if (!rule.open) {
      walk.report(`The field "${name}" (${show(field)}) does not exist here${suggest(name, rule.fields(), '; ', 'Fields')}`, name);
    }
  }
  for (const name of rule.required) {
    if (value[name] === undefined) {
      const type = rule.property(name)?.types.map(article).join(' or ');
      walk.report(`The field "${name}" is missing, but required${type ? ` (${type})` : ''}.`, name);
    }
  }
}

function checkItems(rule: Rule, value: unknown[], walk: Walk): void {
  const next = rule.items();
  if (next === undefined) return;
  for (let index = 0; index < value.length; index++) {
    walk.keys.push(index);
    check(next, value[index], walk);
    walk.keys.pop();
  }
}

function checkSpecial(rule: Rule, value: unknown, walk: Walk): void {
  const { schema } = rule;
  if (schema.enum !== undefined && !schema.enum.some((each) => each === value)) {
    const allowed = schema.enum.map(show);
    walk.report(
      allowed.length === 1
        ? `${show(value)} is wrong here; it must be ${allowed[0]}.`
        : `${show(value)} is not allowed here; it must be one of ${allowed.join(', ')}${
            typeof value === 'string'
              ? similar(
                  value,
                  schema.enum.filter((each) => typeof each === 'string'),
                )
              : ''
          }.`,
    );
  }
  if (typeof value === 'string') checkString(rule, value, walk);
  else if (typeof value === 'number') checkNumber(schema, value, walk);
  else if (Array.isArray(value)) checkList(schema, value, walk);
  else if (typeof value === 'object' && value !== null) {
    const size = Object.values(value).filter((each) => each !== undefined).length;
    checkSize('field', size, schema.minProperties, schema.maxProperties, walk);
  }
  if (rule.combined) checkAlternatives(rule, value, walk);
}

const DATE_TIME =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function checkString(rule: Rule, value: string, walk: Walk): void {
  const { format, minLength, maxLength, pattern } = rule.schema;
  if (minLength !== undefined || maxLength !== undefined) checkSize('character', [...value].length, minLength, maxLength, walk);
  if (rule.pattern !== undefined && !rule.pattern.test(value)) {
    walk.report(`${show(value)} does not match the pattern ${pattern}.`);
  }
  if (format === 'date-time' && !DATE_TIME.test(value)) {
    walk.report(`${show(value)} is not a date and time as RFC 3339 writes them, such as "2030-01-31T23:59:00Z".`);
  }
  if (format === 'byte' && !BASE64.test(value)) walk.report(`${show(value)} is not base64.`);
}

function checkNumber(schema: ValidationSchema, value: number, walk: Walk): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (minimum !== undefined && value < minimum) walk.report(`${value} is too small: at least ${minimum} is required.`);
  if (maximum !== undefined && value > maximum) walk.report(`${value} is too large: at most ${maximum} is allowed.`);
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    walk.report(`${value} is too small: more than ${exclusiveMinimum} is required.`);
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum)
    walk.report(`${value} is too large: less than ${exclusiveMaximum} is required.`);
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) walk.report(`${value} is not a multiple of ${multipleOf}.`);
}

function checkList(schema: ValidationSchema, value: readonly unknown[], walk: Walk): void {
  checkSize('entry', value.length, schema.minItems, schema.maxItems, walk);
  if (schema.uniqueItems) {
    reportRepeated(
      value,
      (each) => JSON.stringify(each),
      walk,
      (each) => show(each),
    );
  }
  const keys = schema['x-kubernetes-list-map-keys'];
  if (keys !== undefined) {
    const part = (each: unknown, key: string) => (each as Record<string, unknown> | null)?.[key];
    reportRepeated(
      value,
      (each) => identityOf(each, keys),
      walk,
      (each) => keys.map((key) => `${key} ${show(part(each, key))}`).join(', '),
    );
  }
}

/** What tells an entry from the others as one string; `undefined` when it has none of the keys (which is said where they are required). */
function identityOf(entry: unknown, keys: readonly string[]): string | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  let identity: string | undefined;
  for (const key of keys) {
    const part = (entry as Record<string, unknown>)[key];
    if (part !== undefined) identity = `${identity ?? ''}${key}=${JSON.stringify(part)},`;
  }
  return identity;
}

function reportRepeated(
  value: readonly unknown[],
  identity: (item: unknown) => string | undefined,
  walk: Walk,
  describe: (item: unknown) => string,
): void {
  if (value.length < 2) return;
  const first = new Map<string, number>();
  value.forEach((each, index) => {
    const text = identity(each);
    if (text === undefined) return;
    const earlier = first.get(text);
    if (earlier === undefined) first.set(text, index);
    else {
      walk.keys.push(index);
      walk.report(`The entry [${index}] repeats the entry [${earlier}] (${describe(each)}); each may be there once.`);
      walk.keys.pop();
    }
  });
}

function checkSize(unit: string, size: number, least: number | undefined, most: number | undefined, walk: Walk): void {
  const count = (number: number) => `${number} ${number === 1 ? unit : `${unit.replace(/y$/, 'ie')}s`}`;
  if (least !== undefined && size < least)
    walk.report(`There ${size === 1 ? 'is' : 'are'} ${count(size)}, but at least ${count(least)} must be there.`);
  if (most !== undefined && size > most)
    walk.report(`There ${size === 1 ? 'is' : 'are'} ${count(size)}, but at most ${count(most)} may be there.`);
}

function checkAlternatives(rule: Rule, value: unknown, walk: Walk): void {
  for (const each of rule.alternatives('allOf')) check(each, value, walk);
  for (const keyword of ['anyOf', 'oneOf'] as const) {
    const rules = rule.alternatives(keyword);
    if (rules.length === 0) continue;
    const results = rules.map((each) => violationsOf(each, value, walk));
    const matching = results.filter((violations) => violations.length === 0).length;
    if (matching === 0) {
      const reasons = results.map(
        (violations, at) => `(${at + 1}) ${violations.map(({ path, message }) => `${path}: ${message}`).join(' ')}`,
      );
      walk.report(`${show(value)} fits none of the allowed forms: ${reasons.join(' ')}`);
    } else if (keyword === 'oneOf' && matching > 1) {
      walk.report(`${show(value)} fits ${matching} of the allowed forms, but must fit exactly one.`);
    }
  }
  const negated = rule.negated();
  if (negated !== undefined && violationsOf(negated, value, walk).length === 0) {
    walk.report(`${show(value)} is of a form that is not allowed: ${JSON.stringify(rule.schema.not)}.`);
  }
}

function violationsOf(rule: Rule, value: unknown, walk: Walk): SchemaViolation[] {
  const inner = new Walk(walk.valid, walk.keys);
  check(rule, value, inner);
  return inner.violations;
}

/**
 * A pattern as Kubernetes writes it (RE2) for JavaScript, which has no flags inside of patterns.
 * @throws SyntaxError for what JavaScript cannot say.
 */
export function compilePattern(pattern: string): RegExp {
  const flagged = /^(\^?)\(\?i\)/.exec(pattern);
  return flagged === null ? new RegExp(pattern) : new RegExp(flagged[1] + pattern.slice(flagged[0].length), 'i');
}

function pathOf(keys: readonly (string | number)[]): string {
  return keys
    .map((key, at) => {
      if (typeof key === 'number') return `[${key}]`;
      if (!/^[\w-]+$/.test(key)) return `[${JSON.stringify(key)}]`;
      return at === 0 ? key : `.${key}`;
    })
    .join('');
}

/** A value as JSON, shortened: a message names it, it does not print it. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}

const ARTICLES: Readonly<Record<string, string>> = {
  array: 'a list',
  integer: 'an integer',
  null: 'null',
  object: 'an object',
  undefined: 'undefined',
};

function article(type: string): string {
  return ARTICLES[type] ?? `a ${type}`;
}

/** `, did you mean "x"?`, when something known is near what was written. */
function similar(written: string, known: readonly string[]): string {
  const near = nearestWord(written, known);
  return near === undefined ? '' : ` (did you mean "${near}"?)`;
}

/** Ends a sentence about an unknown name: with what was probably meant, or with all that would be right. */
function suggest(written: string, known: readonly string[], separator: string, noun = 'Known'): string {
  const near = nearestWord(written, known);
  if (near !== undefined) return `${separator}did you mean "${near}"?`;
  if (known.length === 0) return '.';
  return `. ${noun}: ${known.join(', ')}.`;
}
