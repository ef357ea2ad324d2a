/**
 * Cases of the check `agones-rules`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { agonesRules } from '../../lib/checks/agones-rules';
import type { PlainObject } from '../../lib/emit/manifest';
import { changed, charts, cluster, excepting, goodObjects, sentencesOf } from './fixture';

const check = agonesRules;
const fleet = 'Fleet instances/dungeon';
const autoscaler = 'FleetAutoscaler instances/dungeon';
const server = 'spec.template.spec';

type Spec = PlainObject['spec'];

/** The fixture with another policy. */
function policy(value: object): ReturnType<typeof goodObjects> {
  return changed(autoscaler, ({ spec }) => {
    spec.policy = value;
  });
}

const buffer = { type: 'Buffer', buffer: { bufferSize: 1, maxReplicas: 4 } };

describe('Fleets', () => {
  it('are right in a whole cluster', () => {
    expect(sentencesOf(check)).toEqual([]);
  });

  it.each<[string, (spec: Spec) => void, string]>([
    [
      'an account of their own',
      (spec) => {
        spec.template.spec.template.spec.serviceAccountName = 'game';
      },
      `${server}.template.spec.serviceAccountName: With 'game' Agones neither gives the pod its own account, which the side container needs, nor hides the token from the game.`,
    ],
    [
      'a word about the token',
      (spec) => {
        spec.template.spec.template.spec.automountServiceAccountToken = false;
      },
      `${server}.template.spec.automountServiceAccountToken: 'false' would reach Agones' side container, too, which cannot work without its token; Agones hides the token from the game's container by itself.`,
    ],
    [
      "a port of Agones' side container",
      (spec) => {
        spec.template.spec.template.spec.containers[0].ports[1].containerPort = 8080;
      },
      `${server}.template.spec.containers[game].ports[metrics].containerPort: Port 8080 is taken by Agones' side container (health), so one of the two cannot listen.`,
    ],
    [
      "a game port that is one of the side container's",
      (spec) => {
        spec.template.spec.ports[0].containerPort = 9357;
      },
      `${server}.ports[game].containerPort: Port 9357 is taken by Agones' side container (SDK by gRPC), so one of the two cannot listen.`,
    ],
    [
      'two containers without a word which is the game',
      (spec) => {
        spec.template.spec.template.spec.containers.push({ name: 'voice' });
      },
      `${server}.container: The pod has 2 containers (game, voice), and nothing says which of them is the game server.`,
    ],
    [
      'a game container that does not exist',
      (spec) => {
        spec.template.spec.container = 'server';
      },
      `${server}.container: There is no container 'server'; there are game.`,
    ],
    [
      'a port that is not chosen by Agones',
      (spec) => {
        spec.template.spec.ports[0].portPolicy = 'Static';
      },
      `${server}.ports[game].portPolicy: The policy 'Static' is not Dynamic, so the port is not one of the forwarded range.`,
    ],
    [
      'a port of the node that is written down',
      (spec) => {
        spec.template.spec.ports[0].hostPort = 7001;
      },
      `${server}.ports[game].hostPort: The port 7001 of the node is written down, but Agones chooses it.`,
    ],
    [
      'a port without a number',
      (spec) => {
        delete spec.template.spec.ports[0].containerPort;
      },
      `${server}.ports[game].containerPort: The port of the game's container is missing.`,
    ],
    [
      'a port of no container',
      (spec) => {
        spec.template.spec.ports[0].container = 'server';
      },
      `${server}.ports[game].container: There is no container 'server'; there are game.`,
    ],
    [
      'an update of nothing at a time',
      (spec) => {
        spec.strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0 } };
      },
      "spec.strategy.rollingUpdate.maxSurge: '0' is neither a number of at least 1 nor a percentage from 1% to 99%.",
    ],
    [
      'an update of everything at a time, in per cent',
      (spec) => {
        spec.strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } };
      },
      "spec.strategy.rollingUpdate.maxUnavailable: '100%' is neither a number of at least 1 nor a percentage from 1% to 99%.",
    ],
    [
      'a label of game servers that is none',
      (spec) => {
        spec.template.metadata.labels['mmo/build'] = '1.0.0+dirty build';
      },
      "spec.template.metadata.labels.mmo/build: '1.0.0+dirty build' is no value of a label.",
    ],
    [
      'a label of pods whose key is none',
      (spec) => {
        spec.template.spec.template.metadata.labels['mmo/content/type'] = 'dungeon';
      },
      `${server}.template.metadata.labels: 'mmo/content/type' is no key of a label.`,
    ],
    [
      'an overflow label that is none',
      (spec) => {
        spec.allocationOverflow = { labels: { 'mmo/draining': 'yes, now' } };
      },
      "spec.allocationOverflow.labels.mmo/draining: 'yes, now' is no value of a label.",
    ],
    [
      'an overflow annotation whose key is none',
      (spec) => {
        spec.allocationOverflow = { annotations: { 'drain it': 'true' } };
      },
      "spec.allocationOverflow.annotations: 'drain it' is no key of an annotation.",
    ],
    [
      'a request above its limit',
      (spec) => {
        spec.template.spec.template.spec.containers[0].resources = { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } };
      },
      `${server}.template.spec.containers[game].resources.requests.memory: The request of 2Gi is more than the limit of 1Gi.`,
    ],
  ])('are refused with %s', (_, change, sentence) => {
    expect(
      sentencesOf(
        check,
        changed(fleet, ({ spec }) => change(spec)),
      ),
    ).toEqual([`${fleet} ${sentence}`]);
  });

  it('are refused with a name that is too long', () => {
    const name = 'd'.repeat(64);
    const objects = changed(fleet, ({ metadata }) => {
      metadata.name = name;
    });
    expect(sentencesOf(check, objects)).toContain(
      `Fleet instances/${name} metadata.name: The name has 64 characters, and Agones' own names are made of it.`,
    );
  });

  it('may have two containers when one is named', () => {
    const objects = changed(fleet, ({ spec }) => {
      spec.template.spec.container = 'game';
      spec.template.spec.template.spec.containers.push({ name: 'voice' });
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('are in a namespace that the chart knows', () => {
    const objects = changed(fleet, ({ metadata }) => {
      metadata.namespace = 'realm-aurora';
    });
    expect(sentencesOf(check, objects)).toEqual([
      "Fleet realm-aurora/dungeon metadata.namespace: The values of the Agones chart do not name the namespace 'realm-aurora' (instances), so it has no account 'agones-sdk' and no game server can start.",
    ]);
  });

  it('use the ports that the description forwards', () => {
    const other = { ...cluster, network: { ...cluster.network, instancePorts: { first: 7000, last: 7009 } } };
    expect(sentencesOf(check, goodObjects(), { cluster: other })).toEqual([
      'Application argocd/agones spec.source.helm.valuesObject.gameservers: Agones would use the ports 7000-7063, but the description forwards 7000-7009 (network.instancePorts).',
    ]);
  });

  it('are not asked of a cluster without the chart', () => {
    expect(sentencesOf(check, goodObjects(), { charts: charts.filter(({ name }) => name !== 'agones') })).toEqual([]);
  });

  it('may depart where the object says why', () => {
    const objects = changed(fleet, ({ spec }) => {
      spec.template.spec.ports[0].portPolicy = 'None';
    });
    const exception = { rule: check.id, field: `${server}.ports[game].portPolicy`, reason: 'a Service of its own' };
    expect(sentencesOf(check, excepting(objects, fleet, exception))).toEqual([]);
  });
});

describe('autoscalers of Fleets', () => {
  it.each<[string, object, string]>([
    [
      'a buffer of none',
      { type: 'Buffer', buffer: { bufferSize: 0, maxReplicas: 4 } },
      "spec.policy.buffer.bufferSize: A buffer of 0 is refused by Agones' webhook.",
    ],
    [
      'less than the buffer at most',
      { type: 'Buffer', buffer: { bufferSize: 5, maxReplicas: 4 } },
      'spec.policy.buffer.maxReplicas: maxReplicas 4 is less than the buffer of 5.',
    ],
    [
      'less than the buffer at least',
      { type: 'Buffer', buffer: { bufferSize: 3, minReplicas: 2, maxReplicas: 4 } },
      'spec.policy.buffer.minReplicas: minReplicas 2 is less than the buffer of 3.',
    ],
    [
      'more at least than at most',
      { type: 'Buffer', buffer: { bufferSize: 1, minReplicas: 5, maxReplicas: 4 } },
      'spec.policy.buffer.minReplicas: minReplicas 5 is more than maxReplicas 4.',
    ],
    [
      'a buffer in per cent of nothing',
      { type: 'Buffer', buffer: { bufferSize: '20%', maxReplicas: 4 } },
      'spec.policy.buffer.minReplicas: With a buffer in per cent and a minReplicas of 0 an empty Fleet would stay empty.',
    ],
    [
      'a buffer that is no number',
      { type: 'Buffer', buffer: { bufferSize: '100%', minReplicas: 1, maxReplicas: 4 } },
      "spec.policy.buffer.bufferSize: A buffer of '100%' is neither a number nor a percentage from 1% to 99%.",
    ],
    [
      'a counter that game servers do not have',
      { type: 'Counter', counter: { key: 'rooms', bufferSize: 1, maxCapacity: 4 } },
      "spec.policy.counter.key: The Fleet's game servers have no counter 'rooms'; they have none.",
    ],
    [
      'a list that game servers do not have',
      { type: 'List', list: { key: 'player', bufferSize: 1, maxCapacity: 4 } },
      "spec.policy.list.key: The Fleet's game servers have no list 'player'; they have players.",
    ],
    [
      'a type without its parameters',
      { type: 'Counter', buffer: {} },
      "spec.policy.counter: The policy is of type 'Counter', but has no 'counter'.",
    ],
    ['a type that does not exist', { type: 'Magic' }, "spec.policy.type: 'Magic' is no type of policy."],
    [
      'a webhook at two places',
      { type: 'Webhook', webhook: { url: 'http://a', service: { name: 'b', namespace: 'c' } } },
      "spec.policy.webhook: A webhook has either a 'service' or a 'url'.",
    ],
    [
      'a schedule that ends',
      { type: 'Schedule', schedule: { between: { end: '2027-01-01T00:00:00Z' }, policy: buffer } },
      "spec.policy.schedule.between.end: After 2027-01-01T00:00:00Z Agones' webhook refuses the object, and with it every later sync.",
    ],
    [
      'a time zone within the cron fields',
      { type: 'Schedule', schedule: { activePeriod: { startCron: 'TZ=UTC 0 19 * * *' }, policy: buffer } },
      "spec.policy.schedule.activePeriod.startCron: A time zone within the cron fields ('TZ=UTC 0 19 * * *') is refused.",
    ],
    [
      'a window that never opens',
      { type: 'Schedule', schedule: { activePeriod: { startCron: '0 25 * * *' }, policy: buffer } },
      "spec.policy.schedule.activePeriod.startCron: '0 25 * * *' has '25' as hour, which must be from 0 to 23, '*', a range or a step.",
    ],
    [
      'a window of no time zone',
      { type: 'Schedule', schedule: { activePeriod: { timezone: 'Europe/Atlantis' }, policy: buffer } },
      "spec.policy.schedule.activePeriod.timezone: 'Europe/Atlantis' is no time zone that is known.",
    ],
    [
      'a window of no length',
      { type: 'Schedule', schedule: { activePeriod: { duration: '4 hours' }, policy: buffer } },
      "spec.policy.schedule.activePeriod.duration: '4 hours' is no duration.",
    ],
    [
      'a webhook at no address',
      { type: 'Webhook', webhook: { url: 'the broker' } },
      "spec.policy.webhook.url: 'the broker' is no address.",
    ],
    [
      'a webhook whose authority is no certificate',
      { type: 'Webhook', webhook: { url: 'https://broker', caBundle: 'bm90IGEgY2VydGlmaWNhdGU=' } },
      'spec.policy.webhook.caBundle: It holds no certificate.',
    ],
    [
      "a schedule's policy that is wrong",
      { type: 'Schedule', schedule: { policy: { type: 'Buffer', buffer: { bufferSize: 0, maxReplicas: 4 } } } },
      "spec.policy.schedule.policy.buffer.bufferSize: A buffer of 0 is refused by Agones' webhook.",
    ],
    [
      'an id twice in a chain',
      {
        type: 'Chain',
        chain: [
          { id: 'always', ...buffer },
          { id: 'always', ...buffer },
        ],
      },
      "spec.policy.chain[always].id: The id 'always' is used twice in the chain.",
    ],
    [
      'a chain of schedules alone',
      { type: 'Chain', chain: [{ id: 'evening', type: 'Schedule', schedule: { policy: buffer } }] },
      'spec.policy.chain: Every entry is a schedule, so outside of their windows nothing decides and the Fleet stays as it is.',
    ],
  ])('are refused with %s', (_, value, sentence) => {
    expect(sentencesOf(check, policy(value))).toEqual([`${autoscaler} ${sentence}`]);
  });

  it.each<[string, object]>([
    ['a buffer in per cent of at least one', { type: 'Buffer', buffer: { bufferSize: '20%', minReplicas: 1, maxReplicas: 4 } }],
    ['a list that game servers have', { type: 'List', list: { key: 'players', bufferSize: 1, maxCapacity: 4 } }],
    [
      'a chain that ends with a buffer',
      {
        type: 'Chain',
        chain: [
          { id: 'evening', type: 'Schedule', schedule: { policy: buffer } },
          { id: 'else', ...buffer },
        ],
      },
    ],
    ['a webhook of the cluster', { type: 'Webhook', webhook: { service: { name: 'a', namespace: 'b', path: '/' } } }],
  ])('are accepted with %s', (_, value) => {
    expect(sentencesOf(check, policy(value))).toEqual([]);
  });

  it('are refused with an interval of nothing', () => {
    const objects = changed(autoscaler, ({ spec }) => {
      spec.sync = { type: 'FixedInterval', fixedInterval: { seconds: 0 } };
    });
    expect(sentencesOf(check, objects)).toEqual([`${autoscaler} spec.sync.fixedInterval.seconds: An interval of 0 s is refused.`]);
  });
});
