/**
 * Whether a chart reads the values that an entry sets: Helm ignores a key that no template asks for, so that a typing mistake is silent.
 * It deliberately knows names only; wrong types are the chart's own schema's business, which Helm applies.
 */
import { closest } from 'fastest-levenshtein';
import type { Difference } from './record';

/** What a chart says of its values. */
export interface ChartSource {
  /** values.yaml, parsed. */
  readonly defaults: unknown;
  /** values.schema.json, parsed. @default none */
  readonly schema?: unknown;
  /** Text of all templates: some charts read keys that their values.yaml does not show. */
  readonly templates: string;
  /** Charts in its charts folder, by name or alias. */
  readonly subcharts: Readonly<Record<string, ChartSource>>;
}

type Json = Readonly<Record<string, unknown>>;

const SECURITY_CONTEXT = [
  'allowPrivilegeEscalation',
  'appArmorProfile',
  'capabilities',
  'fsGroup',
  'fsGroupChangePolicy',
  'privileged',
  'procMount',
  'readOnlyRootFilesystem',
  'runAsGroup',
  'runAsNonRoot',
  'runAsUser',
  'seLinuxOptions',
  'seccompProfile',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'sysctls',
] as const;

/** Fields of Kubernetes' own structures, by the name that charts give to the value that holds one. */
const COPIED: Readonly<Record<string, readonly string[]>> = {
  containerSecurityContext: SECURITY_CONTEXT,
  podSecurityContext: SECURITY_CONTEXT,
  resources: ['claims', 'limits', 'requests'],
  securityContext: SECURITY_CONTEXT,
};

/**
 * Keys that the chart does not know.
 *
 * A key is known when values.yaml, the schema or a template names it. Below an empty map, a null and a list in values.yaml everything is free
 * (labels, affinity, …), as it is below what a schema leaves open and below `free`. Resources and security contexts are copied into pods by every
 * chart, whatever part of them its values.yaml shows: there, Kubernetes' fields are known.
 * @param free paths, such as `configs.cm`, below which the chart takes any key although its values.yaml shows some
 */
export function unknownValues(values: unknown, chart: ChartSource, free: readonly string[] = []): readonly Difference[] {
  return walk(values, { defaults: chart.defaults, schema: chart.schema, chart, root: chart, path: [], at: [], free });
}

interface Position {
  readonly defaults: unknown;
  readonly schema: unknown;
  readonly chart: ChartSource;
  /** The chart whose schema `#` refers to. */
  readonly root: ChartSource;
  /** Path within `chart`, as its templates write it. */
  readonly path: readonly string[];
  /** Path within the entry's values. */
  readonly at: readonly string[];
  readonly free: readonly string[];
}

function walk(values: unknown, position: Position): readonly Difference[] {
  if (!isMap(values)) return [];
  const { defaults, chart, path, at, free } = position;
  const schema = resolve(position.schema, position.root.schema);
  return Object.entries(values).flatMap(([key, value]) => {
    const next = [...at, key];
    const subchart = path.length === 0 ? chart.subcharts[key] : undefined;
    if (subchart) {
      const merged = merge(subchart.defaults, isMap(defaults) ? defaults[key] : undefined);
      return walk(value, { defaults: merged, schema: subchart.schema, chart: subchart, root: subchart, path: [], at: next, free });
    }
    if (path.length === 0 && key === 'global' && at.length > 0) return [];
    if (free.includes(at.join('.')) || COPIED[at.at(-1) ?? '']?.includes(key)) return [];
    const below: Position = { ...position, path: [...path, key], at: next, schema: property(schema, key), defaults: undefined };
    if (isMap(defaults) && key in defaults) {
      const known = defaults[key];
      if (known === null || known === undefined || Array.isArray(known)) return [];
      if (isMap(known)) return Object.keys(known).length === 0 ? [] : walk(value, { ...below, defaults: known });
      return [];
    }
    if (below.schema !== undefined) return walk(value, below);
    if (isOpen(schema)) return [];
    const mention = mentionOf(chart.templates, below.path);
    if (mention === 'whole') return [];
    if (mention === 'way' && isMap(value)) return walk(value, below);
    return [
      {
        rule: 'unknown-value',
        place: next.join('.'),
        message: `The chart knows no such value${suggestion(key, [...new Set([...(isMap(defaults) ? Object.keys(defaults) : []), ...Object.keys(properties(schema))])])}.`,
      },
    ];
  });
}

/** Values that say what the chart's default already says: they are no mistake, but each must have a reason to stand there. */
export function repeatedDefaults(values: unknown, chart: ChartSource): readonly string[] {
  const visit = (value: unknown, defaults: unknown, at: readonly string[]): readonly string[] => {
    if (!isMap(value)) return JSON.stringify(value) === JSON.stringify(defaults) && defaults !== undefined ? [at.join('.')] : [];
    return Object.entries(value).flatMap(([key, each]) => {
      const subchart = at.length === 0 ? chart.subcharts[key] : undefined;
      const known = isMap(defaults) ? defaults[key] : undefined;
      return visit(each, subchart ? merge(subchart.defaults, known) : known, [...at, key]);
    });
  };
  return visit(values, chart.defaults, []);
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over === undefined ? base : over;
  return Object.fromEntries([...Object.keys(base), ...Object.keys(over)].map((key) => [key, merge(base[key], over[key])]));
}

function resolve(schema: unknown, root: unknown): unknown {
  if (!isMap(schema) || typeof schema.$ref !== 'string' || !schema.$ref.startsWith('#/')) return schema;
  return schema.$ref
    .slice(2)
    .split('/')
    .reduce<unknown>((each, key) => (isMap(each) ? each[key] : undefined), root);
}

function properties(schema: unknown): Json {
  return isMap(schema) && isMap(schema.properties) ? schema.properties : {};
}

function property(schema: unknown, key: string): unknown {
  return properties(schema)[key] ?? (isMap(schema) && isMap(schema.additionalProperties) ? schema.additionalProperties : undefined);
}

/** Whether a schema says of itself that any key may follow. Saying nothing is no such word: it is the default of every schema. */
function isOpen(schema: unknown): boolean {
  return isMap(schema) && (schema.additionalProperties === true || isMap(schema.patternProperties));
}

/** How templates name a path: as a whole (`.Values.a`, and then everything below may be used), only on the way to something below it (`.Values.a.b`), or not at all. */
function mentionOf(templates: string, path: readonly string[]): 'whole' | 'way' | undefined {
  const needle = `.Values.${path.join('.')}`;
  let found: 'way' | undefined;
  for (let at = templates.indexOf(needle); at >= 0; at = templates.indexOf(needle, at + 1)) {
    const next = templates[at + needle.length] ?? '';
    if (next === '.') found = 'way';
    else if (!/[A-Za-z0-9_]/.test(next)) return 'whole';
  }
  return found;
}

function suggestion(key: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  return `; did you mean '${closest(key, [...known])}'? It knows ${known.slice(0, 12).join(', ')}${known.length > 12 ? ', …' : ''}`;
}
