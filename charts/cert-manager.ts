/**
 * Issuers: the cluster's own certificate authority, always; Let's Encrypt, staging and production, where the description asks for it.
 * It deliberately holds no certificate of a host: each route brings its own.
 */
import { acmeSolver, certManager as certManagerChart } from '../argocd/catalog/cert-manager';
import { traefik } from '../argocd/catalog/traefik';
import { workload as upstream } from '../argocd/catalog/workloads';
import {
  Certificate,
  CertificateSpecPrivateKeyAlgorithm,
  CertificateSpecPrivateKeyRotationPolicy,
  CertificateSpecUsages,
  ClusterIssuer,
  type ClusterIssuerSpecAcmeSolvers,
  ClusterIssuerSpecAcmeSolversHttp01IngressPodTemplateSpecResourcesLimits as Limit,
  ClusterIssuerSpecAcmeSolversHttp01IngressPodTemplateSpecResourcesRequests as Request,
} from '../imports/cert-manager.io';
import { type Component, labels, PROTECTED, syncWave, workload } from '../lib/component';
import { alertRules } from '../lib/constructs/alerts';
import { add } from '../lib/emit/manifest';
import type { Cluster } from '../lib/model/cluster';
import { NAMESPACES } from '../lib/platform';
import type { SecretSpec } from '../lib/secrets/spec';

const NAMESPACE = certManagerChart.namespace;

/** Names of the ClusterIssuers, and of the Secret of the CA (a ClusterIssuer's Secrets are in cert-manager's own namespace). */
export const ISSUERS = {
  /** The cluster's own authority: admin hosts without DNS-01, webhooks, database TLS, everything on a laptop. */
  ca: 'cluster-ca',
  /** Signs the certificate of the authority above and nothing else. */
  bootstrap: 'cluster-ca-bootstrap',
} as const;

/** Let's Encrypt's directories. */
const ACME = {
  staging: 'https://acme-staging-v02.api.letsencrypt.org/directory',
  production: 'https://acme-v02.api.letsencrypt.org/directory',
} as const;

const CLOUDFLARE_TOKEN = { name: 'cloudflare-api-token', key: 'api-token' } as const;

