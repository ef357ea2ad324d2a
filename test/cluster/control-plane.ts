/**
 * A Kubernetes control plane on loopback, with temporary data: etcd, the API server and, where they are there, controllers, scheduler and kwok's fake nodes.
 * It deliberately is no cluster: no kubelet, network, DNS or load balancer; kwok says that every pod runs.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { PlainObject } from '../../lib/emit/manifest';
import type { Binaries } from './binaries';
import { Client, type Connection } from './client';
import { freePorts, Processes } from './processes';
import { PROVISIONER, provisionVolumes } from './volumes';

/** What a test process needs to reach a control plane that another process started. */
export interface ControlPlaneAddress extends Connection {
  readonly version: string;
  readonly controllers: boolean;
  /** Its data, for whoever wants a kubeconfig beside it. */
  readonly folder: string;
}

export interface ControlPlaneOptions {
  readonly binaries: Binaries;
  /** Names of the fake nodes. @default none */
  readonly nodes?: readonly string[];
  /** Names of StorageClasses that bind claims. @default none */
  readonly storageClasses?: readonly string[];
  /** The one among them that claims without a class get. @default none */
  readonly defaultStorageClass?: string;
  /** Seconds between two looks of the autoscaler. @default 15, as everywhere */
  readonly autoscalerSeconds?: number;
  /** Whether kwok plays the nodes. Without it somebody else must, and keep them ready. @default true */
  readonly kwok?: boolean;
}

export interface ControlPlane {
  readonly address: ControlPlaneAddress;
  /** Process groups, for the test that none is left behind. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const SERVICE_RANGE = '10.96.0.0/16';

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { binaries, nodes = [], storageClasses = [], defaultStorageClass, autoscalerSeconds = 15, kwok = true } = options;
  const processes = new Processes('control-plane');
  try {
    const { folder } = processes;
    const program = (name: string): string => join(binaries.folder, name);
    const [etcdPort = 0, peerPort = 0, port = 0, managerPort = 0, schedulerPort = 0, kwokPort = 0] = await freePorts(6);
    const tokens = writeTokens(folder);
    writeServiceAccountKeys(folder);

    const etcd = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    processes.start({
      name: 'etcd',
      command: program('etcd'),
      args: [
        '--name=test',
        '--data-dir=etcd',
        // The data is thrown away with the run; waiting for the disk would protect nothing.
        '--unsafe-no-fsync',
        `--listen-client-urls=${etcd}`,
        `--advertise-client-urls=${etcd}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=test=${peer}`,
        '--log-level=warn',
      ],
    });
    await processes.until('etcd', () => healthy(`${etcd}/health`));

    processes.start({
      name: 'kube-apiserver',
      command: program('kube-apiserver'),
      args: [
        `--etcd-servers=${etcd}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--secure-port=${port}`,
        // It makes its own serving certificate for these addresses; nobody else has to.
        '--cert-dir=serving',
        '--token-auth-file=tokens.csv',
        '--service-account-key-file=service-account.pub',
        '--service-account-signing-key-file=service-account.key',
        `--service-account-issuer=${ISSUER}`,
        `--service-cluster-ip-range=${SERVICE_RANGE}`,
        // Otherwise it publishes itself as an endpoint, for which it refuses loopback addresses.
        '--endpoint-reconciler-type=none',
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction,ResourceQuota',
        '--allow-privileged=true',
        '--profiling=false',
      ],
    });
    const certificate = join(folder, 'serving', 'apiserver.crt');
    const client = await processes.until('kube-apiserver', async () => {
      const made = new Client({ port, token: tokens.admin, ca: readFileSync(certificate, 'utf8') });
      await made.get('/readyz').catch((error) => {
        made.close();
        throw error;
      });
      return made;
    });
    const ca = readFileSync(certificate, 'utf8');

    if (binaries.controllers) {
      const kubeconfig = (name: 'manager' | 'scheduler' | 'kwok'): string => {
        writeFileSync(join(folder, `${name}.kubeconfig`), kubeconfigText({ port, ca, token: tokens[name] }), { mode: 0o600 });
        return `${name}.kubeconfig`;
      };
      const manager = kubeconfig('manager');
      const scheduler = kubeconfig('scheduler');
      processes.start({
        name: 'kube-controller-manager',
        command: program('kube-controller-manager'),
        args: [
          `--kubeconfig=${manager}`,
          `--authentication-kubeconfig=${manager}`,
          `--authorization-kubeconfig=${manager}`,
          '--bind-address=127.0.0.1',
          `--secure-port=${managerPort}`,
          '--cert-dir=manager',
          '--leader-elect=false',
          '--use-service-account-credentials=true',
          `--horizontal-pod-autoscaler-sync-period=${autoscalerSeconds}s`,
          '--service-account-private-key-file=service-account.key',
          `--root-ca-file=${certificate}`,
          '--profiling=false',
        ],
      });
      processes.start({
        name: 'kube-scheduler',
        command: program('kube-scheduler'),
        args: [
          `--kubeconfig=${scheduler}`,
          `--authentication-kubeconfig=${scheduler}`,
          `--authorization-kubeconfig=${scheduler}`,
          '--bind-address=127.0.0.1',
          `--secure-port=${schedulerPort}`,
          '--cert-dir=scheduler',
          '--leader-elect=false',
          '--profiling=false',
        ],
      });
      if (kwok) {
        processes.start({
          name: 'kwok',
          command: program('kwok'),
          args: [
            `--kubeconfig=${kubeconfig('kwok')}`,
            '--manage-all-nodes=true',
            '--cidr=10.244.0.0/16',
            '--node-ip=127.0.0.1',
            `--node-port=${kwokPort}`,
            `--server-address=127.0.0.1:${kwokPort}`,
            '--node-lease-duration-seconds=40',
          ],
        });
      }
      for (const [index, name] of nodes.entries()) await client.request('POST', '/api/v1/nodes', fakeNode(name, index, binaries.version));
      for (const name of storageClasses)
        await client.request('POST', '/apis/storage.k8s.io/v1/storageclasses', storageClass(name, name === defaultStorageClass));
      if (kwok) {
        await processes.until('kwok', async () => {
          const waiting = (await client.list('/api/v1/nodes')).filter((node) => !isReady(node)).map((node) => node.metadata.name);
          if (waiting.length > 0) throw new Error(`nodes ${waiting.join(', ')} are not ready`);
        });
      }
      // The last thing that the controllers do for a namespace; pods are refused before.
      await processes.until('kube-controller-manager', () => client.get('/api/v1/namespaces/default/serviceaccounts/default'));
    }
    const volumes = binaries.controllers ? await provisionVolumes(client) : undefined;
    return {
      address: { port, ca, token: tokens.admin, version: binaries.version, controllers: binaries.controllers, folder },
      pids: processes.pids,
      async stop() {
        volumes?.stop();
        client.close();
        await processes.stop();
      },
    };
  } catch (error) {
    await processes.stop();
    throw error;
  }
}

/** A kubeconfig for programs that want a file. */
export function kubeconfigText({ port, ca, token }: Connection): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}

