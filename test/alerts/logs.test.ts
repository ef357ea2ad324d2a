/**
 * Alerts on logs: their words are in the programs that write them, and a real Loki fires them for the lines that it should. LOKI names its binary, which no package of Debian has:
 * without it, only the words are checked.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BROKER_WORDS, LOG_ALERTS } from '../../lib/constructs/log-alerts';
import { dashboardsOf } from '../../lib/dashboards';
import { resolveCluster } from '../../lib/model/cluster';
import { exampleHomelab } from '../examples';
import { LOG_ALERTING, LOG_RULES_FILE } from './emitted';

const LOKI = process.env.LOKI;

const brokerSource = readdirSync('services/connect-broker/src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(path.join('services/connect-broker/src', file), 'utf8'))
  .join('\n');

test.each(Object.values(BROKER_WORDS).flat())("the broker's log says '%s'", (words) => {
  expect(brokerSource).toContain(`'${words}`);
});

test('no alert on logs has the name of one on metrics', () => {
  expect(new Set(LOG_ALERTING.map(({ alert }) => alert)).size).toBe(LOG_ALERTS.length);
});

if (!LOKI) process.stderr.write('LOKI names no binary of Loki: alerts on logs are not tried on a real one.\n');
const describeWithLoki = LOKI ? describe : describe.skip;

describeWithLoki('a real Loki', () => {
  let folder: string;
  let loki: ChildProcess;
  let url: string;

  const freePort = (): Promise<number> =>
    new Promise((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        server.close(() => resolve(port));
      });
    });
  // biome-ignore lint/suspicious/noExplicitAny: Loki's own answers, read as they are.
  const rulesNow = async (): Promise<any> => ((await (await fetch(`${url}/prometheus/api/v1/rules`)).json()) as { data: unknown }).data;
  const until = async <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> => {
    for (let tries = 0; tries < 240; tries += 1) {
      const answer = await ask().catch(() => undefined);
      if (answer !== undefined) return answer;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new Error(`Loki: ${what} did not come within two minutes.`);
  };
  const push = async (lines: readonly { readonly labels: object; readonly line: string }[]) => {
    const streams = lines.map(({ labels, line }) => ({
      stream: labels,
      values: ['0', '1', '2'].map((digit) => [`${Date.now()}00000${digit}`, line]),
    }));
    const { status } = await fetch(`${url}/loki/api/v1/push`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ streams }),
    });
    expect(status).toBe(204);
  };
  /** Alerts that fire, after every rule has been evaluated at least once since the call. */
  const firing = async () => {
    const since = Date.now();
    return until('an evaluation of every rule', async () => {
      const data = await rulesNow();
      const rules = data.groups.flatMap((group: { rules: object[] }) => group.rules);
      const fresh =
        rules.length === LOG_ALERTS.length &&
        rules.every(({ lastEvaluation }: { lastEvaluation: string }) => Date.parse(lastEvaluation) > since);
      if (!fresh) return undefined;
      return rules.filter(({ state }: { state: string }) => state === 'firing').map(({ name }: { name: string }) => name);
    });
  };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'loki-'));
    mkdirSync(path.join(folder, 'rules/fake'), { recursive: true });
    // Every second instead of every minute.
    writeFileSync(path.join(folder, 'rules/fake/alerts.yaml'), LOG_RULES_FILE.replace('interval: 1m', 'interval: 1s'));
    const [http, grpc] = [await freePort(), await freePort()];
    url = `http://127.0.0.1:${http}`;
    const config = {
      auth_enabled: false,
      analytics: { reporting_enabled: false },
      server: {
        http_listen_address: '127.0.0.1',
        http_listen_port: http,
        grpc_listen_address: '127.0.0.1',
        grpc_listen_port: grpc,
        log_level: 'error',
      },
      common: {
        instance_addr: '127.0.0.1',
        path_prefix: folder,
        replication_factor: 1,
        ring: { kvstore: { store: 'inmemory' }, instance_addr: '127.0.0.1' },
        storage: { filesystem: { chunks_directory: path.join(folder, 'chunks'), rules_directory: path.join(folder, 'unused') } },
        compactor_grpc_address: `127.0.0.1:${grpc}`,
      },
      schema_config: {
        configs: [
          { from: '2025-01-01', store: 'tsdb', object_store: 'filesystem', schema: 'v13', index: { prefix: 'loki_index_', period: '24h' } },
        ],
      },
      ruler: {
        storage: { type: 'local', local: { directory: path.join(folder, 'rules') } },
        rule_path: path.join(folder, 'rules-temp'),
        ring: { kvstore: { store: 'inmemory' } },
        wal: { dir: path.join(folder, 'ruler-wal') },
        poll_interval: '1s',
        evaluation_interval: '1s',
      },
    };
    // JSON is YAML.
    writeFileSync(path.join(folder, 'loki.yaml'), JSON.stringify(config));
    loki = spawn(LOKI ?? '', [`-config.file=${path.join(folder, 'loki.yaml')}`], { stdio: ['ignore', 'ignore', 'inherit'] });
    await until('readiness', async () => ((await fetch(`${url}/ready`)).ok ? true : undefined));
    await until('rules', async () => {
      const data = await rulesNow();
      return data.groups.length > 0 ? true : undefined;
    });
  }, 150_000);

  afterAll(async () => {
    const ended = new Promise((resolve) => loki.once('exit', resolve));
    loki.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  });

  test('fires nothing for lines that are well', async () => {
    await push(LOG_ALERTS.map(({ example: { labels, quiet } }) => ({ labels, line: quiet })));
    expect(await firing()).toEqual([]);
  }, 150_000);

  const queries = dashboardsOf(resolveCluster(exampleHomelab)).flatMap(({ uid, rows, logs }) => [
    ...rows.flatMap(({ panels }) =>
      panels
        .filter(({ kind, source }) => kind === 'logs' || source === 'loki')
        .flatMap(({ title, targets }) => targets.map(({ expr }) => [`${uid}: ${title}`, expr] as const)),
    ),
    ...(logs ? [[`${uid}: its own logs`, `{${logs.selector}}`] as const] : []),
  ]);
  test.each(queries)('answers the query of %s', async (_, query) => {
    const filled = query
      .replaceAll('$__auto', '5m')
      .replaceAll('$words', '')
      .replace(/\$[a-z_]+/g, '.+');
    const answer = await fetch(`${url}/loki/api/v1/query_range?query=${encodeURIComponent(filled)}`);
    expect([answer.status, answer.ok ? '' : await answer.text()]).toEqual([200, '']);
  });

  test('fires every alert for the lines that it is about', async () => {
    await push(LOG_ALERTS.map(({ example: { labels, fires } }) => ({ labels, line: fires })));
    const names = LOG_ALERTS.map(({ name }) => name).sort();
    expect(
      await until('all alerts', async () => {
        const now = (await firing()).sort();
        return now.length === names.length ? now : undefined;
      }),
    ).toEqual(names);
  }, 150_000);
});
