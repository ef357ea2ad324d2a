/** The emitter: every parser reads what was written, and people can read it too. */
import fc from 'fast-check';
import { parse } from 'yaml';
import { toYaml } from '../../lib/emit/yaml';

const both = (text: string) => [parse(text), parse(text, { version: '1.1' })];

const tricky = fc.constantFrom(
  'y',
  'No',
  'on',
  'TRUE',
  'null',
  '~',
  '',
  ' ',
  '1',
  '1.0',
  '1e3',
  '0x10',
  '010',
  '0o7',
  '12:30',
  '12:30:45',
  '.5',
  '.inf',
  '-.inf',
  '.NaN',
  '+1',
  '-',
  '- a',
  '? a',
  ': a',
  'a: b',
  'a #b',
  '#a',
  'a:',
  '&a',
  '*a',
  '!a',
  '%a',
  '@a',
  '`a',
  '{a',
  '[a',
  ']',
  '}',
  ',',
  '>',
  '|',
  "'",
  '"',
  '\\',
  '2001-01-01',
  '2001-01-01T00:00:00Z',
  '<<',
  '=',
  'a\nb',
  '\na',
  'a\n',
  'a\n\n',
  ' a\nb',
  'a \nb',
  'a\n b',
  'a\tb\nc',
  'a\r\nb',
  '\u0085',
  '\u2028',
  '\ufeff',
  '---',
  '...',
  '---\na',
  'a\n---\nb',
  'x'.repeat(200),
  `${'word '.repeat(40)}end`,
  `${'word '.repeat(40)}`,
  `${'a  b '.repeat(40)}c`,
  'a, b and (c); d',
  "it's",
  '1_000',
  '0b1',
  '190:20:30',
  'a - b',
  'key: value'.repeat(20),
);
const text = fc.oneof(
  tricky,
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.array(tricky).map((parts) => parts.join('\n')),
  fc.array(fc.string(), { maxLength: 40 }).map((parts) => parts.join(' ')),
);
const key = text.filter((each) => each !== '__proto__' && each.length <= 200);
const scalar = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.double({ noNaN: true, noDefaultInfinity: true }));
const { value: node } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('map'), tie('list')),
  item: fc.oneof({ maxDepth: 4 }, scalar, tie('map')),
  list: fc.array(tie('item'), { maxLength: 4 }),
  map: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
}));
const objects = fc.dictionary(key, node, { minKeys: 1, maxKeys: 5 });
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_, each) => (Object.is(each, -0) ? 0 : each)));

test('every parser, of YAML 1.1 and 1.2, reads the value that was written', () => {
  fc.assert(
    fc.property(objects, (value) => {
      for (const read of both(toYaml(value))) expect(plain(read)).toEqual(plain(value));
    }),
    { numRuns: 2000, seed: 20261122 },
  );
});

test('keys come in the conventional order and the others alphabetically', () => {
  expect(
    toYaml({ status: 1, spec: { b: 1, a: 2 }, metadata: { labels: { a: 'b' }, name: 'x', namespace: 'ns' }, kind: 'K', apiVersion: 'v1' }),
  ).toBe('apiVersion: v1\nkind: K\nmetadata:\n  name: x\n  namespace: ns\n  labels:\n    a: b\nspec:\n  a: 2\n  b: 1\nstatus: 1\n');
});

test('a list item begins with its name', () => {
  expect(toYaml({ env: [{ value: '1', name: 'A' }] })).toBe('env:\n- name: A\n  value: "1"\n'.replace('- name', '- name'));
});

test('a text of several lines is a block scalar', () => {
  expect(toYaml({ text: 'a\nb: c\n' })).toBe('text: |\n  a\n  b: c\n');
});

test('a long sentence is folded at spaces', () => {
  const text = toYaml({ description: `${'a word and '.repeat(20)}the end` });
  expect(text.startsWith('description: >-\n  a word')).toBe(true);
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
});

test('undefined fields are left out, empty maps and lists stay', () => {
  expect(toYaml({ a: undefined, b: {}, c: [] })).toBe('b: {}\nc: []\n');
});

test('what YAML cannot hold is refused', () => {
  expect(() => toYaml({ a: Number.NaN })).toThrow('NaN cannot be written as YAML.');
});
