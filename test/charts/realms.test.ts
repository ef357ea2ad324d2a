/**
 * The objects of persistent worlds in the examples: identity, volumes, addresses, probes, stops, update strategies and windows.
 * It deliberately starts no server; the story does (examples/game-server/story).
 */
import { instances } from '../../charts/instances';
import { namespaces } from '../../charts/namespaces';
import { realms } from '../../charts/realms';
import { brokerConfig } from '../../lib/constructs/broker-config';
import { brokerKeyName, keyGenerations, realmKeyIdentity } from '../../lib/constructs/netcode-keys';
import { POD_ENVIRONMENT } from '../../lib/game-contract';
import { type ClusterDescription, type Mistake, resolveCluster } from '../../lib/model/cluster';
import { validateObject } from '../../lib/schemas';
import { type Built, built, homelab, homelabWith, local, localWith, masked, mistakesOf, podOf } from './game-harness';

type RealmInput = NonNullable<ClusterDescription['realms']>[number];

const aurora: RealmInput = {
  name: 'aurora',
  exposure: { type: 'own-address' },
  continents: [{ name: 'eldermoor', address: '192.168.1.245' }],
};

/** Mistakes of a homelab whose only realm is aurora, changed. */
function auroraMistakes(changes: Partial<RealmInput>): readonly Mistake[] {
  return mistakesOf(homelabWith({ realms: [{ ...aurora, ...changes }] }));
}

