/** The root folder: Applications and AppProjects, their options, and the order in which they start. */
import { clusters as own } from '../../apps';
import { catalog } from '../../argocd/catalog';
import type { UpstreamChart } from '../../argocd/catalog/types';
import { type BuiltCluster, buildCluster } from '../../lib/build';
import type { PlainObject } from '../../lib/emit/manifest';
import { resolveCluster } from '../../lib/model/cluster';
import { memoryStore } from '../../lib/secrets/store';
import { charts as versions } from '../../versions';
import { exampleHomelab, exampleLocal } from '../examples';
import { validDescription } from '../model/fixture';

const build = (description: Parameters<typeof resolveCluster>[0]): BuiltCluster =>
  buildCluster(resolveCluster(description), { store: memoryStore('everything') });
/** A cluster that nobody edits, so that the snapshots stand still. */
const fixed = build(validDescription());
const example = build(exampleHomelab);
/** The examples, which have everything between them, and whatever apps/ describes. */
const clusters: [string, BuiltCluster][] = [
  ['the example homelab', example],
  ['the example local', build(exampleLocal)],
  ...own.map((description): [string, BuiltCluster] => [`${description.name} of apps`, build(description)]),
];

const rootObjects = (built: BuiltCluster, kind: string): PlainObject[] =>
  built.objects.filter(({ application, manifest }) => application === 'root' && manifest.kind === kind).map(({ manifest }) => manifest);
const applicationsOf = (built: BuiltCluster) => rootObjects(built, 'Application');
const projectsOf = (built: BuiltCluster) => rootObjects(built, 'AppProject');
const childrenOf = (built: BuiltCluster) => applicationsOf(built).filter(({ metadata }) => metadata.name !== 'root');
const nameOf = ({ metadata }: PlainObject) => metadata.name;
const named = (objects: readonly PlainObject[], name: string): PlainObject => {
  const found = objects.find(({ metadata }) => metadata.name === name);
  if (!found) throw new Error(`There is no ${name}.`);
  return found;
};
const waveOf = (application: PlainObject) => Number(application.metadata.annotations?.['argocd.argoproj.io/sync-wave']);
const chartOf = (application: PlainObject): UpstreamChart | undefined => catalog.find(({ name }) => name === nameOf(application));

describe('what people review', () => {
  const masked = (application: PlainObject) =>
    application.spec.source.chart === undefined
      ? application
      : { ...application, spec: { ...application.spec, source: { ...application.spec.source, targetRevision: '<version>' } } };

  test.each(['connect-broker', 'sealed-secrets', 'root'])('of the Application %s', (name) => {
    expect(masked(named(applicationsOf(fixed), name))).toMatchSnapshot();
  });

  test('of the project of the game', () => {
    expect(named(projectsOf(fixed), 'game')).toMatchSnapshot();
  });
});

describe('a maintenance window', () => {
  const description = validDescription();
  const [aurora, borealis] = description.realms ?? [];
  const windowed = build({
    ...description,
    realms: [
      {
        ...(aurora as NonNullable<typeof aurora>),
        maintenanceWindows: [{ timeZone: 'Europe/Berlin', start: '0 5 * * 2', duration: '3h' }],
      },
      borealis as NonNullable<typeof borealis>,
    ],
  });

  test('allows syncs of the realm’s worlds alone, lets a person sync at any time, and lets what has begun end', () => {
    expect(named(projectsOf(windowed), 'game').spec.syncWindows).toEqual([
      {
        kind: 'allow',
        schedule: '0 5 * * 2',
        duration: '3h',
        timeZone: 'Europe/Berlin',
        applications: ['realm-aurora'],
        manualSync: true,
        syncOverrun: true,
      },
    ]);
  });

  test('labels the Application that waits, and no other', () => {
    expect(
      applicationsOf(windowed)
        .filter(({ metadata }) => metadata.labels?.['mmo/sync-window'] === 'true')
        .map(nameOf),
    ).toEqual(['realm-aurora']);
  });

  test('is waited for by nobody: the Application is in the last wave', () => {
    const waves = childrenOf(windowed).map(waveOf);
    expect(waveOf(named(applicationsOf(windowed), 'realm-aurora'))).toBe(Math.max(...waves));
  });

  test('where there is none, nothing is held back', () => {
    expect(named(projectsOf(fixed), 'game').spec).not.toHaveProperty('syncWindows');
  });
});

