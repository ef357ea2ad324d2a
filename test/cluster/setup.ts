/**
 * Once per run, before the tests: finds the binaries and starts every control plane, or fails with the one sentence that says what is missing.
 * It deliberately leaves nothing to the tests but their addresses.
 */
import { findBinaries } from './binaries';
import type { ControlPlane } from './control-plane';
import { models, publishPlanes, startPlane, type TestPlane, withDefinitions } from './planes';

/** Where the teardown, which jest loads apart from this file, finds what to stop. */
export const STARTED = Symbol.for('mmo.test.cluster.started');

export default async function setup(): Promise<void> {
  const started: ControlPlane[] = [];
  (globalThis as Record<symbol, unknown>)[STARTED] = started;
  const binaries = findBinaries();
  try {
    const planes = await withDefinitions(async (definitions) => {
      const wanted = binaries.flatMap((each) => models().map((cluster) => ({ each, cluster })));
      const results = await Promise.allSettled(
        wanted.map(async ({ each, cluster }): Promise<TestPlane> => {
          const { plane, test } = await startPlane(each, cluster, definitions);
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
