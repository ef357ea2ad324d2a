/**
 * `serve`: the broker in the cluster, until SIGTERM.
 * It deliberately starts without a database and without the Kubernetes API: it waits for both, says so, and recovers by itself.
 */
import { BROKER_ENVIRONMENT } from '../../../../lib/broker-contract.ts';
import { passwordHasher } from '../accounts/passwords.ts';
import { openSessionKeys } from '../accounts/session-keys.ts';
import type { Broker } from '../broker.ts';
import { openPostgres } from '../database/postgres.ts';
import { connectToKubernetes } from '../discovery/kubernetes.ts';
import { openNetcodeKeys } from '../keys/netcode-keys.ts';
import { makeLog } from '../log.ts';
import { makeMetrics } from '../metrics.ts';
import { startServer } from '../server.ts';
import { readSettings } from '../settings.ts';
import { pause, untilSignalled } from '../shutdown.ts';

export async function serve(): Promise<number> {
  const log = makeLog('info');
  const file = process.env[BROKER_ENVIRONMENT.config];
  if (!file) {
    log.fatal(`The environment variable ${BROKER_ENVIRONMENT.config} is not set; it names the configuration file.`);
    return 2;
  }
  const settings = readSettings(file);
  const podName = process.env[BROKER_ENVIRONMENT.podName] ?? 'connect-broker';
  const onKeyError = (error: unknown) => log.error({ err: error }, 'keys could not be read again; the last good ones stay');
  const sessionKeys = openSessionKeys(settings.sessions.keysDirectory, onKeyError);
  const netcodeKeys = openNetcodeKeys(settings.tokens.keysDirectory, onKeyError);
  const metrics = makeMetrics();
  const database = openPostgres({
    host: settings.database.host,
    port: settings.database.port,
    name: settings.database.name,
    poolSize: settings.database.poolSize,
    applicationName: podName,
    credentials: { directory: settings.database.credentialsDirectory },
    caFile: settings.database.caFile,
    onListenerError: (error) => log.warn({ err: error }, 'the connection that listens was lost; it is made again'),
  });
  const kubernetes = connectToKubernetes(settings, log);
  const stopping = new AbortController();
  const broker: Broker = {
    settings,
    database,
    view: kubernetes.view,
    metrics,
    log,
    passwords: passwordHasher(),
    sessionKeys,
    netcodeKeys,
    allocator: kubernetes.allocator,
    gameServers: kubernetes.gameServers,
    stopping: stopping.signal,
  };
  const server = await startServer(broker, { host: '0.0.0.0', ports: settings.ports });
  log.info({ ports: server.ports }, 'the broker serves');

  const signal = await untilSignalled();
  log.info(
    { signal, drainSeconds: settings.shutdown.drainSeconds },
    'the broker ends: unready, and serving on until nobody is sent here any more',
  );
  stopping.abort();
  await pause(settings.shutdown.drainSeconds * 1000);
  await server.close();
  await kubernetes.close();
  await database.close();
  netcodeKeys.close();
  sessionKeys.close();
  log.info('the broker has ended');
  return 0;
}
