/**
 * npm run local on a real API server: every step but Docker's own, in order, twice. kind, docker and `kubectl exec` are stood in for by scripts (there are no containers here), the
 * charts come from loopback, the operators' status from the test, and the broker is the laptop's. A real Argo CD reads what the Git server serves.
 */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import type { PlainObject } from '../../lib/emit/manifest';
import { daemonArguments, GIT_NAMESPACE, GIT_URL } from '../../lib/local/git-server';
import { type Command, run } from '../../lib/local/runner';
import { type LocalRun, localRun } from '../../lib/local/steps';
import { exampleLocal } from '../examples';
import { type ChartRepository, serveCharts } from '../terraform/charts';
import { answers, helm } from '../terraform/tools';
import { ARGOCD, ArgoCd, missingForArgoCd } from './argo-cd';
import { findBinaries } from './binaries';
import { Client } from './client';
import type { ControlPlane } from './control-plane';
import { kubeconfigText } from './control-plane';
import { withDefinitions } from './definitions';
import { eventually } from './judge';
import { needsOf, startPlane } from './planes';
import { freePorts, Processes } from './processes';

const [binaries] = findBinaries();
const missing =
  (binaries?.kubectl && binaries.controllers ? undefined : 'KUBEBUILDER_ASSETS has no kubectl or no controllers') ??
  (answers(helm(), ['version']) ? undefined : 'helm is not installed (test/terraform/build-tools.sh builds it)');
const LONG = 240_000;

if (missing) test.skip(`npm run local is not tried: ${missing}`, () => undefined);
else describe('npm run local', judge);

