/**
 * The last backups, as the operators report them: of the database, and of each world.
 * It deliberately reads nothing from the object store; whether a backup restores is for a drill (docs/disaster-recovery.md).
 */
import { oldestWorldBackupHours, repositoryOf } from '../../charts/world-backups';
import { archiveName } from '../constructs/postgres';
import { oldestBaseBackupHours } from '../constructs/postgres-alerts';
import type { Cluster } from '../model/cluster';
import { snapshotPath } from '../restore/snapshots';
import { worldClaim } from '../restore/world';
import { type Finding, failed, type LiveContext, type LiveGroup, ok, skipped, some, warning } from './types';

type Backups = NonNullable<Cluster['backups']>;

const HOUR = 60 * 60 * 1000;

export const backups: LiveGroup = {
  name: 'backups',
  scope: 'live',
  look: async (context) => {
    const { backups: described } = context.cluster;
    if (described === undefined) return [skipped('backups', 'There are no backups: the description has no store for them.')];
    return [await database(context, described), ...(await worlds(context, described))];
  },
};

/** Too old is what the alerts PostgresBackupTooOld and WorldBackupTooOld call so. */
async function database({ list, cluster, now }: LiveContext, described: Backups): Promise<Finding> {
  const check = 'database-backup';
  const name = archiveName(cluster.database.generation);
  const stores = await list('objectstores.barmancloud.cnpg.io');
  const windows = stores.flatMap(({ status }) => (status?.serverRecoveryWindow?.[name] ? [status.serverRecoveryWindow[name]] : [])) as {
    firstRecoverabilityPoint?: string;
    lastSuccessfulBackupTime?: string;
  }[];
  const last = windows[0]?.lastSuccessfulBackupTime;
  if (last === undefined)
    return failed(check, `The archive '${name}' has no base backup, so it restores nothing.`, 'docs/runbooks/PostgresBackupTooOld.md');
  const hours = Math.floor((now.getTime() - Date.parse(last)) / HOUR);
  return hours <= oldestBaseBackupHours(described)
    ? ok(
        check,
        `The database can go back to any moment since ${windows[0]?.firstRecoverabilityPoint ?? last}; its last base backup is ${hours} h old.`,
      )
    : failed(check, `The last base backup of '${name}' is ${hours} h old.`, 'docs/runbooks/PostgresBackupTooOld.md');
}

async function worlds({ list, cluster, now }: LiveContext, described: Backups): Promise<Finding[]> {
  const snapshots = await list('snapshots.k8up.io');
  const judged = worldClaims(cluster).map(({ id, namespace, path, realm }) => {
    const times = snapshots
      .filter(
        ({ metadata, spec }) =>
          metadata.namespace === namespace &&
          (spec?.paths ?? []).includes(path) &&
          String(spec?.repository ?? '').endsWith(repositoryOf(described.bucket, realm)),
      )
      .map(({ spec }) => Date.parse(spec.date as string));
    return { id, hours: times.length === 0 ? undefined : Math.floor((now.getTime() - Math.max(...times)) / HOUR) };
  });
  if (judged.length === 0) return [];
  const old = judged.filter(({ hours }) => hours === undefined || hours > oldestWorldBackupHours(described));
  return old.length === 0
    ? [
        ok(
          'world-backups',
          `Every world has a backup; the oldest of the last ones is ${Math.max(...judged.map(({ hours }) => hours ?? 0))} h old.`,
        ),
      ]
    : [
        warning(
          'world-backups',
          `The last backup of ${some(old.map(({ id, hours }) => `${id} ${hours === undefined ? 'is missing' : `is ${hours} h old`}`))}.`,
          'docs/runbooks/WorldBackupTooOld.md',
        ),
      ];
}

/** Worlds that run, each with the path that K8up gives its claim in the repository. */
function worldClaims(cluster: Cluster) {
  return cluster.realms.flatMap((realm) =>
    realm.continents
      .filter(({ state }) => state !== 'retired')
      .map((continent) => ({
        id: `${realm.name}/${continent.name}`,
        namespace: realm.namespace,
        realm,
        path: snapshotPath(worldClaim(continent)),
      })),
  );
}
