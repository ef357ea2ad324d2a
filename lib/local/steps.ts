/**
 * The way from nothing to the broker's page on a laptop, step by step: a kind cluster, the working tree's dist/ in a Git inside of it, Argo CD, a player.
 * Each step can be printed and repeated. It deliberately installs no program, and of the working tree it writes `.local/` alone.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ARGOCD_NAMESPACE, ROOT } from '../../argocd/root';
import { imageReference } from '../../versions';
import type { BuiltCluster } from '../build';
import { buildCluster } from '../build';
import type { ClusterDescription } from '../model/cluster';
import { resolveCluster } from '../model/cluster';
import { privateKeyFile } from '../secrets/keys';
import { memoryStore } from '../secrets/store';
import { terraformVariables } from '../terraform/variables';
import { GIT_NAMESPACE, GIT_URL, gitServer, receiveArguments } from './git-server';
import { bundle, commitForThisMachine, type LocalHome, localHome, onThisMachine, sealForThisMachine } from './home';
import { fitsKind, kindConfig } from './kind-config';
import { type Player, PlayersPage, type Upstream } from './page';
import { CommandError, type Run } from './runner';

export interface LocalOptions {
  /** The project's root. */
  readonly root: string;
  readonly description: ClusterDescription;
  /** An image of the game that Docker has; without one, worlds and instances wait for theirs for ever. @default none */
  readonly gameImage?: string;
  /** Port of the page on this machine; 0 takes a free one. @default 8090 */
  readonly pagePort?: number;
  /** Minutes to wait for Argo CD, and then for the broker: images come over a home's line. @default 30 */
  readonly waitMinutes?: number;
  readonly run: Run;
  readonly say: (line: string) => void;
  /** Bits of the sealing key. @default 4096 */
  readonly keyBits?: number;
  /** Other places than upstream's for the charts, by release: for a machine without them. @default none */
  readonly chartRepositories?: Readonly<Record<string, string>>;
  /** Where the broker answers. @default the node's port 443 on this machine */
  readonly upstream?: (built: BuiltCluster) => Promise<Upstream>;
}

export interface Step {
  readonly title: string;
  /** What is run, as somebody would type it. */
  readonly shows: readonly string[];
  readonly run: () => Promise<void>;
}

/** A laptop's cluster that cannot be made from this description, or a machine that lacks something. */
export class LocalError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LocalError';
  }
}

const TOOLS: readonly (readonly [program: string, args: readonly string[], what: string])[] = [
  ['docker', ['info', '--format', '{{.ServerVersion}}'], 'Docker must run: the cluster is a container (docs.docker.com/get-docker)'],
  ['kind', ['version'], 'kind 0.24 or newer makes the cluster (kind.sigs.k8s.io)'],
  ['kubectl', ['version', '--client'], 'kubectl talks to it (kubernetes.io/docs/tasks/tools)'],
  ['helm', ['version', '--short'], 'Helm renders the charts of Argo CD and Sealed Secrets (helm.sh/docs/intro/install)'],
  ['git', ['--version'], 'Git makes the repository that Argo CD reads'],
];
/** Before this version kind's network plugin enforced no policies. */
const LEAST_KIND = [0, 24] as const;
const SCRIPTS = 'terraform/modules/bootstrap/scripts';
const BROKER = 'connect-broker';

/** What later steps know of earlier ones. */
interface State {
  description?: ClusterDescription;
  built?: BuiltCluster;
}

export interface LocalRun {
  readonly steps: readonly Step[];
  /** The page with its player, once the last step is done. */
  readonly page: () => { readonly url: string; readonly player: Player; readonly close: () => Promise<void> };
}

