/**
 * The dashboard of the connect broker: whether players get in, how long it takes, and what stands in their way.
 * It deliberately shows the program's own metrics; what happens in front of it (TLS, redirects) is Traefik's and on the platform's dashboard.
 */
import { NAMESPACES } from '../platform';
import type { Dashboard } from './dashboard';
import { QUEUE_PANELS } from './queue';

const HERE = `namespace="${NAMESPACES.broker}"`;

export const connectBroker: Dashboard = {
  uid: 'mmo-broker',
  title: 'Connect broker',
  description: "The players' single entry point: requests, logins, tokens, claims, queues, and what the broker depends on.",
  logs: { selector: 'app="connect-broker"', app: 'connect-broker' },
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Replicas',
          description: 'Replicas that Prometheus reaches. With one, an update or a lost node interrupts logins.',
          unit: 'short',
          thresholds: { below: [2, 1] },
          targets: [{ expr: `sum(up{${HERE}, job="connect-broker-metrics"})` }],
        },
        {
          kind: 'stat',
          title: 'Errors',
          description: "Share of answers that are the broker's own errors (5xx), in five minutes.",
          unit: 'percentunit',
          thresholds: { above: [0.01, 0.05] },
          targets: [
            {
              expr: `sum(rate(mmo_broker_http_requests_total{${HERE}, status=~"5.."}[5m])) / sum(rate(mmo_broker_http_requests_total{${HERE}}[5m]))`,
            },
          ],
        },
        {
          kind: 'stat',
          title: 'Database',
          description: '1 when every replica reaches PostgreSQL, 0 when one of them does not.',
          unit: 'short',
          thresholds: { below: [1] },
          targets: [{ expr: `min(mmo_broker_database_up{${HERE}})` }],
        },
        {
          kind: 'stat',
          title: 'Age of the view',
          description:
            'Seconds since the replica that is furthest behind heard from the Kubernetes API. An old view hands out tokens for worlds that have gone.',
          unit: 's',
          thresholds: { above: [60, 120] },
          targets: [{ expr: `max(mmo_broker_view_age_seconds{${HERE}})` }],
        },
        ...QUEUE_PANELS,
      ],
    },
    {
      title: 'Requests',
      panels: [
        {
          kind: 'lines',
          title: 'Requests by status',
          description: '4xx are mistakes of clients and refusals, 5xx are ours.',
          unit: 'reqps',
          stacked: true,
          targets: [{ expr: `sum by (status) (rate(mmo_broker_http_requests_total{${HERE}}[$__rate_interval]))`, legend: '{{status}}' }],
        },
        {
          kind: 'lines',
          title: 'Requests by where they come from',
          description:
            'internet or private (the LAN). Anything from a node means that the way replaces addresses: one ban would then hit everybody.',
          unit: 'reqps',
          stacked: true,
          targets: [
            { expr: `sum by (network) (rate(mmo_broker_client_requests_total{${HERE}}[$__rate_interval]))`, legend: '{{network}}' },
          ],
        },
        {
          kind: 'lines',
          title: 'Duration, 95 % are faster',
          description: 'By route. Logins are slow on purpose: hashing a password takes a few hundred milliseconds.',
          unit: 's',
          targets: [
            {
              expr: `histogram_quantile(0.95, sum by (route, le) (rate(mmo_broker_http_request_duration_seconds_bucket{${HERE}}[$__rate_interval])))`,
              legend: '{{route}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Getting in',
      panels: [
        {
          kind: 'lines',
          title: 'Logins by result',
          description: 'Many wrong-credentials or throttled at once is somebody who tries passwords.',
          unit: 'ops',
          stacked: true,
          targets: [{ expr: `sum by (result) (rate(mmo_broker_logins_total{${HERE}}[$__rate_interval]))`, legend: '{{result}}' }],
        },
        {
          kind: 'lines',
          title: 'Connects by result',
          description: 'What players were answered who wanted to enter. outdated after an update is players with an old client.',
          unit: 'ops',
          stacked: true,
          targets: [{ expr: `sum by (result) (rate(mmo_broker_tokens_total{${HERE}}[$__rate_interval]))`, legend: '{{result}}' }],
        },
        {
          kind: 'lines',
          title: 'Tokens that nobody used',
          description:
            'Tokens issued less claims accepted, by target, over 15 minutes. What stays high is a server that players cannot reach: the router, the address, or the key.',
          unit: 'short',
          min: -5,
          targets: [
            {
              expr: [
                `sum by (kind, target) (increase(mmo_broker_tokens_total{${HERE}, result="issued"}[15m]))`,
                `  - (sum by (kind, target) (increase(mmo_broker_claims_total{${HERE}, result="accepted"}[15m]))`,
                `    or 0 * sum by (kind, target) (increase(mmo_broker_tokens_total{${HERE}, result="issued"}[15m])))`,
              ].join('\n'),
              legend: '{{target}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Refused claims by reason',
          description: 'Players who had a token and were not let in. mismatch and expired point at clocks and keys.',
          unit: 'ops',
          stacked: true,
          targets: [
            {
              expr: `sum by (result) (rate(mmo_broker_claims_total{${HERE}, result!="accepted"}[$__rate_interval]))`,
              legend: '{{result}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Queues',
          description: 'Players who wait, by world.',
          unit: 'short',
          targets: [{ expr: `max by (realm, continent) (mmo_broker_queue_length{${HERE}})`, legend: '{{realm}}/{{continent}}' }],
        },
        {
          kind: 'lines',
          title: 'Longest wait',
          description: 'How long the first in each queue has waited.',
          unit: 's',
          targets: [{ expr: `max by (realm, continent) (mmo_broker_queue_oldest_seconds{${HERE}})`, legend: '{{realm}}/{{continent}}' }],
        },
      ],
    },
    {
      title: 'What it depends on',
      panels: [
        {
          kind: 'lines',
          title: 'Connections to the database',
          description: 'By state, over all replicas. Requests that wait for a connection are players who wait.',
          unit: 'short',
          stacked: true,
          targets: [{ expr: `sum by (state) (mmo_broker_database_connections{${HERE}})`, legend: '{{state}}' }],
        },
        {
          kind: 'lines',
          title: 'Passwords waiting to be hashed',
          description: 'What does not come back to zero wants more replicas or more processor.',
          unit: 'short',
          targets: [{ expr: `sum by (pod) (mmo_broker_password_queue_length{${HERE}})`, legend: '{{pod}}' }],
        },
        {
          kind: 'lines',
          title: 'Processor',
          description: 'Cores that each replica uses; the autoscaler follows it.',
          unit: 'suffix: cores',
          targets: [
            {
              expr: `sum by (pod) (rate(container_cpu_usage_seconds_total{${HERE}, container!=""}[$__rate_interval]))`,
              legend: '{{pod}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Memory',
          description: 'Memory that each replica holds.',
          unit: 'bytes',
          targets: [{ expr: `sum by (pod) (container_memory_working_set_bytes{${HERE}, container!=""})`, legend: '{{pod}}' }],
        },
      ],
    },
  ],
};
