/** docs/reference/cluster.md says of every field of a description what the schema says, and names none that does not exist. */
import { readFileSync } from 'node:fs';
import { type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import { description } from '../../lib/model/description';
import { exampleHomelab } from '../examples';
import { type Field, fieldsOf } from './schema-fields';

const PAGE = 'docs/reference/cluster.md';
const page = readFileSync(PAGE, 'utf8');

interface Row {
  readonly path: string;
  readonly type: string;
  readonly default: string;
}

const rows = [...page.matchAll(/^\| `([^`]+)` \| (.+?) \| (.+?) \|.*\|$/gm)].map(
  ([, path = '', type = '', standard = '']): Row => ({ path, type, default: standard }),
);
const fields = fieldsOf(description);
const examples = [page, readFileSync('docs/how-to/network-policies-and-your-cni.md', 'utf8')].flatMap((text) =>
  [...text.matchAll(/^```ts\n([\s\S]+?)^```$/gm)].map(([, example = '']) => example),
);

test('the page has every field of the schema, and no other', () => {
  expect(rows.map((row) => row.path).sort()).toEqual(fields.map((field) => field.path).sort());
});

test.each(fields)('the page tells the default of $path', (field) => {
  expect(defaultColumn(row(field))).toBe(expectedDefault(field));
});

test.each(fields.filter((field) => field.values.length > 0))('the page tells every word that $path may be', (field) => {
  expect(field.values.filter((value) => !row(field)?.type.includes(`\`'${value}'\``))).toEqual([]);
});

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(10);
});

test.each(examples)('an example is a valid part of a description:\n%s', (text) => {
  const part = new Function(`return {${text}};`)() as Partial<ClusterDescription>;
  expect(() => resolveCluster({ ...exampleHomelab, ...part })).not.toThrow();
});

function row(field: Field): Row | undefined {
  return rows.find((each) => each.path === field.path);
}

/** `required`, the value as it would be written, or that the field may be left out (whose words are free). */
function defaultColumn(found: Row | undefined): string {
  if (found === undefined) return 'no row';
  if (found.default === 'required' || found.default.startsWith('`')) return found.default;
  return 'may be left out';
}

function expectedDefault(field: Field): string {
  if (field.required) return 'required';
  return field.default === undefined ? 'may be left out' : `\`${written(field.default)}\``;
}

function written(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0 ? '{}' : String(value);
}
