/**
 * `serve`: the broker in the cluster, until SIGTERM.
 * It deliberately starts without a database and without the Kubernetes API: it waits for both, says so, and recovers by itself.
 */
import { passwordHasher } from '../accounts/passwords.ts';
import { openSessionKeys } from '../accounts/session-keys.ts';
import type { Broker } from '../broker.ts';
import { connectToKubernetes } from '../discovery/kubernetes.ts';
import { openNetcodeKeys } from '../keys/netcode-keys.ts';
import { makeLog } from '../log.ts';
import { makeMetrics } from '../metrics.ts';
import { startServer } from '../server.ts';
import { pause, untilSignalled } from '../shutdown.ts';
import { NO_CONFIGURATION, openPodDatabase, podName, podSettings } from './pod.ts';

export async function serve(): Promise<number> {
  const log = makeLog('info');
  const settings = podSettings();
  if (!settings) {
    log.fatal(NO_CONFIGURATION);
    return 2;
  }
  const onKeyError = (error: unknown) => log.error({ err: error }, 'keys could not be read again; the last good ones stay');
  const sessionKeys = openSessionKeys(settings.sessions.keysDirectory, onKeyError);
  const netcodeKeys = openNetcodeKeys(settings.tokens.keysDirectory, onKeyError);
  const metrics = makeMetrics();
  const database = openPodDatabase(settings, {
    poolSize: settings.database.poolSize,
    applicationName: podName('connect-broker'),
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
    worldScaler: kubernetes.worldScaler,
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