/** @throws LocalError when kind cannot make the described cluster; DescriptionError when the description has mistakes */
export function localRun(options: LocalOptions): LocalRun {
  const { root, description, run, say, waitMinutes = 30 } = options;
  const { name } = description;
  // Without its secrets, which are made later: enough for names and ports.
  const planned = buildCluster(resolveCluster(description), { store: memoryStore('everything') });
  if (!fitsKind(planned.cluster)) {
    throw new LocalError(
      `kind cannot make the cluster '${name}': it needs one node called '${name}-control-plane' and kubernetes.loadBalancer: 'none' (apps/local.ts is an example).`,
    );
  }
  const home = localHome(path.join(root, '.local'));
  const kubeconfig = path.join(home.folder, 'kubeconfig');
  const kindFile = path.join(home.folder, 'kind.json');
  const node = planned.cluster.nodes[0]?.name ?? '';
  const broker = imageReference(BROKER);
  const state: State = {};
  let opened: { url: string; player: Player; close: () => Promise<void> } | undefined;

  const kubectl = (args: readonly string[], input?: string | Buffer): Promise<string> =>
    run({ program: 'kubectl', args: ['--kubeconfig', kubeconfig, ...args], ...(input === undefined ? {} : { input }) });
  const apply = (objects: string): Promise<string> =>
    kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=argocd-controller', '-f', '-'], objects);
  const short = (args: readonly string[]): string => ['kubectl', ...args].join(' ');
  const known = (): { description: ClusterDescription; built: BuiltCluster } => {
    if (!state.description || !state.built) throw new Error('This step needs those before it.');
    return { description: state.description, built: state.built };
  };
  const committed = (file: string): string => readFileSync(path.join(home.repository, file), 'utf8');
  const script = (file: string, env: Readonly<Record<string, string>>): Promise<string> =>
    run({
      program: 'bash',
      args: [path.join(root, SCRIPTS, file)],
      env: { KUBECONFIG: kubeconfig, KUBE_CONTEXT: '', FIELD_MANAGER: 'argocd-controller', ...env },
    });

  const steps: Step[] = [
    {
      title: 'The programs that it needs',
      shows: TOOLS.map(([program, args]) => [program, ...args].join(' ')),
      run: () => checkTools(run),
    },
    {
      title: `A cluster in Docker: ${name}`,
      shows: [`kind create cluster --name ${name} --config .local/kind.json --kubeconfig .local/kubeconfig --wait 5m`],
      run: async () => {
        mkdirSync(home.folder, { recursive: true, mode: 0o700 });
        writeFileSync(kindFile, `${JSON.stringify(kindConfig(planned), null, 2)}\n`);
        const there = (await run({ program: 'kind', args: ['get', 'clusters'] })).split('\n');
        if (there.includes(name))
          await run({ program: 'kind', args: ['export', 'kubeconfig', '--name', name, '--kubeconfig', kubeconfig] });
        else {
          const args = ['create', 'cluster', '--name', name, '--config', kindFile, '--kubeconfig', kubeconfig, '--wait', '5m'];
          await run({ program: 'kind', args, loud: true });
        }
      },
    },
    {
      title: "The broker's image, built here because none is published yet, and the game's where one is given",
      shows: [
        `docker build --file services/connect-broker/Dockerfile --tag ${broker} .`,
        `kind load docker-image ${broker} --name ${name}`,
        ...(options.gameImage === undefined
          ? []
          : [
              `docker tag ${options.gameImage} ${description.game.image}`,
              `kind load docker-image ${description.game.image} --name ${name}`,
            ]),
      ],
      run: async () => {
        const images = [broker];
        await run({
          program: 'docker',
          args: ['build', '--file', path.join(root, 'services/connect-broker/Dockerfile'), '--tag', broker, root],
          loud: true,
        });
        if (options.gameImage !== undefined) {
          await run({ program: 'docker', args: ['tag', options.gameImage, description.game.image] });
          images.push(description.game.image);
        }
        for (const image of images) await run({ program: 'kind', args: ['load', 'docker-image', image, '--name', name] });
      },
    },
    {
      title: 'A sealing key, passwords, and dist/ of the working tree for this machine, in .local/',
      shows: [
        short(['get', 'node', node, '-o', 'jsonpath={.status.addresses}']),
        `# apps/${name}.ts with the node's address and git.repository ${GIT_URL} → .local/repository (a Git repository of its own)`,
      ],
      run: async () => {
        const address = await addressOf(kubectl, node);
        const here = onThisMachine(description, address);
        for (const line of (await sealForThisMachine(home, here, options.keyBits)).slice(-1)) say(`  ${line}`);
        const { built, commit } = commitForThisMachine(home, here);
        state.description = here;
        state.built = built;
        say(`  ${node} is at ${address}; .local/repository is at ${commit.slice(0, 12)}.`);
      },
    },
    {
      title: 'Namespaces, the sealing key, Sealed Secrets and Argo CD, by the scripts that Terraform runs',
      shows: ['check-cluster', 'sealing-key', 'install-chart', 'install-chart'].map((file) => `bash ${SCRIPTS}/${file}.sh`),
      run: async () => {
        const { built } = known();
        for (const line of await bootstrap(built)) say(`  ${line}`);
      },
    },
    {
      title: 'A Git server in the cluster, with that repository',
      shows: [
        short(['apply', '--server-side', '-f', '-']),
        `git -C .local/repository bundle create - main | kubectl ${receiveArguments.slice(0, 5).join(' ')} -- sh -c …`,
      ],
      run: async () => {
        // Argo CD's own image: it is on the node, and it has git.
        const image = await kubectl([
          '-n',
          ARGOCD_NAMESPACE,
          'get',
          'deployment',
          'argocd-repo-server',
          '-o',
          'jsonpath={.spec.template.spec.containers[0].image}',
        ]);
        await apply(
          gitServer(image.trim())
            .map((object) => JSON.stringify(object))
            .join('\n---\n'),
        );
        await kubectl(['-n', GIT_NAMESPACE, 'rollout', 'status', 'deployment/git', `--timeout=${waitMinutes}m`]);
        const commit = await kubectl(receiveArguments, bundle(home));
        say(`  ${GIT_URL} is at ${commit.trim().slice(0, 12)}.`);
      },
    },
    {
      title: 'The root Application: from here on Argo CD does the rest',
      shows: [
        short(['apply', '--server-side', '-f', `dist/${name}/${ROOT}/…/AppProject.root.yaml`, '-f', '…/Application.root.yaml']),
        short(['-n', ARGOCD_NAMESPACE, 'annotate', 'applications', '--all', 'argocd.argoproj.io/refresh=normal']),
      ],
      run: async () => {
        const folder = `dist/${name}/${ROOT}/${ARGOCD_NAMESPACE}`;
        await apply([`${folder}/AppProject.${ROOT}.yaml`, `${folder}/Application.${ROOT}.yaml`].map(committed).join('\n---\n'));
        await kubectl(['-n', ARGOCD_NAMESPACE, 'annotate', 'applications', '--all', '--overwrite', 'argocd.argoproj.io/refresh=normal']);
      },
    },
    {
      title: 'Waiting until the connect broker runs',
      shows: [short(['-n', ARGOCD_NAMESPACE, 'get', 'applications', '--watch'])],
      run: () => untilHealthy(kubectl, BROKER, waitMinutes, say),
    },
    {
      title: 'A player, logged in, and the page',
      shows: [`curl https://${planned.cluster.hosts.broker}/v1/accounts …`, `open http://localhost:${options.pagePort ?? 8090}`],
      run: async () => {
        const { built } = known();
        const page = new PlayersPage(await (options.upstream ?? ((each) => ingress(each, kubectl)))(built));
        const player = playerOf(home);
        const how = await page.logIn(player);
        say(`  The player ${await page.account()} is ${how}.`);
        opened = { url: await page.serve(options.pagePort ?? 8090), player, close: () => page.close() };
      },
    },
  ];

  async function bootstrap(built: BuiltCluster): Promise<string[]> {
    const variables = JSON.parse(terraformVariables(built, { secretsDirectory: home.secrets }));
    const { cluster, charts, sealing, manifests } = variables;
    const said = [
      await script('check-cluster.sh', {
        CLUSTER: cluster.name,
        NODES: cluster.nodes.join('\n'),
        API_SERVER: cluster.api_server.addresses.map((address: string) => `${address}:${cluster.api_server.port}`).join('\n'),
      }),
    ];
    await apply(Object.values<string>(manifests.namespaces).map(committed).join('\n---\n'));
    said.push(
      await script('sealing-key.sh', {
        NAMESPACE: charts.sealed_secrets.namespace,
        CONTROLLER: charts.sealed_secrets.values.fullnameOverride,
        SECRET: `sealing-key-${sealing.key_fingerprint.slice(7, 19)}`,
        CERTIFICATE: path.join(home.folder, sealing.certificate),
        KEY: privateKeyFile(home.folder, name),
      }),
    );
    for (const chart of [charts.sealed_secrets, charts.argo_cd]) {
      said.push(
        await script('install-chart.sh', {
          RELEASE: chart.release,
          NAMESPACE: chart.namespace,
          REPOSITORY: options.chartRepositories?.[chart.release] ?? chart.repository,
          CHART: chart.chart,
          VERSION: chart.version,
          VALUES: JSON.stringify(chart.values),
          OFF: chart.off_at_first.join('\n'),
          ARGOCD: ARGOCD_NAMESPACE,
          WAIT_SECONDS: String(waitMinutes * 60),
        }),
      );
    }
    return said.flatMap((text) => text.trim().split('\n'));
  }

  return {
    steps,
    page: () => {
      if (!opened) throw new Error('The page opens with the last step.');
      return opened;
    },
  };
}

