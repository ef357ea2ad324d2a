/**
 * Cases of the check `application-safety`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { applicationSafety } from '../../lib/checks/application-safety';
import type { PlainObject } from '../../lib/emit/manifest';
import { applications, changed, charts, excepting, goodObjects, sentencesOf, violationsOf, withMore, without } from './fixture';

const check = applicationSafety;
const broker = 'Application argocd/connect-broker';
const root = 'Application argocd/root';
const chart = 'Application argocd/cert-manager';
const game = 'AppProject argocd/game';

describe('Applications', () => {
  it('are safe in a whole cluster', () => {
    expect(sentencesOf(check)).toEqual([]);
  });

  it.each<[string, string, (manifest: PlainObject) => void, string]>([
    [
      'without selfHeal',
      broker,
      ({ spec }) => {
        delete spec.syncPolicy.automated.selfHeal;
      },
      `${broker} spec.syncPolicy.automated.selfHeal: What is changed by hand in the cluster stays changed: selfHeal is not on.`,
    ],
    [
      'that may be empty',
      broker,
      ({ spec }) => {
        spec.syncPolicy.automated.allowEmpty = true;
      },
      `${broker} spec.syncPolicy.automated.allowEmpty: A folder that is empty by mistake would delete everything that the Application manages.`,
    ],
    [
      'of ours that do not prune',
      broker,
      ({ spec }) => {
        delete spec.syncPolicy.automated.prune;
      },
      `${broker} spec.syncPolicy.automated.prune: What leaves Git stays in the cluster for ever: prune is not on.`,
    ],
    [
      'of charts with CRDs that prune',
      chart,
      ({ spec }) => {
        spec.syncPolicy.automated.prune = true;
      },
      `${chart} spec.syncPolicy.automated.prune: The chart 'cert-manager' carries CRDs; a version that drops one would delete every object of its kind.`,
    ],
    [
      'that write prune: false, which Argo CD drops',
      chart,
      ({ spec }) => {
        spec.syncPolicy.automated.prune = false;
      },
      `${chart} spec.syncPolicy.automated.prune: Argo CD drops \`prune: false\` from the live Application, which then differs from Git after every operation and is synced without end.`,
    ],
    [
      'whose root applies what is ignored',
      root,
      ({ spec }) => {
        spec.syncPolicy.syncOptions.push('RespectIgnoreDifferences=true');
      },
      `${root} spec.syncPolicy.syncOptions: With RespectIgnoreDifferences=true the root applies the old status of its children, which the API server refuses, and is Unknown for ever.`,
    ],
    [
      'whose root prunes',
      root,
      ({ spec }) => {
        spec.syncPolicy.automated.prune = true;
      },
      `${root} spec.syncPolicy.automated.prune: A child that leaves Git, perhaps by a mistake in the synth, would be deleted.`,
    ],
    [
      'whose root skips what is in sync',
      root,
      ({ spec }) => {
        spec.syncPolicy.syncOptions.push('ApplyOutOfSyncOnly=true');
      },
      `${root} spec.syncPolicy.syncOptions: With ApplyOutOfSyncOnly=true a retry of the root leaves out the wave that failed and starts the next.`,
    ],
    [
      'without a required option',
      broker,
      ({ spec }) => {
        spec.syncPolicy.syncOptions = spec.syncPolicy.syncOptions.filter((option: string) => !option.startsWith('FailOn'));
      },
      `${broker} spec.syncPolicy.syncOptions: The option FailOnSharedResource=true is missing; it has ServerSideApply=true, ApplyOutOfSyncOnly=true, PruneLast=true, RespectIgnoreDifferences=true.`,
    ],
    [
      'that retry an old commit',
      broker,
      ({ spec }) => {
        delete spec.syncPolicy.retry.refresh;
      },
      `${broker} spec.syncPolicy.retry: A sync that fails once is not tried again with the newest commit, so a repair in Git does not arrive.`,
    ],
    [
      'whose deletion deletes what they synced',
      broker,
      ({ metadata }) => {
        Object.assign(metadata, { finalizers: ['resources-finalizer.argocd.argoproj.io/background'] });
      },
      `${broker} metadata.finalizers: Deleting the Application would delete everything that it has synced.`,
    ],
    [
      'of a chart whose version floats',
      chart,
      ({ spec }) => {
        spec.source.targetRevision = 'v1.*';
      },
      `${chart} spec.source.targetRevision: 'v1.*' is no exact version, so the chart changes without a commit.`,
    ],
    [
      'that read another folder',
      broker,
      ({ spec }) => {
        spec.source.path = 'dist/fixture/broker';
      },
      `${broker} spec.source.path: It syncs 'dist/fixture/broker', but its objects are in 'dist/fixture/connect-broker'.`,
    ],
    [
      'that do not look into folders',
      broker,
      ({ spec }) => {
        delete spec.source.directory;
      },
      `${broker} spec.source.directory.recurse: The objects are in folders below 'dist/fixture/connect-broker', which it does not look into.`,
    ],
    [
      'of a project that does not exist',
      broker,
      ({ spec }) => {
        spec.project = 'games';
      },
      `${broker} spec.project: There is no AppProject 'games'.`,
    ],
    [
      'whose project does not allow the repository',
      broker,
      ({ spec }) => {
        spec.source.repoURL = 'https://git.example.org/fork.git';
      },
      `${broker} spec.source.repoURL: AppProject 'game' does not allow the repository 'https://git.example.org/fork.git'.`,
    ],
    [
      'whose project does not allow the server',
      broker,
      ({ spec }) => {
        spec.destination.server = 'https://192.168.1.11:6443';
      },
      `${broker} spec.destination: AppProject 'game' does not allow the namespace 'connect-broker' at 'https://192.168.1.11:6443', which the Application writes to.`,
    ],
    [
      'whose project does not allow a namespace',
      game,
      ({ spec }) => {
        spec.destinations = spec.destinations.filter(({ namespace }: { namespace: string }) => namespace !== 'instances');
      },
      "Application argocd/instances spec.destination: AppProject 'game' does not allow the namespace 'instances' at 'https://kubernetes.default.svc', which the Application writes to.",
    ],
    [
      'whose project does not allow a cluster-scoped kind',
      game,
      ({ spec }) => {
        spec.clusterResourceWhitelist.shift();
      },
      `${broker} spec.project: AppProject 'game' does not allow the kind 'rbac.authorization.k8s.io/ClusterRole', which the Application has.`,
    ],
    [
      'whose root may not write projects',
      'AppProject argocd/root',
      ({ spec }) => {
        spec.namespaceResourceWhitelist.pop();
      },
      `${root} spec.project: AppProject 'root' does not allow the kind 'argoproj.io/AppProject', which the Application has.`,
    ],
  ])('are refused: %s', (_, id, change, sentence) => {
    expect(sentencesOf(check, changed(id, change))).toEqual([sentence]);
  });

  it.each<[string, (spec: PlainObject['spec']) => void, string, string]>([
    ['repositories', (spec) => spec.sourceRepos.push('https://git.example.org/*'), 'spec.sourceRepos', 'repositories'],
    [
      'namespaces',
      (spec) => spec.destinations.push({ server: 'https://kubernetes.default.svc', namespace: '*' }),
      'spec.destinations',
      'destinations',
    ],
    ['kinds', (spec) => spec.clusterResourceWhitelist.push({ group: '*', kind: '*' }), 'spec.clusterResourceWhitelist', 'kinds'],
  ])('are refused: a project that allows all %s', (_, change, field, what) => {
    expect(
      sentencesOf(
        check,
        changed(game, ({ spec }) => change(spec)),
      ),
    ).toEqual([`${game} ${field}: The project allows ${what} by a pattern.`]);
  });

  describe('that wait for a window', () => {
    const id = 'Application argocd/realm-aurora';
    const WINDOW = { kind: 'allow', schedule: '0 5 * * 2', duration: '3h', applications: ['realm-aurora'], manualSync: true };
    const held = (window: object, isLabelled = true) => {
      const objects = structuredClone([...goodObjects()]) as { manifest: PlainObject }[];
      for (const { manifest } of objects) {
        if (manifest.kind === 'AppProject' && manifest.metadata.name === 'game') manifest.spec.syncWindows = [{ ...WINDOW, ...window }];
        if (isLabelled && manifest.kind === 'Application' && manifest.metadata.name === 'realm-aurora')
          Object.assign(manifest.metadata, { labels: { ...manifest.metadata.labels, 'mmo/sync-window': 'true' } });
      }
      return objects as ReturnType<typeof goodObjects>;
    };

    it('are labelled, and the window is theirs', () => {
      expect(sentencesOf(check, held({}))).toEqual([]);
    });

    it.each<[string, object, string]>([
      ['that names no manual sync', { manualSync: false }, 'manualSync: A repair cannot be synced by hand outside of the window.'],
      [
        'of a whole namespace',
        { namespaces: ['realm-aurora'] },
        'applications: It holds back Applications that it does not name, also those that later waves wait for.',
      ],
      [
        'of an Application that does not exist',
        { applications: ['realm-aurora', 'realm-umbra'] },
        "applications: There is no Application 'realm-umbra'.",
      ],
    ])('are refused: a window %s', (_, change, sentence) => {
      expect(sentencesOf(check, held(change))).toEqual([`${game} spec.syncWindows[0].${sentence}`]);
    });

    it('are refused without the label', () => {
      expect(sentencesOf(check, held({}, false))).toEqual([
        `${id} metadata.labels: It waits for a sync window without the label mmo/sync-window: while it waits, the root is Progressing and an alert calls.`,
      ]);
    });

    it('are refused with the label alone', () => {
      expect(
        sentencesOf(
          check,
          changed(id, ({ metadata }) => {
            Object.assign(metadata, { labels: { 'mmo/sync-window': 'true' } });
          }),
        ),
      ).toEqual([
        `${id} metadata.labels: It has the label mmo/sync-window, but no sync window holds it back: its OutOfSync would be taken as healthy for ever.`,
      ]);
    });
  });

  it('are refused: worlds in an order that a retry would not keep', () => {
    const [world] = goodObjects().filter(
      ({ manifest }) => manifest.kind === 'StatefulSet' && manifest.metadata.namespace === 'realm-aurora',
    );
    const second = structuredClone(world?.manifest) as PlainObject;
    Object.assign(second.metadata, {
      name: 'sunreach',
      annotations: { ...second.metadata.annotations, 'argocd.argoproj.io/sync-wave': '2' },
    });
    expect(sentencesOf(check, withMore('realm-aurora', second))).toEqual([
      'Application argocd/realm-aurora spec.syncPolicy.syncOptions: With ApplyOutOfSyncOnly=true a retry leaves out the world whose turn failed and updates the next.',
    ]);
  });

  it('are refused: several sources', () => {
    const found = violationsOf(
      check,
      changed(chart, ({ spec }) => {
        spec.sources = [spec.source];
      }),
    );
    expect(found.map(({ message }) => message)).toEqual(['It must have exactly one source: a folder of ours or a chart.']);
  });

  it('exist for every folder', () => {
    expect(sentencesOf(check, without('Application argocd/realm-aurora'))).toEqual([
      "ConfigMap realm-aurora/eldermoor metadata.name: Its folder dist/fixture/realm-aurora has no Application 'realm-aurora', so nothing in it is ever synced.",
      `${root} spec: The cluster has an Application 'realm-aurora' of which no object was emitted.`,
    ]);
  });

  it('exist for nothing but folders that have a file', () => {
    const objects = goodObjects().filter(({ application }) => application !== 'sealed-credentials');
    expect(sentencesOf(check, objects)).toEqual([
      "Application argocd/sealed-credentials spec.source.path: The folder 'dist/fixture/sealed-credentials' would have no file, and so would not exist.",
    ]);
  });

  it('have projects that allow what an upstream chart is recorded to write', () => {
    const more = charts.map((each) =>
      each.name === 'k8up'
        ? {
            ...each,
            provides: (...args: Parameters<typeof each.provides>) => ({
              ...each.provides(...args),
              clusterKinds: ['/Node'],
              namespaces: ['kube-system'],
            }),
          }
        : each,
    );
    const k8up = more.find(({ name }) => name === 'k8up');
    const changedApplications = new Map(
      [...applications].map(([name, each]) => [name, name === 'k8up' && k8up ? { ...each, spec: k8up } : each]),
    );
    expect(sentencesOf(check, goodObjects(), { charts: more, applications: changedApplications })).toEqual([
      "Application argocd/k8up spec.destination: AppProject 'data' does not allow the namespace 'kube-system' at 'https://kubernetes.default.svc', which the Application writes to.",
      "Application argocd/k8up spec.project: AppProject 'data' does not allow the kind '/Node', which the Application has.",
    ]);
  });

  it('know when an object of each kind is healthy', () => {
    const event = (name: string): PlainObject => ({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name, namespace: 'realm-aurora' },
      spec: {},
    });
    expect(sentencesOf(check, withMore('realms', event('a'), event('b')))).toEqual([
      'LimitRange realm-aurora/a kind: Nobody has decided when an object of kind LimitRange is healthy; Argo CD takes it for healthy as soon as it exists.',
    ]);
  });

  it('may depart where the object says why', () => {
    const objects = changed(broker, ({ spec }) => {
      delete spec.syncPolicy.automated.selfHeal;
    });
    const exception = { rule: check.id, field: 'spec.syncPolicy.automated.selfHeal', reason: 'a maintenance window' };
    expect(sentencesOf(check, excepting(objects, broker, exception))).toEqual([]);
  });
});
