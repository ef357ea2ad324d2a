/** A cluster's files in memory, and what a change of its description does to them: shared by the tests of the synth. */
import { compareTrees } from '../../lib/emit/writer';
import type { ClusterDescription } from '../../lib/model/cluster';
import { memoryStore } from '../../lib/secrets/store';
import { synthesize } from '../../lib/synth';
import { validDescription } from '../model/fixture';

// biome-ignore lint/suspicious/noExplicitAny: fields of unions are changed one by one, and some tests make mistakes on purpose.
export type Change = (description: any) => unknown;

/** The fixture with changes, one after the other. */
export function described(...changes: readonly Change[]): ClusterDescription {
  const description = validDescription();
  for (const change of changes) change(description);
  return description;
}

/** Every value is sealed; nothing is read from disk. */
export const store = () => memoryStore('everything');

const known = new Map<string, ReadonlyMap<string, string>>();

/** Text by path below the cluster's folder. */
export function filesOf(description: ClusterDescription): ReadonlyMap<string, string> {
  const key = JSON.stringify(description);
  const files = known.get(key) ?? synthesize([description], { store }).files;
  known.set(key, files);
  return files;
}

/** Paths below `<cluster>/` that differ, as `git diff --name-status` says it: `A`, `M` and `D`. */
export function difference(before: ClusterDescription, after: ClusterDescription): string[] {
  const { added, changed, removed } = compareTrees(filesOf(before), filesOf(after));
  const lines = (letter: string, paths: readonly string[]) => paths.map((path) => `${letter} ${path.slice(path.indexOf('/') + 1)}`);
  return [...lines('A', added), ...lines('M', changed), ...lines('D', removed)];
}
