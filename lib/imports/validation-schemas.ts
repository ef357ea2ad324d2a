/**
 * Validation schemas: what an API server would take of each used kind, as small JSON Schema files that the synth reads.
 * It deliberately translates and does not validate (lib/schemas.ts does), and it deliberately refuses a keyword that
 * the validator does not know: a rule that is dropped in silence would look like a rule that is kept. Rules in CEL
 * (`x-kubernetes-validations`) are the exception: only a real API server runs them, and the cluster tests have one.
 */
import { compilePattern } from '../schemas';
import type { OpenApiSchema, UsedDefinition } from './definitions';
import type { KindList } from './kinds';
import { ImportError, type SourceFile } from './sources';
import { INDEX_FILE, type JsonType, SHARED_FILE, type ValidationSchema } from './validation-schema';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const REFERENCE = '#/definitions/';

/** What Kubernetes' published schema calls "a string or a number", and what a server can decode into it. */
const DECODED: Readonly<Record<string, ValidationSchema>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': {
    type: ['number', 'string'],
    pattern: String.raw`^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$`,
  },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': {
    type: ['integer', 'string'],
    minimum: -(2 ** 31),
    maximum: 2 ** 31 - 1,
  },
};

/** Said by no object that a person or a program writes, or without a meaning for validation. */
const WITHOUT_MEANING = new Set([
  'default',
  'description',
  'example',
  'externalDocs',
  'title',
  'x-kubernetes-group-version-kind',
  'x-kubernetes-map-type',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-patch-strategy',
  'x-kubernetes-unions',
  'x-kubernetes-validations',
]);

/** Formats that only say how a program stores the value, or that API servers do not check. */
const UNCHECKED_FORMATS = new Set(['double', 'float', 'int-or-string', 'int64', 'password']);

const COPIED = [
  'minProperties',
  'maxProperties',
  'minItems',
  'maxItems',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'multipleOf',
] as const;
const COMBINED = ['anyOf', 'allOf', 'oneOf'] as const;
const TRANSLATED = new Set<string>([
  ...COPIED,
  ...COMBINED,
  '$ref',
  'additionalProperties',
  'enum',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'format',
  'items',
  'not',
  'nullable',
  'properties',
  'required',
  'type',
  'uniqueItems',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-preserve-unknown-fields',
]);

/** Where a schema is, for messages, and what to do with references. */
interface Translation {
  readonly place: string;
  readonly reference: (target: string) => string;
  readonly problems: string[];
  /** Inside `anyOf` and its like: upstream lists there what must hold besides, so nothing is closed. */
  readonly partial: boolean;
}

/** Translates an upstream schema (of a CustomResourceDefinition or of Kubernetes itself) to the dialect. */
function translate(upstream: OpenApiSchema, at: Translation): ValidationSchema {
  for (const keyword of Object.keys(upstream)) {
    if (!TRANSLATED.has(keyword) && !WITHOUT_MEANING.has(keyword)) {
      at.problems.push(
        `${at.place} has the keyword "${keyword}", which lib/imports/validation-schemas.ts does not know; add it there and to lib/schemas.ts.`,
      );
    }
  }
  if (typeof upstream.$ref === 'string') return { $ref: at.reference(upstream.$ref) };
  const into = (name: string): Translation => ({
    ...at,
    place: `${at.place}.${name}`,
  });
  const out: Record<string, unknown> = {};

  const types = typesOf(upstream);
  if (types.length > 0) out.type = types.length === 1 ? types[0] : types;
  for (const keyword of COPIED) if (upstream[keyword] !== undefined) out[keyword] = upstream[keyword];
  for (const [flag, limit] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    // OpenAPI v3.0's flag beside the limit is a limit of its own in JSON Schema.
    if (upstream[flag] === true) {
      out[flag] = upstream[limit];
      delete out[limit];
    }
  }
  if (upstream.enum !== undefined) out.enum = upstream.nullable === true ? [...(upstream.enum as unknown[]), null] : upstream.enum;
  translateFormat(upstream, out, at);
  refuseUnsayablePattern(upstream, at);

  const open = upstream['x-kubernetes-preserve-unknown-fields'] === true || upstream['x-kubernetes-embedded-resource'] === true;
  const { properties, additionalProperties, items } = upstream;
  if (properties !== undefined) {
    out.properties = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, translate(schema, into(name))]));
  }
  if (additionalProperties !== undefined && typeof additionalProperties === 'object') {
    out.additionalProperties = translate(additionalProperties, into('*'));
  } else if (!at.partial && !open && additionalProperties !== true && types.includes('object')) {
    out.additionalProperties = false;
  }
  // A server fills in defaults before it looks for what is missing.
  const required = ((upstream.required as string[] | undefined) ?? []).filter((name) => properties?.[name]?.default === undefined);
  if (required.length > 0) out.required = required;
  if (items !== undefined) out.items = translate(items, into('[]'));
  if (upstream.uniqueItems === true || upstream['x-kubernetes-list-type'] === 'set') out.uniqueItems = true;
  if (upstream['x-kubernetes-list-type'] === 'map') out['x-kubernetes-list-map-keys'] = upstream['x-kubernetes-list-map-keys'];

  for (const keyword of COMBINED) {
    const list = upstream[keyword] as OpenApiSchema[] | undefined;
    if (list === undefined || list.every((each) => Object.keys(each).join() === 'type')) continue;
    out[keyword] = list.map((each) => translate(each, { ...into(keyword), partial: true }));
  }
  if (upstream.not !== undefined)
    out.not = translate(upstream.not as OpenApiSchema, {
      ...into('not'),
      partial: true,
    });
  return out as ValidationSchema;
}

