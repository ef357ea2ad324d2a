/**
 * The claims about protection: when everything that Argo CD may prune is deleted, what holds data is still there, untouched.
 * It deliberately does not ask which annotations say so: what must survive is listed by what it is. It comes last, because nothing else is left afterwards.
 */
import type { PlainObject } from '../../lib/emit/manifest';
import { ApiError } from './client';
import { isProtected, named } from './dist';
import { eventually, type Judge } from './judge';

/** Kinds whose every object holds data, or holds what holds data. */
const PRECIOUS = ['Namespace', 'Cluster', 'ObjectStore', 'PersistentVolumeClaim'];

export function isProtectedFromPruning(judge: () => Judge): void {
  let before: Map<string, string>;
  let claims: Map<string, string>;
  let worldPods: Map<string, string>;

  beforeAll(async () => {
    before = await idsOf(judge(), precious(judge()));
    claims = await claimIds(judge());
    worldPods = await worldPodIds(judge());
    for (const { application, object } of [...judge().files].reverse()) {
      if (application === 'root' || isProtected(object)) continue;
      await judge()
        .client.delete(object)
        .catch((error) => {
          if (!(error instanceof ApiError) || error.reason !== 'NotFound') throw error;
        });
    }
  });

  test('what is not protected goes', async () => {
    const pruned = judge()
      .files.filter(({ application, object }) => application !== 'root' && !isProtected(object))
      .map((file) => file.object);
    const left = await eventually(
      async () => [...(await idsOf(judge(), pruned)).keys()],
      (names) => names.length === 0,
    );
    expect(pruned).not.toEqual([]);
    expect(left).toEqual([]);
  });

  test('every world, database, backup store and namespace is left as it was', async () => {
    expect(before.size).toBe(precious(judge()).length);
    expect(await idsOf(judge(), precious(judge()))).toEqual(before);
  });

  test('every claim is still there and bound', async () => {
    expect(claims.size).toBeGreaterThan(0);
    expect(await claimIds(judge())).toEqual(claims);
  });

  test('no world was restarted', async () => {
    expect(worldPods.size).toBeGreaterThan(0);
    expect(await worldPodIds(judge())).toEqual(worldPods);
  });

  test('a claim outlives even its world', async () => {
    for (const world of worlds(judge())) await judge().client.delete(world);
    const left = await eventually(
      () => worldPodIds(judge()),
      (pods) => pods.size === 0,
    );
    expect(left.size).toBe(0);
    expect(await claimIds(judge())).toEqual(claims);
  });
}

function worlds(judge: Judge): PlainObject[] {
  return judge.objects('StatefulSet').filter((set) => set.metadata.labels?.['mmo/continent'] !== undefined);
}

function precious(judge: Judge): PlainObject[] {
  return [...judge.objects(...PRECIOUS), ...worlds(judge)];
}

/** Unique ids of the objects that are there and not on their way out. */
async function idsOf(judge: Judge, objects: readonly PlainObject[]): Promise<Map<string, string>> {
  const read = await Promise.all(objects.map((object) => judge.read(object)));
  return new Map(
    read.flatMap((object, index) => (object === undefined || isLeaving(object) ? [] : [[named(objects[index] ?? object), uid(object)]])),
  );
}

async function claimIds(judge: Judge): Promise<Map<string, string>> {
  const all = await judge.client.list('/api/v1/persistentvolumeclaims');
  return new Map(
    all
      .filter((claim) => claim.status?.phase === 'Bound' && !isLeaving(claim))
      .map((claim) => [`${claim.metadata.namespace}/${claim.metadata.name}`, uid(claim)]),
  );
}

async function worldPodIds(judge: Judge): Promise<Map<string, string>> {
  const pods = await judge.client.list('/api/v1/pods?labelSelector=mmo/continent');
  return new Map(pods.map((pod) => [`${pod.metadata.namespace}/${pod.metadata.name}`, uid(pod)]));
}

function uid({ metadata }: PlainObject): string {
  return (metadata as unknown as { uid: string }).uid;
}

function isLeaving({ metadata }: PlainObject): boolean {
  return (metadata as { deletionTimestamp?: string }).deletionTimestamp !== undefined;
}
