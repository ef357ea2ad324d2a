/**
 * Whom Alertmanager tells what, and when: its whole configuration, out of `monitoring.notify`.
 * It deliberately holds no address and no password: those are files out of a sealed Secret, so that the configuration can be read by everybody.
 */
import type { Cluster } from '../../lib/model/cluster';
import type { SecretSpec } from '../../lib/secrets/spec';

/** The Secret that the operator mounts into Alertmanager's pod, and its keys. */
export const NOTIFY_SECRET = {
  name: 'alertmanager-notify',
  discord: 'discord-webhook',
  email: 'email-password',
  deadMansSwitch: 'dead-mans-switch-url',
} as const;
/** Where the operator mounts Secrets that the Alertmanager object lists. */
const FILES = `/etc/alertmanager/secrets/${NOTIFY_SECRET.name}`;

const PEOPLE = 'people';
const NOBODY = 'nobody';
const DEAD_MANS_SWITCH = 'dead-mans-switch';
const QUIET_HOURS = 'quiet-hours';

/** What has to be sealed for it, or undefined when nobody is told. */
export function notifySecret(cluster: Cluster): SecretSpec | undefined {
  const notify = cluster.monitoring.notify;
  if (!notify) return undefined;
  const ask = (value: string, question: string) => ({ value: `monitoring/${value}`, source: { ask: question } });
  return {
    namespace: 'monitoring',
    name: NOTIFY_SECRET.name,
    keys: {
      ...(notify.discord
        ? {
            [NOTIFY_SECRET.discord]: ask(
              'discord-webhook',
              "URL of the Discord channel's webhook (channel, Integrations, Webhooks), such as https://discord.com/api/webhooks/…",
            ),
          }
        : {}),
      ...(notify.email
        ? {
            [NOTIFY_SECRET.email]: ask(
              'email-password',
              `Password of ${notify.email.user ?? notify.email.from} at the mail server ${notify.email.server}`,
            ),
          }
        : {}),
      ...(notify.deadMansSwitch
        ? {
            [NOTIFY_SECRET.deadMansSwitch]: ask(
              'dead-mans-switch-url',
              'URL that is called every five minutes for as long as alerting works, of a service outside of the home such as https://hc-ping.com/…',
            ),
          }
        : {}),
    },
    purpose: 'where alerts are sent, and with which credentials',
  };
}

const TITLE =
  '{{ if eq .Status "resolved" }}Over: {{ else if eq .CommonLabels.severity "critical" }}Critical: {{ end }}{{ .CommonLabels.alertname }}{{ if gt (len .Alerts) 1 }} ({{ len .Alerts }}){{ end }}';
/** Summary, what it means, and where to read on: our pages are paths within the repository, upstream's are addresses. */
const MESSAGE =
  '{{ range .Alerts }}**{{ .Annotations.summary }}**\n{{ .Annotations.description }}\n{{ or .Annotations.runbook .Annotations.runbook_url }}\n\n{{ end }}';

/** The configuration, in Alertmanager's own form. Without `notify` every alert goes nowhere but to its page, and to Grafana. */
export function alertmanagerConfig(cluster: Cluster): object {
  const notify = cluster.monitoring.notify;
  const told = notify ? PEOPLE : NOBODY;
  return {
    global: { resolve_timeout: '5m' },
    route: {
      receiver: NOBODY,
      // One message for one cause, however many worlds or pods it has.
      group_by: ['alertname', 'namespace'],
      group_wait: '30s',
      group_interval: '5m',
      repeat_interval: '12h',
      routes: [
        // It fires for as long as everything works, and is told as often as the service outside wants to hear of it.
        {
          matchers: ['alertname = "Watchdog"'],
          receiver: notify?.deadMansSwitch ? DEAD_MANS_SWITCH : NOBODY,
          group_wait: '0s',
          group_interval: '1m',
          repeat_interval: '5m',
        },
        { matchers: ['severity = "critical"'], receiver: told, group_wait: '15s', repeat_interval: '4h' },
        {
          matchers: ['severity = "warning"'],
          receiver: told,
          repeat_interval: '24h',
          ...(notify?.quietHours ? { mute_time_intervals: [QUIET_HOURS] } : {}),
        },
      ],
    },
    receivers: [
      { name: NOBODY },
      ...(notify
        ? [
            {
              name: PEOPLE,
              ...(notify.discord
                ? {
                    discord_configs: [
                      { webhook_url_file: `${FILES}/${NOTIFY_SECRET.discord}`, send_resolved: true, title: TITLE, message: MESSAGE },
                    ],
                  }
                : {}),
              ...(notify.email ? { email_configs: emailConfigs(notify.email) } : {}),
            },
          ]
        : []),
      ...(notify?.deadMansSwitch
        ? [{ name: DEAD_MANS_SWITCH, webhook_configs: [{ url_file: `${FILES}/${NOTIFY_SECRET.deadMansSwitch}`, send_resolved: false }] }]
        : []),
    ],
    inhibit_rules: [
      // Who is told the worse need not be told the better of the same thing.
      { source_matchers: ['severity = "critical"'], target_matchers: ['severity =~ "warning|info"'], equal: ['alertname', 'namespace'] },
      // What follows from a cause that is told already.
      ...CAUSES.map(([cause, effects]) => ({
        source_matchers: [`alertname = "${cause}"`],
        target_matchers: [`alertname =~ "${effects.join('|')}"`],
      })),
      { target_matchers: ['alertname = "InfoInhibitor"'] },
    ],
    ...(notify?.quietHours ? { time_intervals: [{ name: QUIET_HOURS, time_intervals: quietTimes(notify.quietHours) }] } : {}),
  };
}

/** Alerts that say nothing new while another one is there. */
export const CAUSES: readonly (readonly [cause: string, effects: readonly string[]])[] = [
  ['PostgresDown', ['BrokerDatabaseAway', 'BrokerErrors', 'LoginBudgetBurns.+', 'TokenBudgetBurns.+']],
  ['BrokerDatabaseAway', ['BrokerErrors', 'LoginBudgetBurns.+', 'TokenBudgetBurns.+']],
  ['TraefikDown', ['TraefikServerErrors', 'EntryPointFails']],
  ['BrokerDown', ['EntryPointFails', 'TraefikServerErrors']],
  ['PiholeDown', ['ExternalDnsStale']],
  ['AgonesExtensionsDown', ['BrokerAllocationFailing', 'AllocationSlow']],
];

type Notify = NonNullable<Cluster['monitoring']['notify']>;

/** One for each address, so that nobody sees the others'. */
function emailConfigs({ to, from, server, port, user }: NonNullable<Notify['email']>): object[] {
  return to.map((address) => ({
    to: address,
    from,
    smarthost: `${server}:${port}`,
    auth_username: user ?? from,
    auth_password_file: `${FILES}/${NOTIFY_SECRET.email}`,
    // On port 465 the connection is TLS from its start, and there is no STARTTLS to require.
    require_tls: port !== 465,
    send_resolved: true,
  }));
}

/** Alertmanager's ranges do not go over midnight. */
function quietTimes({ from, to, timeZone }: NonNullable<Notify['quietHours']>): object[] {
  const range = (start_time: string, end_time: string) => ({ times: [{ start_time, end_time }], location: timeZone });
  if (from < to) return [range(from, to)];
  return [range(from, '24:00'), ...(to === '00:00' ? [] : [range('00:00', to)])];
}
