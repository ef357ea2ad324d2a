/**
 * What the commands in a pod share: the configuration that the environment names, and its PostgreSQL.
 * It deliberately decides nothing for them: how many connections, and what happens without a configuration, each command says itself.
 */
import { BROKER_ENVIRONMENT } from '../../../../lib/broker-contract.ts';
import type { Database } from '../database/database.ts';
import { openPostgres, type PostgresOptions } from '../database/postgres.ts';
import { readSettings, type Settings } from '../settings.ts';

/**
 * The settings of this pod.
 * @returns undefined outside of a pod: the environment names no configuration
 * @throws with every mistake of the file
 */
export function podSettings(): Settings | undefined {
  const file = process.env[BROKER_ENVIRONMENT.config];
  return file ? readSettings(file) : undefined;
}

/** What a command that cannot do without a configuration says. */
export const NO_CONFIGURATION = `The environment variable ${BROKER_ENVIRONMENT.config} is not set; it names the configuration file.`;

/** This pod's name, or what the command calls itself where there is none. */
export const podName = (otherwise: string): string => process.env[BROKER_ENVIRONMENT.podName] ?? otherwise;

/** Opens the database of the settings: over TLS, with the credentials of its directory. */
export function openPodDatabase(
  { database }: Pick<Settings, 'database'>,
  options: Pick<PostgresOptions, 'poolSize' | 'applicationName' | 'queryTimeoutMs' | 'onListenerError'>,
): Database {
  const { host, port, name, credentialsDirectory, caFile } = database;
  return openPostgres({ host, port, name, credentials: { directory: credentialsDirectory }, caFile, ...options });
}
