/**
 * The fields of the description as a flat list, read out of the schema itself, for the test that holds docs/reference/cluster.md to it.
 * It deliberately knows only those parts of the schema library that the description uses, and throws at any other.
 */
import type { z } from 'zod';

export interface Field {
  /** `realms[].continents[].port`; a list of objects is `realms[]`. */
  readonly path: string;
  readonly required: boolean;
  /** Undefined where the field may be left out and nothing simple takes its place. */
  readonly default?: unknown;
  /** The words that it may be, of an enumeration or of the field that tells variants apart. */
  readonly values: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: definitions of a schema are untyped from outside of the library.
type Definition = any;

interface Given {
  /** A default that the object around has given: its fields need not be there then. */
  readonly value?: unknown;
  readonly optional?: boolean;
}

/** Every field. An object without a meaning of its own is not listed, its fields are; one that may be left out is. */
export function fieldsOf(schema: z.ZodType): Field[] {
  const fields = new Map<string, Field>();
  walk(definitionOf(schema), '', {}, fields);
  return [...fields.values()];
}

function definitionOf(schema: z.ZodType): Definition {
  return (schema as unknown as { _zod: { def: Definition } })._zod.def;
}

function walk(definition: Definition, path: string, given: Given, fields: Map<string, Field>): void {
  switch (definition.type) {
    case 'optional':
      walk(definitionOf(definition.innerType), path, { optional: true }, fields);
      break;
    case 'default':
    case 'prefault':
      walk(definitionOf(definition.innerType), path, { value: given.value ?? definition.defaultValue }, fields);
      break;
    case 'object':
      if (given.optional) note(fields, path, given, []);
      for (const [key, child] of Object.entries(definition.shape as Record<string, z.ZodType>)) {
        const value = (given.value as Record<string, unknown> | undefined)?.[key];
        walk(definitionOf(child), path === '' ? key : `${path}.${key}`, { value }, fields);
      }
      break;
    case 'array': {
      const element = definitionOf(definition.element);
      const ofObjects = element.type === 'object';
      note(fields, ofObjects ? `${path}[]` : path, given, []);
      if (ofObjects) walk(element, `${path}[]`, {}, fields);
      break;
    }
    case 'union':
      if (definition.discriminator === undefined) note(fields, path, given, []);
      else for (const option of definition.options) walk(definitionOf(option), path, given, fields);
      break;
    case 'pipe':
      walk(definitionOf(definition.in), path, given, fields);
      break;
    case 'enum':
      note(fields, path, given, Object.keys(definition.entries));
      break;
    case 'literal':
      note(fields, path, given, definition.values);
      break;
    case 'record':
    case 'string':
    case 'number':
    case 'boolean':
      note(fields, path, given, []);
      break;
    default:
      throw new Error(`The schema has a '${definition.type}' at '${path}', which test/docs/schema-fields.ts does not know; add it there.`);
  }
}

/** The same field in several variants is one field, with the words of all. */
function note(fields: Map<string, Field>, path: string, given: Given, values: readonly string[]): void {
  const known = fields.get(path);
  const field: Field = { path, required: given.value === undefined && !given.optional, default: given.value, values };
  if (!known) fields.set(path, field);
  else if (known.required === field.required && JSON.stringify(known.default) === JSON.stringify(field.default)) {
    fields.set(path, { ...field, values: [...known.values, ...values] });
  } else throw new Error(`'${path}' has different defaults in two variants; the page has one row for it.`);
}