export const certManager: Component = {
  name: 'cert-manager',
  summary: "Issuers of certificates: the cluster's own authority, and Let's Encrypt where the cluster has a public name.",
  namespaces: () => [{ name: NAMESPACE, podSecurity: 'restricted' }],
  flows: (cluster) =>
    usesHttp01(cluster)
      ? [
          {
            from: upstream('traefik', 'traefik'),
            // cert-manager makes these pods in the namespace of the Certificate, for some seconds at each renewal.
            to: workload(NAMESPACES.broker, 'acme-solver', acmeSolver.labels),
            ports: [{ port: acmeSolver.port }],
            because: "Let's Encrypt fetches the answer to an HTTP-01 challenge from a pod of cert-manager's.",
          },
        ]
      : [],
  applications: () => [
    {
      name: 'cert-manager-config',
      project: 'platform',
      namespace: NAMESPACE,
      needs: ['cert-manager', 'sealed-secrets', 'prometheus-operator-crds'],
      build: (chart, context) => {
        const { cluster } = context;
        const { certificates } = cluster;
        add(chart, ClusterIssuer, { metadata: { name: ISSUERS.bootstrap, labels: labels('cert-manager') }, spec: { selfSigned: {} } });
        add(chart, Certificate, {
          metadata: {
            name: ISSUERS.ca,
            namespace: NAMESPACE,
            labels: labels('cert-manager'),
            annotations: { ...PROTECTED, ...syncWave(1) },
          },
          spec: {
            isCa: true,
            commonName: `${cluster.name} cluster CA`,
            secretName: ISSUERS.ca,
            issuerRef: { kind: 'ClusterIssuer', name: ISSUERS.bootstrap },
            // People trust it on their devices by hand: ten years, renewed one year before the end.
            duration: '87600h',
            renewBefore: '8760h',
            privateKey: {
              algorithm: CertificateSpecPrivateKeyAlgorithm.ECDSA,
              size: 256,
              // The key stays at a renewal, so that what it has signed stays valid.
              rotationPolicy: CertificateSpecPrivateKeyRotationPolicy.NEVER,
            },
            usages: [CertificateSpecUsages.CERT_SIGN, CertificateSpecUsages.CRL_SIGN, CertificateSpecUsages.DIGITAL_SIGNATURE],
          },
        });
        add(chart, ClusterIssuer, {
          metadata: { name: ISSUERS.ca, labels: labels('cert-manager'), annotations: syncWave(2) },
          spec: { ca: { secretName: ISSUERS.ca } },
        });
        if (certificates.issuer === 'letsencrypt') {
          if (certificates.dns01) context.secret(chart, cloudflareToken(certificates.dns01.cloudflare.zone));
          for (const [environment, server] of Object.entries(ACME)) {
            const name = `letsencrypt-${environment}`;
            add(chart, ClusterIssuer, {
              metadata: {
                name,
                labels: labels('cert-manager'),
                // It registers an account over the Internet; a day without must not stop what comes after.
                annotations: { ...syncWave(2), 'argocd.argoproj.io/ignore-healthcheck': 'true' },
              },
              spec: {
                acme: {
                  server,
                  email: certificates.email,
                  privateKeySecretRef: { name: `${name}-account` },
                  solvers: solvers(cluster, certificates.dns01?.cloudflare.zone),
                },
              },
            });
          }
        }
        alertRules(chart, NAMESPACE, 'cert-manager', [
          {
            name: 'CertificateExpiresSoon',
            // Renewed at two thirds of its life, thirty days before its end. 0 says that it was never issued, which is the other alert's business.
            expr: 'min by (exported_namespace, name) (certmanager_certificate_expiration_timestamp_seconds > 0) - time() < 14 * 24 * 3600',
            for: '1h',
            severity: 'critical',
            summary: 'Certificate {{ $labels.exported_namespace }}/{{ $labels.name }} expires in less than 14 days.',
            description:
              'Its renewal has failed for two weeks. `kubectl describe certificate` and `kubectl get challenges -A` say why; after its end players cannot log in.',
          },
          {
            name: 'CertificateNotReady',
            expr: 'max by (exported_namespace, name) (certmanager_certificate_ready_status{condition="True"}) == 0',
            for: '30m',
            severity: 'warning',
            summary: 'Certificate {{ $labels.exported_namespace }}/{{ $labels.name }} is not ready.',
            description:
              'It has not been issued for half an hour. With HTTP-01 the router must forward port 80 to the ingress address; with DNS-01 the API token must be able to edit the zone.',
          },
        ]);
      },
    },
  ],
};

/** HTTP-01 is left to names outside of the DNS-01 zone; the domain is always within it. */
function usesHttp01(cluster: Cluster): boolean {
  return cluster.certificates.issuer === 'letsencrypt' && cluster.certificates.dns01 === undefined;
}

function cloudflareToken(zone: string): SecretSpec {
  return {
    namespace: NAMESPACE,
    name: CLOUDFLARE_TOKEN.name,
    keys: {
      [CLOUDFLARE_TOKEN.key]: {
        value: 'cloudflare/api-token',
        source: {
          ask: `A Cloudflare API token with the rights Zone:Read and DNS:Edit for the zone ${zone} alone (dashboard: My Profile, API Tokens).`,
        },
      },
    },
    purpose: `Lets cert-manager answer Let's Encrypt's DNS-01 challenges in the zone ${zone}.`,
    annotations: syncWave(-1),
  };
}

/** cert-manager takes the most specific solver that fits a name: DNS-01 for the zone, which needs no open port; HTTP-01 for any other name. */
function solvers(cluster: Cluster, zone: string | undefined): ClusterIssuerSpecAcmeSolvers[] {
  // Traefik serves this class of Ingress and no other.
  const [ingressClassName] = traefik.provides(cluster).ingressClasses ?? [];
  const http01: ClusterIssuerSpecAcmeSolvers = {
    http01: {
      ingress: {
        ingressClassName,
        podTemplate: {
          spec: {
            // In a namespace that admits only restricted pods. A context here replaces cert-manager's own as a whole.
            securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } },
            resources: {
              requests: { cpu: Request.fromString('5m'), memory: Request.fromString('16Mi') },
              limits: { memory: Limit.fromString('64Mi') },
            },
          },
        },
      },
    },
  };
  if (zone === undefined) return [http01];
  return [{ selector: { dnsZones: [zone] }, dns01: { cloudflare: { apiTokenSecretRef: CLOUDFLARE_TOKEN } } }, http01];
}