type Kubectl = (args: readonly string[]) => Promise<string>;

/** Everything that is missing at once. */
async function checkTools(run: Run): Promise<void> {
  const problems: string[] = [];
  for (const [program, args, what] of TOOLS) {
    try {
      const said = await run({ program, args });
      const [, major, minor] = program === 'kind' ? (/v(\d+)\.(\d+)/.exec(said) ?? []) : [];
      if (major !== undefined && Number(major) * 1000 + Number(minor) < LEAST_KIND[0] * 1000 + LEAST_KIND[1])
        problems.push(`kind is ${said.trim()}: 0.24 is the first that enforces network policies.`);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      problems.push(`${program}: ${what}. ${error.message.split('\n')[0]}`);
    }
  }
  if (problems.length > 0) throw new LocalError(['This machine lacks:', ...problems.map((problem) => `  - ${problem}`)].join('\n'));
}

async function addressOf(kubectl: Kubectl, node: string): Promise<string> {
  const address = await kubectl(['get', 'node', node, '-o', 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}']);
  const [ipv4] = address.split(/\s+/).filter((each) => /^\d+\.\d+\.\d+\.\d+$/.test(each));
  if (ipv4 === undefined)
    throw new LocalError(`The node ${node} has no IPv4 address (kubectl says '${address}'); give Docker's network kind one.`);
  return ipv4;
}

const POLL_MS = 3000;

async function untilHealthy(kubectl: Kubectl, application: string, minutes: number, say: (line: string) => void): Promise<void> {
  const deadline = Date.now() + minutes * 60_000;
  let before = '';
  for (;;) {
    const lines = (
      await kubectl([
        '-n',
        ARGOCD_NAMESPACE,
        'get',
        'applications',
        '-o',
        'jsonpath={range .items[*]}{.metadata.name} {.status.sync.status} {.status.health.status}{"\\n"}{end}',
      ])
    )
      .trim()
      .split('\n');
    if (lines.includes(`${application} Synced Healthy`)) return;
    const waiting = lines.filter((line) => !line.endsWith(' Synced Healthy'));
    const now = `  ${lines.length - waiting.length} of ${lines.length} Applications are healthy; next: ${waiting.slice(0, 3).join(', ')}`;
    if (now !== before) say(now);
    before = now;
    if (Date.now() > deadline) {
      throw new LocalError(
        `The Application ${application} is not healthy after ${minutes} minutes. What it waits for: kubectl --kubeconfig .local/kubeconfig -n ${ARGOCD_NAMESPACE} get applications`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The ingress on this machine's port 443, with the cluster's own authority. */
async function ingress({ cluster }: BuiltCluster, kubectl: Kubectl): Promise<Upstream> {
  const encoded = await kubectl(['-n', 'cert-manager', 'get', 'secret', cluster.publicIssuer, '-o', 'jsonpath={.data.tls\\.crt}']);
  return {
    publicUrl: `https://${cluster.hosts.broker}`,
    host: '127.0.0.1',
    port: 443,
    ca: Buffer.from(encoded.trim(), 'base64').toString('utf8'),
  };
}

/** The same player in every run; the password exists on this machine alone. */
function playerOf(home: LocalHome): Player {
  const file = path.join(home.folder, 'player.json');
  if (!existsSync(file)) {
    const player: Player = { name: 'local-player', password: randomBytes(18).toString('base64url') };
    writeFileSync(file, `${JSON.stringify(player)}\n`, { mode: 0o600, flag: 'wx' });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Player;
}
