/** Once per run, after the tests: stops every control plane. It deliberately is not what protects against an interrupted run; the guardian is. */
import type { ControlPlane } from './control-plane';
import { STARTED } from './setup';

export default async function teardown(): Promise<void> {
  const started = (globalThis as Record<symbol, unknown>)[STARTED] as readonly ControlPlane[] | undefined;
  await Promise.all((started ?? []).map((plane) => plane.stop()));
}
