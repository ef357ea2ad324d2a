/**
 * What a cluster reserves: the sum of the requests of everything that is ours, at the fewest and at the most replicas that autoscalers may choose.
 * It deliberately leaves out what upstream charts render, the sidecar that Agones adds to each game server and the replicas that an update adds for a moment.
 */
import type { BuiltCluster, BuiltObject } from './build';
import { CheckInput, type PodTemplate } from './checks/types';
import { quantityValue } from './model/quantities';

/** Fewest and most of something. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Requests of one workload, all its pods together. */
export interface WorkloadRequests {
  /** `StatefulSet realm-aurora/eldermoor`. */
  readonly workload: string;
  readonly pods: Range;
  /** Cores. */
  readonly cpu: Range;
  /** Bytes. */
  readonly memory: Range;
  /** Bytes of claimed volumes. They stay when replicas go, so there is one number. */
  readonly storage: number;
}

export interface RequestSum extends Omit<WorkloadRequests, 'workload'> {
  readonly workloads: readonly WorkloadRequests[];
}

/** Sums what is ours. Jobs and backups count as none or one at a time. */
export function sumOfRequests(built: BuiltCluster): RequestSum {
  const input = new CheckInput(built);
  const stores = byName(input.ofKind('ObjectStore'));
  const scaled = autoscaled(input);
  const workloads: WorkloadRequests[] = [];
  const add = (object: BuiltObject, pods: Range, each: PodRequests, storage: number): void => {
    const { kind, metadata } = object.manifest;
    workloads.push({
      workload: `${kind} ${metadata.namespace}/${metadata.name}`,
      pods,
      cpu: { min: pods.min * each.cpu, max: pods.max * each.cpu },
      memory: { min: pods.min * each.memory, max: pods.max * each.memory },
      storage,
    });
  };
  for (const template of input.podTemplates) {
    const { object } = template;
    const pods = podsOf(object, scaled, built.cluster.nodes.length);
    add(object, pods, requestsOfPod(template), claimsOf(object, pods));
  }
  for (const object of input.ofKind('PodConfig')) {
    const spec = object.manifest.spec?.template?.spec;
    if (spec) add(object, { min: 0, max: 1 }, requestsOfPod({ spec }), 0);
  }
  for (const object of input.ofKind('Cluster')) {
    const { instances = 1, storage, walStorage, plugins = [] } = object.manifest.spec ?? {};
    const each = requestsOf(object.manifest.spec?.resources);
    // Each instance has the archiver of its object store beside it.
    for (const { parameters } of plugins as { parameters?: { barmanObjectName?: string } }[]) {
      const store = stores.get(`${object.manifest.metadata.namespace}/${parameters?.barmanObjectName}`);
      const sidecar = requestsOf(store?.manifest.spec?.instanceSidecarConfiguration?.resources);
      each.cpu += sidecar.cpu;
      each.memory += sidecar.memory;
    }
    add(object, { min: instances, max: instances }, each, instances * (bytes(storage?.size) + bytes(walStorage?.size)));
  }
  for (const object of input.ofKind('PersistentVolumeClaim')) {
    add(object, { min: 0, max: 0 }, { cpu: 0, memory: 0 }, bytes(object.manifest.spec?.resources?.requests?.storage));
  }
  return {
    workloads,
    pods: total(workloads, 'pods'),
    cpu: total(workloads, 'cpu'),
    memory: total(workloads, 'memory'),
    storage: workloads.reduce((sum, { storage }) => sum + storage, 0),
  };
}

/** The sum as a sentence, for the end of a synth. */
export function describeRequests({ pods, cpu, memory, storage }: RequestSum): string {
  const gibibytes = (value: number) => value / 1024 ** 3;
  return `Requests of what is ours (upstream charts come on top): ${range(pods, String)} pods, ${range(cpu, tenth)} cores, ${range({ min: gibibytes(memory.min), max: gibibytes(memory.max) }, tenth)} GiB of memory, ${tenth(gibibytes(storage))} GiB of volumes.`;
}

function range({ min, max }: Range, show: (value: number) => string): string {
  return show(min) === show(max) ? show(min) : `${show(min)} to ${show(max)}`;
}