function judge(): void {
  const root = mkdtempSync(join(tmpdir(), 'local-'));
  const servers = new Processes('local');
  const served = join(root, 'served');
  const said: string[] = [];
  const commands: Command[] = [];
  let plane: ControlPlane;
  let client: Client;
  let charts: ChartRepository;
  let brokerPort: number;
  let gitPort: number;
  let first: LocalRun;
  const node = exampleLocal.nodes[0]?.name ?? '';

  const environment = (): Record<string, string> => ({
    PATH: [join(root, 'bin'), dirname(helm()), process.env.PATH].join(delimiter),
    KIND_FOLDER: join(root, 'kind'),
    GIT_FOLDER: served,
    REAL_KUBECTL: binaries?.kubectl ?? '',
    HELM_CACHE_HOME: join(root, 'helm', 'cache'),
    HELM_CONFIG_HOME: join(root, 'helm', 'config'),
    HELM_DATA_HOME: join(root, 'helm', 'data'),
  });
  const start = (): LocalRun =>
    localRun({
      root,
      description: exampleLocal,
      gameImage: 'my-game:dev',
      pagePort: 0,
      waitMinutes: 2,
      keyBits: 2048,
      say: (line) => said.push(line),
      run: (command) => {
        commands.push(command);
        // A program is looked for in the PATH of the process, not in the one that it is given.
        return run({ ...command, program: 'env', args: [command.program, ...command.args], env: { ...environment(), ...command.env } });
      },
      chartRepositories: { 'argo-cd': charts.url, 'sealed-secrets': charts.url },
      upstream: async () => ({ publicUrl: `http://localhost:${brokerPort}`, host: '127.0.0.1', port: brokerPort }),
    });
  const step = (title: RegExp, of: LocalRun = first): Promise<void> => {
    const found = of.steps.find((each) => title.test(each.title));
    if (!found) throw new Error(`There is no step ${title}.`);
    return found.run();
  };
  const get = (path: string): Promise<PlainObject> => client.get(path);

  beforeAll(async () => {
    if (binaries === undefined) throw new Error('There are no binaries.');
    const [, git = 0] = await freePorts(2);
    gitPort = git;
    for (const name of ['bin', 'kind', 'served']) mkdirSync(join(root, name));
    for (const name of ['terraform', 'services']) symlinkSync(resolve(name), join(root, name));
    for (const [name, text] of Object.entries(STAND_INS)) {
      writeFileSync(join(root, 'bin', name), text);
      chmodSync(join(root, 'bin', name), 0o755);
    }
    await withDefinitions(async (definitions) => {
      charts = await serveCharts(definitions, root);
      plane = (
        await startPlane(
          binaries,
          'local',
          needsOf([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { nodeSelector: { 'kubernetes.io/hostname': node } } }]),
          definitions,
        )
      ).plane;
    });
    client = new Client(plane.address);
    await client.discover();
    // As kind's node has it; the controllers write another.
    await client.request(
      'PATCH',
      `/api/v1/nodes/${node}/status`,
      {
        status: {
          addresses: [
            { type: 'InternalIP', address: '172.19.0.7' },
            { type: 'Hostname', address: node },
          ],
        },
      },
      'application/merge-patch+json',
    );
    writeFileSync(join(root, 'kind', 'kubeconfig'), kubeconfigText(plane.address), { mode: 0o600 });
    servers.start({ name: 'git', command: 'git', args: daemonArguments(served, gitPort, '127.0.0.1') });
    brokerPort = await startBroker(servers);
    first = start();
  }, LONG);
  afterAll(async () => {
    await charts?.close();
    client?.close();
    await servers.stop();
    await plane?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  test('finds the programs that it needs', async () => {
    await step(/programs/);
  });

  test(
    'has kind make the cluster with the ports of the description, and a kubeconfig of its own',
    async () => {
      await step(/cluster in Docker/);
      expect(parse(readFileSync(join(root, 'kind', 'config'), 'utf8')).name).toBe('local');
      expect(existsSync(join(root, '.local', 'kubeconfig'))).toBe(true);
    },
    LONG,
  );

  test("builds the broker's image and brings it and the game's to the node", async () => {
    await step(/image/);
    expect(
      readFileSync(join(root, 'kind', 'calls'), 'utf8')
        .split('\n')
        .filter((line) => /^(?:docker (?:build|tag)|kind load)/.test(line)),
    ).toEqual([
      expect.stringMatching(/^docker build .*--tag ghcr\.io\/mmo-backend\/connect-broker:0\.1\.0 /),
      `docker tag my-game:dev ${exampleLocal.game.image}`,
      'kind load docker-image ghcr.io/mmo-backend/connect-broker:0.1.0 --name local',
      `kind load docker-image ${exampleLocal.game.image} --name local`,
    ]);
  });

  test("synthesizes the working tree with the node's real address", async () => {
    await step(/working tree/);
    expect(readFileSync(join(root, '.local/repository/dist/local/namespaces/argocd/NetworkPolicy.argocd-server.yaml'), 'utf8')).toContain(
      '172.19.0.7/32',
    );
  });

  test(
    'brings namespaces, the sealing key, Sealed Secrets and Argo CD',
    async () => {
      await step(/Argo CD, by the scripts/);
      const secrets = await client.list(
        '/api/v1/namespaces/sealed-secrets/secrets?labelSelector=sealedsecrets.bitnami.com/sealed-secrets-key=active',
      );
      expect(secrets.map(({ data }) => Buffer.from(data['tls.key'], 'base64').toString())).toEqual([
        readFileSync(join(root, '.local/.keys/local.key'), 'utf8'),
      ]);
      expect((await get(`/apis/apps/v1/namespaces/${ARGOCD}/deployments/argocd-repo-server`)).metadata.name).toBe('argocd-repo-server');
    },
    LONG,
  );

  test(
    "starts the Git server with Argo CD's image, behind Pod Security, and pushes the repository into it",
    async () => {
      await step(/Git server/);
      const pods = await eventually(
        () => client.list(`/api/v1/namespaces/${GIT_NAMESPACE}/pods`),
        (found) => found.length === 1,
      );
      expect(pods.map(({ spec }) => spec.containers[0].image)).toEqual(['registry.invalid/stand-in:1']);
      const { stdout } = await promisify(execFile)('git', ['ls-remote', urlHere(), 'refs/heads/main']);
      expect(said.join('\n')).toContain(stdout.slice(0, 12));
    },
    LONG,
  );

  test('applies the root, whose source is that Git server', async () => {
    await step(/root Application/);
    const { spec } = await get(`/apis/argoproj.io/v1alpha1/namespaces/${ARGOCD}/applications/root`);
    expect(spec.source.repoURL).toBe(GIT_URL);
  });

  test('waits until the broker is healthy, and says what it waits for', async () => {
    const path = `/apis/argoproj.io/v1alpha1/namespaces/${ARGOCD}/applications`;
    const application = parse(readFileSync(join(root, '.local/repository/dist/local/root/argocd/Application.connect-broker.yaml'), 'utf8'));
    await client.request('POST', path, { ...application, status: { sync: { status: 'OutOfSync' }, health: { status: 'Missing' } } });
    const waiting = step(/Waiting/);
    await eventually(
      async () => said.join('\n'),
      (text) => text.includes('next: connect-broker OutOfSync Missing'),
    );
    await client.request(
      'PATCH',
      `${path}/connect-broker`,
      { status: { sync: { status: 'Synced' }, health: { status: 'Healthy' } } },
      'application/merge-patch+json',
    );
    await waiting;
    expect(said.join('\n')).toContain('next: connect-broker OutOfSync Missing');
  });

  test(
    'ends at the page with a player who is logged in',
    async () => {
      await step(/player/);
      const { url, player, close } = first.page();
      try {
        const account = (await (await fetch(`${url}/v1/account`)).json()) as { name: string };
        expect(account.name).toBe(player.name);
      } finally {
        await close();
      }
    },
    LONG,
  );

  test('gives no program a secret as an argument', () => {
    const key = readFileSync(join(root, '.local/.keys/local.key'), 'utf8').split('\n')[1] ?? '';
    const { password } = JSON.parse(readFileSync(join(root, '.local/player.json'), 'utf8'));
    const text = JSON.stringify(commands.map(({ program, args, env }) => ({ program, args, env })));
    expect([key.length > 40, text.includes(key), text.includes(password)]).toEqual([true, false, false]);
  });

  test(
    'a second run goes through, makes no second cluster and pushes what changed',
    async () => {
      const again = start();
      for (const each of again.steps) await each.run();
      await again.page().close();
      const calls = readFileSync(join(root, 'kind', 'calls'), 'utf8').split('\n');
      expect(calls.filter((line) => line.startsWith('kind create'))).toHaveLength(1);
      expect(said.at(-1)).toContain('is logged in');
    },
    LONG,
  );

  const withoutArgo = missingForArgoCd(binaries?.kubectl);
  if (withoutArgo) test.skip(`Argo CD does not read the Git server: ${withoutArgo}`, () => undefined);
  else
    test(
      'a real Argo CD syncs from the Git server, by its protocol',
      async () => {
        const argo = new ArgoCd(plane.address);
        try {
          await argo.start(parse(readFileSync(join(root, '.local/repository/dist/local/root/argocd/Application.argo-cd.yaml'), 'utf8')));
          const applications = `/apis/argoproj.io/v1alpha1/namespaces/${ARGOCD}/applications`;
          const destination = { server: 'https://kubernetes.default.svc', namespace: 'default' };
          await client.apply({
            apiVersion: 'argoproj.io/v1alpha1',
            kind: 'AppProject',
            metadata: { name: 'probe', namespace: ARGOCD },
            spec: {
              sourceRepos: [urlHere()],
              destinations: [{ server: '*', namespace: '*' }],
              clusterResourceWhitelist: [{ group: '*', kind: '*' }],
            },
          });
          await client.apply({
            apiVersion: 'argoproj.io/v1alpha1',
            kind: 'Application',
            metadata: { name: 'probe', namespace: ARGOCD },
            spec: {
              project: 'probe',
              destination,
              source: { repoURL: urlHere(), targetRevision: 'main', path: 'dist/local/namespaces/_cluster' },
              syncPolicy: { automated: {}, syncOptions: ['ServerSideApply=true'] },
            },
          });
          const status = await eventually(
            async () => (await get(`${applications}/probe`)).status?.sync?.status,
            (found) => found === 'Synced',
            120,
          );
          expect({ status, log: status === 'Synced' ? '' : argo.log() }).toEqual({ status: 'Synced', log: '' });
          expect((await get('/api/v1/namespaces/connect-broker')).metadata.name).toBe('connect-broker');
        } finally {
          await argo.stop();
        }
      },
      LONG,
    );

  /** The Git server's address, as this machine reaches the one that stands in for the pod. */
  function urlHere(): string {
    return `git://127.0.0.1:${gitPort}${new URL(GIT_URL).pathname}`;
  }
}

/** The laptop's broker in place of the cluster's. @returns its port */
async function startBroker(servers: Processes): Promise<number> {
  for (;;) {
    const [port = 0] = await freePorts(1);
    if (port > 65_000) continue;
    const name = `broker-${port}`;
    servers.start({
      name,
      command: process.execPath,
      args: [
        '--import',
        'tsx',
        '--conditions=source',
        'services/connect-broker/src/main.ts',
        'laptop',
        '--port',
        String(port),
        '--home',
        join(servers.folder, name),
      ],
      cwd: process.cwd(),
    });
    const answers = await servers
      .until(name, async () => {
        await fetch(`http://localhost:${port}/v1/realms`);
        return true;
      })
      .catch(() => false);
    if (answers) return port;
  }
}

/** Programs that need Docker: they note what they are asked, and answer as far as somebody waits for it. */
const STAND_INS: Readonly<Record<string, string>> = {
  docker: `#!/usr/bin/env bash
echo "docker $*" >>"$KIND_FOLDER/calls"
[ "$1" != info ] || echo 28.0.0
`,
  kind: `#!/usr/bin/env bash
set -euo pipefail
echo "kind $*" >>"$KIND_FOLDER/calls"
after() { while [ $# -gt 0 ]; do if [ "$1" = "$WANTED" ]; then echo "$2"; fi; shift; done; }
case "$1 \${2:-}" in
  version*) echo 'kind v0.27.0 go1.23.6 linux/amd64' ;;
  'get clusters') cat "$KIND_FOLDER/clusters" 2>/dev/null || true ;;
  'create cluster')
    cp "$(WANTED=--config after "$@")" "$KIND_FOLDER/config"
    cp "$KIND_FOLDER/kubeconfig" "$(WANTED=--kubeconfig after "$@")"
    echo local >"$KIND_FOLDER/clusters" ;;
  'export kubeconfig') cp "$KIND_FOLDER/kubeconfig" "$(WANTED=--kubeconfig after "$@")" ;;
esac
`,
  // There is no container to run a program in: it runs here, in the folder that the Git server serves.
  kubectl: `#!/usr/bin/env bash
for argument in "$@"; do
  if [ "$argument" = exec ]; then
    program=\${!#}
    exec sh -c "\${program//\\/git/$GIT_FOLDER}"
  fi
done
exec "$REAL_KUBECTL" "$@"
`,
};
