/**
 * Monitoring: the namespace of Prometheus, Grafana, Loki and Alloy, alerts about the platform itself, and dashboards.
 * It deliberately holds no alerts of single systems: each component brings its own.
 */
import type { Component } from '../lib/component';

export const monitoring: Component = {
  name: 'monitoring',
  summary: 'Namespace of the monitoring stack, platform alerts and dashboards.',
  namespaces: () => [
    {
      name: 'monitoring',
      podSecurity: 'privileged',
      because: "node-exporter reads the nodes' own file systems and network, which needs the host's namespaces",
    },
  ],
  applications: () => [],
};
