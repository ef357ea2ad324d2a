/**
 * Who gives way to whom when a node is full or lost: the PriorityClasses of the pods that players need.
 * It deliberately has no class for all the rest (operators, monitoring, Pi-hole), which keeps Kubernetes' zero between worlds and instances:
 * a home without dashboards is still a game.
 */
import type { Chart } from 'cdk8s';
import { labels } from '../component';
import { add } from '../emit/manifest';
import { KubePriorityClass } from '../k8s';
import type { Cluster } from '../model/cluster';

export const PRIORITY = {
  /** Without them nobody enters any world, and what is played is not stored: ingress, addresses, broker, database. */
  core: 'mmo-core',
  world: 'mmo-world',
  instance: 'mmo-instance',
} as const;

/** Adds the classes that a cluster's pods name. A class is in force at once and cannot be changed: another value needs another name. */
export function addPriorityClasses(chart: Chart, cluster: Cluster): void {
  const priorityClass = (name: string, value: number, description: string, more: { readonly preemptionPolicy?: string } = {}): void => {
    add(chart, KubePriorityClass, { metadata: { name, labels: labels(name) }, value, description, ...more });
  };
  priorityClass(PRIORITY.core, 20_000, 'What every player needs: ingress, addresses, the broker and its database.');
  if (cluster.realms.length > 0) {
    priorityClass(
      PRIORITY.world,
      10_000,
      'Persistent worlds. One that has no room ends instances first, and never what players need to reach it.',
    );
  }
  if (cluster.instances.length > 0) {
    // Not below -10, where a cluster autoscaler would no longer start a node for it.
    priorityClass(PRIORITY.instance, -5, 'Instances: they give way to everything else and end nothing.', { preemptionPolicy: 'Never' });
  }
}
