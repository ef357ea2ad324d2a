/**
 * Persistent worlds: a namespace per realm, the Application `realms` with all that surrounds the worlds, and one Application per realm with the worlds themselves.
 * It deliberately knows no exposure and no pod: those are lib/constructs/realm.ts and lib/constructs/world.ts.
 */
import { workload as upstream } from '../argocd/catalog/workloads';
import type { Component, NamespaceSpec } from '../lib/component';
import { type Alert, alertRules } from '../lib/constructs/alerts';
import { addRealm } from '../lib/constructs/realm';
import { addWorld, commonPod, isOrdered } from '../lib/constructs/world';
import type { Flow } from '../lib/flows';
import type { Realm } from '../lib/model/cluster';
import { GAME_PORTS, gameServerGroup, LABELS, NAMESPACES, realmWorkload } from '../lib/platform';

export const realms: Component = {
  name: 'realms',
  summary: 'Persistent worlds: one StatefulSet with its own volume and address per continent, grouped by realm.',
  enabled: (cluster) => cluster.realms.length > 0 || 'the cluster has no persistent worlds (realms is empty)',
  namespaces: (cluster) => cluster.realms.map(realmNamespace),
  flows: (cluster) => [
    ...cluster.realms.map(
      (realm): Flow => ({
        from: { outside: 'anywhere' },
        to: realmWorkload(realm),
        ports: [{ port: GAME_PORTS.game, protocol: 'UDP' }],
        because: 'Players play; the netcode token decides who may.',
      }),
    ),
    {
      from: upstream('kube-prometheus-stack', 'prometheus'),
      to: gameServerGroup(cluster.realms.map(realmWorkload)),
      ports: [{ port: GAME_PORTS.metrics }],
      because: 'Prometheus reads the metrics of worlds.',
    },
  ],
  applications: (cluster) => {
    const pod = commonPod(cluster);
    return [
      {
        name: 'realms',
        project: 'game',
        namespace: NAMESPACES.monitoring,
        needs: ['sealed-secrets', 'prometheus-operator-crds', ...(cluster.hasLoadBalancer ? ['metallb-config'] : [])],
        policiesOf: cluster.realms.map((realm) => realm.namespace),
        build: (chart, context) => {
          for (const realm of cluster.realms) addRealm(chart, context, realm);
          alertRules(chart, NAMESPACES.monitoring, 'worlds', WORLD_ALERTS);
        },
      },
      ...cluster.realms.map((realm) => ({
        name: realm.namespace,
        project: 'game' as const,
        namespace: realm.namespace,
        needs: ['realms'],
        last: true,
        labels: { [LABELS.realm]: realm.name },
        syncWindows: realm.maintenanceWindows,
        orderedWaves: isOrdered(realm),
        build: (chart: Parameters<typeof addWorld>[0]) => {
          for (const continent of realm.continents) addWorld(chart, cluster, realm, continent, pod);
        },
      })),
    ];
  },
};

function realmNamespace(realm: Realm): NamespaceSpec {
  const common = { name: realm.namespace, labels: { [LABELS.role]: 'game', [LABELS.realm]: realm.name } };
  return realm.exposure.type === 'host-port'
    ? {
        ...common,
        podSecurity: 'privileged',
        because: "worlds are reached on ports of the node (exposure 'host-port'), which the baseline level refuses",
      }
    : { ...common, podSecurity: 'restricted' };
}

/** Namespaces of all realms, whatever their names. */
const WORLDS = 'namespace=~"realm-.+"';

/** All of them aggregate over worlds and name none, so that a new realm changes nothing here. */
const WORLD_ALERTS: readonly Alert[] = [
  {
    name: 'WorldDown',
    expr: `kube_statefulset_replicas{${WORLDS}} - kube_statefulset_status_replicas_ready{${WORLDS}} > 0`,
    for: '12m',
    severity: 'critical',
    summary: 'World {{ $labels.statefulset }} of {{ $labels.namespace }} has been down for 12 minutes.',
    description:
      'Longer than a world may take to load. Look at the events of its pod, then at its log: kubectl -n {{ $labels.namespace }} describe pod {{ $labels.statefulset }}-0',
  },
  {
    name: 'WorldNotWoken',
    // By the broker's words for a world, which has no pod and so no metrics of its own.
    expr: [
      'max by (realm, continent) (mmo_broker_world_asleep) == 1',
      'and on (realm, continent) max by (realm, continent) (mmo_broker_queue_length) > 0',
    ].join('\n'),
    for: '2m',
    severity: 'critical',
    summary: 'World {{ $labels.continent }} of {{ $labels.realm }} is scaled to zero, and players have waited for it for 2 minutes.',
    description:
      'The broker starts sleeping worlds of realms that may sleep. It cannot, or this realm may not sleep and somebody has stopped the world. Start it: kubectl -n realm-{{ $labels.realm }} scale statefulset {{ $labels.continent }} --replicas=1',
  },
  {
    name: 'WorldNotSaved',
    expr: `time() - mmo_game_last_save_timestamp_seconds{${WORLDS}} > 300`,
    for: '5m',
    severity: 'critical',
    summary: 'World {{ $labels.mmo_continent }} of {{ $labels.namespace }} has not been saved for more than 5 minutes.',
    description:
      'A crash now would lose all of it. Saves are due every minute: see whether the volume is full and what the log says about saving.',
  },
  {
    name: 'WorldSilent',
    // By who tries to enter, and not by who is in: a server drops silent connections within seconds, and then counts nobody.
    expr: [
      `sum by (namespace, mmo_realm, mmo_continent) (rate(mmo_game_packets_received_total{${WORLDS}}[5m])) == 0`,
      'and on (mmo_realm, mmo_continent) label_replace(label_replace(',
      '  sum by (target) (increase(mmo_broker_tokens_total{kind="world",result="issued"}[10m])) > 2.5,',
      '  "mmo_realm", "$1", "target", "(.+)/.+"), "mmo_continent", "$1", "target", ".+/(.+)")',
    ].join('\n'),
    for: '2m',
    severity: 'critical',
    summary: 'Players get tokens for world {{ $labels.mmo_continent }} of {{ $labels.namespace }}, and it receives no packet at all.',
    description:
      'UDP is lost on its way: a stale conntrack entry after a restart, a node that no longer announces the address, or a router rule. On the node, with the port that players dial: conntrack -D -p udp --dport PORT',
  },
  {
    name: 'WorldSlow',
    expr: `histogram_quantile(0.99, sum by (namespace, mmo_continent, le) (rate(mmo_game_tick_duration_seconds_bucket{${WORLDS}}[5m]))) > 0.1`,
    for: '10m',
    severity: 'warning',
    summary: 'World {{ $labels.mmo_continent }} of {{ $labels.namespace }} takes more than 100 ms for one tick in a hundred.',
    description:
      'Players feel it as lag. Compare the CPU of its node with the request in the description, and the number of players with the capacity.',
  },
  {
    name: 'WorldFull',
    expr: `mmo_game_players{${WORLDS}} / mmo_game_capacity{${WORLDS}} >= 0.95`,
    for: '30m',
    severity: 'warning',
    summary: 'World {{ $labels.mmo_continent }} of {{ $labels.namespace }} has been full for half an hour.',
    description: 'Players wait in the queue. Raise its capacity in the description if its ticks are fast enough, or add a continent.',
  },
];
