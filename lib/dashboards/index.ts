/**
 * The dashboards of a cluster: one line each.
 * It deliberately leaves out what the cluster does not have, since an empty page looks like a broken one.
 */
import type { Cluster } from '../model/cluster';
import { connectBroker } from './connect-broker';
import type { Dashboard } from './dashboard';
import { database } from './database';
import { instances } from './instances';
import { logs } from './logs';
import { platform } from './platform';
import { players } from './players';
import { realms } from './realms';

export function dashboardsOf(cluster: Cluster): readonly Dashboard[] {
  return [
    players,
    platform,
    connectBroker,
    database(cluster.backups !== undefined),
    logs,
    ...(cluster.realms.length > 0 ? [realms] : []),
    ...(cluster.instances.length > 0 ? [instances] : []),
  ];
}
