/**
 * The claims about what controllers and the scheduler make of dist on (fake) nodes: names, volumes, who is behind a Service, budgets, and how far an update reaches.
 * It deliberately shows nothing of the programs: no image is pulled and no probe is asked.
 */
import type { PlainObject } from '../../lib/emit/manifest';
import { NAMESPACES } from '../../lib/platform';
import { ApiError } from './client';
import { named } from './dist';
import { eventually, type Judge } from './judge';

const CONTINENT = 'mmo/continent';
const REALM = 'mmo/realm';
const CONFIG_HASH = 'mmo/config-hash';

export function runsOnNodes(judge: () => Judge): void {
  test("every StatefulSet's pods run, named by it", async () => {
    const missing: string[] = [];
    for (const set of judge().objects('StatefulSet')) {
      const found = await eventually(
        async () =>
          (await judge().pods(set.metadata.namespace ?? ''))
            .filter((pod) => isReady(pod) && ownedBy(pod, set.metadata.name))
            .map((pod) => pod.metadata.name),
        (names) => names.length === replicasOf(set),
      );
      const expected = Array.from({ length: replicasOf(set) }, (_, index) => `${set.metadata.name}-${index}`);
      if (found.sort().join() !== expected.join())
        missing.push(`${named(set)} has the pods ${found.join(', ') || 'none'}, not ${expected.join(', ')}`);
    }
    expect(judge().objects('StatefulSet')).not.toEqual([]);
    expect(missing).toEqual([]);
  });

  test('every claim template gives each pod its own bound volume of the right size and class', async () => {
    const wrong: string[] = [];
    for (const set of judge().objects('StatefulSet')) {
      for (const template of (set.spec.volumeClaimTemplates ?? []) as PlainObject[]) {
        for (let index = 0; index < replicasOf(set); index++) {
          const claim: PlainObject = {
            ...template,
            metadata: { name: `${template.metadata.name}-${set.metadata.name}-${index}`, namespace: set.metadata.namespace },
          };
          const found = await eventually(
            () => judge().read(claim),
            (read) => read?.status?.phase === 'Bound',
          );
          const { storage } = template.spec.resources.requests;
          if (
            found?.status?.phase !== 'Bound' ||
            (template.spec.storageClassName ?? found.spec.storageClassName) !== found.spec.storageClassName ||
            found.status.capacity?.storage !== storage
          ) {
            wrong.push(`${named(claim)}: ${JSON.stringify(found?.status)}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('every Service has exactly the pods that it should have, and each of its ports leads somewhere', async () => {
    const wrong: string[] = [];
    for (const service of judge().objects('Service')) {
      const expected = {
        pods: (await podsBehind(judge(), service)).sort(),
        ports: (service.spec.ports as { name?: string }[]).map((port) => port.name ?? '').sort(),
      };
      const found = await eventually(
        () => endpointsOf(judge(), service),
        (each) => JSON.stringify(each) === JSON.stringify(expected),
        20,
      );
      if (JSON.stringify(found) !== JSON.stringify(expected))
        wrong.push(`${named(service)} has ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
    }
    expect(judge().objects('Service')).not.toEqual([]);
    expect(wrong).toEqual([]);
  });

  test('every budget counts pods, and exactly those of one workload', async () => {
    const wrong: string[] = [];
    for (const budget of judge().objects('PodDisruptionBudget')) {
      const pods = (await judge().pods(budget.metadata.namespace ?? '')).filter((pod) => matches(pod, budget.spec.selector.matchLabels));
      const owners = new Set(pods.map(ownerOf));
      const found = await eventually(
        () => judge().read(budget),
        (read) => read?.status?.expectedPods === pods.length && read.status.currentHealthy === pods.length,
        20,
      );
      if (pods.length === 0 || owners.size !== 1 || found?.status?.expectedPods !== pods.length) {
        wrong.push(`${named(budget)} counts ${found?.status?.expectedPods} of ${pods.length} pods of ${owners.size} workloads`);
      }
    }
    expect(judge().objects('PodDisruptionBudget')).not.toEqual([]);
    expect(wrong).toEqual([]);
  });

  test('the eviction of a world is refused', async () => {
    const admitted: string[] = [];
    for (const world of worlds(judge())) {
      const name = `${world.metadata.name}-0`;
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: world.metadata.namespace } };
      const refusal = await judge()
        .client.request('POST', `/api/v1/namespaces/${world.metadata.namespace}/pods/${name}/eviction`, eviction)
        .catch((error) => error);
      if (!(refusal instanceof ApiError) || refusal.status !== 429) admitted.push(named(world));
    }
    expect(admitted).toEqual([]);
  });

  test('an update of one realm restarts its worlds and no other pod of the cluster', async () => {
    const realm = worlds(judge())[0]?.metadata.labels?.[REALM];
    expect(realm).toBeDefined();
    const updated = worlds(judge()).filter((world) => world.metadata.labels?.[REALM] === realm);
    const inRealm = (pod: PlainObject): boolean => pod.metadata.labels?.[REALM] === realm;
    const before = await podIds(judge());
    for (const world of updated) {
      const next = structuredClone(world);
      next.spec.template.metadata.annotations = { ...next.spec.template.metadata.annotations, [CONFIG_HASH]: 'another' };
      await judge().client.apply(next);
    }
    const after = await eventually(
      () => podIds(judge()),
      (pods) => [...pods].filter(([id, pod]) => inRealm(pod) && isReady(pod) && !before.has(id)).length === updated.length,
    );
    const restarted = [...before].filter(([id]) => !after.has(id)).map(([, pod]) => pod);
    expect(restarted.filter((pod) => !inRealm(pod)).map(named)).toEqual([]);
    expect(restarted.map((pod) => pod.metadata.name).sort()).toEqual(updated.map((world) => `${world.metadata.name}-0`).sort());
    // As it was, and at rest, for whoever comes next.
    for (const world of updated) await judge().client.apply(world);
    const hash = (object: PlainObject): string | undefined => object.metadata.annotations?.[CONFIG_HASH];
    const restored = await eventually(
      async () => [...(await podIds(judge())).values()].filter(inRealm),
      (pods) => pods.length === updated.length && pods.every((pod) => isReady(pod) && hash(pod) !== 'another'),
    );
    expect(restored.map(hash)).not.toContain('another');
  });
}

function worlds(judge: Judge): PlainObject[] {
  return judge.objects('StatefulSet').filter((set) => set.metadata.labels?.[CONTINENT] !== undefined && replicasOf(set) > 0);
}

/** By the Service's name and not by its selector, which is what is judged. */
async function podsBehind(judge: Judge, service: PlainObject): Promise<string[]> {
  const { name, namespace = '' } = service.metadata;
  const deployment = namespace === NAMESPACES.broker ? 'connect-broker' : namespace === NAMESPACES.probes ? 'blackbox-exporter' : undefined;
  if (deployment !== undefined) {
    return (await judge.pods(namespace))
      .filter((pod) => isReady(pod) && ownerOf(pod).startsWith(`ReplicaSet ${deployment}-`))
      .map((pod) => pod.metadata.name);
  }
  const owner = namespace === NAMESPACES.pihole ? 'pihole' : name.replace(/-public$/, '');
  const set = judge.objects('StatefulSet').find((each) => each.metadata.namespace === namespace && each.metadata.name === owner);
  if (set === undefined)
    throw new Error(`Nothing says which pods are behind ${named(service)}; teach podsBehind in test/cluster/workloads.ts.`);
  return Array.from({ length: replicasOf(set) }, (_, index) => `${owner}-${index}`);
}

async function endpointsOf(judge: Judge, service: PlainObject): Promise<{ pods: string[]; ports: string[] }> {
  const { name, namespace } = service.metadata;
  const slices = await judge.client.list(
    `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io/service-name%3D${name}`,
  );
  const pods = slices.flatMap((slice) =>
    ((slice.endpoints ?? []) as { targetRef?: { name: string } }[]).map((endpoint) => endpoint.targetRef?.name ?? ''),
  );
  const ports = slices.flatMap((slice) => ((slice.ports ?? []) as { name?: string }[]).map((port) => port.name ?? ''));
  return { pods: [...new Set(pods)].sort(), ports: [...new Set(ports)].sort() };
}

/** Every pod of the cluster, by its unique id. */
async function podIds(judge: Judge): Promise<Map<string, PlainObject>> {
  const pods = await judge.client.list('/api/v1/pods');
  return new Map(pods.map((pod) => [(pod.metadata as unknown as { uid: string }).uid, { ...pod, apiVersion: 'v1', kind: 'Pod' }]));
}

function replicasOf(set: PlainObject): number {
  return set.spec.replicas ?? 1;
}

function ownerOf({ metadata }: PlainObject): string {
  const [owner] = (metadata as { ownerReferences?: { kind: string; name: string }[] }).ownerReferences ?? [];
  return owner === undefined ? '' : `${owner.kind} ${owner.name}`;
}

function ownedBy(pod: PlainObject, set: string): boolean {
  return ownerOf(pod) === `StatefulSet ${set}`;
}

function matches({ metadata }: PlainObject, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);
}

function isReady({ status }: PlainObject): boolean {
  return status?.conditions?.some((each: { type: string; status: string }) => each.type === 'Ready' && each.status === 'True') ?? false;
}