describe.each(clusters)('the root of %s', (_, built) => {
  const root = named(applicationsOf(built), 'root');

  test('repairs itself and its children', () => {
    expect(root.spec.syncPolicy.automated.selfHeal).toBe(true);
  });

  test('never prunes', () => {
    expect(root.spec.syncPolicy.automated).toEqual({ selfHeal: true });
  });

  test('never accepts an empty folder as its wish', () => {
    expect(root.spec.syncPolicy.automated).not.toHaveProperty('allowEmpty');
  });

  test('applies everything at each sync, because otherwise a retry skips the wave that failed', () => {
    expect(root.spec.syncPolicy.syncOptions.filter((option: string) => option.startsWith('ApplyOutOfSyncOnly'))).toEqual([]);
  });

  test('does not apply what Argo CD ignores, because that would be the old status of its children', () => {
    expect(root.spec.syncPolicy.syncOptions.filter((option: string) => option.startsWith('RespectIgnoreDifferences'))).toEqual([]);
  });

  test('is kept when it leaves Git', () => {
    expect(root.metadata.annotations?.['argocd.argoproj.io/sync-options']).toBe('Prune=false,Delete=false');
  });

  test('reads the folder that it is in', () => {
    expect(root.spec.source).toMatchObject({ path: `dist/${built.cluster.name}/root`, directory: { recurse: true } });
  });

  test('has every Application of the cluster as its child', () => {
    expect(childrenOf(built).map(nameOf).sort()).toEqual([...built.applications.keys()].sort());
  });

  test('may write nothing but Applications and AppProjects', () => {
    expect(named(projectsOf(built), 'root').spec).toMatchObject({
      namespaceResourceWhitelist: [
        { group: 'argoproj.io', kind: 'Application' },
        { group: 'argoproj.io', kind: 'AppProject' },
      ],
    });
  });

  test('may write no object without a namespace', () => {
    expect(named(projectsOf(built), 'root').spec).not.toHaveProperty('clusterResourceWhitelist');
  });

  test('holds no ApplicationSet', () => {
    expect(rootObjects(built, 'ApplicationSet')).toEqual([]);
  });
});

describe.each(clusters)('each child of %s', (_, built) => {
  const children = childrenOf(built);
  const violating = (rule: (child: PlainObject) => boolean) => children.filter((child) => !rule(child)).map(nameOf);

  test('has the options of a safe sync', () => {
    const safe = [
      'ServerSideApply=true',
      'ApplyOutOfSyncOnly=true',
      'FailOnSharedResource=true',
      'PruneLast=true',
      'RespectIgnoreDifferences=true',
    ];
    // Worlds that wait for each other do so in a retry, too.
    const ordered = new Set(
      built.cluster.realms
        .filter(({ updates }) => updates.strategy === 'one-continent-at-a-time' || updates.strategy === 'canary-first')
        .map(({ namespace }) => namespace),
    );
    const options = (child: PlainObject) =>
      safe.filter((option) => !ordered.has(nameOf(child)) || !option.startsWith('ApplyOutOfSyncOnly'));
    expect(violating((child) => JSON.stringify(child.spec.syncPolicy.syncOptions) === JSON.stringify(options(child)))).toEqual([]);
  });

  test('is tried again with growing pauses', () => {
    expect(violating((child) => child.spec.syncPolicy.retry.limit > 0 && child.spec.syncPolicy.retry.backoff.factor > 1)).toEqual([]);
  });

  test('takes the newest commit when it is tried again', () => {
    expect(violating((child) => child.spec.syncPolicy.retry.refresh === true)).toEqual([]);
  });

  test('repairs itself', () => {
    expect(violating((child) => child.spec.syncPolicy.automated.selfHeal === true)).toEqual([]);
  });

  test('never accepts an empty folder as its wish', () => {
    expect(violating((child) => !('allowEmpty' in child.spec.syncPolicy.automated))).toEqual([]);
  });

  test('has no finalizer, so that deleting it deletes nothing else', () => {
    expect(violating((child) => !('finalizers' in child.metadata))).toEqual([]);
  });

  test('prunes, unless its chart carries definitions of kinds', () => {
    const expected = (child: PlainObject) => (chartOf(child)?.provides(built.cluster).crds.length ?? 0) === 0;
    expect(violating((child) => 'prune' in child.spec.syncPolicy.automated === expected(child))).toEqual([]);
  });

  test('reads its own folder of dist or its pinned chart', () => {
    expect(
      violating((child) => {
        const chart = chartOf(child);
        const { source } = child.spec;
        return chart === undefined
          ? source.path === `dist/${built.cluster.name}/${nameOf(child)}` && source.repoURL === built.cluster.git.repository
          : source.targetRevision === versions[chart.chart as keyof typeof versions].version && source.path === undefined;
      }),
    ).toEqual([]);
  });

  test('belongs to a project that is there', () => {
    const projects = new Set(projectsOf(built).map(nameOf));
    expect(violating((child) => projects.has(child.spec.project))).toEqual([]);
  });

  test('leaves the project of the root alone', () => {
    expect(violating((child) => child.spec.project !== 'root')).toEqual([]);
  });

  test('has a source that its project allows', () => {
    expect(violating((child) => named(projectsOf(built), child.spec.project).spec.sourceRepos.includes(child.spec.source.repoURL))).toEqual(
      [],
    );
  });
});

