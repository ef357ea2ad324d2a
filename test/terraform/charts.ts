/**
 * Stand-ins for the charts of Argo CD and Sealed Secrets in a Helm repository on loopback: upstream's CRDs, the workloads' names, our values as they arrive.
 * They deliberately run nothing: what is judged is the way to the API server, and fake nodes say that every pod runs.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { stringify } from 'yaml';
import { charts as versions } from '../../versions';
import { helm } from './tools';

export interface ChartRepository {
  readonly url: string;
  close(): Promise<void>;
}

/** @param definitions folder of upstream's CRDs @param scratch an existing folder */
export async function serveCharts(definitions: string, scratch: string): Promise<ChartRepository> {
  const served = path.join(scratch, 'repository');
  mkdirSync(served, { recursive: true });
  makeChart(scratch, served, 'argo-cd', {
    crds: ['applications.argoproj.io', 'appprojects.argoproj.io'].map((name) => path.join(definitions, `${name}.yaml`)),
    templates: [
      arrived,
      stringify(workload('StatefulSet', 'argocd-application-controller')),
      stringify(workload('Deployment', 'argocd-repo-server')),
    ],
  });
  makeChart(scratch, served, 'sealed-secrets', {
    crds: [path.join(definitions, 'sealedsecrets.bitnami.com.yaml')],
    templates: [
      arrived,
      stringify(workload('Deployment', 'sealed-secrets-controller', ['--key-renew-period', '{{ .Values.keyrenewperiod }}'])),
      // As upstream's: without a look at what the cluster serves.
      '{{- if .Values.metrics.serviceMonitor.enabled }}\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata:\n  name: {{ .Release.Name }}\nspec: {}\n{{- end }}\n',
    ],
  });
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(path.join(served, path.basename(request.url ?? ''))));
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  execFileSync(helm(), ['repo', 'index', served, '--url', url], { stdio: 'ignore' });
  return { url, close: () => closed(server) };
}

/** What Helm was given, for the test to read in the cluster. */
const arrived = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-arrived
  namespace: {{ .Release.Namespace }}
data:
  values: {{ .Values | toJson | quote }}
  version: {{ .Chart.Version | quote }}
  kubernetes: {{ .Capabilities.KubeVersion.Version | quote }}
`;

function workload(kind: 'StatefulSet' | 'Deployment', name: string, args?: readonly string[]): object {
  const labels = { 'app.kubernetes.io/name': name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: '{{ .Release.Namespace }}', labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
      template: {
        metadata: { labels },
        spec: {
          securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'main',
              image: 'registry.invalid/stand-in:1',
              ...(args ? { args } : {}),
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    },
  };
}

function makeChart(
  scratch: string,
  served: string,
  name: 'argo-cd' | 'sealed-secrets',
  { crds, templates }: { readonly crds: readonly string[]; readonly templates: readonly string[] },
): void {
  const folder = path.join(scratch, name);
  mkdirSync(path.join(folder, 'templates'), { recursive: true });
  mkdirSync(path.join(folder, 'crds'));
  writeFileSync(path.join(folder, 'Chart.yaml'), stringify({ apiVersion: 'v2', name, version: versions[name].version }));
  for (const file of crds) copyFileSync(file, path.join(folder, 'crds', path.basename(file)));
  for (const [index, text] of templates.entries()) writeFileSync(path.join(folder, 'templates', `${index}.yaml`), text);
  execFileSync(helm(), ['package', folder, '--destination', served], { stdio: 'ignore' });
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
