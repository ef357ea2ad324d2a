/**
 * The root Application's folder: AppProjects, one Application per folder of dist and per upstream chart, and the root itself.
 * It deliberately uses no ApplicationSet: explicit Applications are reviewed one by one and cannot be deleted in bulk (argo-cd#9227).
 */
import type { Chart } from 'cdk8s';
import { Application, AppProject, type ApplicationSpec as ArgoApplicationSpec } from '../imports/argoproj.io';
import type { BuiltApplication, BuiltObject } from '../lib/build';
import type { ApplicationSpec, ProjectName } from '../lib/component';
import { labels, PROTECTED } from '../lib/component';
import { add, type PlainObject } from '../lib/emit/manifest';
import type { Cluster } from '../lib/model/cluster';
import { LABELS } from '../lib/platform';
import { charts as chartVersions } from '../versions';
import type { UpstreamChart } from './catalog/types';

/** Name of the root Application, of its folder and of its AppProject. */
export const ROOT = 'root';
export const ARGOCD_NAMESPACE = 'argocd';
const IN_CLUSTER = 'https://kubernetes.default.svc';

/**
 * Sync options of children. Namespaces are real objects (no CreateNamespace); server-side apply because some CRDs are too large for the other;
 * an object that two Applications claim fails the sync instead of flapping.
 */
const CHILD_SYNC_OPTIONS = [
  'ServerSideApply=true',
  'ApplyOutOfSyncOnly=true',
  'FailOnSharedResource=true',
  'PruneLast=true',
  'RespectIgnoreDifferences=true',
];
/**
 * The root leaves two out. ApplyOutOfSyncOnly: with it a retry skips the wave that failed. RespectIgnoreDifferences: it copies the ignored status of
 * Applications into what is applied, which the API server then refuses, and the root is Unknown for ever. Both measured, Argo CD 3.2.11.
 */
const ROOT_SYNC_OPTIONS = CHILD_SYNC_OPTIONS.filter((option) => !/^(?:ApplyOutOfSyncOnly|RespectIgnoreDifferences)=/.test(option));
/** A child whose own waves must hold when a sync is tried again. */
const ORDERED_SYNC_OPTIONS = CHILD_SYNC_OPTIONS.filter((option) => !option.startsWith('ApplyOutOfSyncOnly='));
/** Refresh: a newer commit replaces one that is being retried, so that a repair is not stuck behind what it repairs. */
const RETRY = { limit: 10, refresh: true, backoff: { duration: '10s', factor: 2, maxDuration: '5m' } };

export interface RootInput {
  readonly cluster: Cluster;
  readonly applications: readonly BuiltApplication[];
  readonly objects: readonly BuiltObject[];
  readonly charts: readonly UpstreamChart[];
}

export function emitRoot(chart: Chart, input: RootInput): void {
  const { cluster, applications } = input;
  for (const project of Object.keys(PROJECTS) as ProjectName[]) emitProject(chart, project, input);
  emitRootProject(chart, cluster);
  for (const application of applications) emitApplication(chart, cluster, application);
  add(chart, Application, {
    metadata: { name: ROOT, namespace: ARGOCD_NAMESPACE, labels: labels(ROOT), annotations: PROTECTED },
    spec: {
      project: ROOT,
      source: folder(cluster, ROOT),
      destination: { server: IN_CLUSTER, namespace: ARGOCD_NAMESPACE },
      // A child that leaves Git is removed by a person who has read the two steps (docs/how-to/remove-a-realm.md), never by a sync.
      syncPolicy: { automated: { selfHeal: true }, syncOptions: ROOT_SYNC_OPTIONS, retry: RETRY },
    },
  });
}

const PROJECTS: Record<ProjectName, string> = {
  platform: 'What everything else stands on: namespaces, operators, ingress, certificates, secrets, DNS.',
  observability: 'Metrics, logs, dashboards and alerts.',
  data: 'Databases and backups.',
  game: 'The connect broker, persistent worlds and instanced content.',
};

function folder(cluster: Cluster, application: string): ArgoApplicationSpec['source'] {
  return {
    repoUrl: cluster.git.repository,
    targetRevision: cluster.git.revision,
    path: `dist/${cluster.name}/${application}`,
    directory: { recurse: true },
  };
}

function emitApplication(chart: Chart, cluster: Cluster, application: BuiltApplication): void {
  const { name, spec, wave, upstream } = application;
  const {
    syncWindows = [],
    orderedWaves = false,
    labels: more = {},
  } = upstream ? ({} as Partial<ApplicationSpec>) : (spec as ApplicationSpec);
  const ownLabels = { ...more, ...(syncWindows.length > 0 ? { [LABELS.syncWindow]: 'true' } : {}) };
  add(chart, Application, {
    metadata: {
      name,
      namespace: ARGOCD_NAMESPACE,
      labels: labels(name, upstream ? 'upstream-chart' : undefined, ownLabels),
      // No resources-finalizer: deleting an Application must never delete what it synced.
      annotations: { 'argocd.argoproj.io/sync-wave': String(wave) },
    },
    spec: {
      project: spec.project,
      source: upstream ? chartSource(spec as UpstreamChart, cluster) : folder(cluster, name),
      destination: { server: IN_CLUSTER, namespace: spec.namespace },
      ...ignored(spec, cluster),
      syncPolicy: {
        // A chart that drops a CRD would delete all its objects, so charts that carry CRDs are never pruned.
        // `prune: false` is never written: Argo CD drops it from the live object, which then differs from Git for ever (measured, 3.2.11).
        automated: { selfHeal: true, ...(upstream && (spec as UpstreamChart).provides(cluster).crds.length > 0 ? {} : { prune: true }) },
        syncOptions: orderedWaves ? ORDERED_SYNC_OPTIONS : CHILD_SYNC_OPTIONS,
        retry: RETRY,
      },
    },
  });
}

