/**
 * The page of logs: who writes how much, what went wrong, every line by app, realm and word, and the questions that are asked again and again.
 * It deliberately keeps those questions as panels and not in somebody's browser: Grafana's own saved queries belong to a person and are lost with its volume.
 */
import { BAD_LEVELS, type Dashboard, LOGS_UID, type Panel } from './dashboard';

/** Streams that are chosen at the top. A pod without a realm has no such label, so that "all" must fit nothing as well. */
const CHOSEN = 'app=~"$app", namespace=~"$namespace"';

export const logs: Dashboard = {
  uid: LOGS_UID,
  title: 'Logs',
  description: 'Logs of all pods: how much, what went wrong, and every line by app, namespace and word.',
  variables: [
    { name: 'app', label: 'App', logLabel: 'app' },
    { name: 'namespace', label: 'Namespace', logLabel: 'namespace' },
    { name: 'words', label: 'Words', text: '' },
  ],
  rows: [
    {
      title: 'How much',
      panels: [
        {
          kind: 'lines',
          source: 'loki',
          title: 'Lines by app',
          description: 'Per second, the ten that write most.',
          unit: 'ops',
          stacked: true,
          targets: [{ expr: `topk(10, sum by (app) (rate({${CHOSEN}}[$__auto])))`, legend: '{{app}}' }],
        },
        {
          kind: 'lines',
          source: 'loki',
          title: 'Warnings and errors by app',
          description: 'Per second. What begins suddenly is what to read.',
          unit: 'ops',
          stacked: true,
          targets: [{ expr: `sum by (app, level) (rate({${CHOSEN}, ${BAD_LEVELS}}[$__auto]))`, legend: '{{app}} {{level}}' }],
        },
      ],
    },
    {
      title: 'Lines',
      panels: [
        {
          kind: 'logs',
          title: 'Chosen lines',
          description:
            'By app and namespace, with the words at the top (a regular expression, upper or lower case). Open a line for pod, node, and the ids that it has.',
          unit: 'short',
          height: 16,
          targets: [{ expr: `{${CHOSEN}} |~ "(?i)$words"` }],
        },
      ],
    },
    {
      title: 'Questions that are asked again and again',
      panels: [
        question(
          'Crashes of game servers',
          'Panics of the game, and the lines by which it says why it ends.',
          '{app="game-server"} |~ "panicked at|\\"level\\":\\"(error|fatal)\\""',
        ),
        question(
          'Requests that failed',
          "The broker's own errors. A player's message of an error has the request's id: look for it with the words above.",
          '{app="connect-broker", level=~"error|fatal"}',
        ),
        question(
          'Instances',
          'What became of instances: allocated, lost, deleted.',
          '{app="connect-broker"} |~ "instance|server" | json | instance != "" or gameServer != ""',
        ),
        question(
          'Slow answers at the entry point',
          'Requests that took longer than a second, with their route.',
          '{app="traefik"} | json | Duration > 1000000000 | line_format "{{.DownstreamStatus}} {{.RequestMethod}} {{.RouterName}} {{.Duration}} ns"',
        ),
        question(
          'Refused at the entry point',
          'Requests of players that were answered with an error.',
          '{app="traefik"} | json | DownstreamStatus >= 400 | line_format "{{.DownstreamStatus}} {{.RequestMethod}} {{.RequestPath}} {{.RouterName}}"',
        ),
        question(
          'PostgreSQL',
          'Its warnings and errors.',
          '{namespace="database"} |~ "\\"error_severity\\":\\"(WARNING|ERROR|FATAL|PANIC)\\""',
        ),
        question('Syncs that failed', "Argo CD's errors.", '{namespace="argocd", level=~"error|fatal"}'),
        question('Backups of worlds', 'What K8up said.', '{namespace=~"realm-.+"} |~ "(?i)backup|restic|snapshot"'),
      ],
    },
  ],
};

function question(title: string, description: string, expr: string): Panel {
  return { kind: 'logs', title, description, unit: 'short', width: 12, height: 10, targets: [{ expr }] };
}
