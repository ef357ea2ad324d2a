/**
 * The dashboard of instanced content: whether a server is ready when a group wants one, and what becomes of servers.
 * It deliberately names no content type: they are a variable, and a Fleet has the name of its content type.
 */
import { NAMESPACES } from '../platform';
import type { Dashboard } from './dashboard';

const FLEET = 'name=~"$content_type"';
const OF_FLEET = 'fleet_name=~"$content_type"';

export const instances: Dashboard = {
  uid: 'mmo-instances',
  title: 'Instances',
  description: 'Instanced content on Agones: servers that are ready and in use, allocations, and how long servers live.',
  variables: [{ name: 'content_type', label: 'Content type', metric: 'agones_fleets_replicas_count', valuesOf: 'name' }],
  logs: { selector: 'app="game-server", content_type=~"$content_type"', app: 'game-server' },
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'In use',
          description: 'Servers that a group plays on.',
          unit: 'short',
          targets: [{ expr: `sum(agones_fleets_replicas_count{${FLEET}, type="allocated"})` }],
        },
        {
          kind: 'stat',
          title: 'Ready',
          description:
            'Servers that wait for a group, in the content type that has the fewest. With none, the next group waits for a start.',
          unit: 'short',
          thresholds: { below: [1] },
          targets: [{ expr: `min(sum by (name) (agones_fleets_replicas_count{${FLEET}, type="ready"}))` }],
        },
        {
          kind: 'stat',
          title: 'Players',
          description: 'Players on the chosen instances.',
          unit: 'short',
          targets: [{ expr: 'sum(mmo_game_players{mmo_content_type=~"$content_type"})' }],
        },
        {
          kind: 'stat',
          title: 'At the limit',
          description: 'Content types whose autoscaler would start more servers than the maximum in the description allows.',
          unit: 'short',
          thresholds: { above: [1] },
          targets: [{ expr: `sum(agones_fleet_autoscalers_limited{${OF_FLEET}})` }],
        },
        {
          kind: 'stat',
          title: 'Died in an hour',
          description: 'Servers that Agones gave up: no sign of health, or an end without saying so first. Some group lost its session.',
          unit: 'short',
          thresholds: { above: [1, 3] },
          targets: [{ expr: `sum(increase(agones_gameservers_total{${OF_FLEET}, type="Unhealthy"}[1h]))` }],
        },
      ],
    },
    {
      title: 'Servers',
      panels: [
        {
          kind: 'lines',
          title: 'In use',
          description: 'Servers that are allocated, by content type.',
          unit: 'short',
          stacked: true,
          targets: [{ expr: `sum by (name) (agones_fleets_replicas_count{${FLEET}, type="allocated"})`, legend: '{{name}}' }],
        },
        {
          kind: 'lines',
          title: 'Ready',
          description:
            'Servers in stock, by content type. What falls to zero in the evening wants a larger buffer or a window in the schedule.',
          unit: 'short',
          targets: [{ expr: `sum by (name) (agones_fleets_replicas_count{${FLEET}, type="ready"})`, legend: '{{name}}' }],
        },
        {
          kind: 'lines',
          title: 'Rooms taken',
          description: 'Sessions as a share of the rooms on all servers of a content type.',
          unit: 'percentunit',
          max: 1,
          targets: [
            {
              expr: `sum by (name) (agones_fleet_counters{${FLEET}, counter="rooms", type="total_count"}) / sum by (name) (agones_fleet_counters{${FLEET}, counter="rooms", type="total_capacity"})`,
              legend: '{{name}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'States',
          description: 'Servers by state. Many in Scheduled are servers that start and never say that they are ready.',
          unit: 'short',
          stacked: true,
          targets: [{ expr: `sum by (type) (agones_gameservers_count{${OF_FLEET}})`, legend: '{{type}}' }],
        },
      ],
    },
    {
      title: 'Getting one',
      panels: [
        {
          kind: 'lines',
          title: 'Allocations by result',
          description: 'Requests of the broker to Agones. Everything but allocated is a group that waits.',
          unit: 'ops',
          stacked: true,
          targets: [
            {
              expr: 'sum by (result) (rate(mmo_broker_allocations_total{fleet=~"$content_type"}[$__rate_interval]))',
              legend: '{{result}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Until players may enter, 95 % are faster',
          description: 'From the request to the server that has loaded the content: what a group sees as loading time before its own.',
          unit: 's',
          targets: [
            {
              expr: 'histogram_quantile(0.95, sum by (fleet, le) (rate(mmo_broker_allocation_duration_seconds_bucket{fleet=~"$content_type"}[$__rate_interval])))',
              legend: '{{fleet}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: "Agones' own share of it, 95 % are faster",
          description: 'Time of the allocation alone. Agones batches requests; when this rises, look at the processor of its extensions.',
          unit: 's',
          targets: [
            {
              expr: 'histogram_quantile(0.95, sum by (status, le) (rate(agones_gameserver_allocations_duration_seconds_bucket[$__rate_interval])))',
              legend: '{{status}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Length of sessions, median',
          description: 'How long servers were allocated before they shut down. Much shorter than usual: sessions break off.',
          unit: 's',
          targets: [
            {
              expr: `histogram_quantile(0.5, sum by (fleet_name, le) (rate(agones_gameserver_state_duration_bucket{${OF_FLEET}, type="Allocated"}[1h])))`,
              legend: '{{fleet_name}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Running',
      panels: [
        {
          kind: 'lines',
          title: 'Tick, 99 % are faster',
          description: 'Over all servers of a content type. Players feel 100 ms.',
          unit: 's',
          thresholds: { above: [0.05, 0.1] },
          targets: [
            {
              expr: 'histogram_quantile(0.99, sum by (mmo_content_type, le) (rate(mmo_game_tick_duration_seconds_bucket{mmo_content_type=~"$content_type"}[$__rate_interval])))',
              legend: '{{mmo_content_type}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: 'Memory',
          description: 'Memory that each server holds. At its limit it is killed, and its session is lost.',
          unit: 'bytes',
          targets: [
            {
              expr: `sum by (pod) (container_memory_working_set_bytes{namespace="${NAMESPACES.instances}", container="game"})`,
              legend: '{{pod}}',
            },
          ],
        },
      ],
    },
  ],
};
