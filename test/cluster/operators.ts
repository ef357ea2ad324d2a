/**
 * What the operators would say: writes the status of custom resources whose operators are not here, as if all were well, and pods' metrics.
 * It deliberately does none of their work: no Secret is unsealed, no database runs.
 */
import type { PlainObject } from '../../lib/emit/manifest';
import { ApiError, type Client } from './client';

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
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly client: Client) {}

  async start(): Promise<void> {
    await this.client.discover();
    await this.client.apply(METRICS_DEFINITION);
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    await this.client.discover();
    while (!this.stopped) {
      for (const [kind, contentOf] of Object.entries(CONTENT)) await this.speakFor(kind, contentOf).catch(ignoreConflicts);
      await this.measurePods().catch(ignoreConflicts);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  private async speakFor(key: string, contentOf: (object: PlainObject) => object | undefined): Promise<void> {
    const [apiVersion = '', kind = ''] = key.split(' ');
    for (const item of await this.client.list(this.client.everywhere(apiVersion, kind))) {
      const object: PlainObject = { ...item, apiVersion, kind };
      const status = contentOf(object);
      if (
        status === undefined ||
        (object.status !== undefined &&
          Object.keys(status).every((field) => isSaid(object.status[field], (status as Record<string, unknown>)[field])))
      )
        continue;
      await this.client.request(
        'PATCH',
        `${this.client.pathOf(object)}${this.client.hasStatus(apiVersion, kind) ? '/status' : ''}`,
        { status },
        'application/merge-patch+json',
      );
    }
  }

  private async measurePods(): Promise<void> {
    for (const pod of await this.client.list('/api/v1/pods?labelSelector=app.kubernetes.io/component%3Dserver')) {
      const { name, namespace, labels } = pod.metadata;
      const containers = pod.spec.containers.map((container: { name: string }) => ({
        name: container.name,
        usage: { cpu: '100m', memory: '128Mi' },
      }));
      await this.client.apply({
        apiVersion: 'metrics.k8s.io/v1beta1',
        kind: 'PodMetrics',
        metadata: { name, namespace, labels },
        timestamp: now(),
        window: '15s',
        containers,
      });
    }
  }
}

/** Times do not count: what was once said need not be said again; numbers and phases do. */
function isSaid(there: unknown, wanted: unknown): boolean {
  return typeof wanted === 'object' || typeof wanted === 'string'
    ? there !== undefined && (typeof wanted !== 'object' || Object.keys(there as object).length > 0)
    : there === wanted;
}

/** Somebody else wrote or deleted the object meanwhile; the next round sees how it is then. */
function ignoreConflicts(error: unknown): void {
  if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) throw error;
}

function generation(metadata: object): number {
  return (metadata as { generation: number }).generation;
}
