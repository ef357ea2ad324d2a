/** `serve` as a pod runs it: a process with mounted files, PostgreSQL by verified TLS, and at first nothing of Kubernetes. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BROKER_AUTOSCALER_PATH, BROKER_ENVIRONMENT, BROKER_OPERATIONS } from '../../../../lib/broker-contract.ts';
import { pause } from '../../src/shutdown.ts';
import { NO_POSTGRES, type PostgresAddress, postgresDatabase, testPostgres } from '../support/databases.ts';
import { freePort, startTestPostgres } from '../support/postgres.ts';
import { type PodFiles, type Program, podFiles, startProgram } from '../support/process.ts';

const skip = NO_POSTGRES || (process.env.BROKER_TEST_POSTGRES_CA ? false : 'openssl was not found, so the test PostgreSQL speaks no TLS');

describe('serve', { skip }, () => {
  const address = testPostgres() as PostgresAddress;
  let fresh: Awaited<ReturnType<typeof postgresDatabase>>;
  let files: PodFiles;
  let program: Program;
  const at = (port: keyof PodFiles['ports'], path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${files.ports[port]}${path}`, init);
  const started = async () => {
    for (let tries = 0; tries < 300; tries++) {
      try {
        if ((await at('metrics', BROKER_OPERATIONS.startup)).ok) return;
      } catch {}
      await pause(100);
    }
    throw new Error(`It did not start:\n${program.output()}`);
  };

  before(async () => {
    fresh = await postgresDatabase(address);
    files = await podFiles({ name: fresh.name, address, username: address.user });
    program = startProgram(['serve'], {
      [BROKER_ENVIRONMENT.config]: files.configFile,
      [BROKER_ENVIRONMENT.podName]: 'connect-broker-test',
      // The pod's API server, which is away.
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(await freePort()),
    });
    await started();
  });
  after(async () => {
    program.child.kill('SIGKILL');
    await program.exited;
    files.dispose();
    await fresh.drop();
  });

  test('has started although the Kubernetes API is away', async () => {
    assert.equal((await at('metrics', BROKER_OPERATIONS.startup)).status, 200);
  });

  test('is not ready before it has seen the servers once', async () => {
    const answer = await at('metrics', BROKER_OPERATIONS.ready);
    assert.deepEqual([answer.status, ((await answer.json()) as { status: string }).status], [503, 'waiting for the first synchronisation']);
  });

  test('lets people register all the same, over TLS to the database', async () => {
    const answer = await at('http', '/v1/accounts', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' },
      body: JSON.stringify({ name: 'Mira', password: 'correct horse battery' }),
    });
    assert.equal(answer.status, 201, await answer.text());
  });

  const review = (port: keyof PodFiles['ports']) =>
    at(port, `${BROKER_AUTOSCALER_PATH}/dungeon?warm=2&max=8`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ request: { uid: 'review-1', status: { replicas: 0, allocatedReplicas: 0 } }, response: null }),
    });

  test('answers Agones on the port of the autoscaler', async () => {
    assert.deepEqual(await (await review('autoscaler')).json(), { response: { uid: 'review-1', scale: true, replicas: 2 } });
  });

  for (const port of ['http', 'internal', 'metrics'] as const) {
    test(`does not answer Agones on the port '${port}'`, async () => {
      assert.equal((await review(port)).status, 404);
    });
  }

  test('tells its metrics that the database is there', async () => {
    assert.match(await (await at('metrics', BROKER_OPERATIONS.metrics)).text(), /^mmo_broker_database_up 1$/m);
  });

  test('wrote no password and no address of a player into its log', () => {
    assert.doesNotMatch(program.output(), /correct horse|203\.0\.113\.9/);
  });

  test('ends with 0 after SIGTERM', async () => {
    program.child.kill('SIGTERM');
    assert.equal(await program.exited, 0, program.output());
  });
});

describe('serve before its database is there', { skip }, () => {
  test('starts, says so, and serves as soon as the database has come', async () => {
    const server = await startTestPostgres();
    assert.ok(server);
    const { migrate } = await import('../../src/database/migrate.ts');
    const { openPostgres } = await import('../../src/database/postgres.ts');
    const administrator = openPostgres({
      host: '127.0.0.1',
      port: server.port,
      name: 'postgres',
      poolSize: 1,
      applicationName: 'tests',
      credentials: { username: server.superuser },
    });
    await migrate(administrator);
    await administrator.close();
    await server.crash();
    const files = await podFiles(
      { name: 'postgres', address: { host: '127.0.0.1', port: server.port, user: server.superuser }, username: server.superuser },
      {},
      server.caFile,
    );
    const program = startProgram(['serve'], {
      [BROKER_ENVIRONMENT.config]: files.configFile,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(await freePort()),
    });
    const register = () =>
      fetch(`http://127.0.0.1:${files.ports.http}/v1/accounts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Mira', password: 'correct horse battery' }),
      });
    const statuses: number[] = [];
    try {
      for (let tries = 0; tries < 400 && statuses.at(-1) !== 201; tries++) {
        const status = await register().then(
          (answer) => answer.status,
          () => 0,
        );
        if (status !== 0 && statuses.at(-1) !== status) statuses.push(status);
        if (statuses.length === 1 && status === 503) await server.restart();
        await pause(100);
      }
    } finally {
      program.child.kill('SIGKILL');
      await program.exited;
      files.dispose();
      await server.stop();
    }
    assert.deepEqual(statuses, [503, 201]);
  });
});
