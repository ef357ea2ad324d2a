/**
 * A Git server inside the cluster that serves one repository to Argo CD, so that a laptop needs no Git host: `git daemon` out of Argo CD's own image, read-only,
 * in memory-backed storage, filled by a bundle through kubectl. It deliberately is no part of dist/: Argo CD must not remove what it reads from.
 */
import type { PlainObject } from '../emit/manifest';

export const GIT_NAMESPACE = 'local-git';
const NAME = 'git';
const PORT = 9418;
const ROOT = '/git';
const REPOSITORY = 'mmo.git';
/** User of Argo CD's image. */
const USER = 999;
const LABELS = { 'app.kubernetes.io/name': NAME, 'app.kubernetes.io/part-of': 'mmo-local' };
/** Pods of Argo CD that fetch: the chart's labels. */
const READER = { 'app.kubernetes.io/instance': 'argo-cd', 'app.kubernetes.io/name': 'argocd-repo-server' };

/** What Applications of the laptop's cluster have as their source. */
export const GIT_URL = `git://${NAME}.${GIT_NAMESPACE}.svc.cluster.local/${REPOSITORY}`;

/** Arguments of `git` that serve every repository below a folder. @param address what it listens on */
export function daemonArguments(folder: string, port: number = PORT, address?: string): string[] {
  return [
    'daemon',
    '--reuseaddr',
    '--export-all',
    ...(address === undefined ? [] : [`--listen=${address}`]),
    `--port=${port}`,
    `--base-path=${folder}`,
    folder,
  ];
}

/** A program for `sh -c` that takes a bundle of the branch main from its standard input into the repository. A pod that restarted has none yet. */
export function receiveProgram(folder: string = ROOT): string {
  const repository = `${folder}/${REPOSITORY}`;
  return [
    'set -eu',
    `[ -d ${repository} ] || git init --quiet --bare --initial-branch=main ${repository}`,
    `trap 'rm -f ${folder}/received' EXIT`,
    `cat >${folder}/received`,
    `git -C ${repository} fetch --quiet --force ${folder}/received main:main`,
    `git -C ${repository} rev-parse main`,
  ].join('\n');
}

/** `kubectl exec` arguments for `receiveProgram`. */
export const receiveArguments = ['-n', GIT_NAMESPACE, 'exec', '-i', `deployment/${NAME}`, '--', 'sh', '-c', receiveProgram()];

/** Everything of the server. @param image Argo CD's, which is on the node already and has git */
export function gitServer(image: string): PlainObject[] {
  const metadata = (name: string, namespace = GIT_NAMESPACE) => ({ name, namespace, labels: LABELS });
  const ports = [{ port: PORT }];
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: GIT_NAMESPACE, labels: { ...LABELS, 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(NAME),
      spec: {
        replicas: 1,
        // Two would be two repositories.
        strategy: { type: 'Recreate' },
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            automountServiceAccountToken: false,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: USER,
              runAsGroup: USER,
              fsGroup: USER,
              seccompProfile: { type: 'RuntimeDefault' },
            },
            containers: [
              {
                name: NAME,
                image,
                imagePullPolicy: 'IfNotPresent',
                command: ['git', ...daemonArguments(ROOT)],
                env: [{ name: 'HOME', value: ROOT }],
                ports: [{ name: NAME, containerPort: PORT }],
                readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 2 },
                resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '256Mi' } },
                securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
                volumeMounts: [{ name: 'repositories', mountPath: ROOT }],
              },
            ],
            volumes: [{ name: 'repositories', emptyDir: { sizeLimit: '256Mi' } }],
          },
        },
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: metadata(NAME), spec: { selector: LABELS, ports: [{ name: NAME, port: PORT }] } },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: metadata(NAME),
      spec: {
        podSelector: {},
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [
              { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'argocd' } }, podSelector: { matchLabels: READER } },
            ],
            ports,
          },
        ],
      },
    },
    // Policies add up: Argo CD's own let it reach the Internet, and this one the server as well.
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: metadata('local-git', 'argocd'),
      spec: {
        podSelector: { matchLabels: READER },
        policyTypes: ['Egress'],
        egress: [
          {
            to: [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': GIT_NAMESPACE } },
                podSelector: { matchLabels: LABELS },
              },
            ],
            ports,
          },
        ],
      },
    },
  ];
}
