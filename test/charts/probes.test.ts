/** Probes: what is asked, that the exporter reads its configuration, and that a real one judges answers as it should (Debian: prometheus-blackbox-exporter; skipped with a line where absent). */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { probes } from '../../charts/probes';
import { built, homelab, homelabWith, local } from './game-harness';

const example = built(probes, homelab);
const config = (of = example): string => of.get('ConfigMap', 'probes/blackbox-exporter').data['blackbox.yaml'];
// biome-ignore lint/suspicious/noExplicitAny: the exporter's own form.
const modules = (of = example): Record<string, any> => parse(config(of)).modules;
interface Endpoint {
  readonly params: { readonly module: readonly string[]; readonly target: readonly string[] };
  readonly relabelings: readonly { readonly targetLabel: string; readonly replacement: string }[];
}
const endpoints = (of = example): readonly Endpoint[] => of.get('ServiceMonitor', 'probes/blackbox-exporter').spec.endpoints;

test('the questions and of whom they are asked', () => {
  expect(endpoints().map(({ params }) => `${params.module[0]}: ${params.target[0]}`)).toEqual([
    'cluster-dns: kube-dns.kube-system.svc.cluster.local:53',
    'internet-dns: kube-dns.kube-system.svc.cluster.local:53',
    'home-dns: pihole.pihole.svc.cluster.local:53',
    'entry-point: https://traefik.traefik.svc.cluster.local/v1/realms',
  ]);
});

test('every question has a module of its name', () => {
  expect(
    endpoints()
      .map(({ params }) => params.module[0])
      .sort(),
  ).toEqual(Object.keys(modules()).sort());
});

test('series say which question they are of', () => {
  const said = endpoints().map(({ relabelings }) => relabelings.find(({ targetLabel }) => targetLabel === 'probe')?.replacement);
  expect(said).toEqual(endpoints().map(({ params }) => params.module[0]));
});

test('a cluster without Pi-hole does not ask it', () => {
  expect(Object.keys(modules(built(probes, local)))).not.toContain('home-dns');
});

test('a certificate of an authority of our own is not judged', () => {
  expect(modules(built(probes, local))['entry-point'].http.tls_config.insecure_skip_verify).toBe(true);
});

test("Let's Encrypt's certificate is judged", () => {
  expect(modules()['entry-point'].http.tls_config).toEqual({ server_name: 'mmo.homelab.io' });
});

test.each([
  ['https://github.com/you/mmo-backend.git', 'github.com'],
  ['ssh://git@git.homelab.io:2222/you/mmo.git', 'git.homelab.io'],
  ['git@git.homelab.io:you/mmo.git', 'git.homelab.io'],
  ['https://192.168.1.9/you/mmo.git', 'acme-v02.api.letsencrypt.org'],
  ['https://git.local-git.svc.cluster.local/mmo.git', 'acme-v02.api.letsencrypt.org'],
])('of the repository %s the name %s is asked', (repository, host) => {
  const of = built(probes, homelabWith({ git: { repository, revision: 'main' } }));
  expect(modules(of)['internet-dns'].dns.query_name).toBe(host);
});

test('a Git server in the LAN is not asked for on the Internet', () => {
  const of = built(
    probes,
    homelabWith({ git: { repository: 'https://git.homelab.io/you/mmo.git', revision: 'main', address: '192.168.1.9' } }),
  );
  expect(modules(of)['internet-dns'].dns.query_name).toBe('acme-v02.api.letsencrypt.org');
});

const BLACKBOX = process.env.BLACKBOX ?? 'prometheus-blackbox-exporter';
const installed = spawnSync(BLACKBOX, ['--version']).status === 0;
if (!installed)
  process.stderr.write(
    'the blackbox exporter is not installed (Debian: prometheus-blackbox-exporter): no probe is tried. BLACKBOX may name it.\n',
  );
const describeWithBlackbox = installed ? describe : describe.skip;

describeWithBlackbox('a real blackbox exporter', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'blackbox-'));
  const file = path.join(folder, 'blackbox.yaml');
  const server = createSocket('udp4');
  let rcode = 0;
  let answered = true;
  let url: string;
  let exporter: ReturnType<typeof spawn>;

  beforeAll(async () => {
    writeFileSync(file, config());
    // Answers every question with one address, or with nothing.
    server.on('message', (question, { port, address }) => {
      const header = Buffer.from(question.subarray(0, 12));
      header.writeUInt16BE(0x8180 | rcode, 2);
      header.writeUInt16BE(answered ? 1 : 0, 6);
      header.writeUInt32BE(0, 8);
      const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
      // Header and question (a name, a type, a class); what the client adds behind it is left out.
      const end = question.indexOf(0, 12) + 5;
      server.send(Buffer.concat([header, question.subarray(12, end), ...(answered ? [record] : [])]), port, address);
    });
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    const free = createSocket('udp4');
    await new Promise<void>((resolve) => free.bind(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise<void>((resolve) => free.close(() => resolve()));
    url = `http://127.0.0.1:${port}`;
    exporter = spawn(BLACKBOX, [`--config.file=${file}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'], {
      stdio: 'ignore',
    });
    for (let tries = 0; ; tries += 1) {
      const ready = await fetch(`${url}/-/healthy`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ready) break;
      if (tries === 100) throw new Error('The blackbox exporter did not start within ten seconds.');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }, 30_000);

  afterAll(async () => {
    const ended = new Promise((resolve) => exporter.once('exit', resolve));
    exporter.kill('SIGKILL');
    await ended;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    rmSync(folder, { recursive: true });
  });

  const success = async () => {
    const target = `127.0.0.1:${server.address().port}`;
    const text = await (await fetch(`${url}/probe?module=home-dns&target=${target}`)).text();
    return /^probe_success ([01])$/m.exec(text)?.[1];
  };

  test.each([
    ['homelab', homelab],
    ['local', local],
  ])('takes the configuration of %s', (name, description) => {
    const own = path.join(folder, `${name}.yaml`);
    writeFileSync(own, config(built(probes, description)));
    const { status, stderr } = spawnSync(BLACKBOX, [`--config.file=${own}`, '--config.check'], { encoding: 'utf8' });
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
  });

  test('is content with an address', async () => {
    answered = true;
    rcode = 0;
    expect(await success()).toBe('1');
  });

  test('is not content with a server that has no answer', async () => {
    answered = false;
    rcode = 0;
    expect(await success()).toBe('0');
  });

  test('is not content with a server that fails', async () => {
    answered = false;
    rcode = 2;
    expect(await success()).toBe('0');
  });
});
