/**
 * `migrate`: brings the database's schema up to date as its owner and grants the serving role its rights, then exits.
 * It deliberately may run again at any time, beside replicas that serve.
 */
import { migrate } from '../database/migrate.ts';
import { makeLog } from '../log.ts';
import { NO_CONFIGURATION, openPodDatabase, podName, podSettings } from './pod.ts';

export async function migrateCommand(): Promise<number> {
  const log = makeLog('info');
  const settings = podSettings();
  if (!settings) {
    log.fatal(NO_CONFIGURATION);
    return 2;
  }
  const database = openPodDatabase(settings, { poolSize: 1, applicationName: podName('connect-broker-migrate'), queryTimeoutMs: 0 });
  try {
    const { applied } = await migrate(database, settings.database.applicationRole);
    log.info({ applied }, applied.length === 0 ? 'the schema was up to date' : 'the schema is up to date now');
    return 0;
  } catch (error) {
    log.error({ err: error }, 'the migration failed and changed nothing');
    return 1;
  } finally {
    await database.close();
  }
}
