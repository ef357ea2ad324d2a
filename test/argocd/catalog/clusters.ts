/** The clusters that the catalogue's tests look at: the two that are committed, and variants of the first. */
import { homelab as homelabDescription } from '../../../apps/homelab';
import { local as localDescription } from '../../../apps/local';
import { type Cluster, type ClusterDescription, resolveCluster } from '../../../lib/model/cluster';

export const homelab = resolveCluster(homelabDescription);
export const local = resolveCluster(localDescription);

/** homelab with some parts of its description replaced. */
export function homelabWith(changes: Partial<ClusterDescription>): Cluster {
  return resolveCluster({ ...homelabDescription, ...changes });
}
