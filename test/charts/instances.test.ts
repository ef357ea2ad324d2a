/**
 * The objects of instanced content in the examples: Fleets, their autoscalers, ports, tokens and policies.
 * It deliberately does not judge them by the rules of Agones; that is test/checks/agones-rules.test.ts.
 */
import { instances } from '../../charts/instances';
import { brokerConfig } from '../../lib/constructs/broker-config';
import type { ClusterDescription } from '../../lib/model/cluster';
import { resolveCluster } from '../../lib/model/cluster';
import { validateObject } from '../../lib/schemas';
import { type Built, built, homelab, homelabWith, local, masked, mistakesOf, podOf } from './game-harness';

type TypeInput = NonNullable<ClusterDescription['instances']>[number];

/** A homelab whose only content type is a dungeon, changed. */
function dungeon(changes: Partial<TypeInput>): ClusterDescription {
  return homelabWith({ instances: [{ name: 'dungeon', capacity: 5, autoscaling: { policy: 'buffer', ready: 2, max: 20 }, ...changes }] });
}

function policyOf(autoscaling: TypeInput['autoscaling'], rooms = 1) {
  return built(instances, dungeon({ autoscaling, rooms })).get('FleetAutoscaler', 'instances/dungeon').spec.policy;
}

describe('instanced content', () => {
  let example: Built;
  beforeAll(() => {
    example = built(instances, homelab);
  });

  test('every object of the examples is valid against its schema', () => {
    const violations = [homelab, local].flatMap((description) =>
      built(instances, description).objects.flatMap((object) =>
        validateObject(object).map((v) => `${object.kind} ${object.metadata.name} ${v.path}: ${v.message}`),
      ),
    );
    expect(violations).toEqual([]);
  });

  test('a Fleet looks like this', () => {
    expect(masked(example.get('Fleet', 'instances/battleground'))).toMatchSnapshot();
  });

  test('what an instance runs with looks like this', () => {
    expect(masked(example.get('ConfigMap', 'instances/battleground').data)).toMatchSnapshot();
  });

  test('a Fleet has no replicas in Git, because they are the autoscaler’s', () => {
    expect(example.objects.filter((object) => object.kind === 'Fleet' && 'replicas' in object.spec)).toEqual([]);
  });

  test('a Fleet sets neither ServiceAccount nor its token, because Agones’ sidecar needs its own', () => {
    const { spec } = podOf(example.get('Fleet', 'instances/dungeon'));
    expect(['serviceAccountName', 'automountServiceAccountToken'].filter((field) => field in spec)).toEqual([]);
  });

  test('the game gets a token for the broker at a path that Agones does not hide', () => {
    const [container] = podOf(example.get('Fleet', 'instances/dungeon')).spec.containers;
    expect(container.volumeMounts.find((mount: { name: string }) => mount.name === 'broker-token').mountPath).toBe(
      '/var/run/secrets/connect-broker',
    );
  });

  test('the game has no liveness probe of its own, because Agones’ health check would not be added then', () => {
    expect(podOf(example.get('Fleet', 'instances/dungeon')).spec.containers[0]).not.toHaveProperty('livenessProbe');
  });

  test('no container port is one of Agones’ sidecar', () => {
    const { spec } = example.get('Fleet', 'instances/dungeon');
    const ports = [...spec.template.spec.ports, ...podOf(example.get('Fleet', 'instances/dungeon')).spec.containers[0].ports];
    expect(ports.map((port: { containerPort: number }) => port.containerPort).filter((port) => [8080, 9357, 9358].includes(port))).toEqual(
      [],
    );
  });

  test('defaults of Agones are not written, since they would drift', () => {
    const { spec } = example.get('Fleet', 'instances/dungeon').spec.template;
    expect([spec.ports, spec.health, spec.eviction]).toEqual([
      [{ name: 'game', containerPort: 7777 }],
      { initialDelaySeconds: 30 },
      undefined,
    ]);
  });

  test('another eviction than the default is written', () => {
    expect(built(instances, dungeon({ eviction: 'OnUpgrade' })).get('Fleet', 'instances/dungeon').spec.template.spec.eviction).toEqual({
      safe: 'OnUpgrade',
    });
  });

  test('build, protocol and key generation are on the GameServer, where the broker selects, and on the pod', () => {
    const fleet = example.get('Fleet', 'instances/dungeon');
    const keys = ['mmo/build', 'mmo/protocol-id', 'mmo/netcode-key-generation', 'mmo/content-type', 'mmo/game-server'];
    expect(keys.map((key) => fleet.spec.template.metadata.labels[key])).toEqual(keys.map((key) => podOf(fleet).metadata.labels[key]));
  });

  test('allocated servers of an old build are told to drain', () => {
    expect(example.get('Fleet', 'instances/dungeon').spec.allocationOverflow).toEqual({ labels: { 'mmo/draining': 'true' } });
  });

  test('servers spread over nodes', () => {
    expect(example.get('Fleet', 'instances/dungeon').spec.scheduling).toBe('Distributed');
  });

  test('players are a List and rooms a Counter of every content type', () => {
    const { lists, counters } = example.get('Fleet', 'instances/battleground').spec.template.spec;
    expect([lists, counters]).toEqual([{ players: { capacity: 40 } }, { rooms: { capacity: 4 } }]);
  });

  test('each content type has a netcode key of its own', () => {
    expect(example.secrets.map((spec) => [spec.name, Object.values(spec.keys).map((key) => key.value)])).toEqual([
      ['netcode-key-dungeon', ['netcode/instance/dungeon/1']],
      ['netcode-key-raid', ['netcode/instance/raid/1']],
      ['netcode-key-battleground', ['netcode/instance/battleground/1']],
    ]);
  });

  test('the broker may allocate, watch, and delete what nobody plays on', () => {
    expect(example.get('Role', 'instances/connect-broker').rules).toEqual([
      { apiGroups: ['allocation.agones.dev'], resources: ['gameserverallocations'], verbs: ['create'] },
      { apiGroups: ['agones.dev'], resources: ['fleets'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['agones.dev'], resources: ['gameservers'], verbs: ['get', 'list', 'watch', 'delete'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
    ]);
  });

  test('the namespace is privileged for the host ports, with the reason', () => {
    expect(instances.namespaces?.(example.cluster)).toMatchObject([
      { name: 'instances', podSecurity: 'privileged', because: expect.stringContaining('port of its node') },
    ]);
  });

  test('Agones’ sidecar reaches the API server', () => {
    expect(instances.flows?.(example.cluster).filter((flow) => 'outside' in flow.to)).toMatchObject([
      { to: { outside: 'api-server' }, ports: [{ port: 6443 }] },
    ]);
  });

  test('adding a content type changes no object of another one', () => {
    const names = (object: { kind: string; metadata: { name: string } }) => `${object.kind} ${object.metadata.name}`;
    const before = new Map(built(instances, dungeon({})).objects.map((object) => [names(object), object]));
    const after = built(instances, homelab).objects.filter((object) => before.has(names(object)));
    expect(after).toEqual([...before.values()]);
  });

  test('without instances the component says so', () => {
    expect(instances.enabled?.(resolveCluster(homelabWith({ instances: [] })))).toBe(
      'the cluster has no instanced content (instances is empty)',
    );
  });

  test('the alerts look like this', () => {
    const rules = example.get('PrometheusRule', 'instances/instances').spec.groups[0].rules;
    expect(rules.map((rule: { alert: string; expr: string; for?: string }) => [rule.alert, rule.expr, rule.for])).toMatchSnapshot();
  });
});

describe('the life of an instance', () => {
  test('is told to its server and to the broker, which deletes what outlives it', () => {
    const example = built(instances, dungeon({ lifetimeMinutes: 90 }));
    expect([
      example.get('ConfigMap', 'instances/dungeon').data.MMO_LIFETIME_SECONDS,
      brokerConfig(example.cluster).instances[0]?.lifetimeSeconds,
    ]).toEqual(['5400', 5400]);
  });
});

describe('difficulties', () => {
  test('are the broker’s to choose from, and restart no server', () => {
    const example = built(instances, dungeon({ difficulties: ['normal', 'heroic'] }));
    expect([brokerConfig(example.cluster).instances[0]?.difficulties, example.get('Fleet', 'instances/dungeon')]).toEqual([
      ['normal', 'heroic'],
      built(instances, dungeon({})).get('Fleet', 'instances/dungeon'),
    ]);
  });
});

describe('the placement of instances', () => {
  test('holds beside the node that the router forwards to', () => {
    const placement = { nodeLabels: { games: 'yes' }, tolerations: [{ key: 'games' }] };
    const { spec } = podOf(built(instances, dungeon({ placement })).get('Fleet', 'instances/dungeon'));
    expect([spec.nodeSelector, spec.tolerations]).toEqual([
      { games: 'yes', 'kubernetes.io/hostname': 'node-1' },
      [{ key: 'games', operator: 'Exists' }],
    ]);
  });
});

describe('autoscaling', () => {
  test('a buffer keeps servers ready', () => {
    expect(policyOf({ policy: 'buffer', ready: 2, max: 20 })).toEqual({ type: 'Buffer', buffer: { bufferSize: 2, maxReplicas: 20 } });
  });

  test('a percentage stays a percentage', () => {
    expect(policyOf({ policy: 'buffer', ready: '20%', min: 1, max: 20 })).toEqual({
      type: 'Buffer',
      buffer: { bufferSize: '20%', minReplicas: 1, maxReplicas: 20 },
    });
  });

  test('a counter policy counts rooms where the description counts servers', () => {
    expect(policyOf({ policy: 'counter', counter: 'rooms', free: 4, min: 2, max: 6 }, 4)).toEqual({
      type: 'Counter',
      counter: { key: 'rooms', bufferSize: 4, minCapacity: 8, maxCapacity: 24 },
    });
  });

  test('a schedule is a chain that ends with what holds outside of every window', () => {
    const chain = built(instances, homelab).get('FleetAutoscaler', 'instances/raid').spec.policy.chain;
    expect(chain.map((entry: { id: string; type: string }) => [entry.id, entry.type])).toEqual([
      ['evening', 'Schedule'],
      ['otherwise', 'Buffer'],
    ]);
  });

  test('a window has no end date, because one in the past breaks every later sync', () => {
    const [evening] = built(instances, homelab).get('FleetAutoscaler', 'instances/raid').spec.policy.chain;
    expect(evening.schedule).toEqual({
      activePeriod: { timezone: 'Europe/Berlin', startCron: '0 19 * * 3,5,6', duration: '4h' },
      policy: { type: 'Buffer', buffer: { bufferSize: 3, maxReplicas: 8 } },
    });
  });

  test('a list policy counts places where the description counts servers', () => {
    expect(policyOf({ policy: 'list', list: 'players', free: 10, min: 2, max: 6 })).toEqual({
      type: 'List',
      list: { key: 'players', bufferSize: 10, minCapacity: 10, maxCapacity: 30 },
    });
  });

  test('a chain asks one policy after the other: a buffer in the evening, then the broker, and a buffer where it does not answer', () => {
    const during = { timeZone: 'Europe/Berlin', start: '0 19 * * *', duration: '4h' };
    const links = [
      { name: 'evening', during, scaling: { policy: 'buffer' as const, ready: 3, max: 8 } },
      { name: 'asked', scaling: { policy: 'on-demand' as const, max: 8 } },
      { name: 'fallback', scaling: { policy: 'buffer' as const, ready: 1, max: 2 } },
    ];
    expect(policyOf({ policy: 'chain', links })).toEqual({
      type: 'Chain',
      chain: [
        {
          id: 'evening',
          type: 'Schedule',
          schedule: {
            activePeriod: { timezone: 'Europe/Berlin', startCron: '0 19 * * *', duration: '4h' },
            policy: { type: 'Buffer', buffer: { bufferSize: 3, maxReplicas: 8 } },
          },
        },
        {
          id: 'asked',
          type: 'Webhook',
          webhook: { url: 'http://connect-broker-autoscaler.connect-broker.svc.cluster.local:8082/v1/autoscaler/dungeon?warm=0&max=8' },
        },
        { id: 'fallback', type: 'Buffer', buffer: { bufferSize: 1, maxReplicas: 2 } },
      ],
    });
  });

  test.each<TypeInput['autoscaling']>([
    { policy: 'list', list: 'players', free: 10, max: 6 },
    {
      policy: 'chain',
      links: [
        {
          name: 'evening',
          during: { timeZone: 'UTC', start: '0 19 * * *', duration: '4h' },
          scaling: { policy: 'list', list: 'players', free: 10, max: 6 },
        },
        { name: 'rooms', scaling: { policy: 'counter', counter: 'rooms', free: 1, max: 6 } },
      ],
    },
  ])('$policy is valid against the schema of Agones', (autoscaling) => {
    expect(validateObject(built(instances, dungeon({ autoscaling })).get('FleetAutoscaler', 'instances/dungeon'))).toEqual([]);
  });

  test('the ports must be enough for the largest link of a chain', () => {
    const autoscaling: TypeInput['autoscaling'] = { policy: 'chain', links: [{ name: 'all', scaling: { policy: 'on-demand', max: 65 } }] };
    expect(mistakesOf(dungeon({ autoscaling })).map(({ path }) => path)).toEqual(['network.instancePorts']);
  });

  test('the autoscaler looks every five seconds', () => {
    expect(built(instances, homelab).get('FleetAutoscaler', 'instances/dungeon').spec.sync).toEqual({
      type: 'FixedInterval',
      fixedInterval: { seconds: 5 },
    });
  });
});

describe('mistakes of content types', () => {
  const at = 'instances[dungeon].autoscaling';

  /** Paths and messages of a dungeon with this autoscaling. */
  function scaling(autoscaling: TypeInput['autoscaling'], rooms = 1) {
    return mistakesOf(dungeon({ autoscaling, rooms })).map((each) => [each.path, each.message]);
  }

  test('the examples have none', () => {
    expect([mistakesOf(homelab), mistakesOf(local)]).toEqual([[], []]);
  });

  test('a buffer of zero is refused, because Agones refuses it', () => {
    expect(scaling({ policy: 'buffer', ready: 0, max: 5 }).map(([path]) => path)).toEqual([`${at}.ready`]);
  });

  test('a buffer above the maximum is refused', () => {
    expect(scaling({ policy: 'buffer', ready: 6, max: 5 })).toEqual([
      [`${at}.ready`, '6 servers ready are more than max (5); use at most 5, or raise max.'],
    ]);
  });

  test('a minimum below the buffer is refused', () => {
    expect(scaling({ policy: 'buffer', ready: 3, min: 2, max: 5 })).toEqual([
      [`${at}.min`, '2 is less than ready (3), which Agones refuses; use 3 or more, or leave min out (then ready alone counts).'],
    ]);
  });

  test('a minimum above the maximum is refused', () => {
    expect(scaling({ policy: 'buffer', ready: 1, min: 6, max: 5 })).toEqual([
      [`${at}.min`, '6 is more than max (5); use at most 5, or raise max.'],
    ]);
  });

  test('a percentage with a minimum of zero is refused, because the fleet would never start again', () => {
    expect(scaling({ policy: 'buffer', ready: '20%', max: 5 })).toEqual([
      [
        `${at}.min`,
        "with ready: '20%' it must be at least 1: a percentage of no server is no server, and the fleet would never start again.",
      ],
    ]);
  });

  test('a counter that no server has is refused, because Agones would accept it and never scale', () => {
    expect(scaling({ policy: 'counter', counter: 'seats', free: 1, max: 5 })).toEqual([
      [`${at}.counter`, "'seats' is no counter of 'dungeon'; Agones accepts it and never scales. Use 'rooms'."],
    ]);
  });

  test('players as a counter are refused with the policy that works', () => {
    expect(scaling({ policy: 'counter', counter: 'players', free: 1, max: 5 })[0]?.[1]).toContain("policy: 'list' keeps places free");
  });

  test('more free rooms than all servers hold are refused', () => {
    expect(scaling({ policy: 'counter', counter: 'rooms', free: 9, max: 2 }, 4)).toEqual([
      [`${at}.free`, '9 free rooms are more than 2 servers of 4 hold together (8); use at most 8, or raise max to 3.'],
    ]);
  });

  test('a minimum that holds fewer rooms than are to be free is refused', () => {
    expect(scaling({ policy: 'counter', counter: 'rooms', free: 6, min: 1, max: 4 }, 4)).toEqual([
      [`${at}.min`, '1 servers of 4 hold fewer rooms than free asks for (6), which Agones refuses; use 2 or more, or leave min out.'],
    ]);
  });

  const window = { name: 'evening', timeZone: 'Europe/Berlin', start: '0 19 * * 5', duration: '4h', ready: 3, max: 8 };
  const otherwise = { ready: 1, max: 4 };

  test('two windows of one name are refused', () => {
    expect(scaling({ policy: 'schedule', windows: [window, window], otherwise })).toEqual([
      [`${at}.windows[evening].name`, "two windows are called 'evening'; Agones tells them apart by name, so give one of them another."],
    ]);
  });

  test('a window with the name of the rest is refused', () => {
    expect(scaling({ policy: 'schedule', windows: [{ ...window, name: 'otherwise' }], otherwise })).toEqual([
      [`${at}.windows[otherwise].name`, "'otherwise' is what holds outside of every window; call this one by its time, such as 'evening'."],
    ]);
  });

  test.each([
    ['0 19 * * 7', "'0 19 * * 7' has '7' as day of the week, which must be from 0 to 6 or a name (Sunday is 0), '*', a range or a step."],
    ['60 19 * * 5', "'60 19 * * 5' has '60' as minute, which must be from 0 to 59, '*', a range or a step."],
    ['0 22-19 * * 5', "'0 22-19 * * 5' has '22-19' as hour, which must be from 0 to 23, '*', a range or a step."],
    ['TZ=UTC 0 19 * 5', "'TZ=UTC 0 19 * 5' has 'TZ=UTC' as minute, which must be from 0 to 59, '*', a range or a step."],
    ['*/0 19 * * 5', "'*/0 19 * * 5' has '*/0' as minute, which must be from 0 to 59, '*', a range or a step."],
  ])('the schedule %s is refused', (start, message) => {
    expect(scaling({ policy: 'schedule', windows: [{ ...window, start }], otherwise })).toEqual([
      [`${at}.windows[evening].start`, message],
    ]);
  });

  test.each(['*/15 18-22 1,15 jan-MAR mon-fri', '0 19 * * SUN', '5/10 * ? * *'])('the schedule %s is accepted', (start) => {
    expect(scaling({ policy: 'schedule', windows: [{ ...window, start }], otherwise })).toEqual([]);
  });

  test('a time zone that nobody knows is refused', () => {
    expect(scaling({ policy: 'schedule', windows: [{ ...window, timeZone: 'Europe/Atlantis' }], otherwise })).toEqual([
      [`${at}.windows[evening].timeZone`, "'Europe/Atlantis' is no time zone that is known; use a name such as 'Europe/Berlin' or 'UTC'."],
    ]);
  });

  test('windows and the rest keep the rules of a buffer', () => {
    expect(
      scaling({ policy: 'schedule', windows: [{ ...window, ready: 9 }], otherwise: { ready: 5, max: 4 } }).map(([path]) => path),
    ).toEqual([`${at}.windows[evening].ready`, `${at}.otherwise.ready`]);
  });

  test('two content types of one name are refused', () => {
    const [type] = dungeon({}).instances ?? [];
    expect(mistakesOf(homelabWith({ instances: type ? [type, type] : [] }))).toEqual([
      {
        path: 'instances[dungeon].name',
        message: "two content types are called 'dungeon'; the name is the Fleet's, so give one of them another.",
      },
    ]);
  });

  test('a grace that outlasts an eviction is refused', () => {
    expect(mistakesOf(dungeon({ eviction: 'Always', graceSeconds: 900 }))).toEqual([
      {
        path: 'instances[dungeon].graceSeconds',
        message:
          "900 s are more than an eviction of kind 'Always' waits (600 s), so matches would be cut; use at most 600, or eviction: 'Never'.",
      },
    ]);
  });

  test('the same grace is fine where nobody evicts', () => {
    expect(mistakesOf(dungeon({ eviction: 'Never', graceSeconds: 900 }))).toEqual([]);
  });

  test('more servers than host ports are refused with a range that suffices', () => {
    const crowded: ClusterDescription = {
      ...local,
      instances: [{ name: 'dungeon', capacity: 5, autoscaling: { policy: 'buffer', ready: 1, max: 12 } }],
    };
    expect(mistakesOf(crowded)).toEqual([
      {
        path: 'network.instancePorts',
        message:
          '10 ports on 1 node are too few for the 12 servers that the content types may have at once; use { first: 7000, last: 7011 }, or lower their max.',
      },
    ]);
  });
});
