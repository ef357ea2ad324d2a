/**
 * A real Kubernetes API server for tests: etcd and kube-apiserver on loopback, with temporary data, by the KUBEBUILDER_ASSETS convention of envtest.
 * It deliberately runs no controllers: what they would write, tests write. The root's harness (test/cluster) has them, for what the manifests do in a cluster.
 */
import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { accessSync, constants, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../support/postgres.ts';

/** Folders with etcd and kube-apiserver, one for each Kubernetes version. */
export function apiServerFolders(): string[] {
  return (process.env.KUBEBUILDER_ASSETS ?? '')
    .split(path.delimiter)
    .filter(Boolean)
    .map((folder) => path.resolve(process.env.INIT_CWD ?? '.', folder))
    .filter((folder) => ['etcd', 'kube-apiserver'].every((program) => isExecutable(path.join(folder, program))));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface ApiServer {
  readonly port: number;
  /** The certificate that it shows (PEM). */
  readonly ca: string;
  /** A request as the administrator. `body`: an object, or a manifest in YAML. @throws when the answer is not 2xx */
  administer<Body = Record<string, unknown>>(method: string, path: string, body?: object | string, contentType?: string): Promise<Body>;
  /** The API server's own certificate and key, made when it started: for a server of the test beside it. */
  readonly serving: { readonly cert: string; readonly key: string };
  /** A kubeconfig for somebody with a token. */
  kubeconfig(token: string): string;
  stop(): Promise<void>;
}

const GUARDIAN = path.join(import.meta.dirname, '../../../../test/cluster/guardian.cjs');

export async function startApiServer(folder: string): Promise<ApiServer> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'broker-api-server-'));
  // Ends everything and removes the folder when its standard input closes, so also when this process is killed.
  const guardian = spawn(process.execPath, [GUARDIAN], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
  guardian.unref();
  guardian.stdin.on('error', () => undefined);
  guardian.stdin.write(`folder ${directory}\n`);
  const ended: string[] = [];
  const start = (program: string, args: readonly string[]) => {
    const log = openSync(path.join(directory, `${program}.log`), 'a');
    const child = spawn(path.join(folder, program), args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: directory,
      env: { PATH: process.env.PATH ?? '', HOME: directory, TMPDIR: directory },
    });
    guardian.stdin.write(`group ${child.pid}\n`);
    child.on('exit', () => ended.push(program));
    child.unref();
  };
  const stop = async () => {
    guardian.ref();
    const gone = new Promise((resolve) => guardian.once('exit', resolve));
    guardian.stdin.end();
    await gone;
  };
  try {
    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
    const admin = randomBytes(24).toString('hex');
    writeFileSync(path.join(directory, 'tokens.csv'), `${admin},admin,admin,"system:masters"\n`, { mode: 0o600 });
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(path.join(directory, 'service-account.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
    writeFileSync(path.join(directory, 'service-account.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    const etcd = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    start('etcd', [
      '--name=test',
      '--data-dir=etcd',
      '--unsafe-no-fsync',
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=test=${peer}`,
      '--log-level=error',
    ]);
    start('kube-apiserver', [
      `--etcd-servers=${etcd}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      '--cert-dir=serving',
      '--token-auth-file=tokens.csv',
      '--service-account-key-file=service-account.pub',
      '--service-account-signing-key-file=service-account.key',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--endpoint-reconciler-type=none',
      '--authorization-mode=Node,RBAC',
      '--profiling=false',
    ]);
    const certificate = path.join(directory, 'serving', 'apiserver.crt');
    const administer = <Body>(method: string, url: string, body?: object | string, contentType?: string): Promise<Body> =>
      send<Body>({ port, ca: readFileSync(certificate, 'utf8'), token: admin }, method, url, body, contentType);
    for (const deadline = Date.now() + 120_000; ; ) {
      try {
        await administer('GET', '/readyz');
        break;
      } catch (error) {
        if (ended.length > 0 || Date.now() > deadline) {
          const log = readFileSync(path.join(directory, `${ended[0] ?? 'kube-apiserver'}.log`), 'utf8').slice(-2_000);
          throw new Error(`The API server did not start: ${(error as Error).message}\n${log}`);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const ca = readFileSync(certificate, 'utf8');
    return {
      port,
      ca,
      administer,
      serving: { cert: ca, key: readFileSync(path.join(directory, 'serving', 'apiserver.key'), 'utf8') },
      kubeconfig: (token) => {
        const file = path.join(directory, `${randomBytes(6).toString('hex')}.kubeconfig`);
        const config = {
          apiVersion: 'v1',
          kind: 'Config',
          clusters: [
            {
              name: 'test',
              cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
            },
          ],
          users: [{ name: 'test', user: { token } }],
          contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
          'current-context': 'test',
        };
        writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
        return file;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One request with a connection of its own. */
function send<Body>(
  { port, ca, token }: { readonly port: number; readonly ca: string; readonly token: string },
  method: string,
  url: string,
  body?: object | string,
  contentType?: string,
): Promise<Body> {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const type = contentType ?? (typeof body === 'string' ? 'application/yaml' : 'application/json');
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        host: '127.0.0.1',
        port,
        ca,
        method,
        path: url,
        agent: false,
        headers: { authorization: `Bearer ${token}`, ...(payload === undefined ? {} : { 'content-type': type }) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const status = response.statusCode ?? 0;
          if (status < 200 || status > 299) reject(new Error(`${method} ${url}: ${status} ${text.slice(0, 500)}`));
          else resolve((response.headers['content-type']?.startsWith('application/json') ? JSON.parse(text) : text) as Body);
        });
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}
