/**
 * Backups leave the cluster: no object store of a backup is a Service of the cluster, one of its addresses, or below its own domain.
 * It deliberately excuses clusters without a load balancer: those are laptops, where everything may be lost and trying out backups is the point.
 */
import type { PlainObject } from '../emit/manifest';
import { contains, isIPv4, parseRange } from '../model/addresses';
import type { Cluster } from '../model/cluster';
import { type Check, type Violation, violation } from './types';

/** Fields that name an object store's address, by the API group of who writes there. */
const ENDPOINTS: Readonly<Record<string, readonly string[]>> = {
  'k8up.io': ['endpoint'],
  'barmancloud.cnpg.io': ['endpointURL'],
};

export const backupsOutside: Check = {
  id: 'backups-outside',
  why: 'A backup in the cluster is lost with the cluster, which is when it is needed.',
  run: (input) => {
    const { cluster } = input.built;
    if (!cluster.hasLoadBalancer) return [];
    const violations: Violation[] = [];
    for (const object of input.objects) {
      const fields = ENDPOINTS[object.manifest.apiVersion.split('/')[0] ?? ''];
      if (!fields) continue;
      for (const { path, value } of endpointsOf(object.manifest, fields)) {
        const where = insideOf(cluster, value);
        if (where === undefined) continue;
        violations.push(
          violation(
            backupsOutside,
            object,
            `Backups go to '${value}', which is ${where}.`,
            "Name an object store outside of the cluster in backups.endpoint, such as 'https://s3.eu-central-003.backblazeb2.com'.",
            path,
          ),
        );
      }
    }
    return violations;
  },
};

function endpointsOf(manifest: PlainObject, fields: readonly string[]): { path: string; value: string }[] {
  const found: { path: string; value: string }[] = [];
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const [index, each] of value.entries()) visit(each, `${path}[${index}]`);
    else if (value !== null && typeof value === 'object')
      for (const [key, each] of Object.entries(value)) {
        const below = `${path}.${key}`;
        if (fields.includes(key) && typeof each === 'string') found.push({ path: below, value: each });
        else visit(each, below);
      }
  };
  visit(manifest.spec, 'spec');
  return found;
}

/** What of the cluster the address is, in words; undefined when it is outside. */
function insideOf(cluster: Cluster, endpoint: string): string | undefined {
  // Without a scheme K8up takes it as https.
  const { hostname: host } = new URL(endpoint.includes('://') ? endpoint : `https://${endpoint}`);
  if (isIPv4(host)) {
    const { pool } = cluster.network;
    const range = pool === undefined ? undefined : parseRange(pool);
    if (range !== undefined && typeof range !== 'string' && contains(range, host)) return 'an address of its load balancer';
    return cluster.nodes.some(({ address }) => address === host) ? 'one of its nodes' : undefined;
  }
  if (!host.includes('.') || /\.svc$|\.svc\.|\.cluster\.local$/.test(host)) return 'a Service of the cluster';
  return host === cluster.domain || host.endsWith(`.${cluster.domain}`) ? "below the cluster's own domain" : undefined;
}
