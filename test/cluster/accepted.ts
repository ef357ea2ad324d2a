/**
 * The claims that need an API server only: it takes every object of dist without a word, twice, and keeps every field as it is written.
 */
import { isDeepStrictEqual } from 'node:util';
import type { PlainObject } from '../../lib/emit/manifest';
import { ApiError } from './client';
import { drift } from './drift';
import { eventually, type Judge } from './judge';

/** Fields that an API server may rewrite although the text is right. None is known: an entry would have to say why Argo CD does not show it. */
const LEGITIMATE: ReadonlySet<string> = new Set();

/** What newer API servers say about definitions that upstream publishes; nothing of ours can change it. */
const UPSTREAM_WARNINGS: readonly RegExp[] = [
  // Agones writes the format that Kubernetes' own schemas have; 1.37 knows the x-kubernetes-int-or-string extension only. It validates nothing either way.
  /^(fleets|gameservers|gameserversets)\.agones\.dev\.yaml: unrecognized format "int-or-string"$/,
];

export function isAccepted(judge: () => Judge): void {
  const stored = new Map<string, PlainObject>();
  const errors: string[] = [];
  const warnings: string[] = [];

  beforeAll(async () => {
    const { client, files } = judge();
    for (const { path, text, object } of files) {
      try {
        const answer = await client.apply(object, text);
        warnings.push(...answer.warnings.map((warning) => `${path}: ${warning}`));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        errors.push(`${path}: ${error.message}`);
      }
    }
    // Nothing comes to rest when something is missing, and the errors say what.
    if (errors.length === 0) await atRest(judge());
    for (const { path, object } of files) {
      const read = await judge().read(object);
      if (read !== undefined) stored.set(path, read);
    }
  });

  test("upstream's definitions are taken without a warning that is not known", () => {
    expect(judge().plane.definitionWarnings.filter((warning) => !UPSTREAM_WARNINGS.some((known) => known.test(warning)))).toEqual([]);
  });

  test('every object is taken in the order of the waves, with strict validation', () => {
    expect(errors).toEqual([]);
  });

  test('no object brings a warning, of Pod Security or any other', () => {
    expect(warnings).toEqual([]);
  });

  test('every object can be read back', () => {
    expect(stored.size).toBe(judge().files.length);
  });

  test('no field of ours is dropped or rewritten', () => {
    const found = judge().files.flatMap(({ path, object }) =>
      drift(object, stored.get(path))
        .filter(({ field }) => !LEGITIMATE.has(field))
        .map(({ field, ours, theirs }) => `${path}: ${field} is ${JSON.stringify(ours)} here and ${JSON.stringify(theirs)} there`),
    );
    expect(found).toEqual([]);
  });

  test('a second apply changes no generation and nothing that a person or a program could want changed', async () => {
    const changed: string[] = [];
    for (const { path, text, object } of judge().files) {
      const before = stored.get(path);
      const { body: after } = await judge().client.apply(object, text);
      const generations = [generationOf(before), generationOf(after)];
      if (generations[0] !== generations[1]) changed.push(`${path}: generation ${generations[0]} became ${generations[1]}`);
      else if (!isDeepStrictEqual(wanted(before), wanted(after)))
        changed.push(`${path}: ${JSON.stringify(wanted(before))} became ${JSON.stringify(wanted(after))}`);
    }
    expect(changed).toEqual([]);
  });

  test('a field that the API does not know is refused, so that the silence above means something', async () => {
    const [namespace] = judge().objects('Namespace');
    const misspelt = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'misspelt', namespace: namespace?.metadata.name ?? '' },
      date: { a: 'b' },
    };
    await expect(judge().client.apply(misspelt)).rejects.toThrow(/\.date: field not declared in schema/);
  });
}

/** Controllers finish what an apply set off: the autoscaler raises its Deployment to the minimum, and a Deployment notes its revision. */
async function atRest(judge: Judge): Promise<void> {
  if (!judge.plane.controllers) return;
  for (const autoscaler of judge.objects('HorizontalPodAutoscaler')) {
    const target = {
      apiVersion: 'apps/v1',
      kind: autoscaler.spec.scaleTargetRef.kind,
      metadata: { name: autoscaler.spec.scaleTargetRef.name, namespace: autoscaler.metadata.namespace },
    };
    await eventually(
      () => judge.read(target),
      (found) => found?.status?.readyReplicas === autoscaler.spec.minReplicas,
    );
  }
  for (const job of judge.objects('Job')) {
    await eventually(
      () => judge.read(job),
      (found) => found?.status?.succeeded === 1,
    );
  }
}

function generationOf(object: PlainObject | undefined): unknown {
  return (object?.metadata as { generation?: number } | undefined)?.generation;
}

/** An object without what the server and the controllers note on it. */
function wanted(object: PlainObject | undefined): unknown {
  if (object === undefined) return undefined;
  const { status: _status, ...rest } = object;
  const { name, namespace, labels, annotations } = object.metadata;
  return { ...rest, metadata: { name, namespace, labels, annotations } };
}
