/** How values are judged by the keys that a chart knows, and where a chart takes any key. */
import { type ChartSource, repeatedDefaults, unknownValues } from '../../../../lib/charts-verify/values';

const chart: ChartSource = {
  defaults: {
    replicas: 1,
    image: { tag: '1.0' },
    labels: {},
    tolerations: [],
    nothing: null,
    config: { level: 'info' },
    resources: { requests: { cpu: '1' } },
    sub: { port: 81 },
  },
  schema: {
    properties: {
      ports: { additionalProperties: { $ref: '#/definitions/port' } },
      open: { additionalProperties: true },
      mode: { type: 'string' },
    },
    definitions: { port: { properties: { number: {} } } },
  },
  templates: 'a: {{ .Values.hidden.name }}\nb: {{ .Values.hidden.names }}\nc: {{ toYaml .Values.copied }}',
  subcharts: { sub: { defaults: { port: 80, enabled: true }, templates: '{{ .Values.secret }}', subcharts: {} } },
};

const unknown = (values: object, free?: readonly string[]): readonly string[] =>
  unknownValues(values, chart, free).map((each) => each.place);

test.each([
  ['values.yaml names', { replicas: 2, image: { tag: '2.0' } }],
  ['follow an empty map', { labels: { any: { thing: 1 } } }],
  ['follow a list', { tolerations: [{ key: 'x' }] }],
  ['follow a null', { nothing: { any: 1 } }],
  ['the schema names', { mode: 'x' }],
  ['the schema allows by their shape', { ports: { web: { number: 80 } } }],
  ['the schema leaves open', { open: { any: { thing: 1 } } }],
  ['only a template names', { hidden: { name: 'x' } }],
  ['follow what a template uses as a whole', { copied: { any: { thing: 1 } } }],
  ['the subchart knows', { sub: { port: 82, enabled: false } }],
  ["only the subchart's template names", { sub: { secret: 'x' } }],
  ['are global', { sub: { global: { any: 1 } } }],
  ['belong to resources', { resources: { limits: { memory: '1Gi' } } }],
])('keys that %s are known', (_, values) => {
  expect(unknown(values)).toEqual([]);
});

test.each([
  ['at the top', { replica: 2 }, 'replica'],
  ['in a map', { image: { tga: '2.0' } }, 'image.tga'],
  ['in a shape of the schema', { ports: { web: { nubmer: 80 } } }, 'ports.web.nubmer'],
  ['that begins like one in a template', { hidden: { nam: 'x' } }, 'hidden.nam'],
  ['in a subchart', { sub: { prot: 82 } }, 'sub.prot'],
  ["in a subchart, although the parent's templates name it", { sub: { hidden: { name: 'x' } } }, 'sub.hidden'],
  ['in resources', { resources: { limit: { memory: '1Gi' } } }, 'resources.limit'],
])('a typing mistake %s is found', (_, values, place) => {
  expect(unknown(values)).toEqual([place]);
});

test('a typing mistake is answered with the key that was meant', () => {
  expect(unknownValues({ image: { tga: '2.0' } }, chart).map((each) => each.message)).toEqual([
    "The chart knows no such value; did you mean 'tag'? It knows tag.",
  ]);
});

test('keys below a free path are known', () => {
  expect(unknown({ config: { 'any.key': 'x' } }, ['config'])).toEqual([]);
});

test('keys beside a free path are not', () => {
  expect(unknown({ config: { 'any.key': 'x' } }, ['labels'])).toEqual(['config.any.key']);
});

test('values that repeat a default are named', () => {
  expect(repeatedDefaults({ replicas: 1, image: { tag: '2.0' }, config: { level: 'info' } }, chart)).toEqual(['replicas', 'config.level']);
});

test("a subchart's default is what its parent makes of it", () => {
  expect(repeatedDefaults({ sub: { port: 81, enabled: true } }, chart)).toEqual(['sub.port', 'sub.enabled']);
});
