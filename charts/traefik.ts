/**
 * What Traefik needs from us: its namespace, TLS for connections that belong to no route, and the routes of admin pages whose Services come from upstream charts.
 * It deliberately holds no route of ours: the broker's and Pi-hole's are with their Services.
 */
import { argoCd } from '../argocd/catalog/argo-cd';
import { kubePrometheusStack } from '../argocd/catalog/kube-prometheus-stack';
import { entryPoints, traefik as traefikChart } from '../argocd/catalog/traefik';
import type { UpstreamChart } from '../argocd/catalog/types';
import { TlsOption } from '../imports/traefik.io';
import { type Component, labels } from '../lib/component';
import { alertRules } from '../lib/constructs/alerts';
import { adminRoute, MODERN_TLS } from '../lib/constructs/routes';
import { add } from '../lib/emit/manifest';
import type { Cluster } from '../lib/model/cluster';

const NAMESPACE = traefikChart.namespace;

export const traefik: Component = {
  name: 'traefik',
  summary: 'TLS for every host, and the admin pages of Argo CD and Grafana on an address that is never forwarded.',
  namespaces: (cluster) => [
    cluster.hasLoadBalancer
      ? { name: NAMESPACE, podSecurity: 'restricted' }
      : {
          name: NAMESPACE,
          podSecurity: 'privileged',
          because: 'Without a load balancer Traefik listens on ports of the node, which the levels restricted and baseline forbid.',
        },
  ],
  applications: (cluster) => [
    {
      name: 'traefik-config',
      project: 'platform',
      namespace: NAMESPACE,
      needs: ['traefik', 'cert-manager-config', 'prometheus-operator-crds'],
      build: (chart, context) => {
        // Named "default" and in this namespace it applies wherever no route says otherwise: who names no known host gets no certificate.
        add(chart, TlsOption, { metadata: { name: 'default', namespace: NAMESPACE, labels: labels('traefik') }, spec: MODERN_TLS });
        adminRoute(chart, context, { name: 'argocd', host: cluster.hosts.argocd, ...provided(argoCd, cluster, 'argocd-server', 'http') });
        adminRoute(chart, context, {
          name: 'grafana',
          host: cluster.hosts.grafana,
          ...provided(kubePrometheusStack, cluster, 'grafana', 'http-web'),
        });
        alertRules(chart, NAMESPACE, 'traefik', [
          {
            name: 'TraefikDown',
            expr: `absent(up{namespace="${NAMESPACE}"} == 1)`,
            for: '5m',
            severity: 'critical',
            summary: 'No Traefik answers: nobody can log in.',
            description: `Prometheus has reached no Traefik pod for five minutes. Worlds go on for players who are in; new ones cannot get a token. See \`kubectl -n ${NAMESPACE} get pods\`.`,
          },
          {
            name: 'TraefikServerErrors',
            expr: [
              `sum(rate(traefik_entrypoint_requests_total{entrypoint="${entryPoints.websecure}",code=~"5.."}[5m]))`,
              `  / sum(rate(traefik_entrypoint_requests_total{entrypoint="${entryPoints.websecure}"}[5m])) > 0.05`,
            ].join('\n'),
            for: '10m',
            severity: 'warning',
            summary: "More than 5 % of players' requests end in an error.",
            description:
              'The entry point for players has answered with 5xx for ten minutes. 502 and 504 mean that the service behind it does not answer; Traefik says which in its access log.',
          },
        ]);
      },
    },
  ],
};

/** A Service out of a chart's record, which `npm run charts:verify` proves. Throws when the record has no such Service or port. */
function provided(
  chart: UpstreamChart,
  cluster: Cluster,
  service: string,
  portName: string,
): { namespace: string; service: { name: string; port: number } } {
  const record = chart.provides(cluster).services.find(({ name }) => name === service);
  const port = record?.ports.find(({ name }) => name === portName);
  if (!record || !port) {
    throw new Error(
      `The catalogue's entry '${chart.name}' records no Service '${service}' with a port '${portName}'; a route cannot lead there.`,
    );
  }
  return { namespace: record.namespace ?? chart.namespace, service: { name: record.name, port: port.port } };
}
