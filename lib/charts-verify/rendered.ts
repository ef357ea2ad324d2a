/**
 * What a chart rendered: manifests read into objects, and the facts about them that a record can state.
 * It deliberately judges nothing; record.ts compares.
 */
import { parseDocument } from 'yaml';

/** The parts of a Kubernetes object that are looked at here. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>> | null;
  };
  readonly [field: string]: unknown;
}

export interface Port {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
}

/** A rendered Deployment, StatefulSet, DaemonSet or Job, or pods that an operator will make of a rendered custom resource. */
export interface RenderedWorkload {
  readonly name: string;
  readonly kind: string;
  readonly namespace: string;
  /** Labels of the pods. */
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly Port[];
  readonly serviceAccount: string;
  readonly hostNetwork: boolean;
  /** The helm.sh/hook annotation. */
  readonly hook?: string;
}

export interface RenderedService {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly Port[];
  readonly selector: Readonly<Record<string, string>>;
}

/** Whether an object is cluster-scoped is not in its manifest; these kinds of the charts are. */
const CLUSTER_SCOPED = new Set([
  'APIService',
  'ClusterRole',
  'ClusterRoleBinding',
  'CSIDriver',
  'CustomResourceDefinition',
  'IngressClass',
  'MutatingWebhookConfiguration',
  'Namespace',
  'PriorityClass',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
]);

const parsed = new Map<string, Manifest | undefined>();

/**
 * Reads what `helm template` printed. Documents that were read before are not parsed again: CRDs are large, and the same for every cluster.
 * @throws when a document is no YAML or no Kubernetes object, with the first line of the template that rendered it
 */
export function readManifests(text: string): readonly Manifest[] {
  return text
    .split(/^---.*$/m)
    .map((document) => {
      if (!parsed.has(document)) parsed.set(document, readManifest(document));
      return parsed.get(document);
    })
    .filter((manifest) => manifest !== undefined);
}

function readManifest(text: string): Manifest | undefined {
  const source = /^# Source: (.*)$/m.exec(text)?.[1] ?? 'a template';
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) throw new Error(`${source} rendered something that is no YAML: ${error.message}`);
  const value: unknown = document.toJS();
  if (value === null || value === undefined) return undefined;
  const manifest = value as Partial<Manifest>;
  if (typeof manifest.kind !== 'string' || typeof manifest.apiVersion !== 'string' || typeof manifest.metadata?.name !== 'string') {
    throw new Error(`${source} rendered something that is no Kubernetes object: apiVersion, kind and metadata.name are needed.`);
  }
  return value as Manifest;
}

/** Namespace of an object; Helm and Argo CD put what names none into the release's. Empty for cluster-scoped kinds. */
export function namespaceOf(manifest: Manifest, releaseNamespace: string): string {
  return CLUSTER_SCOPED.has(manifest.kind) ? '' : (manifest.metadata.namespace ?? releaseNamespace);
}

/** Whether an object of this kind belongs to no namespace. */
export function isClusterScoped(manifest: Manifest): boolean {
  return CLUSTER_SCOPED.has(manifest.kind);
}

/** `<group>/<Kind>`, without a group for the core API. */
export function groupKindOf(manifest: Manifest): string {
  const slash = manifest.apiVersion.indexOf('/');
  return `${slash === -1 ? '' : manifest.apiVersion.slice(0, slash)}/${manifest.kind}`;
}

/** `kind namespace/name`, or `kind name` when it is cluster-scoped. */
export function identityOf(manifest: Manifest, releaseNamespace: string): string {
  const namespace = namespaceOf(manifest, releaseNamespace);
  return `${manifest.kind} ${namespace ? `${namespace}/` : ''}${manifest.metadata.name}`;
}

/** The value of a path into an object, or undefined. */
export function dig(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (each, key) => (typeof each === 'object' && each !== null ? (each as Record<string, unknown>)[key] : undefined),
    value,
  );
}

export function hookOf(manifest: Manifest): string | undefined {
  return manifest.metadata.annotations?.['helm.sh/hook'];
}

