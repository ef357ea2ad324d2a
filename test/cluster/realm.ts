/** One realm in a server, as far as its worlds need it to run: for tests that have a realm of their own beside those of dist. It deliberately waits for nothing. */
import type { PlainObject } from '../../lib/emit/manifest';
import type { Client } from './client';

/** In the order in which they need each other. */
const KINDS = ['PriorityClass', 'Namespace', 'ServiceAccount', 'ConfigMap', 'Service', 'PodDisruptionBudget', 'StatefulSet'];

/** @param objects all of a cluster's */
export async function applyRealm(client: Client, objects: readonly PlainObject[], namespace: string): Promise<void> {
  const needed = ({ kind, metadata }: PlainObject): boolean =>
    kind === 'PriorityClass' || (kind === 'Namespace' ? metadata.name === namespace : metadata.namespace === namespace);
  for (const kind of KINDS) for (const object of objects.filter((each) => each.kind === kind && needed(each))) await client.apply(object);
}