describe.each(clusters)('the projects of %s', (_, built) => {
  const projects = projectsOf(built);
  const members = (project: PlainObject) => childrenOf(built).filter((child) => child.spec.project === nameOf(project));
  const own = (project: PlainObject) => {
    const names = new Set(members(project).map(nameOf));
    return built.objects.filter(({ application }) => names.has(application)).map(({ manifest }) => manifest);
  };
  const provided = (project: PlainObject) => members(project).flatMap((child) => chartOf(child)?.provides(built.cluster) ?? []);
  const ofChildren = projects
    .filter((project) => nameOf(project) !== 'root')
    .map((project): [string, PlainObject] => [nameOf(project), project]);

  test('are there before the Applications', () => {
    expect(projects.map(waveOf).filter((wave) => wave >= 0)).toEqual([]);
  });

  test('use no wildcard', () => {
    // A window's schedule is cron fields.
    const withoutSchedules = projects.map(({ spec: { syncWindows = [], ...spec } }) => ({
      ...spec,
      syncWindows: syncWindows.map(({ schedule: _, ...window }: { schedule: string }) => window),
    }));
    expect(JSON.stringify(withoutSchedules)).not.toContain('*');
  });

  test.each(ofChildren)('%s names exactly the namespaces that its members write to', (_name, project) => {
    const used = new Set([
      ...members(project).map((child) => child.spec.destination.namespace),
      ...own(project).flatMap(({ metadata }) => metadata.namespace ?? []),
      ...provided(project).flatMap(({ namespaces = [] }) => namespaces),
    ]);
    expect(project.spec.destinations.map(({ namespace }: { namespace: string }) => namespace)).toEqual([...used].sort());
  });

  test.each(ofChildren)('%s names exactly the kinds without a namespace that its members write', (_name, project) => {
    const used = new Set([
      ...own(project)
        .filter(({ metadata }) => metadata.namespace === undefined)
        .map(({ apiVersion, kind }) => `${apiVersion.includes('/') ? apiVersion.split('/')[0] : ''}/${kind}`),
      ...provided(project).flatMap(({ clusterKinds = [] }) => clusterKinds),
    ]);
    const allowed = (project.spec.clusterResourceWhitelist ?? []).map(
      ({ group, kind }: { group: string; kind: string }) => `${group}/${kind}`,
    );
    expect(allowed).toEqual([...used].sort());
  });

  test.each(ofChildren)('%s names exactly the sources of its members', (_name, project) => {
    expect(project.spec.sourceRepos).toEqual([...new Set(members(project).map((child) => child.spec.source.repoURL))].sort());
  });

  test('deploy into this cluster only', () => {
    const servers = projects.flatMap(({ spec }) => spec.destinations.map(({ server }: { server: string }) => server));
    expect(new Set(servers)).toEqual(new Set(['https://kubernetes.default.svc']));
  });
});

