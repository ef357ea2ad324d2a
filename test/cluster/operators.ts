/**
 * What the operators would say: writes the status of custom resources whose operators are not here, as if all were well, and pods' metrics.
 * It deliberately does none of their work: no Secret is unsealed, no database runs.
 */
import type { PlainObject } from '../../lib/emit/manifest';
import { ApiError, type Client } from './client';
import { eventually } from './judge';
import { LiveList } from './live-list';

const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
const condition = (type: string) => ({ type, status: 'True', reason: 'Test', message: 'said by the test', lastTransitionTime: now() });

/** The status of a kind whose operator is content; undefined while there is nothing to say. */
const CONTENT: Readonly<Record<string, (object: PlainObject) => object | undefined>> = {
  'cert-manager.io/v1 Certificate': () => ({ conditions: [condition('Ready')] }),
  'cert-manager.io/v1 ClusterIssuer': () => ({ conditions: [condition('Ready')] }),
  'bitnami.com/v1alpha1 SealedSecret': () => ({ conditions: [{ type: 'Synced', status: 'True' }] }),
  'postgresql.cnpg.io/v1 Cluster': ({ spec }) => ({
    phase: 'Cluster in healthy state',
    instances: spec.instances,
    readyInstances: spec.instances,
    conditions: [condition('Ready'), condition('ContinuousArchiving')],
  }),
  'postgresql.cnpg.io/v1 ScheduledBackup': () => ({ lastCheckTime: now() }),
  'postgresql.cnpg.io/v1 Database': ({ metadata }) => ({ applied: true, observedGeneration: generation(metadata) }),
  'postgresql.cnpg.io/v1 DatabaseRole': ({ metadata }) => ({ applied: true, observedGeneration: generation(metadata) }),
  'agones.dev/v1 Fleet': () => ({ replicas: 0, readyReplicas: 0, reservedReplicas: 0, allocatedReplicas: 0 }),
  'autoscaling.agones.dev/v1 FleetAutoscaler': () => ({ currentReplicas: 0, desiredReplicas: 0, ableToScale: true, scalingLimited: false }),
  'k8up.io/v1 Schedule': () => ({ conditions: [condition('Ready')] }),
  'v1 Service': ({ spec, metadata }) =>
    spec.type === 'LoadBalancer'
      ? { loadBalancer: { ingress: [{ ip: metadata.annotations?.['metallb.io/loadBalancerIPs'] ?? '192.0.2.1' }] } }
      : undefined,
};

const METRICS = 'metrics.k8s.io/v1beta1';

/** Serves `metrics.k8s.io` as plain objects: without it an autoscaler is Degraded, as on a cluster whose metrics-server is down. */
const METRICS_DEFINITION: PlainObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'pods.metrics.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'unapproved, a test stands in for metrics-server' },
  },
  spec: {
    group: 'metrics.k8s.io',
    names: { kind: 'PodMetrics', plural: 'pods' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

export class Operators {
  private readonly lists: LiveList[] = [];
  private failed: unknown;

  constructor(private readonly client: Client) {}

  async start(): Promise<void> {
    await this.client.discover();
    await this.client.apply(METRICS_DEFINITION);
    const metrics = await eventually(
      async () => {
        await this.client.discover();
        return this.client.serves(METRICS, 'PodMetrics');
      },
      (served) => served,
    );
    if (!metrics) throw new Error(`The API server does not serve ${METRICS} after a minute.`);
    for (const [kind, contentOf] of Object.entries(CONTENT)) {
      const [apiVersion = '', name = ''] = kind.split(' ');
      // Which kinds an operator has depends on its version; one that is missing here is in no file of dist either, or it would be refused.
      if (!this.client.serves(apiVersion, name)) continue;
      await this.follow(this.client.everywhere(apiVersion, name), (object) =>
        this.speakFor({ ...object, apiVersion, kind: name }, contentOf),
      );
    }
    await this.follow('/api/v1/pods?labelSelector=app.kubernetes.io/component%3Dserver', (pod) => this.measure(pod));
  }

  /** @throws what went wrong meanwhile */
  stop(): void {
    for (const list of this.lists) list.stop();
    if (this.failed !== undefined) throw this.failed;
  }

  private async follow(path: string, act: (object: PlainObject) => Promise<void>): Promise<void> {
    const list = await LiveList.of(this.client, path, (object) => {
      act(object).catch((error) => {
        // Somebody else wrote or deleted the object meanwhile, and how it is then comes next.
        if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) this.failed ??= error;
      });
    });
    this.lists.push(list);
  }

  private async speakFor(object: PlainObject, contentOf: (object: PlainObject) => object | undefined): Promise<void> {
    const status = contentOf(object);
    if (
      status === undefined ||
      (object.status !== undefined &&
        Object.keys(status).every((field) => isSaid(object.status[field], (status as Record<string, unknown>)[field])))
    )
      return;
    await this.client.request(
      'PATCH',
      `${this.client.pathOf(object)}${this.client.hasStatus(object.apiVersion, object.kind) ? '/status' : ''}`,
      { status },
      'application/merge-patch+json',
    );
  }

  private async measure(pod: PlainObject): Promise<void> {
    const { name, namespace, labels } = pod.metadata;
    const containers = pod.spec.containers.map((container: { name: string }) => ({
      name: container.name,
      usage: { cpu: '100m', memory: '128Mi' },
    }));
    await this.client.apply({
      apiVersion: METRICS,
      kind: 'PodMetrics',
      metadata: { name, namespace, labels },
      timestamp: now(),
      window: '15s',
      containers,
    });
  }
}

/** Times do not count: what was once said need not be said again; numbers and phases do. */
function isSaid(there: unknown, wanted: unknown): boolean {
  return typeof wanted === 'object' || typeof wanted === 'string'
    ? there !== undefined && (typeof wanted !== 'object' || Object.keys(there as object).length > 0)
    : there === wanted;
}

function generation(metadata: object): number {
  return (metadata as { generation: number }).generation;
}
