/**
 * Every version that the project pins (charts, images, CRD sources), in the one place that Renovate reads and that all else refers to.
 * It deliberately holds no values and no logic. Each entry is preceded by the comment that renovate.json's regex matches (a test proves it for every entry).
 */

export interface ChartVersion {
  /** Helm repository, as Argo CD wants it: an https:// index, or a registry's path without a scheme for OCI charts. */
  readonly repository: string;
  readonly chart: string;
  readonly version: string;
}

export const charts = {
  // renovate: datasource=helm registryUrl=https://argoproj.github.io/argo-helm
  'argo-cd': { repository: 'https://argoproj.github.io/argo-helm', chart: 'argo-cd', version: '10.1.1' },
  // renovate: datasource=helm registryUrl=https://bitnami.github.io/sealed-secrets
  'sealed-secrets': { repository: 'https://bitnami.github.io/sealed-secrets', chart: 'sealed-secrets', version: '2.19.1' },
  // renovate: datasource=helm registryUrl=https://charts.jetstack.io
  'cert-manager': { repository: 'https://charts.jetstack.io', chart: 'cert-manager', version: 'v1.21.1' },
  // renovate: datasource=helm registryUrl=https://kubernetes-sigs.github.io/metrics-server
  'metrics-server': { repository: 'https://kubernetes-sigs.github.io/metrics-server', chart: 'metrics-server', version: '3.13.1' },
  // renovate: datasource=helm registryUrl=https://metallb.github.io/metallb
  metallb: { repository: 'https://metallb.github.io/metallb', chart: 'metallb', version: '0.16.1' },
  // renovate: datasource=helm registryUrl=https://traefik.github.io/charts
  traefik: { repository: 'https://traefik.github.io/charts', chart: 'traefik', version: '41.3.0' },
  // renovate: datasource=helm registryUrl=https://cloudnative-pg.github.io/charts
  'cloudnative-pg': { repository: 'https://cloudnative-pg.github.io/charts', chart: 'cloudnative-pg', version: '0.29.0' },
  // renovate: datasource=helm registryUrl=https://cloudnative-pg.github.io/charts
  'plugin-barman-cloud': { repository: 'https://cloudnative-pg.github.io/charts', chart: 'plugin-barman-cloud', version: '0.7.0' },
  // renovate: datasource=helm registryUrl=https://agones.dev/chart/stable
  agones: { repository: 'https://agones.dev/chart/stable', chart: 'agones', version: '1.59.0' },
  // renovate: datasource=helm registryUrl=https://prometheus-community.github.io/helm-charts
  'prometheus-operator-crds': {
    repository: 'https://prometheus-community.github.io/helm-charts',
    chart: 'prometheus-operator-crds',
    version: '31.0.1',
  },
  // renovate: datasource=helm registryUrl=https://prometheus-community.github.io/helm-charts
  'kube-prometheus-stack': {
    repository: 'https://prometheus-community.github.io/helm-charts',
    chart: 'kube-prometheus-stack',
    version: '88.5.3',
  },
  // renovate: datasource=helm registryUrl=https://grafana-community.github.io/helm-charts
  loki: { repository: 'https://grafana-community.github.io/helm-charts', chart: 'loki', version: '18.11.0' },
  // renovate: datasource=helm registryUrl=https://grafana.github.io/helm-charts
  alloy: { repository: 'https://grafana.github.io/helm-charts', chart: 'alloy', version: '1.11.1' },
  // renovate: datasource=helm registryUrl=https://kubernetes-sigs.github.io/external-dns
  'external-dns': { repository: 'https://kubernetes-sigs.github.io/external-dns', chart: 'external-dns', version: '1.21.1' },
  // renovate: datasource=helm registryUrl=https://k8up-io.github.io/k8up
  k8up: { repository: 'https://k8up-io.github.io/k8up', chart: 'k8up', version: '4.9.0' },
} as const satisfies Record<string, ChartVersion>;

export interface ImageVersion {
  /** Registry and repository. */
  readonly image: string;
  readonly tag: string;
  /** `sha256:…`, once somebody with access to the registry has looked it up. */
  readonly digest?: string;
  /** Why there is no digest; the synth lists these images at every run. */
  readonly unverified?: string;
}

const NOT_LOOKED_UP = 'the registry could not be asked when the tag was pinned; pin the digest by hand before you rely on it';

export const images = {
  // renovate: datasource=docker
  pihole: { image: 'docker.io/pihole/pihole', tag: '2026.07.2', unverified: NOT_LOOKED_UP },
  // renovate: datasource=docker
  'blackbox-exporter': { image: 'quay.io/prometheus/blackbox-exporter', tag: 'v0.28.0', unverified: NOT_LOOKED_UP },
  // renovate: datasource=docker
  postgresql: { image: 'ghcr.io/cloudnative-pg/postgresql', tag: '17.6-standard-bookworm', unverified: NOT_LOOKED_UP },
  // renovate: datasource=docker
  'connect-broker': {
    image: 'ghcr.io/mmo-backend/connect-broker',
    tag: '0.1.0',
    unverified: 'the project has not published its first release yet: build and push the image, then pin its digest',
  },
} as const satisfies Record<string, ImageVersion>;

/** The image reference as manifests carry it: with the digest where one is known. */
export function imageReference(name: keyof typeof images): string {
  const entry: ImageVersion = images[name];
  return `${entry.image}:${entry.tag}${entry.digest ? `@${entry.digest}` : ''}`;
}
