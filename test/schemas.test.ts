/**
 * How objects are judged by the generated schemas: an example of each kind that is valid, and each way to be wrong.
 * It deliberately does not repeat the check that uses them, test/checks/valid-schema.test.ts.
 */
/* Validation against the generated schemas: each kind of violation, and that the verdict is the one ajv gives. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import fc from 'fast-check';
import type { ValidationSchema } from '../lib/imports/validation-schema';
import { compilePattern, SchemaSet, type SchemaViolation, validateObject } from '../lib/schemas';

type Json = Record<string, unknown>;

const pod = {
  metadata: { labels: { app: 'world' } },
  spec: {
    serviceAccountName: 'world',
    containers: [
      {
        name: 'server',
        image: 'ghcr.io/example/server:1.0.0',
        env: [
          { name: 'REALM', value: 'aurora' },
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'current' } } },
        ],
        ports: [
          { name: 'game', containerPort: 40000, protocol: 'UDP' },
          { name: 'status', containerPort: 8080 },
        ],
        resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '2Gi' } },
        readinessProbe: { httpGet: { path: '/ready', port: 'status' }, periodSeconds: 5 },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
};
const metadata = { name: 'world', namespace: 'realm-aurora', labels: { app: 'world' } };

const VALID: Readonly<Record<string, Json>> = {
  StatefulSet: {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata,
    spec: { serviceName: 'world', selector: { matchLabels: { app: 'world' } }, template: pod, replicas: 1 },
  },
  Service: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { type: 'LoadBalancer', selector: { app: 'world' }, ports: [{ name: 'game', port: 40000, protocol: 'UDP', targetPort: 'game' }] },
  },
  NetworkPolicy: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: {
      podSelector: {},
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }], ports: [{ port: 40000, protocol: 'UDP' }] }],
    },
  },
  Fleet: {
    apiVersion: 'agones.dev/v1',
    kind: 'Fleet',
    metadata,
    spec: {
      scheduling: 'Distributed',
      replicas: 2,
      template: {
        spec: {
          ports: [{ name: 'game', containerPort: 7777, portPolicy: 'Dynamic' }],
          counters: { players: { count: 0, capacity: 5 } },
          template: pod,
        },
      },
    },
  },
  Certificate: {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata,
    spec: {
      secretName: 'tls',
      dnsNames: ['mmo.example'],
      issuerRef: { name: 'ca', kind: 'ClusterIssuer' },
      privateKey: { algorithm: 'ECDSA', size: 256 },
    },
  },
  Application: {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata,
    spec: {
      project: 'platform',
      source: {
        repoURL: 'https://charts.example',
        chart: 'x',
        targetRevision: '1.0.0',
        helm: { valuesObject: { any: { depth: [1, 'x'] } } },
      },
      destination: { name: 'in-cluster', namespace: 'x' },
      syncPolicy: { automated: { prune: true, selfHeal: true }, retry: { limit: 5, backoff: { duration: '5s', factor: 2 } } },
    },
  },
  Cluster: {
    apiVersion: 'postgresql.cnpg.io/v1',
    kind: 'Cluster',
    metadata,
    spec: { instances: 2, storage: { size: '10Gi' }, monitoring: { enablePodMonitor: true }, affinity: { enablePodAntiAffinity: true } },
  },
  PrometheusRule: {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata,
    spec: { groups: [{ name: 'world', rules: [{ alert: 'Down', expr: 'up == 0', for: '5m', labels: { severity: 'page' } }] }] },
  },
};

/** A copy of a valid object in which the field at a path (`spec.ports.0.port`) is replaced, or removed by `undefined`. */
function changed(kind: keyof typeof VALID, path: string, value: unknown): Json {
  const copy = structuredClone(VALID[kind]) as Json;
  const keys = path.split('.');
  const last = keys.pop() as string;
  const parent = keys.reduce((node, key) => node[key] as Json, copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

test.each(Object.keys(VALID))('a valid %s has no violation', (kind) => {
  expect(validateObject(VALID[kind])).toEqual([]);
});

test('a field whose value is undefined counts as absent', () => {
  expect(validateObject({ ...VALID.Service, status: undefined })).toEqual([]);
});

test('a null is taken where the definition says that it may be one', () => {
  expect(validateObject(changed('Fleet', 'spec.template.spec.counters', null))).toEqual([]);
});

test.each([8080, 'game'])('a port is taken by number and by name (%p)', (port) => {
  expect(validateObject(changed('NetworkPolicy', 'spec.ingress.0.ports.0.port', port))).toEqual([]);
});

test('a required field that a server fills in may be left out', () => {
  expect(validateObject(changed('Cluster', 'spec.instances', undefined))).toEqual([]);
});

describe('the violation names', () => {
  test.each<[string, Json, SchemaViolation]>([
    [
      'an unknown field and the one that was meant',
      changed('StatefulSet', 'spec.template.spec.containers.0.imagePullpolicy', 'Always'),
      {
        path: 'spec.template.spec.containers[0].imagePullpolicy',
        message: 'The field "imagePullpolicy" ("Always") does not exist here; did you mean "imagePullPolicy"?',
      },
    ],
    [
      'an unknown field inside of the Pod of a custom resource',
      changed('Fleet', 'spec.template.spec.template.spec.containers.0.resources.limit', {}),
      {
        path: 'spec.template.spec.template.spec.containers[0].resources.limit',
        message: 'The field "limit" ({}) does not exist here; did you mean "limits"?',
      },
    ],
    [
      'all known fields where none is near',
      changed('PrometheusRule', 'spec.groups.0.rules.0.xyzzy', 1),
      {
        path: 'spec.groups[0].rules[0].xyzzy',
        message: 'The field "xyzzy" (1) does not exist here. Fields: alert, annotations, expr, for, keep_firing_for, labels, record.',
      },
    ],
    [
      'a status, which is not ours to write',
      changed('Service', 'status', {}),
      { path: 'status', message: 'The field "status" ({}) does not exist here. Fields: apiVersion, kind, metadata, spec.' },
    ],
    [
      'a value of the wrong type',
      changed('StatefulSet', 'spec.replicas', 'three'),
      { path: 'spec.replicas', message: '"three" is a string, but must be an integer.' },
    ],
    [
      'a fraction where an integer is required',
      changed('StatefulSet', 'spec.replicas', 1.5),
      { path: 'spec.replicas', message: '1.5 is a number, but must be an integer.' },
    ],
    [
      'a null',
      changed('Service', 'spec.selector', null),
      { path: 'spec.selector', message: 'null is not allowed here; it must be an object, or the field left out.' },
    ],
    [
      'a label that is not a string, at a path that shows its key',
      changed('Service', 'metadata.labels', { 'example.com/level': 5 }),
      { path: 'metadata.labels["example.com/level"]', message: '5 is an integer, but must be a string.' },
    ],
    [
      'a missing field',
      changed('StatefulSet', 'spec.selector', undefined),
      { path: 'spec.selector', message: 'The field "selector" is missing, but required (an object).' },
    ],
    [
      'missing metadata of a custom resource, which its definition does not require',
      changed('Fleet', 'metadata', undefined),
      { path: 'metadata', message: 'The field "metadata" is missing, but required (an object).' },
    ],
    [
      'a value that is not among the allowed ones',
      changed('Fleet', 'spec.scheduling', 'Distribute'),
      {
        path: 'spec.scheduling',
        message: '"Distribute" is not allowed here; it must be one of "Packed", "Distributed" (did you mean "Distributed"?).',
      },
    ],
    [
      'a number that is too small',
      changed('Cluster', 'spec.instances', 0),
      { path: 'spec.instances', message: '0 is too small: at least 1 is required.' },
    ],
    [
      'a number that does not fit into 32 bits',
      changed('Service', 'spec.ports.0.port', 2 ** 31),
      { path: 'spec.ports[0].port', message: '2147483648 is too large: at most 2147483647 is allowed.' },
    ],
    [
      'an amount that is no quantity',
      changed('StatefulSet', 'spec.template.spec.containers.0.resources.limits.memory', '2 GB'),
      {
        path: 'spec.template.spec.containers[0].resources.limits.memory',
        message: String.raw`"2 GB" does not match the pattern ^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$.`,
      },
    ],
    [
      'a string that does not match the pattern',
      changed('PrometheusRule', 'spec.groups.0.rules.0.for', '5 minutes'),
      {
        path: 'spec.groups[0].rules[0].for',
        message:
          '"5 minutes" does not match the pattern ^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$.',
      },
    ],
    [
      'a list entry that repeats the identity of another',
      changed('StatefulSet', 'spec.template.spec.containers.0.env.2', { name: 'REALM', value: 'borealis' }),
      {
        path: 'spec.template.spec.containers[0].env[2]',
        message: 'The entry [2] repeats the entry [0] (name "REALM"); each may be there once.',
      },
    ],
    [
      'a time that is not one',
      changed('Service', 'metadata.creationTimestamp', 'yesterday'),
      {
        path: 'metadata.creationTimestamp',
        message: '"yesterday" is not a date and time as RFC 3339 writes them, such as "2030-01-31T23:59:00Z".',
      },
    ],
    [
      'data that is not base64',
      { apiVersion: 'v1', kind: 'Secret', metadata, data: { key: 'plain text' } },
      { path: 'data.key', message: '"plain text" is not base64.' },
    ],
    [
      'an unknown kind',
      { ...VALID.Service, kind: 'Servce' },
      {
        path: 'kind',
        message:
          'The kind "Servce" of v1 is not known: did you mean "Service"? If it is right, add it to lib/imports/kinds.ts and run `npm run import`.',
      },
    ],
    [
      'an outdated apiVersion of a known kind',
      { ...VALID.StatefulSet, apiVersion: 'apps/v1beta1' },
      {
        path: 'apiVersion',
        message:
          'The apiVersion "apps/v1beta1" of the kind "StatefulSet" is not known: StatefulSet is of "apps/v1". If it is right, add it to lib/imports/kinds.ts and run `npm run import`.',
      },
    ],
    ['a missing kind', { apiVersion: 'v1' }, { path: 'kind', message: 'An object must say its kind as a string; this one has none.' }],
  ])('%s', (_, object, violation) => {
    expect(validateObject(object)).toEqual([violation]);
  });

  test('something that is no object', () => {
    expect(validateObject([])).toEqual([{ path: '', message: '[] is a list, but a Kubernetes object is expected.' }]);
  });

  test('every mistake at once', () => {
    const object = changed('Service', 'spec', { type: 1, ports: [{}], seletor: {} });
    expect(validateObject(object).map(({ path }) => path)).toEqual(['spec.type', 'spec.ports[0].port', 'spec.seletor']);
  });
});

describe('a schema may say', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'schemas-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  let count = 0;
  const messages = (schema: ValidationSchema, value: unknown): string[] => {
    const own = join(folder, String(count++));
    mkdirSync(own);
    writeFileSync(join(own, 'index.json'), JSON.stringify({ v1: { Thing: 'thing.json#/definitions/Thing' } }));
    writeFileSync(join(own, 'thing.json'), JSON.stringify({ definitions: { Thing: { properties: { value: schema } } } }));
    return new SchemaSet(own).validate({ apiVersion: 'v1', kind: 'Thing', value }).map(({ path, message }) => `${path}: ${message}`);
  };

  test.each<[string, ValidationSchema, unknown, unknown, string]>([
    [
      'fields besides the named',
      { type: 'object', properties: { a: {} }, additionalProperties: { type: 'string' } },
      { b: 'x' },
      { b: 1 },
      'value.b: 1 is an integer, but must be a string.',
    ],
    [
      'how many fields',
      { type: 'object', minProperties: 1 },
      { a: 1 },
      {},
      'value: There are 0 fields, but at least 1 field must be there.',
    ],
    ['how many entries', { type: 'array', maxItems: 1 }, [1], [1, 2], 'value: There are 2 entries, but at most 1 entry may be there.'],
    [
      'how many characters',
      { type: 'string', minLength: 2 },
      'ab',
      'a',
      'value: There is 1 character, but at least 2 characters must be there.',
    ],
    [
      'that entries differ',
      { type: 'array', uniqueItems: true },
      ['a', 'b'],
      ['a', 'a'],
      'value[1]: The entry [1] repeats the entry [0] ("a"); each may be there once.',
    ],
    ['a limit that is not reached', { type: 'integer', exclusiveMinimum: 0 }, 1, 0, 'value: 0 is too small: more than 0 is required.'],
    [
      'a limit from above that is not reached',
      { type: 'integer', exclusiveMaximum: 3 },
      2,
      3,
      'value: 3 is too large: less than 3 is required.',
    ],
    ['a step', { type: 'integer', multipleOf: 5 }, 10, 7, 'value: 7 is not a multiple of 5.'],
    [
      'one of several types',
      { type: ['integer', 'string'] },
      'http',
      true,
      'value: true is a boolean, but must be an integer or a string.',
    ],
    ['all of several forms', { allOf: [{ minimum: 1 }, { maximum: 3 }] }, 2, 4, 'value: 4 is too large: at most 3 is allowed.'],
    [
      'any of several forms',
      { anyOf: [{ required: ['a'] }, { required: ['b'] }] },
      { b: 1 },
      { c: 1 },
      'value: {"c":1} fits none of the allowed forms: (1) value.a: The field "a" is missing, but required. (2) value.b: The field "b" is missing, but required.',
    ],
    [
      'one of several forms',
      { oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      { b: 1 },
      { a: 1, b: 1 },
      'value: {"a":1,"b":1} fits 2 of the allowed forms, but must fit exactly one.',
    ],
    [
      'a form that is not allowed',
      { not: { required: ['a'] } },
      { b: 1 },
      { a: 1 },
      'value: {"a":1} is of a form that is not allowed: {"required":["a"]}.',
    ],
  ])('%s', (_, schema, right, wrong, message) => {
    expect([messages(schema, right), messages(schema, wrong)]).toEqual([[], [message]]);
  });
});

test('a pattern with the flag for any case, as Go writes it, takes any case', () => {
  expect(compilePattern('^(?i)(abort|warn)?$').test('Warn')).toBe(true);
});

test('schemas that cannot be read are an error that says where they were looked for', () => {
  expect(() => new SchemaSet('/nonexistent')).toThrow('/nonexistent/index.json');
});

describe('the verdict is the one of a general validator of JSON Schema', () => {
  const folder = join('imports', 'schemas');
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Record<string, Record<string, string>>;
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addKeyword({
    keyword: 'x-kubernetes-list-map-keys',
    type: 'array',
    validate: (keys: string[], list: (Json | null)[]) =>
      new Set(list.map((each) => JSON.stringify(keys.map((key) => each?.[key])))).size === list.length,
  });
  beforeAll(() => {
    for (const file of readdirSync(folder).filter((name) => name !== 'index.json')) {
      // Relative references need an address to be relative to; the flag inside of patterns is Go's.
      ajv.addSchema({ $id: `file:///${file}`, ...JSON.parse(readFileSync(join(folder, file), 'utf8').replaceAll('(?i)', '')) });
    }
  });

  /** Every place in an object, as the keys that lead there. */
  const places = (value: unknown, at: string[] = []): string[][] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, each]) => [[...at, key], ...places(each, [...at, key])])
      : [];
  const junk = fc.constantFrom<unknown>(
    '',
    'x',
    'UDP',
    0,
    -1,
    1.5,
    99999999999,
    true,
    null,
    [],
    {},
    [1],
    ['x'],
    { x: 1 },
    { name: 'x' },
    undefined,
  );

  test.each(Object.keys(VALID))('of a damaged %s', (kind) => {
    const valid = VALID[kind] as Json;
    const oracle = ajv.getSchema(`file:///${index[valid.apiVersion as string]?.[kind]}`) as ValidateFunction;
    const spots = places(valid.spec, ['spec']);
    const damage = fc.record({ spot: fc.constantFrom(...spots), value: junk, rename: fc.boolean() });
    let refused = 0;
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 2 }), (list) => {
        const object = structuredClone(valid);
        for (const { spot, value, rename } of list) {
          const parent = spot.slice(0, -1).reduce<unknown>((node, key) => (node as Json | undefined)?.[key], object);
          if (typeof parent !== 'object' || parent === null) continue;
          const key = spot.at(-1) as string;
          if (Array.isArray(parent)) parent[Number(key)] = value ?? null;
          else if (rename) (parent as Json)[`${key}s`] = value;
          else (parent as Json)[key] = value;
        }
        const json = JSON.parse(JSON.stringify(object));
        const accepted = oracle(json) as boolean;
        if (!accepted) refused++;
        expect(validateObject(json).length === 0).toBe(accepted);
      }),
      { numRuns: 300, seed: 1 },
    );
    // Were everything accepted, the comparison would prove nothing.
    expect(refused).toBeGreaterThan(100);
  });
});
