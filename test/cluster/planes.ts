/**
 * The control planes of one test run: one for each Kubernetes version and each cluster of dist, with the nodes and StorageClasses that its objects name.
 * It deliberately keeps clusters apart: what one brings must not make the other's objects valid.
 */
import type { PlainObject } from '../../lib/emit/manifest';
import type { Binaries } from './binaries';
import { Client } from './client';
import { type ControlPlane, type ControlPlaneAddress, startControlPlane } from './control-plane';
import { installDefinitions } from './definitions';

export interface TestPlane extends ControlPlaneAddress {
  /** Name of its folder in dist. */
  readonly cluster: string;
  /** What the server said about upstream's definitions. */
  readonly definitionWarnings: readonly string[];
}

/** The environment variable by which the run's setup tells its workers where the planes are. */
const VARIABLE = 'MMO_TEST_PLANES';

/** What objects expect of a cluster that none of them brings. */
export interface Needs {
  readonly nodes: readonly string[];
  readonly storageClasses: readonly string[];
  readonly defaultStorageClass?: string;
  /** @default that of startControlPlane */
  readonly autoscalerSeconds?: number;
}

/** Label by which a pod names the machine that it wants. */
const HOSTNAME = 'kubernetes.io/hostname';
/** The class of claims that name none. */
const STANDARD = 'standard';

/** As few nodes as there can be: what finds its place there finds it on more. */
export function needsOf(objects: readonly PlainObject[]): Needs {
  const nodes = new Set<string>();
  visit(objects, (map) => {
    const { [HOSTNAME]: name, key, values } = map;
    if (typeof name === 'string') nodes.add(name);
    if (key === HOSTNAME && Array.isArray(values)) for (const each of values) nodes.add(String(each));
  });
  if (nodes.size === 0) nodes.add('node-1');
  const classes = new Set(
    objects
      .flatMap((object) =>
        object.kind === 'PersistentVolumeClaim' ? [object] : ((object.spec?.volumeClaimTemplates ?? []) as PlainObject[]),
      )
      .map((claim) => String(claim.spec.storageClassName ?? STANDARD)),
  );
  return {
    nodes: [...nodes].sort(),
    storageClasses: [...classes].sort(),
    ...(classes.has(STANDARD) ? { defaultStorageClass: STANDARD } : {}),
  };
}

function visit(value: unknown, see: (map: Readonly<Record<string, unknown>>) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) see(value as Record<string, unknown>);
  for (const each of Object.values(value)) visit(each, see);
}

/** Starts a control plane with what the objects of the cluster need, and every definition installed. */
export async function startPlane(
  binaries: Binaries,
  cluster: string,
  needs: Needs,
  definitions: string,
): Promise<{ plane: ControlPlane; test: TestPlane }> {
  const plane = await startControlPlane({ binaries, ...needs });
  const client = new Client(plane.address);
  try {
    const definitionWarnings = await installDefinitions(client, definitions);
    return { plane, test: { ...plane.address, cluster, definitionWarnings } };
  } catch (error) {
    await plane.stop();
    throw error;
  } finally {
    client.close();
  }
}

export function publishPlanes(planes: readonly TestPlane[]): void {
  process.env[VARIABLE] = JSON.stringify(planes);
}

/** The planes of this run. */
export function runningPlanes(): TestPlane[] {
  return JSON.parse(process.env[VARIABLE] ?? '[]') as TestPlane[];
}
