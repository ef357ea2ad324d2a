/** The clusters that the catalogue's tests look at: the two examples, variants of the first, and those of apps/ for the rules that hold for every cluster. */
import { clusters } from '../../../apps';
import { type Cluster, type ClusterDescription, resolveCluster } from '../../../lib/model/cluster';
import { exampleHomelab, exampleLocal } from '../../examples';

export const homelab = resolveCluster(exampleHomelab);
export const local = resolveCluster(exampleLocal);

/** Every cluster that a general rule is held against, with the words that tests name it by. */
export const everyCluster: readonly (readonly [string, Cluster])[] = [
  ['the example homelab', homelab],
  ['the example local', local],
  ...clusters.map((description) => [`${description.name} of apps`, resolveCluster(description)] as const),
];

/** homelab with some parts of its description replaced. */
export function homelabWith(changes: Partial<ClusterDescription>): Cluster {
  return resolveCluster({ ...exampleHomelab, ...changes });
}
