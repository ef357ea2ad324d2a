/**
 * Alert rules of the connect broker: what keeps players out, and what its objectives (objectives.ts) say of that.
 * It deliberately has none for what a client does wrong by itself. Metrics `mmo_broker_*` are the program's, `kube_*` those of kube-state-metrics.
 */
import type { PrometheusRuleSpecGroupsRules } from '../../imports/monitoring.coreos.com';
import { NAMESPACES, WORKLOADS } from '../platform';
import { alertRule as alert } from './alerts';
import { OBJECTIVE_ALERTS } from './objectives';

const job = 'job="connect-broker-metrics"';
const namespace = `namespace="${NAMESPACES.broker}"`;

export const BROKER_ALERTS: readonly PrometheusRuleSpecGroupsRules[] = [
  alert(
    'BrokerDown',
    'critical',
    '2m',
    `absent(up{${job},${namespace}} == 1)`,
    'No replica of the connect broker answers.',
    'Nobody can log in or get a connect token; whoever plays goes on playing. Look at the pods in namespace connect-broker and their last log lines.',
  ),
  alert(
    'BrokerDatabaseAway',
    'critical',
    '2m',
    `max(mmo_broker_database_up{${namespace}}) == 0`,
    'No replica of the connect broker reaches PostgreSQL.',
    'Logins and connects are answered with 503. Look at PostgreSQL’s Cluster in namespace database, then at the NetworkPolicies between the two.',
  ),
  alert(
    'BrokerViewStale',
    'warning',
    '2m',
    `max by (pod) (mmo_broker_view_age_seconds{${namespace}}) > 120`,
    'Replica {{ $labels.pod }} of the connect broker has not heard from the Kubernetes API for {{ $value | humanizeDuration }}.',
    'It serves its last view of worlds and instances until that is too old. Look at the API server and at the replica’s log.',
  ),
  alert(
    'BrokerErrors',
    'warning',
    '10m',
    `sum(rate(mmo_broker_http_requests_total{${namespace},status=~"5.."}[5m])) / sum(rate(mmo_broker_http_requests_total{${namespace}}[5m])) > 0.05`,
    '{{ $value | humanizePercentage }} of the connect broker’s answers are errors of its own.',
    'Look for the request ids of status 5xx in its log.',
  ),
  alert(
    // Longer than the window: a fleet that starts from zero fails some requests, and that is no failure.
    'BrokerAllocationFailing',
    'warning',
    '10m',
    // Against all of them and not against those that succeed: a fleet that never allocated has no series of success, and nothing compares with nothing.
    `sum by (fleet) (rate(mmo_broker_allocations_total{${namespace},result!="allocated"}[5m])) / sum by (fleet) (rate(mmo_broker_allocations_total{${namespace}}[5m])) > 0.5`,
    'Most allocations from Fleet {{ $labels.fleet }} fail.',
    'Players of this content wait. Look at the Fleet’s ready servers and at the maximum of its autoscaler.',
  ),
  alert(
    'InstancesNotEnding',
    'warning',
    '5m',
    `sum by (fleet) (increase(mmo_broker_instances_reaped_total{${namespace},reason!="duplicate"}[1h])) > 3`,
    'The broker had to delete {{ $value | humanize }} servers of {{ $labels.fleet }} within an hour.',
    'They did not end by themselves (docs/game-server.md, "An instance"). The broker’s log names each and why; look at the game server’s last lines.',
  ),
  alert(
    'AllocationSlow',
    'warning',
    '5m',
    // A server that starts from nothing takes half a minute; more than a minute is a start that fails first, or a node that pulls an image.
    `histogram_quantile(0.95, sum by (fleet, le) (rate(mmo_broker_allocation_duration_seconds_bucket{${namespace}}[30m]))) > 60 and on (fleet) sum by (fleet) (increase(mmo_broker_allocation_duration_seconds_count{${namespace}}[30m])) > 2.5`,
    'Groups wait more than {{ $value | humanizeDuration }} for a server of {{ $labels.fleet }}.',
    'One in twenty waits longer than that until it may enter. Look at how many servers are ready, how long one takes to start, and whether its image must be pulled first.',
  ),
  alert(
    'WorldQueueLong',
    'warning',
    '5m',
    `max by (realm, continent) (mmo_broker_queue_oldest_seconds{${namespace}}) > 900`,
    'The first in the queue for {{ $labels.realm }}/{{ $labels.continent }} has waited {{ $value | humanizeDuration }}.',
    'The world is full and nobody leaves, or it is not ready and players wait for it. Compare its players with its capacity on the dashboard Realms.',
  ),
  alert(
    'TokensNotClaimed',
    'critical',
    '5m',
    [
      `sum by (kind, target) (increase(mmo_broker_tokens_total{${namespace},result="issued"}[30m])) > 9.5`,
      'unless on (kind, target)',
      `sum by (kind, target) (increase(mmo_broker_claims_total{${namespace},result="accepted"}[30m]))`,
      `  > 0.5 * sum by (kind, target) (increase(mmo_broker_tokens_total{${namespace},result="issued"}[30m]))`,
    ].join('\n'),
    'Players get tokens for {{ $labels.target }} and do not arrive.',
    'Most of {{ $value | humanize }} tokens of half an hour were never claimed: their way to the server is blocked (router, address, port), its key or its clock is another, or it cannot reach the broker.',
  ),
  alert(
    'ClaimsRefused',
    'warning',
    '5m',
    [
      `sum by (target, result) (increase(mmo_broker_claims_total{${namespace},result!="accepted"}[30m])) > 4.5`,
      'and',
      `sum by (target, result) (increase(mmo_broker_claims_total{${namespace},result!="accepted"}[30m]))`,
      `  / on (target) group_left sum by (target) (increase(mmo_broker_claims_total{${namespace}}[30m])) > 0.2`,
    ].join('\n'),
    'Players of {{ $labels.target }} are turned away at the door: {{ $labels.result }}.',
    '{{ $value | humanize }} times within half an hour the broker refused a claim for that reason: mismatch and expired are clocks, addresses and keys; claimed and superseded clients that reuse tokens; error is the broker itself.',
  ),
  alert(
    'PasswordGuessing',
    'warning',
    '5m',
    [
      `sum(increase(mmo_broker_logins_total{${namespace},result=~"wrong-credentials|locked|throttled"}[30m])) > 100`,
      'and',
      `sum(increase(mmo_broker_logins_total{${namespace},result=~"wrong-credentials|locked|throttled"}[30m]))`,
      `  > 5 * sum(increase(mmo_broker_logins_total{${namespace},result="ok"}[30m]))`,
    ].join('\n'),
    'Somebody tries passwords: {{ $value | humanize }} failed log-ins in half an hour.',
    'Accounts lock themselves and addresses are slowed down; no action is needed unless it goes on. An operator can ban a network (docs/how-to/moderate-players.md).',
  ),
  ...OBJECTIVE_ALERTS,
  alert(
    'BrokerMigrationFailed',
    'critical',
    '1m',
    `max(kube_job_failed{${namespace},job_name="${WORKLOADS.brokerMigration.name}",condition="true"}) > 0`,
    'The migration of the database failed.',
    'The new version of the broker waits for it, and the old one serves on. Read the log of Job connect-broker-migrate.',
  ),
];
