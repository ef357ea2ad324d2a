/**
 * Where the Kubernetes API is and who asks it: the pod's ServiceAccount, or a kubeconfig file during development and in tests.
 * It deliberately reads the pod's own files itself: the official client costs 75 MB of memory and most of a second at start, and all that would be used of it
 * is these few lines. It is loaded only where KUBECONFIG names a file, because kubeconfigs have many ways to log in.
 */
import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';

export interface ApiCredentials {
  /** Address of the API server: `https://10.96.0.1:443`. */
  readonly server: string;
  /** TLS options of its connections. */
  readonly tls: SecureContextOptions & { readonly rejectUnauthorized?: boolean; readonly servername?: string };
  /** The header Authorization, as of now: ServiceAccount tokens are exchanged about every hour. @throws when the token cannot be read */
  authorization(): Promise<string | undefined>;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet exchanges the token long before its end; client-go reads it as seldom. */
const TOKEN_READ_MS = 60_000;

/**
 * The pod's ServiceAccount.
 * @param directory where the kubelet mounts it
 * @param tokenReadMs how long a token that was read is used
 * @throws when this is no pod with a ServiceAccount token
 */
export function podCredentials(
  environment: NodeJS.ProcessEnv = process.env,
  directory: string = SERVICE_ACCOUNT,
  tokenReadMs: number = TOKEN_READ_MS,
): ApiCredentials {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) {
    throw new Error(
      'The Kubernetes API cannot be found: neither KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT (every pod has them) nor KUBECONFIG is set.',
    );
  }
  const read = (file: string) => {
    try {
      return readFileSync(`${directory}/${file}`, 'utf8');
    } catch (error) {
      throw new Error(`The pod's ServiceAccount is not mounted (automountServiceAccountToken must be true): ${(error as Error).message}`);
    }
  };
  const ca = read('ca.crt');
  let token = { text: read('token').trim(), readAt: performance.now() };
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: { ca },
    authorization: async () => {
      if (performance.now() - token.readAt >= tokenReadMs) token = { text: read('token').trim(), readAt: performance.now() };
      return `Bearer ${token.text}`;
    },
  };
}

/** What a kubeconfig file's current context says, through the official client. @throws when the file is wrong */
export async function kubeconfigCredentials(file: string): Promise<ApiCredentials> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(file);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error(`The kubeconfig ${file} has no current context with a cluster.`);
  const options: import('node:https').RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, pfx, passphrase } = options;
  return {
    server: cluster.server,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(pfx === undefined ? {} : { pfx }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(cluster.skipTLSVerify ? { rejectUnauthorized: false } : {}),
      ...(cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}),
    },
    authorization: async () => {
      const fresh: import('node:https').RequestOptions = { headers: {} };
      await config.applyToHTTPSOptions(fresh);
      const header = (fresh.headers as Record<string, unknown>).Authorization;
      if (typeof header === 'string') return header;
      return typeof fresh.auth === 'string' ? `Basic ${Buffer.from(fresh.auth).toString('base64')}` : undefined;
    },
  };
}

/** Those of KUBECONFIG where it is set, and the pod's otherwise. */
export async function findCredentials(environment: NodeJS.ProcessEnv = process.env): Promise<ApiCredentials> {
  const file = environment.KUBECONFIG;
  return file ? kubeconfigCredentials(file) : podCredentials(environment);
}
