/**
 * `migrate`: brings the database's schema up to date as its owner and grants the serving role its rights, then exits.
 * It deliberately may run again at any time, beside replicas that serve.
 */
import { BROKER_ENVIRONMENT } from '../../../../lib/broker-contract.ts';
import { migrate } from '../database/migrate.ts';
import { openPostgres } from '../database/postgres.ts';
import { makeLog } from '../log.ts';
import { readSettings } from '../settings.ts';

export async function migrateCommand(): Promise<number> {
  const log = makeLog('info');
  const file = process.env[BROKER_ENVIRONMENT.config];
  if (!file) {
    log.fatal(`The environment variable ${BROKER_ENVIRONMENT.config} is not set; it names the configuration file.`);
    return 2;
  }
  const { database: settings } = readSettings(file);
  const database = openPostgres({
    host: settings.host,
    port: settings.port,
    name: settings.name,
    poolSize: 1,
    applicationName: process.env[BROKER_ENVIRONMENT.podName] ?? 'connect-broker-migrate',
    credentials: { directory: settings.credentialsDirectory },
    caFile: settings.caFile,
    queryTimeoutMs: 0,
  });
  try {
    const { applied } = await migrate(database, settings.applicationRole);
    log.info({ applied }, applied.length === 0 ? 'the schema was up to date' : 'the schema is up to date now');
    return 0;
  } catch (error) {
    log.error({ err: error }, 'the migration failed and changed nothing');
    return 1;
  } finally {
    await database.close();
  }
}
