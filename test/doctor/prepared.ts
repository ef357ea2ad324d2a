/**
 * A cluster in which everything of a description runs, as answers of kubectl: what the doctor is asked about, without a server.
 * Each test changes one object. Times are those of test/doctor/project.ts.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryOf } from '../../charts/world-backups';
import { buildCluster } from '../../lib/build';
import { pinnedAddresses } from '../../lib/doctor/network';
import type { PlainObject } from '../../lib/emit/manifest';
import { makeKubectl } from '../../lib/kubectl';
import { resolveCluster } from '../../lib/model/cluster';
import type { RunProgram } from '../../lib/programs';
import { memoryStore } from '../../lib/secrets/store';
import { description, NOW } from './project';

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind, which tests change.
type Objects = any[];

/** Objects by kind, as kubectl names it, and single answers by the first arguments. */
export interface Prepared {
  readonly lists: Record<string, Objects>;
  readonly texts: Record<string, string>;
  /** Kinds that the cluster does not serve. */
  readonly notServed: Set<string>;
}

const cluster = resolveCluster(description);
const HOUR = 60 * 60 * 1000;
const before = (hours: number): string => new Date(NOW.getTime() - hours * HOUR).toISOString();
const ready = (type: string) => ({ conditions: [{ type, status: 'True' }] });

/** @param root of the project, whose certificate the cluster has the key of */
export function healthyCluster(root: string): Prepared {
  const { charts, applications } = buildCluster(cluster, { store: memoryStore('everything') });
  const workloads = (kind: string): Objects =>
    charts.flatMap((chart) =>
      chart
        .provides(cluster)
        .pods.filter((pods) => pods.kind === kind)
        .map(({ name, namespace = chart.namespace }) => ({
          metadata: { name, namespace },
          spec: { replicas: 1 },
          status: kind === 'DaemonSet' ? { desiredNumberScheduled: 3, numberReady: 3 } : { readyReplicas: 1 },
        })),
    );
  const certificate = readFileSync(path.join(root, 'secrets', 'homelab', 'sealing.crt'), 'utf8');
  return {
    notServed: new Set(),
    lists: {
      nodes: cluster.nodes.map(({ name, address }) => ({
        metadata: { name },
        spec: {},
        status: { addresses: [{ type: 'InternalIP', address }], ...ready('Ready') },
      })),
      'leases.coordination.k8s.io': cluster.nodes.map(({ name }) => ({
        metadata: { name, namespace: 'kube-node-lease' },
        spec: { renewTime: new Date().toISOString() },
      })),
      'storageclasses.storage.k8s.io': [{ metadata: { name: 'longhorn' }, provisioner: 'driver.longhorn.io', allowVolumeExpansion: true }],
      'volumesnapshotclasses.snapshot.storage.k8s.io': [{ metadata: { name: 'longhorn' }, driver: 'driver.longhorn.io' }],
      'customresourcedefinitions.apiextensions.k8s.io': charts
        .flatMap((chart) => chart.provides(cluster).crds)
        .map((name) => ({ metadata: { name }, status: ready('Established') })),
      'deployments.apps': workloads('Deployment'),
      'statefulsets.apps': workloads('StatefulSet'),
      'daemonsets.apps': workloads('DaemonSet'),
      'applications.argoproj.io': ['root', ...applications.keys()].map((name) => ({
        metadata: { name, namespace: 'argocd' },
        status: { sync: { status: 'Synced' }, health: { status: 'Healthy' } },
      })),
      'sealedsecrets.bitnami.com': [{ metadata: { name: 'netcode-key', namespace: 'realm-aurora' }, status: ready('Synced') }],
      'certificates.cert-manager.io': [
        {
          metadata: { name: 'connect-broker-tls', namespace: 'connect-broker' },
          status: { ...ready('Ready'), notBefore: before(24 * 30), notAfter: before(-24 * 60) },
        },
      ],
      'objectstores.barmancloud.cnpg.io': [
        {
          metadata: { name: 'backups', namespace: 'database' },
          status: {
            serverRecoveryWindow: { 'postgres-1': { firstRecoverabilityPoint: before(24 * 20), lastSuccessfulBackupTime: before(9) } },
          },
        },
      ],
      'snapshots.k8up.io': cluster.realms.flatMap((realm) =>
        realm.continents.map(({ name }, index) => ({
          metadata: { name: `snapshot-${index}`, namespace: realm.namespace },
          spec: {
            date: before(2),
            paths: [`/data/world-${name}-0`],
            repository: `s3:https://s3.example.org/${repositoryOf('you-mmo-backups', realm)}`,
          },
        })),
      ),
      services: [...pinnedAddresses(cluster).keys()].map((ip, index) => ({
        metadata: { name: `service-${index}`, namespace: 'x' },
        status: { loadBalancer: { ingress: [{ ip }] } },
      })),
      pods: ['a', 'b'].map((name) => ({
        metadata: {
          name,
          namespace: 'connect-broker',
          labels: { 'app.kubernetes.io/name': 'connect-broker', 'app.kubernetes.io/component': 'server' },
        },
        status: { phase: 'Running' },
      })),
    },
    texts: {
      version: JSON.stringify({ serverVersion: { gitVersion: 'v1.35.2+k3s1' } }),
      secrets: `${Buffer.from(new X509Certificate(certificate).toString()).toString('base64')}\n`,
      'exec a': JSON.stringify({ status: 'ready', clients: { internet: 12, private: 3, nodes: 0 } }),
      'exec b': JSON.stringify({ status: 'ready', clients: { internet: 5, private: 0, nodes: 0 } }),
    },
  };
}

/** kubectl, with these answers. */
export function kubectlOf({ lists, texts, notServed }: Prepared) {
  const run: RunProgram = async (_program, all) => {
    const args = all.filter((each) => !each.startsWith('--request-timeout'));
    const says = (output: string) => ({ code: 0, output, errors: '' });
    const [verb = '', kind = ''] = args;
    if (verb === 'version') return says(texts.version ?? '');
    if (verb === 'create') return says(JSON.stringify({ metadata: { creationTimestamp: texts.time ?? new Date().toISOString() } }));
    if (verb === 'exec') {
      const answer = texts[`exec ${args[3]}`];
      return answer === undefined ? { code: 1, output: '', errors: 'error: unable to upgrade connection' } : says(answer);
    }
    if (kind === 'secrets') return says(texts.secrets ?? '');
    if (notServed.has(kind)) return { code: 1, output: '', errors: `error: the server doesn't have a resource type "${kind}"\n` };
    return says(JSON.stringify({ items: lists[kind] ?? [] }));
  };
  return makeKubectl(run);
}

/** An object of the prepared lists. */
export function object(prepared: Prepared, kind: string, name: string): PlainObject {
  const found = prepared.lists[kind]?.find(({ metadata }) => metadata.name === name);
  if (!found) throw new Error(`Nothing prepared is a ${kind} '${name}'.`);
  return found;
}