describe('worlds', () => {
  let example: Built;
  beforeAll(() => {
    example = built(realms, homelab);
  });

  test('every object of the examples is valid against its schema', () => {
    const violations = [homelab, local].flatMap((description) =>
      built(realms, description).objects.flatMap((object) =>
        validateObject(object).map((v) => `${object.kind} ${object.metadata.name} ${v.path}: ${v.message}`),
      ),
    );
    expect(violations).toEqual([]);
  });

  test('a world looks like this', () => {
    expect(masked(example.get('StatefulSet', 'realm-aurora/eldermoor'))).toMatchSnapshot();
  });

  test('what a world runs with looks like this', () => {
    expect(masked(example.get('ConfigMap', 'realm-aurora/eldermoor').data)).toMatchSnapshot();
  });

  test('the claim template is complete, because an incomplete one drifts for ever and cannot be changed', () => {
    const [claim] = example.get('StatefulSet', 'realm-aurora/eldermoor').spec.volumeClaimTemplates;
    expect([claim.apiVersion, claim.kind, claim.spec.volumeMode]).toEqual(['v1', 'PersistentVolumeClaim', 'Filesystem']);
  });

  test('the claim opts in to backups also in a cluster without a backup store, since the template can never be changed', () => {
    const [claim] = built(realms, local).get('StatefulSet', 'realm-aurora/eldermoor').spec.volumeClaimTemplates;
    expect(claim.metadata.annotations['k8up.io/backup']).toBe('true');
  });

  test('the storage class is named only where the description names one', () => {
    const [named] = example.get('StatefulSet', 'realm-aurora/eldermoor').spec.volumeClaimTemplates;
    const [unnamed] = built(realms, local).get('StatefulSet', 'realm-aurora/eldermoor').spec.volumeClaimTemplates;
    expect([named.spec.storageClassName, 'storageClassName' in unnamed.spec]).toEqual(['longhorn', false]);
  });

  test('world and claim are kept when they leave Git', () => {
    const world = example.get('StatefulSet', 'realm-aurora/eldermoor');
    const protection = 'Prune=false,Delete=false';
    expect([world, world.spec.volumeClaimTemplates[0]].map((each) => each.metadata.annotations['argocd.argoproj.io/sync-options'])).toEqual(
      [protection, protection],
    );
  });

  test('volumes survive the StatefulSet and its scaling', () => {
    expect(example.get('StatefulSet', 'realm-aurora/eldermoor').spec.persistentVolumeClaimRetentionPolicy).toEqual({
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
  });

  test('an active world has no replicas in Git', () => {
    expect(example.get('StatefulSet', 'realm-aurora/eldermoor').spec).not.toHaveProperty('replicas');
  });

  test('a broken world can be repaired by a commit: pods are managed in parallel, not in order', () => {
    expect(example.get('StatefulSet', 'realm-aurora/eldermoor').spec.podManagementPolicy).toBe('Parallel');
  });

  test('the grace period holds announcement and save', () => {
    const { game } = example.cluster;
    const grace = podOf(example.get('StatefulSet', 'realm-aurora/eldermoor')).spec.terminationGracePeriodSeconds;
    expect(grace).toBeGreaterThan(game.announceSeconds + game.saveSeconds);
  });

  test('players are warned before SIGTERM', () => {
    const [container] = podOf(example.get('StatefulSet', 'realm-aurora/eldermoor')).spec.containers;
    expect(container.lifecycle.preStop.httpGet).toEqual({ path: '/announce?seconds=60', port: 'status' });
  });

  test('without an announcement there is no hook', () => {
    const quiet = built(realms, { ...local, game: { ...local.game, announceSeconds: 0 } });
    expect(podOf(quiet.get('StatefulSet', 'realm-aurora/eldermoor')).spec.containers[0]).not.toHaveProperty('lifecycle');
  });

  test('a world may load for ten minutes', () => {
    const { startupProbe } = podOf(example.get('StatefulSet', 'realm-aurora/eldermoor')).spec.containers[0];
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(600);
  });

  test('readiness and liveness ask different questions', () => {
    const { readinessProbe, livenessProbe } = podOf(example.get('StatefulSet', 'realm-aurora/eldermoor')).spec.containers[0];
    expect([readinessProbe.httpGet.path, livenessProbe.httpGet.path]).toEqual(['/readyz', '/healthz']);
  });

  test('every field that the pod learns about itself is in the contract', () => {
    const { env } = podOf(example.get('StatefulSet', 'realm-aurora/eldermoor')).spec.containers[0];
    expect(
      Object.fromEntries(
        env.map((each: { name: string; valueFrom: { fieldRef: { fieldPath: string } } }) => [each.name, each.valueFrom.fieldRef.fieldPath]),
      ),
    ).toEqual(POD_ENVIRONMENT);
  });

  test('the token for the broker is projected and the default one is not mounted', () => {
    const { spec } = podOf(example.get('StatefulSet', 'realm-aurora/eldermoor'));
    const token = spec.volumes.find((volume: { name: string }) => volume.name === 'broker-token').projected.sources[0].serviceAccountToken;
    expect([spec.automountServiceAccountToken, token]).toEqual([false, { audience: 'connect-broker', path: 'token' }]);
  });

  test('every world has a ServiceAccount of its own', () => {
    const names = example.objects
      .filter((object) => object.kind === 'StatefulSet')
      .map((world) => `${world.metadata.namespace}/${podOf(world).spec.serviceAccountName}`);
    expect(names.filter((name) => example.find('ServiceAccount', name) !== undefined)).toEqual([...new Set(names)]);
  });

  test('the pod sees the key of its own generation alone, readable by its group', () => {
    const { secret } = podOf(example.get('StatefulSet', 'realm-aurora/eldermoor')).spec.volumes.find(
      (volume: { name: string }) => volume.name === 'netcode-key',
    );
    expect(secret).toEqual({ secretName: 'netcode-key', items: [{ key: 'generation-1', path: 'key' }], defaultMode: 0o440 });
  });

  test('the server learns generation and build from the labels that the broker reads, so that they cannot disagree', () => {
    const pod = podOf(example.get('StatefulSet', 'realm-aurora/eldermoor'));
    const missing = Object.values(POD_ENVIRONMENT).flatMap((path) => {
      const label = /^metadata\.labels\['(.*)'\]$/.exec(path)?.[1];
      return label !== undefined && pod.metadata.labels[label] === undefined ? [label] : [];
    });
    expect(missing).toEqual([]);
  });

  test('nothing is said twice to the server', () => {
    const config = Object.keys(example.get('ConfigMap', 'realm-aurora/eldermoor').data);
    expect(config.filter((name) => name in POD_ENVIRONMENT)).toEqual([]);
  });

  test('a changed configuration restarts the world', () => {
    const hash = (capacity: number) =>
      podOf(built(realms, homelabWith({ realms: [{ ...aurora, capacity }] })).get('StatefulSet', 'realm-aurora/eldermoor')).metadata
        .annotations['mmo/config-hash'];
    expect(hash(500)).not.toBe(hash(400));
  });

  test('a changed title restarts nothing', () => {
    const world = (title: string) =>
      built(realms, homelabWith({ realms: [{ ...aurora, title }] })).get('StatefulSet', 'realm-aurora/eldermoor');
    expect(world('Aurora')).toEqual(world('The Northern Lights'));
  });

  test('selectors name realm and continent and carry no version', () => {
    expect(example.get('StatefulSet', 'realm-aurora/eldermoor').spec.selector.matchLabels).toEqual({
      'mmo/realm': 'aurora',
      'mmo/continent': 'eldermoor',
    });
  });

  test('worlds spread over nodes when they can', () => {
    const [constraint] = podOf(example.get('StatefulSet', 'realm-aurora/eldermoor')).spec.topologySpreadConstraints;
    expect([constraint.topologyKey, constraint.whenUnsatisfiable]).toEqual(['kubernetes.io/hostname', 'ScheduleAnyway']);
  });

  test('the worlds of a realm are an Application of their own in the last wave, with a label for maintenance windows', () => {
    const application = realms.applications(example.cluster).find(({ name }) => name === 'realm-aurora');
    expect(application).toMatchObject({ last: true, needs: ['realms'], labels: { 'mmo/realm': 'aurora' } });
  });

  test('what surrounds a world is in another Application than the world, so that a window holds back nothing else', () => {
    expect([...new Set(example.of('realm-aurora').map((object) => object.kind))].sort()).toEqual(['ConfigMap', 'StatefulSet']);
  });

  test('adding a realm changes no object of another one', () => {
    const before = new Map(
      built(realms, homelabWith({ realms: [aurora] })).objects.map((object) => [
        `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`,
        object,
      ]),
    );
    const after = built(
      realms,
      homelabWith({
        realms: [aurora, { ...aurora, name: 'zephyr', continents: [{ name: 'eldermoor', address: '192.168.1.250', port: 40009 }] }],
      }),
    );
    const kept = after.objects.filter((object) => before.has(`${object.kind} ${object.metadata.namespace}/${object.metadata.name}`));
    expect(kept).toEqual([...before.values()]);
  });

  test('without realms the component says so', () => {
    expect(realms.enabled?.(resolveCluster(homelabWith({ realms: [] })))).toBe('the cluster has no persistent worlds (realms is empty)');
  });
});

describe('what surrounds a realm', () => {
  let example: Built;
  beforeAll(() => {
    example = built(realms, homelab);
  });

  test('the Service for players looks like this', () => {
    expect(masked(example.get('Service', 'realm-aurora/eldermoor-public'))).toMatchSnapshot();
  });

  test('an own address keeps the addresses of players', () => {
    expect(example.get('Service', 'realm-aurora/eldermoor-public').spec.externalTrafficPolicy).toBe('Local');
  });

  test('a shared address uses Cluster, the default, because MetalLB shares under Local only between identical selectors', () => {
    expect(example.get('Service', 'realm-borealis/frosthold-public').spec).not.toHaveProperty('externalTrafficPolicy');
  });

  test('the synth says that worlds which share an address do not see their players’ addresses, and says it of no other', () => {
    expect(example.warnings).toEqual([
      "the worlds of realm 'borealis' share 192.168.1.247, so they see a node's address in place of each player's: their own limits and bans by address do not work (the broker's do). exposure { type: 'own-address' } keeps players' addresses.",
    ]);
  });

  test('continents that share an address have the same sharing key and different ports', () => {
    const services = ['frosthold', 'icewind'].map((name) => example.get('Service', `realm-borealis/${name}-public`));
    expect(services.map((each) => [each.metadata.annotations?.['metallb.io/allow-shared-ip'], each.spec.ports[0].port])).toEqual([
      ['games-192.168.1.247', 40002],
      ['games-192.168.1.247', 40003],
    ]);
  });

  test('an own address is never shared', () => {
    expect(example.get('Service', 'realm-aurora/eldermoor-public').metadata.annotations).not.toHaveProperty('metallb.io/allow-shared-ip');
  });

  test('every game Service pins its address in the pool of games', () => {
    const services = example.objects.filter((object) => object.kind === 'Service' && object.spec.type === 'LoadBalancer');
    const pinned = services.filter(
      (each) =>
        each.metadata.annotations?.['metallb.io/address-pool'] === 'games' &&
        /^192\.168\.1\./.test(each.metadata.annotations['metallb.io/loadBalancerIPs'] ?? ''),
    );
    expect([services.length, pinned.length]).toEqual([4, 4]);
  });

  test('no game Service takes node ports', () => {
    const services = example.objects.filter((object) => object.kind === 'Service' && object.spec.type === 'LoadBalancer');
    expect(services.map((each) => each.spec.allocateLoadBalancerNodePorts)).toEqual([false, false, false, false]);
  });

  test('nobody evicts a world, unless it serves nobody', () => {
    expect(example.get('PodDisruptionBudget', 'realm-aurora/eldermoor').spec).toEqual({
      maxUnavailable: 0,
      selector: { matchLabels: { 'mmo/realm': 'aurora', 'mmo/continent': 'eldermoor' } },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });

  test('the broker may read a realm and change nothing', () => {
    const verbs = new Set(example.get('Role', 'realm-aurora/connect-broker').rules.flatMap((rule: { verbs: string[] }) => rule.verbs));
    expect([...verbs].sort()).toEqual(['get', 'list', 'watch']);
  });

  test("the rights are bound to the broker's ServiceAccount", () => {
    expect(example.get('RoleBinding', 'realm-aurora/connect-broker').subjects).toEqual([
      { kind: 'ServiceAccount', name: 'connect-broker', namespace: 'connect-broker' },
    ]);
  });

  test('each realm has a netcode key of its own', () => {
    expect(example.secrets.map((spec) => [spec.namespace, spec.name, spec.keys])).toMatchObject([
      ['realm-aurora', 'netcode-key', { 'generation-1': { value: 'netcode/realm/aurora/1', source: { generate: 'random-32-bytes' } } }],
      ['realm-borealis', 'netcode-key', { 'generation-1': { value: 'netcode/realm/borealis/1', source: { generate: 'random-32-bytes' } } }],
    ]);
  });

  test('a rotation keeps the previous generation, so that a restart in the middle of it still finds its key', () => {
    const rotated = built(realms, homelabWith({ realms: [{ ...aurora, netcodeKeyGeneration: 3 }] }));
    expect(Object.keys(rotated.secrets[0]?.keys ?? {})).toEqual(['generation-2', 'generation-3']);
  });

  test('the broker names the copies of keys by owner and generation', () => {
    expect([brokerKeyName({ realm: 'aurora' }, 2), brokerKeyName({ instance: 'dungeon' }, 1)]).toEqual([
      'realm.aurora.2',
      'instance.dungeon.1',
    ]);
  });

  test('the first generation has no generation before it', () => {
    expect([keyGenerations(1), keyGenerations(2), realmKeyIdentity({ name: 'aurora', netcodeKeyGeneration: 2 }, 1)]).toEqual([
      [1],
      [1, 2],
      'netcode/realm/aurora/1',
    ]);
  });

  test('a realm that needs no host port is restricted', () => {
    expect(realms.namespaces?.(example.cluster).map((each) => each.podSecurity)).toEqual(['restricted', 'restricted']);
  });

  test('players reach the game port and nobody reaches the status port', () => {
    const ports = (realms.flows?.(example.cluster) ?? []).filter((flow) => 'outside' in flow.from).flatMap((flow) => flow.ports);
    expect(ports).toEqual([
      { port: 7777, protocol: 'UDP' },
      { port: 7777, protocol: 'UDP' },
    ]);
  });

  test('the alerts look like this', () => {
    const rules = example.get('PrometheusRule', 'monitoring/worlds').spec.groups[0].rules;
    expect(rules.map((rule: { alert: string; expr: string; for?: string }) => [rule.alert, rule.expr, rule.for])).toMatchSnapshot();
  });
});

describe('an update', () => {
  const continents = (...orders: (number | undefined)[]): RealmInput['continents'] =>
    orders.map((order, index) => ({
      name: ['eldermoor', 'sunreach', 'duskwood'][index] ?? '',
      address: `192.168.1.${245 + index}`,
      port: 40000 + index,
      ...(order === undefined ? {} : { order }),
    })) as RealmInput['continents'];
  const updated = (updates: RealmInput['updates'], ...orders: (number | undefined)[]): Built =>
    built(realms, homelabWith({ realms: [{ ...aurora, updates, continents: continents(...orders) }] }));
  const waves = (example: Built, kind: string) =>
    example
      .of('realm-aurora')
      .filter((object) => object.kind === kind)
      .map(({ metadata }) => [metadata.name, metadata.annotations?.['argocd.argoproj.io/sync-wave']]);
  const applicationOf = ({ cluster }: Built) => realms.applications(cluster).find(({ name }) => name === 'realm-aurora');

  test('announces, saves and stops every continent at once where nothing is said', () => {
    const example = updated(undefined, undefined, undefined);
    expect([waves(example, 'StatefulSet'), applicationOf(example)?.orderedWaves]).toEqual([
      [
        ['eldermoor', undefined],
        ['sunreach', undefined],
      ],
      false,
    ]);
  });

  test('warns for as long as the description says, and leaves time to save, in every strategy', () => {
    const strategies: RealmInput['updates'][] = [
      { strategy: 'announce-and-drain' },
      { strategy: 'one-continent-at-a-time' },
      { strategy: 'canary-first' },
      { strategy: 'on-delete' },
    ];
    const pods = strategies.map((updates) => {
      const ordered = updates?.strategy === 'one-continent-at-a-time' || updates?.strategy === 'canary-first';
      return podOf(updated(updates, ordered ? 1 : undefined, ordered ? 2 : undefined).get('StatefulSet', 'realm-aurora/eldermoor')).spec;
    });
    expect(
      pods.map((pod) => [
        pod.containers[0].lifecycle.preStop.httpGet.path,
        pod.terminationGracePeriodSeconds,
        pod.containers[0].readinessProbe.httpGet.path,
      ]),
    ).toEqual(strategies.map(() => ['/announce?seconds=60', 150, '/readyz']));
  });

  test('goes by the order of continents and not by the list, one wave each', () => {
    expect(waves(updated({ strategy: 'one-continent-at-a-time' }, 30, 10, 20), 'StatefulSet')).toEqual([
      ['eldermoor', '30'],
      ['sunreach', '10'],
      ['duskwood', '20'],
    ]);
  });

  test('changes what a world runs with in the world’s own wave', () => {
    const example = updated({ strategy: 'one-continent-at-a-time' }, 30, 10, 20);
    expect(waves(example, 'ConfigMap')).toEqual(waves(example, 'StatefulSet'));
  });

  test('in an order keeps it in a retry: every sync applies every world', () => {
    expect(applicationOf(updated({ strategy: 'one-continent-at-a-time' }, 1, 2))?.orderedWaves).toBe(true);
  });

  test('with an order restarts no world that another order would not', () => {
    const template = (order: number) =>
      updated({ strategy: 'one-continent-at-a-time' }, order, 50).get('StatefulSet', 'realm-aurora/eldermoor').spec;
    expect(template(1)).toEqual(template(99));
  });

  test('waits until the canary has been ready for as long as it shall soak', () => {
    const example = updated({ strategy: 'canary-first', soakMinutes: 15 }, 2, 1, 2);
    expect(
      example
        .of('realm-aurora')
        .flatMap(({ kind, metadata, spec }) => (kind === 'StatefulSet' ? [[metadata.name, spec.minReadySeconds]] : [])),
    ).toEqual([
      ['eldermoor', undefined],
      ['sunreach', 900],
      ['duskwood', undefined],
    ]);
  });

  test('lets the others of a canary share a turn', () => {
    expect(waves(updated({ strategy: 'canary-first' }, 2, 1, 2), 'StatefulSet')).toEqual([
      ['eldermoor', '2'],
      ['sunreach', '1'],
      ['duskwood', '2'],
    ]);
  });

  test('on delete waits for the pod to go', () => {
    expect(updated({ strategy: 'on-delete' }, undefined).get('StatefulSet', 'realm-aurora/eldermoor').spec.updateStrategy).toEqual({
      type: 'OnDelete',
    });
  });

  test('waits for the windows of the realm, and for nobody else’s', () => {
    const window = { timeZone: 'Europe/Berlin', start: '0 5 * * 2', duration: '3h' };
    const { cluster } = built(realms, homelabWith({ realms: [{ ...aurora, maintenanceWindows: [window] }] }));
    expect(realms.applications(cluster).map(({ name, syncWindows = [] }) => [name, syncWindows])).toEqual([
      ['realms', []],
      ['realm-aurora', [window]],
    ]);
  });

  test('changes nothing of a retired continent’s turn: it is stopped first', () => {
    const example = built(
      realms,
      homelabWith({
        realms: [
          {
            ...aurora,
            updates: { strategy: 'one-continent-at-a-time' },
            continents: [
              { name: 'eldermoor', state: 'retired', order: 2 },
              { name: 'sunreach', address: '192.168.1.246', order: 1 },
            ],
          },
        ],
      }),
    );
    expect(waves(example, 'StatefulSet')).toEqual([
      ['eldermoor', undefined],
      ['sunreach', '1'],
    ]);
  });
});

describe('a realm that may sleep', () => {
  const sleeping = built(
    realms,
    homelabWith({
      realms: [
        {
          ...aurora,
          sleep: { afterMinutes: 30 },
          continents: [
            { name: 'eldermoor', address: '192.168.1.245' },
            { name: 'sunreach', state: 'retired' },
          ],
        },
        { ...aurora, name: 'borealis', continents: [{ name: 'frosthold', address: '192.168.1.247', port: 40002 }] },
      ],
    }),
  );

  test('lets the broker scale its active worlds, and nothing else of them', () => {
    expect(sleeping.get('Role', 'realm-aurora/connect-broker').rules.at(-1)).toEqual({
      apiGroups: ['apps'],
      resources: ['statefulsets/scale'],
      resourceNames: ['eldermoor'],
      verbs: ['patch'],
    });
  });

  test('gives the broker no right in another realm', () => {
    const verbs = sleeping.get('Role', 'realm-borealis/connect-broker').rules.flatMap((rule: { verbs: string[] }) => rule.verbs);
    expect(verbs).not.toContain('patch');
  });

  test('has no replicas in Git, so that Argo CD does not wake it', () => {
    expect(sleeping.get('StatefulSet', 'realm-aurora/eldermoor').spec).not.toHaveProperty('replicas');
  });

  test('is told to the broker, with its minutes', () => {
    expect(brokerConfig(sleeping.cluster).realms.map(({ name, sleepAfterMinutes }) => [name, sleepAfterMinutes])).toEqual([
      ['aurora', 30],
      ['borealis', undefined],
    ]);
  });
});

describe('the placement of worlds', () => {
  const pod = (realm: Partial<RealmInput>) =>
    podOf(built(realms, homelabWith({ realms: [{ ...aurora, ...realm }] })).get('StatefulSet', 'realm-aurora/eldermoor')).spec;
  const labelled = {
    nodeLabels: { disk: 'nvme' },
    tolerations: [{ key: 'games' }, { key: 'class', value: 'big', effect: 'NoSchedule' as const }],
  };

  test('is any node where nothing is said', () => {
    expect(['nodeSelector', 'tolerations'].filter((field) => field in pod({}))).toEqual([]);
  });

  test('asks for labels', () => {
    expect(pod({ placement: labelled }).nodeSelector).toEqual({ disk: 'nvme' });
  });

  test('tolerates taints', () => {
    expect(pod({ placement: labelled }).tolerations).toEqual([
      { key: 'games', operator: 'Exists' },
      { key: 'class', value: 'big', effect: 'NoSchedule' },
    ]);
  });

  test('of a continent stands in place of the realm’s', () => {
    const spec = pod({
      placement: labelled,
      continents: [{ name: 'eldermoor', address: '192.168.1.245', placement: { nodeLabels: { disk: 'hdd' } } }],
    });
    expect([spec.nodeSelector, spec.tolerations]).toEqual([{ disk: 'hdd' }, undefined]);
  });

  test('on one node needs no spreading', () => {
    const spec = pod({ placement: labelled, continents: [{ name: 'eldermoor', address: '192.168.1.245', node: 'node-2' }] });
    expect([spec.nodeSelector, spec.topologySpreadConstraints]).toEqual([{ disk: 'nvme', 'kubernetes.io/hostname': 'node-2' }, undefined]);
  });
});

describe('priorities', () => {
  const classes = built(namespaces, homelab).objects.filter(({ kind }) => kind === 'PriorityClass');
  // biome-ignore lint/suspicious/noExplicitAny: value stands beside metadata, not in a spec.
  const values = Object.fromEntries(classes.map((each: any) => [each.metadata.name, each.value]));

  test('put what players need before worlds, everything else after them, and instances last', () => {
    const order = [values['mmo-core'], values['mmo-world'], 0, values['mmo-instance']];
    expect([...order].sort((a, b) => b - a)).toEqual(order);
  });

  test('let an instance end nothing', () => {
    expect(classes.find(({ metadata }) => metadata.name === 'mmo-instance')).toMatchObject({ preemptionPolicy: 'Never' });
  });

  test('leave instances worth a node to a cluster autoscaler, whose default ignores what is below -10', () => {
    expect(values['mmo-instance']).toBeGreaterThanOrEqual(-10);
  });

  test('have classes only for what the cluster has', () => {
    expect(
      built(namespaces, homelabWith({ instances: [] }))
        .objects.filter(({ kind }) => kind === 'PriorityClass')
        .map(({ metadata }) => metadata.name),
    ).toEqual(['mmo-core', 'mmo-world']);
  });

  test('are those of worlds and instances', () => {
    expect([
      podOf(built(realms, homelab).get('StatefulSet', 'realm-aurora/eldermoor')).spec.priorityClassName,
      podOf(built(instances, homelab).get('Fleet', 'instances/dungeon')).spec.priorityClassName,
    ]).toEqual(['mmo-world', 'mmo-instance']);
  });
});

describe('a host port', () => {
  test('is on the container and no Service takes an address', () => {
    const world = built(realms, local);
    const [port] = podOf(world.get('StatefulSet', 'realm-aurora/eldermoor')).spec.containers[0].ports;
    expect([port, world.find('Service', 'realm-aurora/eldermoor-public')]).toEqual([
      { name: 'game', containerPort: 7777, protocol: 'UDP', hostPort: 40000 },
      undefined,
    ]);
  });

  test('pins the world to its node', () => {
    const { spec } = podOf(built(realms, local).get('StatefulSet', 'realm-aurora/eldermoor'));
    expect([spec.nodeSelector, spec.topologySpreadConstraints]).toEqual([{ 'kubernetes.io/hostname': 'local-control-plane' }, undefined]);
  });

  test('makes the namespace privileged, with the reason', () => {
    const [namespace] = realms.namespaces?.(resolveCluster(local)) ?? [];
    expect(namespace).toMatchObject({ podSecurity: 'privileged', because: expect.stringContaining('ports of the node') });
  });
});

describe('a retired world', () => {
  const retired = built(
    realms,
    homelabWith({
      realms: [
        {
          ...aurora,
          continents: [
            { name: 'eldermoor', state: 'retired' },
            { name: 'sunreach', address: '192.168.1.246' },
          ],
        },
      ],
    }),
  );

  test('runs no pod', () => {
    expect(retired.get('StatefulSet', 'realm-aurora/eldermoor').spec.replicas).toBe(0);
  });

  test('keeps its claim template', () => {
    expect(retired.get('StatefulSet', 'realm-aurora/eldermoor').spec.volumeClaimTemplates).toHaveLength(1);
  });

  test('has no Service for players and no budget', () => {
    expect([
      retired.find('Service', 'realm-aurora/eldermoor-public'),
      retired.find('PodDisruptionBudget', 'realm-aurora/eldermoor'),
    ]).toEqual([undefined, undefined]);
  });

  test('leaves its neighbour alone', () => {
    expect(retired.get('Service', 'realm-aurora/sunreach-public').metadata.annotations?.['metallb.io/loadBalancerIPs']).toBe(
      '192.168.1.246',
    );
  });

  test('needs no address', () => {
    expect(mistakesOf(homelabWith({ realms: [{ ...aurora, state: 'retired', continents: [{ name: 'eldermoor' }] }] }))).toEqual([]);
  });

  test('may have outlived the node that it was pinned to', () => {
    const gone = built(
      realms,
      localWith({ realms: [{ name: 'aurora', exposure: { type: 'host-port' }, continents: [{ name: 'eldermoor', state: 'retired' }] }] }),
    );
    expect(podOf(gone.get('StatefulSet', 'realm-aurora/eldermoor')).spec).not.toHaveProperty('nodeSelector');
  });

  test('keeps the key of its realm', () => {
    const whole = built(realms, homelabWith({ realms: [{ ...aurora, state: 'retired' }] }));
    expect(whole.secrets.map((spec) => spec.name)).toEqual(['netcode-key']);
  });
});

describe('mistakes of realms', () => {
  const path = 'realms[aurora].continents[eldermoor]';

  test('the examples have none', () => {
    expect([mistakesOf(homelab), mistakesOf(local)]).toEqual([[], []]);
  });

  test('an own address that is not written down is refused', () => {
    expect(auroraMistakes({ continents: [{ name: 'eldermoor' }] })).toEqual([
      {
        path: `${path}.address`,
        message:
          "with exposure 'own-address' every continent has an address of the pool that is its own; write it down, such as '192.168.1.243'.",
      },
    ]);
  });

  test('a shared address without a port is refused', () => {
    expect(auroraMistakes({ exposure: { type: 'shared-address', address: '192.168.1.245' }, continents: [{ name: 'eldermoor' }] })).toEqual(
      [
        {
          path: `${path}.port`,
          message:
            "with exposure 'shared-address' every continent has a port that is its own on 192.168.1.245; write it down, such as 40000.",
        },
      ],
    );
  });

  test('an address of its own beside the shared one is refused with the reason', () => {
    const mistakes = auroraMistakes({
      exposure: { type: 'shared-address', address: '192.168.1.245' },
      continents: [{ name: 'eldermoor', port: 40000, address: '192.168.1.246' }],
    });
    expect(mistakes.map((each) => each.path)).toEqual([`${path}.address`]);
    expect(mistakes[0]?.message).toContain('MetalLB does not share an address between worlds that see their players');
  });

  test('two continents on one address and port are refused with a port that is free', () => {
    const mistakes = auroraMistakes({
      exposure: { type: 'shared-address', address: '192.168.1.245' },
      continents: [
        { name: 'eldermoor', port: 40000 },
        { name: 'sunreach', port: 40000 },
      ],
    });
    expect(mistakes).toEqual([
      {
        path: 'realms[aurora].continents[sunreach].port',
        message: "192.168.1.245:40000 is already the world 'aurora/eldermoor'; use another port, such as 40001.",
      },
    ]);
  });

  test('two continents on one node and port are refused, also across realms', () => {
    const hostPort = (name: string): RealmInput => ({
      name,
      exposure: { type: 'host-port' },
      continents: [{ name: 'eldermoor', node: 'local-control-plane', port: 40000 }],
    });
    expect(mistakesOf(localWith({ realms: [hostPort('aurora'), hostPort('borealis')] }))).toEqual([
      {
        path: 'realms[borealis].continents[eldermoor].port',
        message: "local-control-plane:40000 is already the world 'aurora/eldermoor'; use another port, such as 40001.",
      },
    ]);
  });

  test('a host port without node and port names both', () => {
    expect(
      mistakesOf(localWith({ realms: [{ name: 'aurora', exposure: { type: 'host-port' }, continents: [{ name: 'eldermoor' }] }] })),
    ).toEqual([
      { path: `${path}.node`, message: "with exposure 'host-port' a world stays on one node; name it: 'local-control-plane'." },
      { path: `${path}.port`, message: "with exposure 'host-port' every continent has a port of its node; write it down, such as 40000." },
    ]);
  });

  test('a node that the cluster does not have is refused with those it has', () => {
    expect(
      mistakesOf(
        localWith({
          realms: [{ name: 'aurora', exposure: { type: 'host-port' }, continents: [{ name: 'eldermoor', node: 'pi', port: 40000 }] }],
        }),
      ),
    ).toEqual([{ path: `${path}.node`, message: "the cluster has no node 'pi'; it has 'local-control-plane'." }]);
  });

  test("a port of the node's own is refused with its owner", () => {
    expect(
      mistakesOf(
        localWith({
          realms: [
            {
              name: 'aurora',
              exposure: { type: 'host-port' },
              continents: [{ name: 'eldermoor', node: 'local-control-plane', port: 8472 }],
            },
          ],
        }),
      ),
    ).toEqual([
      { path: `${path}.port`, message: '8472 is used by nodes themselves (VXLAN of Flannel, k3s and Cilium); use a port such as 40000.' },
    ]);
  });

  test('an address without a load balancer is refused with the exposure that works', () => {
    const mistakes = mistakesOf(localWith({ realms: [aurora] }));
    expect(mistakes.filter((each) => each.path.endsWith('exposure.type'))).toEqual([
      {
        path: 'realms[aurora].exposure.type',
        message:
          "'own-address' needs MetalLB, which this cluster does not have (kubernetes.loadBalancer is 'none'); use { type: 'host-port' } with a node and a port for each continent.",
      },
    ]);
  });

  test('two realms of one name are refused', () => {
    const twice = mistakesOf(
      homelabWith({ realms: [aurora, { ...aurora, continents: [{ name: 'sunreach', address: '192.168.1.246', port: 40009 }] }] }),
    );
    expect(twice).toEqual([
      {
        path: 'realms[aurora].name',
        message: "two realms are called 'aurora'; the name is part of the namespace, so give one of them another.",
      },
    ]);
  });

  test('two continents of one name are refused', () => {
    const mistakes = auroraMistakes({
      continents: [
        { name: 'eldermoor', address: '192.168.1.245' },
        { name: 'eldermoor', address: '192.168.1.246' },
      ],
    });
    expect(mistakes).toEqual([
      {
        path: `${path}.name`,
        message: "two continents of 'aurora' are called 'eldermoor'; the name is that of the volume, so give one of them another.",
      },
    ]);
  });

  test("a continent that takes the name of another's Service is refused", () => {
    const mistakes = auroraMistakes({
      continents: [
        { name: 'eldermoor', address: '192.168.1.245' },
        { name: 'eldermoor-public', address: '192.168.1.246', port: 40009 },
      ],
    });
    expect(mistakes).toEqual([
      {
        path: 'realms[aurora].continents[eldermoor-public].name',
        message: "'eldermoor-public' is the name of the Service that players reach 'eldermoor' by; give this continent another name.",
      },
    ]);
  });

  test('more players than a netcode server takes are refused', () => {
    expect(auroraMistakes({ capacity: 2000 })).toEqual([
      {
        path: 'realms[aurora].capacity',
        message: '2000 players are more than one netcode server takes (1024); use at most 1024 and split the world into continents.',
      },
    ]);
  });

  test('a memory limit below the request is refused', () => {
    expect(auroraMistakes({ resources: { memory: '2Gi', memoryLimit: '1Gi' } })).toEqual([
      {
        path: 'realms[aurora].resources.memoryLimit',
        message: "1Gi is less than the memory that is reserved (2Gi); use at least '2Gi', or leave memoryLimit out to make it the same.",
      },
    ]);
  });
});
