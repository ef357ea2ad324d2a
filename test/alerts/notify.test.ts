/**
 * Whom Alertmanager tells what: routes and quiet hours as data, and what really arrives from a real Alertmanager (Debian: prometheus-alertmanager; skipped with a line where it is absent).
 * Debian's is older than the one that runs and knows no files for URLs: the test writes addresses of its own in their place.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { alertmanagerConfig, CAUSES, notifySecret } from '../../argocd/catalog/alertmanager';
import { type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import { exampleHomelab, exampleLocal } from '../examples';
import { ALERT_NAMES } from './emitted';

type Notify = NonNullable<NonNullable<ClusterDescription['monitoring']>['notify']>;
// biome-ignore lint/suspicious/noExplicitAny: Alertmanager's own form, read as it is.
type Config = any;

const clusterWith = (notify: Notify) => resolveCluster({ ...exampleHomelab, monitoring: { notify } });
const configWith = (notify: Notify): Config => alertmanagerConfig(clusterWith(notify));
const EMAIL = { to: ['you@homelab.io', 'me@homelab.io'], from: 'alerts@homelab.io', server: 'mail.homelab.io' };
const NIGHT = { from: '23:00', to: '08:00', timeZone: 'Europe/Berlin' };
const timesOf = (config: Config) => config.time_intervals[0].time_intervals.flatMap(({ times }: Config) => times);
const routeOf = (config: Config, severity: string) =>
  config.route.routes.find(({ matchers }: Config) => matchers[0] === `severity = "${severity}"`);
const people = (config: Config) => config.receivers.find(({ name }: Config) => name === 'people');

test('no address and no password is in the configuration', () => {
  expect(JSON.stringify(configWith({ email: EMAIL, deadMansSwitch: true }))).not.toMatch(/https?:|"(webhook_url|url|auth_password)"/);
});

test('everything that it reads as a file is a key of the Secret', () => {
  const cluster = clusterWith({ email: EMAIL, deadMansSwitch: true });
  const files = [...JSON.stringify(alertmanagerConfig(cluster)).matchAll(/"\/etc\/alertmanager\/secrets\/([^"]+)"/g)].map(
    ([, file]) => file,
  );
  const secret = notifySecret(cluster);
  expect([...new Set(files)].sort()).toEqual(
    Object.keys(secret?.keys ?? {})
      .map((key) => `${secret?.name}/${key}`)
      .sort(),
  );
});

test('a cluster that nobody described it for tells nobody, and needs no Secret', () => {
  const cluster = resolveCluster(exampleLocal);
  expect([(alertmanagerConfig(cluster) as Config).receivers, notifySecret(cluster)]).toEqual([[{ name: 'nobody' }], undefined]);
});

test('quiet hours over midnight are two ranges', () => {
  expect(timesOf(configWith({ quietHours: NIGHT }))).toEqual([
    { start_time: '23:00', end_time: '24:00' },
    { start_time: '00:00', end_time: '08:00' },
  ]);
});

test('quiet hours up to midnight are one range', () => {
  expect(timesOf(configWith({ quietHours: { ...NIGHT, to: '00:00' } }))).toEqual([{ start_time: '23:00', end_time: '24:00' }]);
});

test('quiet hours in the afternoon are one range', () => {
  expect(timesOf(configWith({ quietHours: { ...NIGHT, from: '13:00', to: '15:00' } }))).toEqual([
    { start_time: '13:00', end_time: '15:00' },
  ]);
});

test('warnings wait in quiet hours', () => {
  expect(routeOf(configWith({ quietHours: NIGHT }), 'warning').mute_time_intervals).toEqual(['quiet-hours']);
});

test('what is critical comes at any time', () => {
  expect(routeOf(configWith({ quietHours: NIGHT }), 'critical').mute_time_intervals).toBeUndefined();
});

test('mail needs STARTTLS on port 587', () => {
  expect(people(configWith({ email: EMAIL })).email_configs.map(({ smarthost, require_tls }: Config) => [smarthost, require_tls])).toEqual([
    ['mail.homelab.io:587', true],
    ['mail.homelab.io:587', true],
  ]);
});

test('mail on port 465 is TLS from the start, which needs no STARTTLS', () => {
  expect(people(configWith({ email: { ...EMAIL, port: 465 } })).email_configs[0].require_tls).toBe(false);
});

test('nobody sees the address of another one', () => {
  expect(people(configWith({ email: EMAIL })).email_configs.map(({ to }: Config) => to)).toEqual(EMAIL.to);
});

test('every cause and every effect is an alert that there is', () => {
  const unknown = CAUSES.flatMap(([cause, effects]) => [cause, ...effects]).filter(
    (pattern) => !ALERT_NAMES.some((name) => new RegExp(`^(?:${pattern})$`).test(name)),
  );
  expect(unknown).toEqual([]);
});

const ALERTMANAGER = process.env.ALERTMANAGER ?? 'prometheus-alertmanager';
const AMTOOL = process.env.AMTOOL ?? 'amtool';
const installed = [ALERTMANAGER, AMTOOL].every((program) => spawnSync(program, ['--version']).status === 0);
if (!installed)
  process.stderr.write(
    'alertmanager is not installed (Debian: prometheus-alertmanager): no notification is tried. ALERTMANAGER and AMTOOL may name it.\n',
  );
const describeWithAlertmanager = installed ? describe : describe.skip;

describeWithAlertmanager('a real Alertmanager', () => {
  let folder: string;
  let file: string;
  let hooks: Server;
  let alertmanager: ChildProcess;
  let url: string;
  const received: { readonly path: string; readonly body: string }[] = [];

  const listening = (handler: (request: IncomingMessage, answer: () => void) => void): Promise<Server> =>
    new Promise((resolve) => {
      const server = createServer((request, response) => handler(request, () => response.end())).listen(0, '127.0.0.1', () =>
        resolve(server),
      );
    });
  const portOf = (server: Server) => (server.address() as AddressInfo).port;
  const until = async <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> => {
    for (let tries = 0; tries < 150; tries += 1) {
      const answer = await ask().catch(() => undefined);
      if (answer !== undefined) return answer;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`${what} did not come within half a minute.`);
  };
  const fire = async (...alerts: readonly { readonly labels: Record<string, string>; readonly annotations?: Record<string, string> }[]) => {
    const { status } = await fetch(`${url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts),
    });
    expect(status).toBe(200);
  };
  const arrived = (where: string, words: string) =>
    until(`'${words}' at ${where}`, async () => received.find(({ path: at, body }) => at === where && body.includes(words))?.body);

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'alertmanager-'));
    hooks = await listening((request, answer) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        received.push({ path: request.url ?? '', body });
        answer();
      });
    });
    const hook = `http://127.0.0.1:${portOf(hooks)}`;
    const config = JSON.stringify(configWith({ deadMansSwitch: true, quietHours: NIGHT }))
      .replace(/"webhook_url_file":"[^"]+"/, `"webhook_url":"${hook}/discord"`)
      .replace(/"url_file":"[^"]+"/, `"url":"${hook}/alive"`)
      .replaceAll(/"group_wait":"[^"]+"/g, '"group_wait":"0s"');
    file = path.join(folder, 'alertmanager.yml');
    writeFileSync(file, config);
    const free = await listening((_, answer) => answer());
    const port = portOf(free);
    await new Promise((resolve) => free.close(resolve));
    url = `http://127.0.0.1:${port}`;
    alertmanager = spawn(
      ALERTMANAGER,
      [
        `--config.file=${file}`,
        `--storage.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await until('Alertmanager', async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined));
  }, 60_000);

  afterAll(async () => {
    const ended = new Promise((resolve) => alertmanager.once('exit', resolve));
    alertmanager.kill('SIGKILL');
    await ended;
    await new Promise((resolve) => hooks.close(resolve));
    rmSync(folder, { recursive: true });
  });

  test.each([
    [['alertname=WorldDown', 'severity=critical'], 'people'],
    [['alertname=WorldSlow', 'severity=warning'], 'people'],
    [['alertname=Watchdog', 'severity=none'], 'dead-mans-switch'],
    [['alertname=InfoInhibitor', 'severity=none'], 'nobody'],
    [['alertname=CPUThrottlingHigh', 'severity=info'], 'nobody'],
  ])('%j goes to %s', (labels, receiver) => {
    const { stdout } = spawnSync(AMTOOL, ['config', 'routes', 'test', `--config.file=${file}`, ...labels], { encoding: 'utf8' });
    expect(stdout.trim()).toBe(receiver);
  });

  test('tells Discord what a tired person needs: summary, meaning and page', async () => {
    await fire({
      labels: { alertname: 'WorldDown', severity: 'critical', namespace: 'realm-aurora' },
      annotations: { summary: 'World eldermoor is down.', description: 'Look at its pod.', runbook: 'docs/runbooks/WorldDown.md' },
    });
    const { embeds } = JSON.parse(await arrived('/discord', 'WorldDown'));
    expect([embeds[0].title, embeds[0].description.trim()]).toEqual([
      'Critical: WorldDown',
      '**World eldermoor is down.**\nLook at its pod.\ndocs/runbooks/WorldDown.md',
    ]);
  });

  test('gives the signs of life to the service outside', async () => {
    await fire({ labels: { alertname: 'Watchdog', severity: 'none' } });
    expect(JSON.parse(await arrived('/alive', 'Watchdog')).status).toBe('firing');
  });

  test('keeps quiet about what follows from a cause that is told', async () => {
    await fire({ labels: { alertname: 'PostgresDown', severity: 'critical', namespace: 'database' } });
    await arrived('/discord', 'PostgresDown');
    await fire({ labels: { alertname: 'LoginBudgetBurnsFast', severity: 'critical', namespace: 'connect-broker' } });
    const state = await until('the effect', async () => {
      const answer = await fetch(`${url}/api/v2/alerts?filter=alertname%3D%22LoginBudgetBurnsFast%22`);
      const alerts = (await answer.json()) as readonly { status: { state: string } }[];
      return alerts[0]?.status.state === 'unprocessed' ? undefined : alerts[0]?.status.state;
    });
    expect(state).toBe('suppressed');
  });
});
