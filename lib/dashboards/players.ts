/**
 * The dashboard of players: how many play and where, how they get in, why they leave, and what is left of what they were promised. The page to look at first in the evening.
 * It deliberately judges no machine: Realms, Instances and Platform do.
 */
import { OBJECTIVES } from '../constructs/objectives';
import { NAMESPACES } from '../platform';
import type { Dashboard, Panel } from './dashboard';
import { QUEUE_PANELS } from './queue';

const HERE = `namespace="${NAMESPACES.broker}"`;
/** Over which time objectives are shown. Shorter than the 30 days that they are meant for, because Prometheus at home may forget earlier. */
const SHOWN = '7d';

export const players: Dashboard = {
  uid: 'mmo-players',
  title: 'Players',
  description: 'Who plays where, how they get in, why they leave, and whether what they were promised is kept.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Online',
          description: 'Players connected, in all worlds and instances.',
          unit: 'short',
          targets: [{ expr: 'sum(mmo_game_players) or vector(0)' }],
        },
        {
          kind: 'stat',
          title: 'Most today',
          description: 'The highest number of players at once within 24 hours.',
          unit: 'short',
          targets: [{ expr: 'max_over_time(sum(mmo_game_players)[1d:5m])' }],
        },
        ...QUEUE_PANELS,
        {
          kind: 'stat',
          title: 'Log-ins in an hour',
          description: 'Log-ins that succeeded.',
          unit: 'short',
          targets: [{ expr: `sum(increase(mmo_broker_logins_total{${HERE}, result="ok"}[1h]))` }],
        },
        {
          kind: 'stat',
          title: 'Thrown out in an hour',
          description: 'Sessions that ended because a connection broke or a server was lost. Planned stops do not count.',
          unit: 'short',
          thresholds: { above: [5, 20] },
          targets: [
            {
              expr: `sum(max by (kind, target, because) (increase(mmo_broker_sessions_ended_total{${HERE}, because=~"disconnected|lost"}[1h])))`,
            },
          ],
        },
      ],
    },
    {
      title: 'Objectives',
      panels: OBJECTIVES.flatMap(({ promised, budget, failed, all }): Panel[] => [
        {
          kind: 'stat',
          title: promised,
          description: `Share over seven days. Promised: ${Number(((1 - budget) * 100).toFixed(2))} %.`,
          unit: 'percentunit',
          thresholds: { below: [1 - budget / 2, 1 - budget] },
          targets: [{ expr: `1 - ${failed(SHOWN)} / ${all(SHOWN)}` }],
        },
        {
          kind: 'stat',
          title: 'Left of its budget',
          description:
            'How much of what may fail has not failed yet, at the rate of these seven days. Below zero the promise is broken: no risky change until it recovers.',
          unit: 'percentunit',
          thresholds: { below: [0.5, 0] },
          targets: [{ expr: `1 - ${failed(SHOWN)} / ${all(SHOWN)} / ${budget}` }],
        },
      ]),
    },
    {
      title: 'Where they play',
      panels: [
        {
          kind: 'lines',
          title: 'Players by realm',
          description: 'A sudden fall is a world that went down, or a way in that is blocked.',
          unit: 'short',
          stacked: true,
          targets: [{ expr: 'sum by (mmo_realm) (mmo_game_players{mmo_realm!=""})', legend: '{{mmo_realm}}' }],
        },
        {
          kind: 'lines',
          title: 'Players in instances',
          description: 'By content type.',
          unit: 'short',
          stacked: true,
          targets: [{ expr: 'sum by (mmo_content_type) (mmo_game_players{mmo_content_type!=""})', legend: '{{mmo_content_type}}' }],
        },
        {
          kind: 'lines',
          title: 'Players the broker knows of',
          description:
            'Sessions that were claimed and not given back, by world and content type. Far from what the servers count, one of the two is wrong: look at the reports in the logs.',
          unit: 'short',
          stacked: true,
          targets: [{ expr: `max by (target) (mmo_broker_sessions{${HERE}})`, legend: '{{target}}' }],
        },
        {
          kind: 'lines',
          title: 'Players per instance',
          description: 'The ten servers of instances with the most players.',
          unit: 'short',
          targets: [{ expr: 'topk(10, mmo_game_players{mmo_content_type!=""})', legend: '{{mmo_content_type}} {{pod}}' }],
        },
      ],
    },
    {
      title: 'Getting in',
      panels: [
        {
          kind: 'lines',
          title: 'Log-ins by result',
          description: 'Per minute. Many wrong-credentials at once are somebody who tries passwords; overloaded and error are ours.',
          unit: 'short',
          stacked: true,
          targets: [{ expr: `sum by (result) (rate(mmo_broker_logins_total{${HERE}}[$__rate_interval])) * 60`, legend: '{{result}}' }],
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
          title: 'Tokens that nobody used',
          description:
            'Share of the tokens of half an hour that were not claimed, by target. What stays high is a server that players cannot reach.',
          unit: 'percentunit',
          max: 1,
          targets: [
            {
              expr: [
                `1 - (sum by (target) (increase(mmo_broker_claims_total{${HERE}, result="accepted"}[30m]))`,
                `  or 0 * sum by (target) (increase(mmo_broker_tokens_total{${HERE}, result="issued"}[30m])))`,
                `  / (sum by (target) (increase(mmo_broker_tokens_total{${HERE}, result="issued"}[30m])) > 0)`,
              ].join('\n'),
              legend: '{{target}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Waiting for an instance, 95 % are faster',
          description: 'From the request until players may enter, by content type.',
          unit: 's',
          targets: [
            {
              expr: `histogram_quantile(0.95, sum by (fleet, le) (rate(mmo_broker_allocation_duration_seconds_bucket{${HERE}}[30m])))`,
              legend: '{{fleet}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Leaving',
      panels: [
        {
          kind: 'lines',
          title: 'Why sessions end',
          description: "Per hour. disconnected and lost are cuts; drained is a planned stop; the others are somebody's will.",
          unit: 'short',
          stacked: true,
          targets: [
            {
              expr: `sum by (because) (max by (kind, target, because) (increase(mmo_broker_sessions_ended_total{${HERE}}[1h])))`,
              legend: '{{because}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Cuts by world',
          description: 'Connections that broke and servers that were lost, per hour. One world: that world. All of them: the way in.',
          unit: 'short',
          targets: [
            {
              expr: `sum by (target, because) (max by (kind, target, because) (increase(mmo_broker_sessions_ended_total{${HERE}, because=~"disconnected|lost"}[1h])))`,
              legend: '{{target}} {{because}}',
            },
          ],
        },
      ],
    },
  ],
};
