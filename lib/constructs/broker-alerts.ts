/**
 * First alert rules of the connect broker: what keeps players out.
 * It deliberately has few: dashboards and rules of latency come with the metrics' own list. Metrics `mmo_broker_*` are the program's, `kube_*` those of kube-state-metrics.
 */
import type { PrometheusRuleSpecGroupsRules } from '../../imports/monitoring.coreos.com';
import { NAMESPACES, WORKLOADS } from '../platform';
import { alertRule as alert } from './alerts';

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
    'BrokerMigrationFailed',
    'critical',
    '1m',
    `max(kube_job_failed{${namespace},job_name="${WORKLOADS.brokerMigration.name}",condition="true"}) > 0`,
    'The migration of the database failed.',
    'The new version of the broker waits for it, and the old one serves on. Read the log of Job connect-broker-migrate.',
  ),
];
