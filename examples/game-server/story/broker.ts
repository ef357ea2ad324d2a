/**
 * The broker of the story: its own program (`migrate`, then `serve`) with the configuration of dist, a PostgreSQL with TLS, and its ServiceAccount's token.
 * It deliberately changes of that configuration only what a machine without a cluster must: ports, folders, the database's place, and addresses of nodes.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BROKER_ENVIRONMENT, BROKER_OPERATIONS } from '../../../lib/broker-contract.ts';
import { freeTcpPorts } from '../../../packages/netcode-token/interop/ports.ts';
import type { Leftovers } from '../../../packages/netcode-token/interop/processes.ts';
import { Program } from '../../../packages/netcode-token/interop/processes.ts';
import { migrate } from '../../../services/connect-broker/src/database/migrate.ts';
import { openPostgres } from '../../../services/connect-broker/src/database/postgres.ts';
import { startTestPostgres } from '../../../services/connect-broker/test/support/postgres.ts';
import { type ControlPlaneAddress, kubeconfigText } from '../../../test/cluster/control-plane.ts';

export interface BrokerOptions {
  readonly leftovers: Leftovers;
  readonly folder: string;
  readonly address: ControlPlaneAddress;
  /** Bearer token of its ServiceAccount. */
  readonly token: string;
  /** `config.json` of its ConfigMap. */
  readonly config: string;
  /** Keys by file name (`realm.aurora.1`): the same bytes as in the game servers' Secrets. */
  readonly netcodeKeys: Readonly<Record<string, Uint8Array>>;
  /** What every node's addresses are on this machine. */
  readonly nodeAddress: string;
}

/** Starts database and broker. @returns the players' port and the game servers' @throws when PostgreSQL or openssl is missing */
export async function startBroker(options: BrokerOptions): Promise<{ readonly http: number; readonly internal: number }> {
  const { leftovers, folder, address, nodeAddress } = options;
  const postgres = await startTestPostgres();
  if (postgres?.caFile === undefined) throw new Error('The story needs PostgreSQL and openssl (Debian: postgresql and openssl).');
  leftovers.ends(() => postgres.stop());
  const administrator = openPostgres({
    host: '127.0.0.1',
    port: postgres.port,
    name: 'postgres',
    poolSize: 1,
    applicationName: 'story',
    credentials: { username: postgres.superuser },
  });
  await administrator.query('create role broker login');
  await migrate(administrator, 'broker');
  await administrator.close();

  const write = (name: string, files: Readonly<Record<string, string | Uint8Array>>): string => {
    const directory = path.join(folder, name);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const [file, content] of Object.entries(files)) writeFileSync(path.join(directory, file), content, { mode: 0o600 });
    return directory;
  };
  const config = JSON.parse(options.config);
  const http = await freeTcpPorts(3);
  const ports = { http, internal: http + 1, metrics: http + 2 };
  const here = <Place extends object>(place: Place): Place => ({ ...place, lan: nodeAddress, public: nodeAddress });
  const directory = write('broker', {
    'kubeconfig.json': kubeconfigText({ ...address, token: options.token }),
    'config.json': JSON.stringify({
      ...config,
      publicUrl: `http://localhost:${http}`,
      ports,
      trustedProxyHops: 0,
      shutdown: { drainSeconds: 0 },
      nodes: config.nodes.map(here),
      database: {
        ...config.database,
        host: 'localhost',
        port: postgres.port,
        name: 'postgres',
        credentialsDirectory: write('broker/database', { username: 'broker', password: 'not asked for' }),
        caFile: postgres.caFile,
      },
      sessions: { keysDirectory: write('broker/session-keys', { 'generation-1': randomBytes(32) }) },
      tokens: { ...config.tokens, keysDirectory: write('broker/netcode-keys', options.netcodeKeys) },
    }),
  });
  const main = path.join(import.meta.dirname, '../../../services/connect-broker/src/main.ts');
  const program = leftovers.program(
    new Program('the broker', process.execPath, ['--import', 'tsx', '--conditions=source', main, 'serve'], {
      [BROKER_ENVIRONMENT.config]: path.join(directory, 'config.json'),
      [BROKER_ENVIRONMENT.podName]: 'connect-broker-story',
      KUBECONFIG: path.join(directory, 'kubeconfig.json'),
    }),
    'SIGTERM',
  );
  for (const end = Date.now() + 120_000; ; ) {
    const ready = await fetch(`http://127.0.0.1:${ports.metrics}${BROKER_OPERATIONS.ready}`).catch(() => undefined);
    if (ready?.ok) return ports;
    if (program.isOver || Date.now() > end)
      throw new Error(
        `The broker did not become ready: ${program.lines
          .slice(-5)
          .map((line) => JSON.stringify(line))
          .join('\n')}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