export function servicesOf(manifests: readonly Manifest[], releaseNamespace: string): readonly RenderedService[] {
  return manifests
    .filter((each) => each.kind === 'Service')
    .map((each) => ({
      name: each.metadata.name,
      namespace: namespaceOf(each, releaseNamespace),
      labels: each.metadata.labels ?? {},
      selector: (dig(each, 'spec', 'selector') as Record<string, string> | undefined) ?? {},
      ports: ((dig(each, 'spec', 'ports') as { name?: string; port: number; protocol?: string }[] | undefined) ?? []).map(readPort),
    }));
}

interface PodSpec {
  readonly serviceAccountName?: string;
  readonly hostNetwork?: boolean;
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface Container {
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[] | null;
}

/** Where kinds that start pods keep the template. */
export const POD_TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  DaemonSet: ['spec', 'template'],
  Deployment: ['spec', 'template'],
  Job: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
};

export function workloadsOf(manifests: readonly Manifest[], releaseNamespace: string): readonly RenderedWorkload[] {
  return manifests.flatMap((each) => {
    const path = each.kind === 'Pod' ? [] : POD_TEMPLATES[each.kind];
    if (!path) return operatorPods(each, releaseNamespace);
    const template = dig(each, ...path) as { metadata?: { labels?: Record<string, string> }; spec?: PodSpec };
    const spec = template.spec ?? {};
    const hook = hookOf(each);
    return [
      {
        name: each.metadata.name,
        kind: each.kind,
        namespace: namespaceOf(each, releaseNamespace),
        labels: template.metadata?.labels ?? {},
        ports: [...(spec.initContainers ?? []), ...(spec.containers ?? [])]
          .flatMap((container) => container.ports ?? [])
          .map(({ name, containerPort, protocol }) => readPort({ name, port: containerPort, protocol })),
        serviceAccount: spec.serviceAccountName ?? 'default',
        hostNetwork: spec.hostNetwork ?? false,
        ...(hook === undefined ? {} : { hook }),
      },
    ];
  });
}

/**
 * Pods that prometheus-operator makes of its custom resources. No chart renders them, so their labels and ports are its source code's:
 * pkg/prometheus/common.go and pkg/alertmanager/statefulset.go (labels), and 8080 for the configuration's side container.
 */
function operatorPods(manifest: Manifest, releaseNamespace: string): readonly RenderedWorkload[] {
  if (!manifest.apiVersion.startsWith('monitoring.coreos.com/')) return [];
  const kinds: Record<string, { name: string; port: number; more: readonly Port[] }> = {
    Prometheus: { name: 'prometheus', port: 9090, more: [] },
    Alertmanager: {
      name: 'alertmanager',
      port: 9093,
      more: [
        { name: 'mesh-tcp', port: 9094, protocol: 'TCP' },
        { name: 'mesh-udp', port: 9094, protocol: 'UDP' },
      ],
    },
  };
  const made = kinds[manifest.kind];
  if (!made) return [];
  const { name } = manifest.metadata;
  return [
    {
      name: made.name,
      kind: 'Operator',
      namespace: namespaceOf(manifest, releaseNamespace),
      labels: {
        'app.kubernetes.io/name': made.name,
        'app.kubernetes.io/instance': name,
        'app.kubernetes.io/managed-by': 'prometheus-operator',
        [made.name]: name,
        ...(manifest.kind === 'Prometheus' ? { 'operator.prometheus.io/name': name, 'operator.prometheus.io/shard': '0' } : {}),
        ...(dig(manifest, 'spec', 'podMetadata', 'labels') as Record<string, string> | undefined),
      },
      ports: [
        { name: (dig(manifest, 'spec', 'portName') as string | undefined) ?? 'web', port: made.port, protocol: 'TCP' },
        { name: 'reloader-web', port: 8080, protocol: 'TCP' },
        ...made.more,
      ],
      serviceAccount: (dig(manifest, 'spec', 'serviceAccountName') as string | undefined) ?? 'default',
      hostNetwork: (dig(manifest, 'spec', 'hostNetwork') as boolean | undefined) ?? false,
    },
  ];
}

function readPort(port: { name?: string; port: number; protocol?: string }): Port {
  return { ...(port.name === undefined ? {} : { name: port.name }), port: port.port, protocol: port.protocol ?? 'TCP' };
}
