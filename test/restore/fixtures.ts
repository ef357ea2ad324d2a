/** What tests of restores share: the plan of the example's world, and snapshots. It deliberately asserts nothing. */
import { parseAllDocuments } from 'yaml';
import { buildCluster } from '../../lib/build';
import type { PlainObject } from '../../lib/emit/manifest';
import { type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import { planWorldRestore, type RestorePlan } from '../../lib/restore/world';
import { memoryStore } from '../../lib/secrets/store';
import { exampleHomelab } from '../examples';

export const NOW = new Date('2026-06-01T12:34:56Z');
export const SNAPSHOT = 'ab'.repeat(32);

export function planFor(
  id: string,
  description: ClusterDescription = exampleHomelab,
  folder = 'restores/homelab/test',
  now = NOW,
): RestorePlan {
  const [realmName, name] = id.split('/');
  const cluster = resolveCluster(description);
  const realm = cluster.realms.find((each) => each.name === realmName);
  const continent = realm?.continents.find((each) => each.name === name);
  const workload = buildCluster(cluster, { store: memoryStore('everything') }).objects.find(
    ({ manifest }) =>
      manifest.kind === 'StatefulSet' && manifest.metadata.namespace === realm?.namespace && manifest.metadata.name === name,
  )?.manifest;
  if (!realm || !continent || !workload) throw new Error(`The fixture has no world ${id}.`);
  return planWorldRestore({
    cluster,
    realm,
    continent,
    workload,
    snapshot: SNAPSHOT,
    taken: new Date('2026-06-01T06:40:00Z'),
    now,
    folder,
  });
}

/** Objects of one file of a plan. */
export function objectsIn(plan: RestorePlan, file: string): PlainObject[] {
  return parseAllDocuments(plan.files.get(file) ?? '').map((document) => document.toJS() as PlainObject);
}
