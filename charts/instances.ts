/**
 * Instanced content: one namespace with a Fleet and a FleetAutoscaler per content type, and the rights that allocate them.
 * It deliberately does not install Agones (argocd/catalog/agones.ts) and does not allocate (the broker does).
 */
import { workload as upstream } from '../argocd/catalog/workloads';
import type { Component } from '../lib/component';
import { type Alert, alertRules } from '../lib/constructs/alerts';
import { addContentType } from '../lib/constructs/content-type';
import { addBrokerRole, addGamePodMonitor } from '../lib/constructs/realm';
import { GAME_PORTS, gameServerGroup, instancesWorkload, LABELS, NAMESPACES } from '../lib/platform';

export const instances: Component = {
  name: 'instances',
  summary: 'Instanced content (dungeons, raids, battlegrounds): a Fleet of Agones and its autoscaler per content type.',
  enabled: (cluster) => cluster.instances.length > 0 || 'the cluster has no instanced content (instances is empty)',
  namespaces: () => [
    {
      name: NAMESPACES.instances,
      podSecurity: 'privileged',
      because: 'Agones publishes each instance on a port of its node, which the baseline level refuses',
      labels: { [LABELS.role]: 'game' },
    },
  ],
  flows: (cluster) => {
    const servers = instancesWorkload();
    return [
      {
        from: { outside: 'anywhere' },
        to: servers,
        ports: [{ port: GAME_PORTS.game, protocol: 'UDP' }],
        because: 'Players play; the netcode token decides who may.',
      },
      {
        from: upstream('kube-prometheus-stack', 'prometheus'),
        to: gameServerGroup([servers]),
        ports: [{ port: GAME_PORTS.metrics }],
        because: 'Prometheus reads the metrics of instances.',
      },
      {
        from: servers,
        to: { outside: 'api-server' },
        ports: [{ port: cluster.kubernetes.apiServer.port }],
        because: "Agones' sidecar reports the state of its server; the game's own container has no credentials there.",
      },
    ];
  },
  applications: (cluster) => [
    {
      name: 'instances',
      project: 'game',
      namespace: NAMESPACES.instances,
      needs: ['agones', 'connect-broker', 'sealed-secrets', 'prometheus-operator-crds'],
      // Belt and braces: Fleets carry no replicas in Git, and what their autoscaler writes is no difference either.
      ignoreDifferences: () => [{ group: 'agones.dev', kind: 'Fleet', jsonPointers: ['/spec/replicas'] }],
      policiesOf: [NAMESPACES.instances],
      build: (chart, context) => {
        for (const type of cluster.instances) addContentType(chart, context, type);
        addBrokerRole(chart, NAMESPACES.instances, [
          { apiGroups: ['allocation.agones.dev'], resources: ['gameserverallocations'], verbs: ['create'] },
          { apiGroups: ['agones.dev'], resources: ['fleets'], verbs: ['get', 'list', 'watch'] },
          // Delete, because a server whose session never began or never ended would stay allocated for ever.
          { apiGroups: ['agones.dev'], resources: ['gameservers'], verbs: ['get', 'list', 'watch', 'delete'] },
          // The pod's UID, with which the broker compares the one in a server's token.
          { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
        ]);
        addGamePodMonitor(chart, NAMESPACES.instances, { [LABELS.gameServer]: 'true' }, [LABELS.contentType]);
        alertRules(chart, NAMESPACES.instances, 'instances', INSTANCE_ALERTS);
      },
    },
  ],
};

/** Agones' own metrics name a Fleet by the label `name`. */
const INSTANCE_ALERTS: readonly Alert[] = [
  {
    name: 'InstancesExhausted',
    // No server is ready and no allocated one has a room left: with several rooms on a server, the first alone is usual.
    // Not by the totals: those count the rooms of servers that start, and a Fleet whose servers never become ready would seem to have places.
    expr: [
      'sum by (name) (agones_fleets_replicas_count{type="ready"}) == 0',
      'unless on (name)',
      'sum by (name) (agones_fleet_counters{counter="rooms", type="allocated_capacity"}) - sum by (name) (agones_fleet_counters{counter="rooms", type="allocated_count"}) > 0',
      // And somebody asks: content that goes to zero, or is played on with all that it may have, is as it should be until then.
      'and on (name) label_replace(',
      '  sum by (fleet) (increase(mmo_broker_allocations_total{result!="allocated"}[2m])) > 0, "name", "$1", "fleet", "(.+)")',
    ].join('\n'),
    for: '5m',
    severity: 'critical',
    summary: "Players have waited for a server of '{{ $labels.name }}' for 5 minutes, and none is free.",
    description:
      'Players wait in vain. Either the maximum in the description is reached, or new servers do not become ready: kubectl -n instances get gameservers -l agones.dev/fleet={{ $labels.name }}',
  },
  {
    name: 'InstancesUnhealthy',
    expr: 'sum by (fleet_name) (increase(agones_gameservers_total{type="Unhealthy"}[15m])) > 2',
    severity: 'warning',
    summary: "Servers of '{{ $labels.fleet_name }}' keep dying.",
    description:
      'They stopped answering, or ended without telling Agones first. The log of the last one says which; the contract is docs/game-server.md.',
  },
  {
    name: 'InstancesStuck',
    expr: 'sum by (fleet_name) (agones_gameservers_count{type="Scheduled"}) > 0',
    for: '15m',
    severity: 'warning',
    summary: "A server of '{{ $labels.fleet_name }}' has been starting for 15 minutes.",
    description: 'It has a node and never said that it is ready: a wrong image, a missing key, or a server that does not call Ready.',
  },
];