function tenth(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function total(workloads: readonly WorkloadRequests[], what: 'pods' | 'cpu' | 'memory'): Range {
  return workloads.reduce((sum, each) => ({ min: sum.min + each[what].min, max: sum.max + each[what].max }), { min: 0, max: 0 });
}

interface PodRequests {
  cpu: number;
  memory: number;
}

/** As the scheduler counts: all containers with the sidecars, or an init container with the sidecars before it, whichever is more. */
function requestsOfPod({ spec }: Pick<PodTemplate, 'spec'>): PodRequests {
  const running = { cpu: 0, memory: 0 };
  const starting = { cpu: 0, memory: 0 };
  for (const container of spec.initContainers ?? []) {
    const { cpu, memory } = requestsOf(container.resources);
    if (container.restartPolicy === 'Always') {
      running.cpu += cpu;
      running.memory += memory;
    } else {
      starting.cpu = Math.max(starting.cpu, running.cpu + cpu);
      starting.memory = Math.max(starting.memory, running.memory + memory);
    }
  }
  for (const container of spec.containers ?? []) {
    const { cpu, memory } = requestsOf(container.resources);
    running.cpu += cpu;
    running.memory += memory;
  }
  return { cpu: Math.max(running.cpu, starting.cpu), memory: Math.max(running.memory, starting.memory) };
}

/** A limit without a request is the request, too. */
function requestsOf(resources: { requests?: Record<string, unknown>; limits?: Record<string, unknown> } | undefined): PodRequests {
  const of = (name: string): number => bytes(resources?.requests?.[name] ?? resources?.limits?.[name]);
  return { cpu: of('cpu'), memory: of('memory') };
}

/** Value of a quantity, 0 for none (a check asks for those that are missing). */
function bytes(quantity: unknown): number {
  return quantity === undefined ? 0 : (quantityValue(String(quantity)) ?? 0);
}

function podsOf(object: BuiltObject, scaled: ReadonlyMap<string, Range>, nodes: number): Range {
  const { kind, metadata, spec } = object.manifest;
  switch (kind) {
    case 'DaemonSet':
      return { min: nodes, max: nodes };
    case 'Job':
    case 'CronJob':
      return { min: 0, max: 1 };
    case 'Pod':
      return { min: 1, max: 1 };
    default: {
      // A Fleet without replicas and without an autoscaler has none.
      const replicas: number = spec?.replicas ?? (kind === 'Fleet' ? 0 : 1);
      return scaled.get(`${kind}|${metadata.namespace}|${metadata.name}`) ?? { min: replicas, max: replicas };
    }
  }
}

function claimsOf(object: BuiltObject, pods: Range): number {
  const { kind, spec } = object.manifest;
  if (kind !== 'StatefulSet') return 0;
  const each = ((spec?.volumeClaimTemplates ?? []) as { spec?: { resources?: { requests?: { storage?: unknown } } } }[]).reduce(
    (sum, template) => sum + bytes(template.spec?.resources?.requests?.storage),
    0,
  );
  // The volume of a retired world, which has no pod, is kept.
  return each * Math.max(1, pods.max);
}

function autoscaled(input: CheckInput): Map<string, Range> {
  const scaled = new Map<string, Range>();
  for (const { manifest } of input.ofKind('HorizontalPodAutoscaler')) {
    const { scaleTargetRef, minReplicas = 1, maxReplicas = minReplicas } = manifest.spec ?? {};
    if (scaleTargetRef)
      scaled.set(`${scaleTargetRef.kind}|${manifest.metadata.namespace}|${scaleTargetRef.name}`, { min: minReplicas, max: maxReplicas });
  }
  const fleets = byName(input.ofKind('Fleet'));
  for (const { manifest } of input.ofKind('FleetAutoscaler')) {
    const { namespace } = manifest.metadata;
    const fleet = fleets.get(`${namespace}/${manifest.spec?.fleetName}`)?.manifest.spec?.template?.spec;
    scaled.set(`Fleet|${namespace}|${manifest.spec?.fleetName}`, servers(manifest.spec?.policy, fleet));
  }
  return scaled;
}

function byName(objects: readonly BuiltObject[]): Map<string, BuiltObject> {
  return new Map(objects.map((object) => [`${object.manifest.metadata.namespace}/${object.manifest.metadata.name}`, object]));
}

interface Policy {
  readonly type?: string;
  readonly buffer?: { readonly bufferSize: number | string; readonly minReplicas?: number; readonly maxReplicas: number };
  readonly counter?: { readonly key: string; readonly minCapacity?: number; readonly maxCapacity: number };
  readonly list?: { readonly key: string; readonly minCapacity?: number; readonly maxCapacity: number };
  readonly schedule?: { readonly policy: Policy };
  readonly chain?: readonly Policy[];
}

interface FleetCapacity {
  readonly counters?: Readonly<Record<string, { readonly capacity?: number }>>;
  readonly lists?: Readonly<Record<string, { readonly capacity?: number }>>;
}

/** Servers that a policy may keep. A webhook's answer is not known here and counts as none. */
function servers(policy: Policy | undefined, fleet: FleetCapacity | undefined): Range {
  if (policy?.buffer) {
    const { bufferSize, minReplicas = 0, maxReplicas } = policy.buffer;
    return { min: Math.max(minReplicas, typeof bufferSize === 'number' ? bufferSize : 0), max: maxReplicas };
  }
  const counted = policy?.counter ?? policy?.list;
  if (counted) {
    const capacity = (policy?.counter ? fleet?.counters : fleet?.lists)?.[counted.key]?.capacity ?? 1;
    return { min: Math.ceil((counted.minCapacity ?? 0) / capacity), max: Math.ceil(counted.maxCapacity / capacity) };
  }
  const inner = policy?.chain ?? (policy?.schedule ? [policy.schedule.policy] : []);
  const ranges = inner.map((each) => servers(each, fleet));
  return ranges.length === 0
    ? { min: 0, max: 0 }
    : { min: Math.min(...ranges.map(({ min }) => min)), max: Math.max(...ranges.map(({ max }) => max)) };
}
