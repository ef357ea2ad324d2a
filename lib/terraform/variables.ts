/**
 * What Terraform needs to know of a cluster, as the text of terraform/clusters/<cluster>/cluster.auto.tfvars.json: versions and values of the two charts that
 * the bootstrap installs, the sealing certificate, the files of dist that start everything, and what the router must forward.
 * It deliberately holds nothing secret and nothing of the machine that runs Terraform (kubeconfig, key files): those are the operator's own variables.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { argoCd } from '../../argocd/catalog/argo-cd';
import { sealedSecrets } from '../../argocd/catalog/sealed-secrets';
import type { UpstreamChart } from '../../argocd/catalog/types';
import { ROOT } from '../../argocd/root';
import { charts } from '../../versions';
import type { BuiltCluster } from '../build';
import { forwarding } from '../forwarding';
import { fitsKind, kindConfig } from '../local/kind-config';
import type { Cluster } from '../model/cluster';
import { CERTIFICATE_FILE } from '../secrets/keys';
import { readCertificate } from '../secrets/sealing';

/** Name of the generated file in a cluster's folder; Terraform reads it by itself. */
export const VARIABLES_FILE = 'cluster.auto.tfvars.json';

/** Folder of the root modules, one for each cluster. */
export const TERRAFORM_CLUSTERS = 'terraform/clusters';

export interface VariablesOptions {
  /** Folder of all clusters' sealed secrets. */
  readonly secretsDirectory: string;
}

/** The file's text for one cluster. Its certificate is null while there is none; Terraform then refuses with the command that makes one. */
export function terraformVariables(built: BuiltCluster, options: VariablesOptions): string {
  const { cluster } = built;
  const { name, kubernetes } = cluster;
  const variables = {
    cluster: {
      name,
      nodes: cluster.nodes.map((node) => node.name),
      repository: cluster.git.repository,
      revision: cluster.git.revision,
      api_server: { addresses: kubernetes.apiServer.addresses, port: kubernetes.apiServer.port },
    },
    charts: { argo_cd: chartVariables(argoCd, cluster), sealed_secrets: chartVariables(sealedSecrets, cluster) },
    sealing: sealingVariables(path.join(options.secretsDirectory, name, CERTIFICATE_FILE), `secrets/${name}/${CERTIFICATE_FILE}`),
    // Paths below the repository's root.
    manifests: {
      namespaces: Object.fromEntries(
        [argoCd, sealedSecrets].map(({ namespace }) => [namespace, `dist/${name}/namespaces/_cluster/Namespace.${namespace}.yaml`]),
      ),
      project: `dist/${name}/${ROOT}/${argoCd.namespace}/AppProject.${ROOT}.yaml`,
      application: `dist/${name}/${ROOT}/${argoCd.namespace}/Application.${ROOT}.yaml`,
    },
    port_forwards: forwarding(cluster).forward,
    ...(fitsKind(cluster) ? { kind: kindConfig(built) } : {}),
  };
  return `${JSON.stringify(variables, null, 2)}\n`;
}

function chartVariables(entry: UpstreamChart, cluster: Cluster): object {
  const { repository, chart, version } = charts[entry.chart as keyof typeof charts];
  const values = entry.values(cluster);
  return {
    release: entry.name,
    namespace: entry.namespace,
    repository,
    chart,
    version,
    values,
    off_at_first: switches(values).sort(),
  };
}

/** Paths of `serviceMonitor.enabled` that are true: the kind is defined by a chart that Argo CD installs, so they come with the Application. */
function switches(values: unknown, at = ''): string[] {
  if (values === null || typeof values !== 'object') return [];
  return Object.entries(values).flatMap(([key, value]) => {
    const below = at === '' ? key : `${at}.${key}`;
    return key === 'serviceMonitor' && value?.enabled === true ? [`${below}.enabled`] : switches(value, below);
  });
}

function sealingVariables(file: string, place: string): object | null {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return null;
  }
  const { example, keyFingerprint } = readCertificate(pem, place);
  return {
    certificate: place,
    // Terraform compares it with the file, so that a certificate that was replaced since the last synth is noticed.
    certificate_sha256: createHash('sha256').update(pem).digest('hex'),
    key_fingerprint: keyFingerprint,
    example,
  };
}
