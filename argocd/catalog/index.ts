/**
 * The catalogue: every upstream chart that the platform installs, one line each. Their order in time follows from `needs`, not from this list.
 */
import { agones } from './agones';
import { alloy } from './alloy';
import { argoCd } from './argo-cd';
import { certManager } from './cert-manager';
import { cloudnativePg } from './cloudnative-pg';
import { externalDns } from './external-dns';
import { k8up } from './k8up';
import { kubePrometheusStack } from './kube-prometheus-stack';
import { loki } from './loki';
import { metallb } from './metallb';
import { metricsServer } from './metrics-server';
import { pluginBarmanCloud } from './plugin-barman-cloud';
import { prometheusOperatorCrds } from './prometheus-operator-crds';
import { sealedSecrets } from './sealed-secrets';
import { traefik } from './traefik';
import type { UpstreamChart } from './types';

export const catalog: readonly UpstreamChart[] = [
  argoCd,
  prometheusOperatorCrds,
  sealedSecrets,
  certManager,
  metricsServer,
  metallb,
  traefik,
  cloudnativePg,
  pluginBarmanCloud,
  agones,
  kubePrometheusStack,
  loki,
  alloy,
  externalDns,
  k8up,
];