/** The types that a value may have; none when any may. */
function typesOf(upstream: OpenApiSchema): JsonType[] {
  const types: JsonType[] = [];
  if (upstream['x-kubernetes-int-or-string'] === true) types.push('integer', 'string');
  else if (upstream.type !== undefined) types.push(upstream.type as JsonType);
  else {
    // Kubernetes' own schema writes "a string or a number" as a list of nothing but types.
    const list = (upstream.oneOf ?? upstream.anyOf) as OpenApiSchema[] | undefined;
    if (list?.every((each) => Object.keys(each).join() === 'type')) types.push(...list.map((each) => each.type as JsonType));
  }
  if (upstream.nullable === true && types.length > 0) types.push('null');
  return types;
}

function translateFormat(upstream: OpenApiSchema, out: Record<string, unknown>, at: Translation): void {
  const { format } = upstream;
  if (format === undefined || UNCHECKED_FORMATS.has(format)) return;
  if (format === 'date-time' || format === 'byte') out.format = format;
  else if (format === 'int32') {
    out.minimum ??= -(2 ** 31);
    out.maximum ??= 2 ** 31 - 1;
  } else {
    at.problems.push(`${at.place} has the format "${format}", which lib/imports/validation-schemas.ts does not know; add it there.`);
  }
}

function refuseUnsayablePattern(upstream: OpenApiSchema, at: Translation): void {
  if (typeof upstream.pattern !== 'string') return;
  try {
    compilePattern(upstream.pattern);
  } catch (error) {
    at.problems.push(
      `${at.place} has the pattern ${upstream.pattern}, which JavaScript cannot say (${String(error)}); teach compilePattern in lib/schemas.ts.`,
    );
  }
}

/** An object's root: its own fields, `metadata` as Kubernetes defines it, and no `status`, which nobody but a controller writes. */
function root(schema: ValidationSchema, reference: string, apiVersion: string, kind: string): ValidationSchema {
  const { status: _, ...properties } = schema.properties ?? {};
  return {
    ...schema,
    properties: {
      ...properties,
      apiVersion: { type: 'string', enum: [apiVersion] },
      kind: { type: 'string', enum: [kind] },
      metadata: { $ref: reference },
    },
    required: [...new Set(['apiVersion', 'kind', 'metadata', ...(schema.required ?? [])])].filter((name) => name !== 'status'),
  };
}

interface KubernetesDefinition extends OpenApiSchema {
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    group: string;
    version: string;
    kind: string;
  }[];
}

/**
 * The schemas of all used kinds.
 * @param kubernetes Kubernetes' own JSON schema (`_definitions.json`).
 * @returns file name to content, of the shared definitions, of each custom kind, and the index.
 * @throws ImportError naming each kind that is not found and each keyword that is not known.
 */