/** Everybody who calls the API server from outside has a random token for this one run. */
function writeTokens(folder: string): Record<'admin' | 'manager' | 'scheduler' | 'kwok', string> {
  const token = (): string => randomBytes(24).toString('base64url');
  const tokens = { admin: token(), manager: token(), scheduler: token(), kwok: token() };
  const lines = [
    `${tokens.admin},admin,admin,system:masters`,
    `${tokens.manager},system:kube-controller-manager,manager`,
    `${tokens.scheduler},system:kube-scheduler,scheduler`,
    `${tokens.kwok},kwok,kwok,system:masters`,
  ];
  writeFileSync(join(folder, 'tokens.csv'), `${lines.join('\n')}\n`, { mode: 0o600 });
  return tokens;
}

function writeServiceAccountKeys(folder: string): void {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  writeFileSync(join(folder, 'service-account.key'), privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'service-account.pub'), publicKey);
  mkdirSync(join(folder, 'serving'));
}

function healthy(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, (response) => {
      response.resume();
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`${url} answers ${response.statusCode}`))));
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Room for everything at once, so that no test depends on what fits. */
const CAPACITY = { cpu: '64', memory: '256Gi', pods: '250', 'ephemeral-storage': '500Gi' };

function fakeNode(name: string, index: number, kubeletVersion: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/os': 'linux',
        'kubernetes.io/hostname': name,
        'topology.kubernetes.io/zone': `zone-${index + 1}`,
      },
    },
    status: { allocatable: CAPACITY, capacity: CAPACITY, nodeInfo: { architecture: 'amd64', operatingSystem: 'linux', kubeletVersion } },
  };
}

function storageClass(name: string, isDefault: boolean): object {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) } },
    provisioner: PROVISIONER,
    volumeBindingMode: 'WaitForFirstConsumer',
    reclaimPolicy: 'Delete',
  };
}

function isReady({ status }: PlainObject): boolean {
  return status?.conditions?.some((each: { type: string; status: string }) => each.type === 'Ready' && each.status === 'True') ?? false;
}
