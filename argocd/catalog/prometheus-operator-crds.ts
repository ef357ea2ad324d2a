/**
 * The CRDs of prometheus-operator in an Application of their own: every chart with a ServiceMonitor needs them long before there is a Prometheus.
 * It deliberately is not kube-prometheus-stack's copy of them, which would come and go with the whole stack.
 */
import type { UpstreamChart } from './types';

export const prometheusOperatorCrds: UpstreamChart = {
  name: 'prometheus-operator-crds',
  project: 'observability',
  chart: 'prometheus-operator-crds',
  namespace: 'monitoring',
  summary: "prometheus-operator's CRDs: ServiceMonitors, rules and the like, in the first wave because all other charts use them.",
  values: () => ({
    crds: {
      // Deleting one deletes every object of its kind; an upgrade that drops a CRD must be a decision and not a side effect.
      annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false' },
    },
  }),
  needs: () => ['namespaces'],
  provides: () => ({
    crds: [
      'alertmanagerconfigs.monitoring.coreos.com',
      'alertmanagers.monitoring.coreos.com',
      'podmonitors.monitoring.coreos.com',
      'probes.monitoring.coreos.com',
      'prometheusagents.monitoring.coreos.com',
      'prometheuses.monitoring.coreos.com',
      'prometheusrules.monitoring.coreos.com',
      'scrapeconfigs.monitoring.coreos.com',
      'servicemonitors.monitoring.coreos.com',
      'thanosrulers.monitoring.coreos.com',
    ],
    services: [],
    pods: [],
    clusterKinds: ['apiextensions.k8s.io/CustomResourceDefinition'],
  }),
  flows: () => [],
};
