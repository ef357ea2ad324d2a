/**
 * Alerts on what only a log says, as rules of Loki: everything that has a metric is an alert of Prometheus instead.
 * It deliberately counts lines of our own programs by the words that they are written with (a test holds those to the source), and of others by words that have not changed for years.
 */
import type { Chart } from 'cdk8s';
import { labels } from '../component';
import { add } from '../emit/manifest';
import { toYaml } from '../emit/yaml';
import { KubeConfigMap } from '../k8s';
import { NAMESPACES } from '../platform';
import { type Alert, runbookOf } from './alerts';

/** The ConfigMap and its file; Loki mounts it as the folder of its only tenant (argocd/catalog/loki.ts). */
export const LOG_RULES = { configMap: 'loki-rules', file: 'alerts.yaml' } as const;

/** An alert whose expression is LogQL. */
export interface LogAlert extends Alert {
  /** A line of the log with which it fires, and one with which it does not: for the test with a real Loki. */
  readonly example: { readonly labels: Readonly<Record<string, string>>; readonly fires: string; readonly quiet: string };
}

/** How often a line with these words came within a window. */
const lines = (selector: string, filter: string, window: string, by = 'app'): string =>
  `sum by (${by}) (count_over_time(${selector} ${filter} [${window}]))`;
const BROKER = '{app="connect-broker"}';
/** Words of the broker's own log that alerts wait for. */
export const BROKER_WORDS = {
  mail: ['a mail could not be sent', 'a mail was dropped'],
  keys: ['keys could not be read again'],
  address: ['a public address cannot be resolved'],
} as const;
const said = (words: readonly string[]): string => (words.length === 1 ? `|= "${words[0]}"` : `|~ "${words.join('|')}"`);
const brokerLine = (message: string): string => JSON.stringify({ level: 'warn', time: '2026-01-01T18:00:00.000Z', message });
const ofBroker = { namespace: NAMESPACES.broker, app: 'connect-broker', level: 'warn' };

export const LOG_ALERTS: readonly LogAlert[] = [
  {
    name: 'GameServerPanicked',
    expr: `${lines('{app="game-server"}', '|= "panicked at"', '10m', 'namespace')} > 0`,
    severity: 'warning',
    summary: 'A game server of {{ $labels.namespace }} crashed in its own code.',
    description:
      'A panic of Rust: players on it were cut off. Its message and the place in the source are in the log, which the dashboard Logs shows.',
    example: {
      labels: { namespace: 'realm-aurora', app: 'game-server', realm: 'aurora' },
      fires: "thread 'main' panicked at src/world.rs:7:5: index out of bounds",
      quiet: 'no panic at all',
    },
  },
  {
    name: 'PostgresDataDamaged',
    expr: `${lines(`{namespace="${NAMESPACES.database}"}`, '|~ "invalid page in block|page verification failed|could not read block|PANIC:|\\"error_severity\\":\\"PANIC\\""', '1h', 'namespace')} > 0`,
    severity: 'critical',
    summary: 'PostgreSQL reads damaged data.',
    description:
      'Its disk, or its file system, has lost something: accounts may be lost with the next write. Do not restart anything; fail over to a replica, then restore (docs/how-to/restore-the-database.md).',
    example: {
      labels: { namespace: NAMESPACES.database, app: 'postgresql' },
      fires: '{"record":{"error_severity":"WARNING","message":"page verification failed, calculated checksum 1 but expected 2"}}',
      quiet: '{"record":{"error_severity":"LOG","message":"checkpoint complete"}}',
    },
  },
  {
    name: 'BrokerMailFails',
    expr: `${lines(BROKER, said(BROKER_WORDS.mail), '1h')} > 2`,
    severity: 'warning',
    summary: 'The broker cannot send mail: {{ $value }} within an hour.',
    description: 'Links to reset a password do not arrive. The lines have the answer code of the mail server.',
    example: { labels: ofBroker, fires: brokerLine(BROKER_WORDS.mail[0]), quiet: brokerLine('the broker serves') },
  },
  {
    name: 'BrokerKeysUnreadable',
    expr: `${lines(BROKER, said(BROKER_WORDS.keys), '10m')} > 0`,
    severity: 'warning',
    summary: 'The broker cannot read its keys again.',
    description:
      'It goes on with the last good ones: a realm that was added, or a key that was renewed, gets no tokens. The line says which file is wrong.',
    example: {
      labels: ofBroker,
      fires: brokerLine(`${BROKER_WORDS.keys[0]}; the last good ones stay`),
      quiet: brokerLine('the broker serves'),
    },
  },
  {
    name: 'PublicAddressUnresolved',
    expr: `${lines(BROKER, said(BROKER_WORDS.address), '30m')} > 0`,
    severity: 'warning',
    summary: 'The host name of the home cannot be resolved.',
    description:
      'Players on the Internet get the last good address, which may be over. Look at the dynamic DNS of the router, and at the DNS of the cluster.',
    example: {
      labels: ofBroker,
      fires: brokerLine(`${BROKER_WORDS.address[0]}; the last good answer is used`),
      quiet: brokerLine('a public address can be resolved again'),
    },
  },
];

/** The rules as Loki reads them: the form of Prometheus, with LogQL. */
function logRules(): Readonly<Record<string, unknown>> {
  return {
    groups: [
      {
        name: 'logs',
        interval: '1m',
        rules: LOG_ALERTS.map(({ name, expr, severity, summary, description }) => ({
          alert: name,
          expr,
          labels: { severity },
          annotations: { summary, description, runbook: runbookOf(name) },
        })),
      },
    ],
  };
}

/** Adds the ConfigMap. Loki reads its file again every minute, so that a changed rule restarts nothing. */
export function addLogRules(chart: Chart): void {
  add(chart, KubeConfigMap, {
    metadata: { name: LOG_RULES.configMap, namespace: NAMESPACES.monitoring, labels: labels('loki', 'alerts') },
    data: { [LOG_RULES.file]: toYaml(logRules()) },
  });
}