function chartSource(entry: UpstreamChart, cluster: Cluster): ArgoApplicationSpec['source'] {
  const version = chartVersions[entry.chart as keyof typeof chartVersions];
  return {
    repoUrl: version.repository,
    chart: version.chart,
    targetRevision: version.version,
    helm: { releaseName: entry.name, valuesObject: entry.values(cluster) },
  };
}

function ignored(
  spec: ApplicationSpec | UpstreamChart,
  cluster: Cluster,
): { ignoreDifferences?: ArgoApplicationSpec['ignoreDifferences'] } {
  const list = spec.ignoreDifferences?.(cluster) ?? [];
  return list.length > 0 ? { ignoreDifferences: list.map((each) => ({ ...each, jsonPointers: [...each.jsonPointers] })) } : {};
}

/** The project names what its Applications really use: destinations, sources and cluster-scoped kinds are computed from them. */
function emitProject(chart: Chart, project: ProjectName, input: RootInput): void {
  const { cluster } = input;
  const members = input.applications.filter((application) => application.spec.project === project);
  const names = new Set(members.map((application) => application.name));
  const namespaces = new Set(members.map((application) => application.spec.namespace));
  /** Rights are named one by one where they are ours; a kind that a chart brings has names that we do not choose. */
  const clusterKinds = new Map<string, Set<string> | 'any name'>();
  for (const { application, manifest } of input.objects) {
    if (!names.has(application)) continue;
    if (manifest.metadata.namespace) namespaces.add(manifest.metadata.namespace);
    else {
      const kind = groupKind(manifest);
      const objectNames = clusterKinds.get(kind) ?? (kind.startsWith(NAMED_GROUP) ? new Set<string>() : 'any name');
      clusterKinds.set(kind, objectNames === 'any name' ? objectNames : objectNames.add(manifest.metadata.name));
    }
  }
  const upstream = members.filter((application) => application.upstream).map((application) => application.spec as UpstreamChart);
  for (const entry of upstream) {
    const provides = entry.provides(cluster);
    for (const kind of provides.clusterKinds ?? []) clusterKinds.set(kind, 'any name');
    for (const namespace of provides.namespaces ?? []) namespaces.add(namespace);
  }
  const repositories = new Set([
    ...(members.some((application) => !application.upstream) ? [cluster.git.repository] : []),
    ...upstream.map((entry) => chartVersions[entry.chart as keyof typeof chartVersions].repository),
  ]);
  const syncWindows = members.flatMap(({ name, spec }) =>
    ('syncWindows' in spec ? (spec.syncWindows ?? []) : []).map(({ start, duration, timeZone }) => ({
      kind: 'allow',
      schedule: start,
      duration,
      timeZone,
      applications: [name],
      // A person who says so does not have to wait.
      manualSync: true,
      // What began in the window goes on to its end: half an update helps nobody.
      syncOverrun: true,
    })),
  );
  add(chart, AppProject, {
    metadata: { name: project, namespace: ARGOCD_NAMESPACE, labels: labels(project, 'project'), annotations: PROJECT_ANNOTATIONS },
    spec: {
      description: PROJECTS[project],
      sourceRepos: [...repositories].sort(),
      destinations: [...namespaces].sort().map((namespace) => ({ server: IN_CLUSTER, namespace })),
      ...(clusterKinds.size > 0 ? { clusterResourceWhitelist: clusterWhitelist(clusterKinds) } : {}),
      ...(syncWindows.length > 0 ? { syncWindows } : {}),
    },
  });
}

/** The group of ClusterRoles and their bindings, which a project allows by name. */
const NAMED_GROUP = 'rbac.authorization.k8s.io/';

/** Before every Application: an Application without its project is refused. */
const PROJECT_ANNOTATIONS = { 'argocd.argoproj.io/sync-wave': '-1' };

function emitRootProject(chart: Chart, cluster: Cluster): void {
  add(chart, AppProject, {
    metadata: { name: ROOT, namespace: ARGOCD_NAMESPACE, labels: labels(ROOT, 'project'), annotations: PROJECT_ANNOTATIONS },
    spec: {
      description: 'The root Application, which may write nothing but Applications and AppProjects.',
      sourceRepos: [cluster.git.repository],
      destinations: [{ server: IN_CLUSTER, namespace: ARGOCD_NAMESPACE }],
      namespaceResourceWhitelist: [
        { group: 'argoproj.io', kind: 'Application' },
        { group: 'argoproj.io', kind: 'AppProject' },
      ],
    },
  });
}

/** Rights are given by name: a file that slips into a folder cannot bind cluster-admin through a project that allows one binding. */
function clusterWhitelist(kinds: ReadonlyMap<string, ReadonlySet<string> | 'any name'>): { group: string; kind: string; name?: string }[] {
  return [...kinds]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([kind, names]) =>
      names === 'any name' ? [parseGroupKind(kind)] : [...names].sort().map((name) => ({ ...parseGroupKind(kind), name })),
    );
}

function parseGroupKind(text: string): { group: string; kind: string } {
  const slash = text.indexOf('/');
  return { group: text.slice(0, slash), kind: text.slice(slash + 1) };
}

function groupKind(manifest: PlainObject): string {
  const slash = manifest.apiVersion.indexOf('/');
  return `${slash === -1 ? '' : manifest.apiVersion.slice(0, slash)}/${manifest.kind}`;
}
