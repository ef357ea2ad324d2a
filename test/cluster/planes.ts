/**
 * The control planes of one test run: one for each Kubernetes version and each cluster of apps/, with the cluster's own node names and StorageClass.
 * It deliberately keeps clusters apart: what one brings must not make the other's objects valid.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusters } from '../../apps';
import { type Cluster, resolveCluster } from '../../lib/model/cluster';
import type { Binaries } from './binaries';
import { Client } from './client';
import { type ControlPlane, type ControlPlaneAddress, startControlPlane } from './control-plane';
import { fetchDefinitions, installDefinitions } from './definitions';

export interface TestPlane extends ControlPlaneAddress {
  /** Name of the cluster of apps/. */
  readonly cluster: string;
  /** What the server said about upstream's definitions. */
  readonly definitionWarnings: readonly string[];
}

/** The environment variable by which the run's setup tells its workers where the planes are. */
const VARIABLE = 'MMO_TEST_PLANES';

export function models(): Cluster[] {
  return clusters.map(resolveCluster);
}

/** Starts a control plane that fits the cluster, with every definition installed. */
export async function startPlane(
  binaries: Binaries,
  cluster: Cluster,
  definitions: string,
): Promise<{ plane: ControlPlane; test: TestPlane }> {
  const storageClass = cluster.storage.class ?? 'standard';
  const plane = await startControlPlane({
    binaries,
    nodes: cluster.nodes.map((node) => node.name),
    storageClasses: [storageClass],
    ...(cluster.storage.class === undefined ? { defaultStorageClass: storageClass } : {}),
  });
  const client = new Client(plane.address);
  try {
    const definitionWarnings = await installDefinitions(client, definitions);
    return { plane, test: { ...plane.address, cluster: cluster.name, definitionWarnings } };
  } catch (error) {
    await plane.stop();
    throw error;
  } finally {
    client.close();
  }
}

/** Runs `use` with upstream's definitions in a temporary folder. */
export async function withDefinitions<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'definitions-'));
  try {
    await fetchDefinitions(folder);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function publishPlanes(planes: readonly TestPlane[]): void {
  process.env[VARIABLE] = JSON.stringify(planes);
}

/** The planes of this run, for one cluster. */
export function planesOf(cluster: string): TestPlane[] {
  const planes = JSON.parse(process.env[VARIABLE] ?? '[]') as TestPlane[];
  return planes.filter((plane) => plane.cluster === cluster);
}
