/**
 * The snapshots of a world: read from what K8up keeps in the cluster or from restic itself, and the one that was the newest at a time.
 * It deliberately never falls back to another one: K8up's own filter by time takes the latest when nothing matches, which after a new installation is the empty world.
 */
import { RestoreError } from './errors';

export interface Snapshot {
  /** restic's, 64 hexadecimal digits. */
  readonly id: string;
  readonly time: Date;
  /** Each claim is a path of its own: `/data/<claim>`. */
  readonly paths: readonly string[];
}

/** Where K8up mounts a claim in its pods, and so under which path restic keeps it. */
export function snapshotPath(claim: string): string {
  return `/data/${claim}`;
}

/**
 * Reads `kubectl get snapshots.k8up.io -o json`, or `restic snapshots --json`.
 * @param place how messages name the text
 * @throws RestoreError when it is neither
 */
export function readSnapshots(text: string, place: string): readonly Snapshot[] {
  const wrong = (): RestoreError =>
    new RestoreError(
      `${place} is not a list of snapshots; it must be what 'kubectl get snapshots.k8up.io -o json' or 'restic snapshots --json' prints.`,
    );
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw wrong();
  }
  const entries = Array.isArray(parsed) ? parsed : (parsed as { items?: { spec?: unknown }[] } | null)?.items?.map(({ spec }) => spec);
  if (!Array.isArray(entries)) throw wrong();
  return entries.map((entry) => {
    const { id, date, time, paths } = (entry ?? {}) as { id?: unknown; date?: unknown; time?: unknown; paths?: unknown };
    const taken = new Date(String(date ?? time));
    if (typeof id !== 'string' || !Array.isArray(paths) || Number.isNaN(taken.getTime())) throw wrong();
    return { id, time: taken, paths: paths.map(String) };
  });
}

export interface Choice {
  readonly snapshot: Snapshot;
  /** The next one after it, which is later than asked. */
  readonly later?: Snapshot;
}

/**
 * The newest snapshot of a claim that was taken at the time or before.
 * @throws RestoreError with the snapshots that there are
 */
export function snapshotAt(snapshots: readonly Snapshot[], claim: string, at: Date): Choice {
  const own = snapshots.filter(({ paths }) => paths.includes(snapshotPath(claim))).sort((a, b) => a.time.getTime() - b.time.getTime());
  const [first] = own;
  if (!first)
    throw new RestoreError(
      `There is no snapshot of ${claim}. Backups made under another name of the claim are not looked for; give one with --snapshot ID.`,
    );
  const index = own.findLastIndex(({ time }) => time.getTime() <= at.getTime());
  const snapshot = own[index];
  if (!snapshot)
    throw new RestoreError(
      `The first snapshot of ${claim} was taken at ${first.time.toISOString()}, after ${at.toISOString()}. Take that one with --at ${first.time.toISOString()}, or an older backup by hand.`,
    );
  const later = own[index + 1];
  return later ? { snapshot, later } : { snapshot };
}
