/**
 * What MetalLB needs from us: its namespace, and exactly the addresses that this cluster uses, in two pools that hand out nothing by themselves.
 * It deliberately knows no Service: each pins its own address, and names its pool.
 */
import { metallb as metallbChart } from '../argocd/catalog/metallb';
import { IpAddressPool, L2Advertisement } from '../imports/metallb.io';
import { type Component, labels } from '../lib/component';
import { alertRules } from '../lib/constructs/alerts';
import { add } from '../lib/emit/manifest';
import { fromNumber, toNumber } from '../lib/model/addresses';
import type { Cluster } from '../lib/model/cluster';

const NAMESPACE = metallbChart.namespace;

/** Pools by name, as the annotation `metallb.io/address-pool` refers to them. Games have their own, so that no game Service can ever take the address of ingress or DNS. */
export const POOLS = { ingress: 'ingress', games: 'games' } as const;

export const metallb: Component = {
  name: 'metallb',
  summary: 'The addresses of the LAN that MetalLB answers for: those of ingress and DNS apart from those of the game.',
  enabled: (cluster) => cluster.hasLoadBalancer || "kubernetes.loadBalancer is 'none': there are no addresses of the LAN to hand out",
  namespaces: () => [
    {
      name: NAMESPACE,
      podSecurity: 'privileged',
      because: "MetalLB's speaker answers ARP for the addresses: it runs in the host network with the capability NET_RAW.",
    },
  ],
  applications: () => [
    {
      name: 'metallb-config',
      project: 'platform',
      namespace: NAMESPACE,
      needs: ['metallb', 'prometheus-operator-crds'],
      build: (chart, { cluster }) => {
        for (const [name, addresses] of Object.entries(poolAddresses(cluster))) {
          // MetalLB refuses a pool without addresses; a cluster may have no world with an address.
          if (addresses.length === 0) continue;
          add(chart, IpAddressPool, {
            metadata: { name, namespace: NAMESPACE, labels: labels('metallb', name) },
            spec: {
              addresses: addresses.map((address) => `${address}/32`),
              // Every Service pins its address; one that forgot to must stay without, and not take another's.
              autoAssign: false,
            },
          });
          add(chart, L2Advertisement, {
            metadata: { name, namespace: NAMESPACE, labels: labels('metallb', name) },
            spec: { ipAddressPools: [name] },
          });
        }
        alertRules(chart, NAMESPACE, 'metallb', [
          {
            name: 'LoadBalancerWithoutAddress',
            expr: 'kube_service_spec_type{type="LoadBalancer"} unless on (namespace, service) kube_service_status_load_balancer_ingress',
            for: '5m',
            severity: 'critical',
            summary: 'Service {{ $labels.namespace }}/{{ $labels.service }} has no address: nobody outside of the cluster reaches it.',
            description:
              'MetalLB has given it none for five minutes: the address is not in the pool that the Service names, or another Service holds it. `kubectl describe service` shows which.',
          },
          {
            name: 'MetalLbConfigurationStale',
            expr: 'max by (pod) (metallb_k8s_client_config_stale_bool) == 1',
            for: '5m',
            severity: 'warning',
            summary: '{{ $labels.pod }} runs on an old configuration.',
            description: 'It refused the newest pools or advertisements, and goes on with the ones before. Its log says why.',
          },
          {
            name: 'MetalLbSpeakerMissing',
            expr: `kube_daemonset_status_number_unavailable{namespace="${NAMESPACE}"} > 0`,
            for: '10m',
            severity: 'warning',
            summary: '{{ $value }} MetalLB speakers are not running.',
            description:
              'Addresses whose Service keeps client addresses (externalTrafficPolicy: Local) are announced only by the node that runs the pod: a node without a speaker makes its worlds unreachable.',
          },
        ]);
      },
    },
  ],
};

/** Exactly the addresses in use, by pool, in ascending order. Retired worlds have no external Service and thus no address. */
function poolAddresses(cluster: Cluster): Record<string, string[]> {
  const { ingress, adminIngress, dns } = cluster.network;
  const games = cluster.realms
    .filter((realm) => realm.exposure.type !== 'host-port')
    .flatMap((realm) => realm.continents.filter((continent) => continent.state === 'active').map((continent) => continent.lanAddress));
  return { [POOLS.ingress]: unique([ingress, adminIngress, dns]), [POOLS.games]: unique(games) };
}

function unique(addresses: readonly (string | undefined)[]): string[] {
  const numbers = new Set(addresses.filter((address) => address !== undefined).map(toNumber));
  return [...numbers].sort((a, b) => a - b).map(fromNumber);
}