export function generateValidationSchemas(
  selected: readonly UsedDefinition[],
  kubernetes: SourceFile,
  builtIn: readonly KindList[],
): Map<string, string> {
  const problems: string[] = [];
  const definitions = parseKubernetes(kubernetes);
  const shared = new Map<string, ValidationSchema>();
  const index: Record<string, Record<string, string>> = {};
  const enter = (apiVersion: string, kind: string, reference: string) => {
    index[apiVersion] = { ...index[apiVersion], [kind]: reference };
  };

  const translateShared = (name: string): ValidationSchema => {
    const upstream = definitions[name];
    if (upstream === undefined) {
      problems.push(`${kubernetes.address} refers to the definition ${name}, which it has not.`);
      return {};
    }
    const decoded = DECODED[name];
    if (decoded !== undefined) return decoded;
    // The published schema writes "any JSON" as an object without fields; a closed one has an empty list of them.
    const open = upstream.type === 'object' && upstream.properties === undefined && upstream.additionalProperties === undefined;
    return translate(open ? { ...upstream, 'x-kubernetes-preserve-unknown-fields': true } : upstream, {
      place: name,
      problems,
      partial: false,
      reference: (target) => {
        const next = target.slice(REFERENCE.length);
        collect(next);
        return REFERENCE + next;
      },
    });
  };
  const collect = (name: string) => {
    if (shared.has(name)) return;
    shared.set(name, {});
    shared.set(name, translateShared(name));
  };

  collect(OBJECT_META);
  for (const { apiVersion, kinds } of builtIn) {
    const [version, group = ''] = apiVersion.split('/').reverse();
    for (const kind of kinds) {
      const name = Object.keys(definitions).find((each) =>
        definitions[each]?.['x-kubernetes-group-version-kind']?.some(
          (gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind,
        ),
      );
      if (name === undefined) {
        problems.push(`${kind} of ${apiVersion} is in lib/imports/kinds.ts, but ${kubernetes.address} does not define it.`);
        continue;
      }
      // The root is translated without `status`, so that what only a status refers to is not collected.
      const { status: _, ...properties } = definitions[name]?.properties ?? {};
      definitions[name] = { ...definitions[name], properties };
      shared.set(name, {});
      shared.set(name, root(translateShared(name), REFERENCE + OBJECT_META, apiVersion, kind));
      enter(apiVersion, kind, `${SHARED_FILE}${REFERENCE}${name}`);
    }
  }

  const files = new Map<string, string>();
  for (const { definition, version, schema } of selected) {
    const apiVersion = `${definition.group}/${version.name}`;
    const { status: _, ...properties } = schema.properties ?? {};
    const translated = translate(
      { ...schema, properties },
      {
        place: `${apiVersion} ${definition.kind}`,
        problems,
        partial: false,
        reference: (target) => target,
      },
    );
    const file = `${definition.name}.json`;
    const own = root(translated, `${SHARED_FILE}${REFERENCE}${OBJECT_META}`, apiVersion, definition.kind);
    files.set(file, render(shareRepeated(own, definition.kind)));
    enter(apiVersion, definition.kind, `${file}${REFERENCE}${definition.kind}`);
  }
  if (problems.length > 0) throw new ImportError(problems);
  files.set(SHARED_FILE, render(shared));
  const sorted = Object.keys(index).sort();
  files.set(INDEX_FILE, `${JSON.stringify(Object.fromEntries(sorted.map((apiVersion) => [apiVersion, index[apiVersion]])), null, 2)}\n`);
  return files;
}

function parseKubernetes(source: SourceFile): Record<string, KubernetesDefinition> {
  const parsed = JSON.parse(source.text) as {
    definitions?: Record<string, KubernetesDefinition>;
  };
  if (typeof parsed.definitions !== 'object') {
    throw new ImportError([`${source.address} has no "definitions"; it is not Kubernetes' JSON schema.`]);
  }
  return { ...parsed.definitions };
}

/**
 * Gives parts of a schema that occur more than once a definition of their own: a CustomResourceDefinition cannot refer,
 * so that a Pod's specification repeats the same selector or probe dozens of times. It halves what the synth must read.
 */
function shareRepeated(schema: ValidationSchema, name: string): Map<string, ValidationSchema> {
  const SMALLEST = 200;
  const count = new Map<string, number>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const text = JSON.stringify(node);
    if (text.length >= SMALLEST && 'type' in node && typeof node.type === 'string') {
      const seen = (count.get(text) ?? 0) + 1;
      count.set(text, seen);
      // What is inside a repetition was counted at its first occurrence.
      if (seen > 1) return;
    }
    Object.values(node).forEach(visit);
  };
  visit(schema);
  const names = new Map<string, string>();
  const definitions = new Map<string, ValidationSchema>([[name, {}]]);
  const replace = (node: unknown, top = false): unknown => {
    if (typeof node !== 'object' || node === null) return node;
    if (Array.isArray(node)) return node.map((each) => replace(each));
    const text = JSON.stringify(node);
    if (!top && (count.get(text) ?? 0) > 1) {
      let definition = names.get(text);
      if (definition === undefined) {
        definition = `part${names.size + 1}`;
        names.set(text, definition);
        definitions.set(definition, {});
        definitions.set(definition, replace(node, true) as ValidationSchema);
      }
      return { $ref: REFERENCE + definition };
    }
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, replace(value)]));
  };
  definitions.set(name, replace(schema, true) as ValidationSchema);
  return definitions;
}

/** One definition a line, so that an upgrade's change can be reviewed. */
function render(definitions: ReadonlyMap<string, ValidationSchema>): string {
  const lines = [...definitions.keys()].sort().map((name) => `${JSON.stringify(name)}: ${JSON.stringify(definitions.get(name))}`);
  return `{ "definitions": {\n${lines.join(',\n')}\n} }\n`;
}
