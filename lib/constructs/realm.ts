/**
 * What surrounds the worlds of one realm and must not restart them: identities, Services, budgets, the netcode key, the broker's rights, monitoring.
 * It deliberately holds no workload: worlds (world.ts) are in an Application of their own, so that a maintenance window can hold back a restart and nothing else.
 */
import type { Chart } from 'cdk8s';
import { PodMonitor } from '../../imports/monitoring.coreos.com';
import { type BuildContext, labels } from '../component';
import { add, type SharedKind, sameEverywhere } from '../emit/manifest';
import { IntOrString, KubePodDisruptionBudget, KubeRole, KubeRoleBinding, KubeService, KubeServiceAccount, type PolicyRule } from '../k8s';
import type { Continent, Realm } from '../model/cluster';
import { BROKER_SERVICE, GAME_PORTS, LABELS, NAMESPACES } from '../platform';
import { generationKey, keyGenerations, netcodeKey, REALM_KEY_SECRET, realmKeyIdentity } from './netcode-keys';
import { worldSelector } from './world';

/** Pool of MetalLB from which game Services take their pinned addresses. Never the pool of ingress and DNS. */
const GAME_POOL = 'games';

/** Name of the Service that players reach a continent by; the headless one has the continent's own name. */
function publicServiceName(continent: { readonly name: string }): string {
  return `${continent.name}-public`;
}

const WATCH = ['get', 'list', 'watch'];

/** What the broker may read in a realm: enough to know which world runs, on which address, with which key generation. */
const READ_WORLDS: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['pods', 'services'], verbs: WATCH },
  { apiGroups: ['apps'], resources: ['statefulsets'], verbs: WATCH },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: WATCH },
];
const WorldsBrokerRole = sameEverywhere(KubeRole, { rules: [...READ_WORLDS] });

/** In a realm that may sleep: the number of pods of its active worlds, and nothing else of them. */
function sleepingBrokerRole(realm: Realm): SharedKind {
  const names = realm.continents.filter(({ state }) => state === 'active').map(({ name }) => name);
  return sameEverywhere(KubeRole, {
    rules: [...READ_WORLDS, { apiGroups: ['apps'], resources: ['statefulsets/scale'], resourceNames: names, verbs: ['patch'] }],
  });
}

const BrokerRoleBinding = sameEverywhere(KubeRoleBinding, {
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'connect-broker' },
  subjects: [{ kind: 'ServiceAccount', name: BROKER_SERVICE, namespace: NAMESPACES.broker }],
});

/** Its token is projected into the pod at a path of its own; the default one is never mounted. */
const WorldServiceAccount = sameEverywhere(KubeServiceAccount, { automountServiceAccountToken: false });

/** Adds everything of a realm but its worlds. */
export function addRealm(chart: Chart, context: BuildContext, realm: Realm): void {
  for (const continent of realm.continents) addContinent(chart, realm, continent);
  if (realm.exposure.type === 'shared-address' && realm.continents.some(({ state }) => state === 'active')) {
    context.warn(
      `the worlds of realm '${realm.name}' share ${realm.exposure.address}, so they see a node's address in place of each player's: their own limits and bans by address do not work (the broker's do). exposure { type: 'own-address' } keeps players' addresses.`,
    );
  }
  context.secret(chart, {
    namespace: realm.namespace,
    name: REALM_KEY_SECRET,
    keys: Object.fromEntries(
      keyGenerations(realm.netcodeKeyGeneration).map((generation) => [
        generationKey(generation),
        netcodeKey(realmKeyIdentity(realm, generation)),
      ]),
    ),
    purpose: `netcode keys of realm '${realm.name}': whoever has them can make tokens for its worlds`,
  });
  const sleeps = realm.sleep !== undefined && realm.continents.some(({ state }) => state === 'active');
  addBrokerRights(chart, realm.namespace, sleeps ? sleepingBrokerRole(realm) : WorldsBrokerRole);
  addGamePodMonitor(chart, realm.namespace, { [LABELS.gameServer]: 'true', [LABELS.realm]: realm.name }, [LABELS.realm, LABELS.continent]);
}

function addContinent(chart: Chart, realm: Realm, continent: Continent): void {
  const selector = worldSelector(realm, continent);
  const metadata = (name: string) => ({ name, namespace: realm.namespace, labels: labels('game-server', 'world', selector) });
  // The identity that the broker sees.
  add(chart, WorldServiceAccount, { metadata: metadata(continent.name) });
  // The pod's stable name in DNS; a StatefulSet must have one.
  add(chart, KubeService, {
    metadata: metadata(continent.name),
    spec: {
      clusterIp: 'None',
      selector,
      ports: [{ name: 'status', port: GAME_PORTS.status, targetPort: IntOrString.fromString('status') }],
    },
  });
  // A retired world has no pod to protect and none to reach; a budget or an address without one would only be noise and a wasted address.
  if (continent.state === 'retired') return;
  add(chart, KubePodDisruptionBudget, {
    metadata: metadata(continent.name),
    // Nobody evicts a world that is played on: `kubectl drain` stops here and says so. One that does not serve may go.
    spec: { maxUnavailable: IntOrString.fromNumber(0), selector: { matchLabels: selector }, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  });
  if (realm.exposure.type === 'host-port') return;
  const shared = realm.exposure.type === 'shared-address';
  add(chart, KubeService, {
    metadata: {
      ...metadata(publicServiceName(continent)),
      annotations: {
        'metallb.io/address-pool': GAME_POOL,
        'metallb.io/loadBalancerIPs': continent.lanAddress,
        // The key is the address: whoever is told to use it may share it, and a Service with another key cannot take it.
        ...(shared ? { 'metallb.io/allow-shared-ip': `games-${continent.lanAddress}` } : {}),
      },
    },
    spec: {
      type: 'LoadBalancer',
      allocateLoadBalancerNodePorts: false,
      // Local keeps the players' addresses, and MetalLB then announces from the world's own node. A shared address works only with Cluster, the default:
      // MetalLB shares under Local between identical selectors alone, and every continent has its own.
      ...(shared ? {} : { externalTrafficPolicy: 'Local' }),
      selector,
      ports: [{ name: 'game', port: continent.port, targetPort: IntOrString.fromString('game'), protocol: 'UDP' }],
    },
  });
}

/** Gives the broker's ServiceAccount rights in one namespace. */
export function addBrokerRole(chart: Chart, namespace: string, rules: readonly PolicyRule[]): void {
  addBrokerRights(chart, namespace, sameEverywhere(KubeRole, { rules: [...rules] }));
}

function addBrokerRights(chart: Chart, namespace: string, role: SharedKind): void {
  const metadata = { name: 'connect-broker', namespace, labels: labels('connect-broker', 'rights') };
  add(chart, role, { metadata });
  add(chart, BrokerRoleBinding, { metadata });
}

/** Lets Prometheus find game servers of one namespace, with our labels on every series. */
export function addGamePodMonitor(
  chart: Chart,
  namespace: string,
  matchLabels: Record<string, string>,
  podTargetLabels: readonly string[],
): void {
  add(chart, PodMonitor, {
    metadata: { name: 'game-server', namespace, labels: labels('game-server') },
    spec: {
      selector: { matchLabels },
      podTargetLabels: [...podTargetLabels, LABELS.build],
      podMetricsEndpoints: [{ port: 'metrics' }],
    },
  });
}
