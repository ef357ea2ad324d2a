/**
 * The dashboards of a cluster: one line each.
 * It deliberately leaves out what the cluster does not have, since an empty page looks like a broken one.
 */
import { oldestWorldBackupHours } from '../../charts/world-backups';
import { oldestBaseBackupHours } from '../constructs/postgres-alerts';
import type { Cluster } from '../model/cluster';
import { longestGapHours } from '../model/cron';
import { connectBroker } from './connect-broker';
import type { Dashboard } from './dashboard';
import { database } from './database';
import { instances } from './instances';
import { logs } from './logs';
import { platform } from './platform';
import { players } from './players';
import { realms } from './realms';

export function dashboardsOf(cluster: Cluster): readonly Dashboard[] {
  const { backups } = cluster;
  const ofDatabase = backups && { late: longestGapHours(backups.databaseSchedule) + 1, tooOld: oldestBaseBackupHours(backups) };
  const ofWorlds =
    backups && cluster.realms.length > 0
      ? { late: longestGapHours(backups.worldSchedule) + 1, tooOld: oldestWorldBackupHours(backups) }
      : undefined;
  return [
    players,
    platform({ worlds: ofWorlds, database: ofDatabase }),
    connectBroker,
    database(ofDatabase),
    logs,
    ...(cluster.realms.length > 0 ? [realms(ofWorlds)] : []),
    ...(cluster.instances.length > 0 ? [instances] : []),
  ];
}
