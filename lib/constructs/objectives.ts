/**
 * What players are promised, as three objectives, and alerts that fire when their error budgets are used up too fast.
 * It deliberately asks for a number of failures as well as for a rate: at home, one of three log-ins that fails is a third, and no reason to wake anybody.
 */
import type { PrometheusRuleSpecGroupsRules } from '../../imports/monitoring.coreos.com';
import { NAMESPACES } from '../platform';
import { alertRule } from './alerts';

export interface Objective {
  /** Begins the names of its alerts. */
  readonly name: string;
  /** What is promised, as the title of a panel. */
  readonly promised: string;
  /** Share of events that may fail, over 30 days. */
  readonly budget: number;
  /** How many failed within a window such as `1h`, as PromQL. */
  readonly failed: (window: string) => string;
  /** How many events there were. */
  readonly all: (window: string) => string;
  /** Begins the summary: "… fail". */
  readonly failing: string;
  /** Where to look first. */
  readonly look: string;
}

/**
 * How fast a budget may go before somebody is told, over two windows each: the long one says that it matters, the short one that it is not over already.
 * At 14.4 times the rate that would just last 30 days, 2 % of the budget are gone in an hour; at 6 times 5 % in six hours; at 3 times 10 % in a day; at once the rate 10 % in three days.
 */
const BURN = {
  fast: [
    { times: 14.4, long: '1h', short: '5m' },
    { times: 6, long: '6h', short: '30m' },
  ],
  slow: [
    { times: 3, long: '1d', short: '2h' },
    { times: 1, long: '3d', short: '6h' },
  ],
} as const;

/** Failures that a window must have: fewer are one person's bad evening. Half below whole numbers, because `increase` estimates. */
const FEWEST = { long: 4.5, short: 1.5 } as const;

const HERE = `namespace="${NAMESPACES.broker}"`;
const count = (metric: string, matchers: string) => (window: string) => `sum(increase(${metric}{${HERE},${matchers}}[${window}]))`;
/** Of what every replica counts alike. */
const once = (metric: string, matchers: string) => (window: string) =>
  `sum(max by (kind, target) (increase(${metric}{${HERE}${matchers}}[${window}])))`;

export const OBJECTIVES: readonly Objective[] = [
  {
    name: 'Login',
    promised: 'Log-ins that succeed',
    budget: 0.005,
    // Wrong passwords and bans are answers, not failures; they are no successes either, or somebody who guesses would hide what fails.
    failed: count('mmo_broker_logins_total', 'result=~"error|overloaded"'),
    all: count('mmo_broker_logins_total', 'result=~"ok|error|overloaded"'),
    failing: '{{ $value | humanizePercentage }} of log-ins fail',
    look: 'Players with the right password are not let in. Look at the database and at the processor of the broker, then at its log for the level error.',
  },
  {
    name: 'Token',
    promised: 'Connects that succeed',
    budget: 0.005,
    // A queue, an old client and a world that is closed are answers.
    failed: count('mmo_broker_tokens_total', 'result="error"'),
    all: count('mmo_broker_tokens_total', 'result=~"issued|error"'),
    failing: '{{ $value | humanizePercentage }} of connects fail',
    look: "Players who may enter get no connect token. The broker's log says why, at the level error: a key that is missing, or a database that is away.",
  },
  {
    name: 'Connection',
    promised: 'Minutes without a cut',
    budget: 0.001,
    failed: (window) =>
      `sum(max by (kind, target, because) (increase(mmo_broker_sessions_ended_total{${HERE},because=~"disconnected|lost"}[${window}])))`,
    all: (window) => `(${once('mmo_broker_session_seconds_total', '')(window)} / 60)`,
    failing: 'Players are thrown out: {{ $value | humanizePercentage }} of the minutes that are played end in a cut',
    look: 'Connections break or servers crash; planned stops do not count. The dashboard Players shows where: one world is that world (WorldDown, its log), all of them the way in: router, node, MetalLB.',
  },
];

/** Two alerts for each objective: its budget burns fast (somebody should get up), or slowly. */
export const OBJECTIVE_ALERTS: readonly PrometheusRuleSpecGroupsRules[] = OBJECTIVES.flatMap((objective) => [
  burnAlert(objective, 'fast', 'critical', `${objective.failing}; what may fail in a month is used up in days.`),
  burnAlert(objective, 'slow', 'warning', `${objective.failing}; what may fail in a month will not last.`),
]);

function burnAlert(objective: Objective, speed: keyof typeof BURN, severity: 'critical' | 'warning', summary: string) {
  const { name, budget, failed, all, look } = objective;
  const expr = BURN[speed]
    .map(({ times, long, short }) => {
      const limit = Number((times * budget).toPrecision(3));
      return [
        `(${failed(long)} / ${all(long)} > ${limit}`,
        `  and ${failed(short)} / ${all(short)} > ${limit}`,
        `  and ${failed(long)} > ${FEWEST.long} and ${failed(short)} > ${FEWEST.short})`,
      ].join('\n');
    })
    .join('\nor\n');
  return alertRule(`${name}BudgetBurns${speed === 'fast' ? 'Fast' : 'Slowly'}`, severity, '2m', expr, summary, look);
}
