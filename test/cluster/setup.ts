/**
 * Once per run, before the tests: finds the binaries and starts every control plane, or fails with the one sentence that says what is missing.
 * It deliberately leaves nothing to the tests but their addresses.
 */
import { findBinaries } from './binaries';
import type { ControlPlane } from './control-plane';
import { withDefinitions } from './definitions';
import { clustersOf, readDist } from './dist';
import { needsOf, publishPlanes, startPlane, type TestPlane } from './planes';
import { RUN } from './processes';

/** Where the teardown, which jest loads apart from this file, finds what to stop. */
export const STARTED = Symbol.for('mmo.test.cluster.started');

export default async function setup(): Promise<void> {
  process.env[RUN] = String(process.pid);
  try {
    await startPlanes();
  } catch (error) {
    // jest prints the stack, and what is wrong here is in no file of ours: the sentence says it all.
    if (error instanceof Error) error.stack = error.message;
    throw error;
  }
}

async function startPlanes(): Promise<void> {
  const started: ControlPlane[] = [];
  (globalThis as Record<symbol, unknown>)[STARTED] = started;
  const binaries = findBinaries();
  try {
    const planes = await withDefinitions(async (definitions) => {
      const clusters = clustersOf().map((cluster) => ({ cluster, needs: needsOf(readDist(cluster).map((file) => file.object)) }));
      const wanted = clusters.flatMap((cluster) => binaries.map((each) => ({ each, ...cluster })));
      const results = await Promise.allSettled(
        wanted.map(async ({ each, cluster, needs }): Promise<TestPlane> => {
          const { plane, test } = await startPlane(each, cluster, needs, definitions);
          started.push(plane);
          return test;
        }),
      );
      return results.map((result) => {
        if (result.status === 'rejected') throw result.reason;
        return result.value;
      });
    });
    publishPlanes(planes);
  } catch (error) {
    // jest runs no teardown after a setup that failed.
    await Promise.all(started.map((plane) => plane.stop()));
    throw error;
  }
}
