/**
 * What Agones needs from us: its namespace, and the certificates of its webhooks, which the chart would otherwise make anew, with their keys, at every render.
 * It deliberately holds no Fleet: content types are a component of their own.
 */
import { agonesCertificates, agones as agonesChart } from '../argocd/catalog/agones';
import {
  Certificate,
  CertificateSpecPrivateKeyAlgorithm,
  CertificateSpecPrivateKeyRotationPolicy,
  CertificateSpecUsages,
} from '../imports/cert-manager.io';
import { type Component, labels } from '../lib/component';
import { alertRules } from '../lib/constructs/alerts';
import { add } from '../lib/emit/manifest';
import { ISSUERS } from './cert-manager';

const NAMESPACE = agonesChart.namespace;

export const agones: Component = {
  name: 'agones',
  summary: "Certificates of Agones' webhooks, from the cluster's own authority.",
  enabled: agonesChart.enabled,
  namespaces: () => [
    {
      name: NAMESPACE,
      podSecurity: 'baseline',
      because:
        "Agones' chart runs its pods as non-root but sets neither a seccomp profile nor dropped capabilities, and has no values for them.",
    },
  ],
  applications: () => [
    {
      name: 'agones-certificates',
      project: 'platform',
      namespace: NAMESPACE,
      needs: ['cert-manager-config', 'prometheus-operator-crds'],
      build: (chart) => {
        for (const { name, namespace, secretName, dnsNames } of agonesCertificates) {
          add(chart, Certificate, {
            metadata: { name, namespace, labels: labels('agones', 'certificates') },
            spec: {
              secretName,
              dnsNames: [...dnsNames],
              // Not Let's Encrypt: the names are the cluster's own, and the webhooks' CA bundle is copied from the Secret's ca.crt.
              issuerRef: { kind: 'ClusterIssuer', name: ISSUERS.ca },
              privateKey: {
                algorithm: CertificateSpecPrivateKeyAlgorithm.ECDSA,
                size: 256,
                rotationPolicy: CertificateSpecPrivateKeyRotationPolicy.ALWAYS,
              },
              usages: [CertificateSpecUsages.DIGITAL_SIGNATURE, CertificateSpecUsages.SERVER_AUTH],
            },
          });
        }
        alertRules(chart, NAMESPACE, 'agones', [
          down(
            'extensions',
            'AgonesExtensionsDown',
            'No instance can be allocated, and no Fleet can change.',
            'They answer allocations and the webhooks, which fail closed.',
          ),
          down(
            'controller',
            'AgonesControllerDown',
            'No new instance starts.',
            'Instances that are ready are still handed out until they run short; running matches go on.',
          ),
        ]);
      },
    },
  ],
};

function down(role: string, name: string, consequence: string, detail: string) {
  return {
    name,
    expr: `absent(kube_deployment_status_replicas_available{namespace="${NAMESPACE}",deployment="agones-${role}"} > 0)`,
    for: '5m',
    severity: 'critical',
    summary: `Agones' ${role} do${role === 'extensions' ? '' : 'es'} not run: ${consequence.charAt(0).toLowerCase()}${consequence.slice(1)}`,
    description: `${detail} See \`kubectl -n ${NAMESPACE} describe deployment agones-${role}\`.`,
  } as const;
}