/** Who must be there before whom. */
const ORDER: readonly (readonly [string, string])[] = [
  ['namespaces', 'prometheus-operator-crds'],
  ['namespaces', 'sealed-secrets'],
  ['namespaces', 'cert-manager'],
  ['namespaces', 'metallb'],
  ['namespaces', 'metrics-server'],
  ['prometheus-operator-crds', 'kube-prometheus-stack'],
  ['cert-manager', 'cert-manager-config'],
  ['sealed-secrets', 'cert-manager-config'],
  ['cert-manager', 'plugin-barman-cloud'],
  ['metallb', 'metallb-config'],
  ['cert-manager-config', 'agones-certificates'],
  ['metallb-config', 'traefik'],
  ['agones-certificates', 'agones'],
  ['cert-manager-config', 'traefik-config'],
  ['traefik', 'traefik-config'],
  ['cloudnative-pg', 'database'],
  ['plugin-barman-cloud', 'database'],
  ['cert-manager-config', 'database'],
  ['metallb-config', 'pihole'],
  ['traefik', 'pihole'],
  ['pihole', 'external-dns'],
  ['k8up', 'world-backups'],
  ['database', 'connect-broker'],
  ['agones', 'connect-broker'],
  ['metrics-server', 'connect-broker'],
  ['traefik-config', 'connect-broker'],
  ['agones', 'instances'],
  ['connect-broker', 'instances'],
  ['metallb-config', 'realms'],
];

describe.each(clusters)('the waves of %s', (_, built) => {
  const waves = new Map(childrenOf(built).map((child) => [nameOf(child), waveOf(child)]));
  const wave = (name: string): number => {
    const found = waves.get(name);
    if (found === undefined) throw new Error(`There is no Application ${name}.`);
    return found;
  };

  test('put each Application after all that it needs', () => {
    const late = [...built.applications.values()].flatMap(({ name, needs }) =>
      needs.filter((need) => wave(need) >= wave(name)).map((need) => `${name} needs ${need}`),
    );
    expect(late).toEqual([]);
  });

  test('put every realm into the last one', () => {
    expect(built.cluster.realms.map(({ namespace }) => wave(namespace))).toEqual(
      built.cluster.realms.map(() => Math.max(...waves.values())),
    );
  });

  test('put nothing beside or after a realm', () => {
    const realms = new Set<string>(built.cluster.realms.map(({ namespace }) => namespace));
    const first = Math.min(...[...realms].map(wave));
    expect([...waves].filter(([name, value]) => !realms.has(name) && value >= first)).toEqual([]);
  });

  test('have no gap', () => {
    expect([...new Set(waves.values())].sort((a, b) => a - b)).toEqual([...Array(Math.max(...waves.values()) + 1).keys()]);
  });

  const order = [
    ...ORDER,
    ...built.cluster.realms.map(({ namespace }) => ['connect-broker', namespace] as const),
    ...built.cluster.realms.map(({ namespace }) => ['realms', namespace] as const),
  ];

  test.each(order.filter(([first, second]) => waves.has(first) && waves.has(second)))('put %s before %s', (first, second) => {
    expect(wave(first)).toBeLessThan(wave(second));
  });
});

test('each name in the order is an Application of the example, so that no pair goes unproven', () => {
  expect(ORDER.flat().filter((name) => !example.applications.has(name))).toEqual([]);
});

test('what an autoscaler of Agones writes is no difference', () => {
  expect(named(applicationsOf(fixed), 'instances').spec.ignoreDifferences).toEqual([
    { group: 'agones.dev', kind: 'Fleet', jsonPointers: ['/spec/replicas'] },
  ]);
});

test('Argo CD manages itself, in the namespace that it runs in', () => {
  expect(named(applicationsOf(fixed), 'argo-cd').spec).toMatchObject({
    destination: { namespace: 'argocd' },
    source: { chart: 'argo-cd', helm: { releaseName: 'argo-cd' } },
  });
});

test('the Application of a realm carries its name, by which maintenance windows select it', () => {
  expect(named(applicationsOf(fixed), 'realm-aurora').metadata.labels?.['mmo/realm']).toBe('aurora');
});
