/**
 * Argo CD's Applications and AppProjects are set so that a sync repairs and removes what it should and can never take data with it, and so that every folder and object is really synced.
 * It deliberately leaves waves to earlier-wave, and to protected-data what protects objects, Replace and Force included.
 */

import type { UpstreamChart } from '../../argocd/catalog/types';
import { healthPolicyOf } from '../../argocd/health';
import { ARGOCD_NAMESPACE, ROOT } from '../../argocd/root';
import type { BuiltApplication, BuiltObject } from '../build';
import type { PlainObject } from '../emit/manifest';
import { LABELS } from '../platform';
import { type Finding, list, nearest, reported } from './finding';
import type { Check, CheckInput } from './types';

export const applicationSafety: Check = {
  id: 'application-safety',
  why: 'One wrong switch of an Application deletes what it manages (finalizers, an empty folder), hides drift for ever, or stops every later wave because the project refuses an object.',
  run: (input) => {
    const synced = objectsByApplication(input);
    return reported(applicationSafety, input, [
      ...folders(input, synced),
      ...input.ofKind('Application').flatMap((by) => application(input, by, synced.get(by.manifest.metadata.name) ?? [])),
      ...input.ofKind('AppProject').flatMap(project),
      ...windows(input),
      ...allowed(input, synced),
      ...health(input),
    ]);
  },
};

/** What an option does to the root, where it must not be (measured, Argo CD 3.2.11). */
const NOT_ON_THE_ROOT: Readonly<Record<string, string>> = {
  'ApplyOutOfSyncOnly=true': 'a retry of the root leaves out the wave that failed and starts the next',
  'RespectIgnoreDifferences=true': 'the root applies the old status of its children, which the API server refuses, and is Unknown for ever',
};
const OUT_OF_SYNC_ONLY = 'ApplyOutOfSyncOnly=true';
const NOT_WITH_AN_ORDER = 'a retry leaves out the world whose turn failed and updates the next';
/** Options that every child has, but for those above. */
const REQUIRED = ['ServerSideApply=true', OUT_OF_SYNC_ONLY, 'FailOnSharedResource=true', 'PruneLast=true', 'RespectIgnoreDifferences=true'];

function objectsByApplication(input: CheckInput): Map<string, BuiltObject[]> {
  const map = new Map<string, BuiltObject[]>();
  for (const object of input.objects) {
    const siblings = map.get(object.application);
    if (siblings) siblings.push(object);
    else map.set(object.application, [object]);
  }
  return map;
}

/** A folder without an Application is never synced; an Application without a folder is an error that blocks later waves. */
function folders(input: CheckInput, synced: ReadonlyMap<string, readonly BuiltObject[]>): Finding[] {
  const { cluster } = input.built;
  const findings: Finding[] = [];
  for (const [name, [first]] of synced) {
    if (!first) continue;
    const by = input.find('Application', ARGOCD_NAMESPACE, name);
    const path = `dist/${cluster.name}/${name}`;
    if (!by) {
      findings.push({
        by: first,
        field: 'metadata.name',
        message: `Its folder ${path} has no Application '${name}', so nothing in it is ever synced.`,
        fix: "Return the Application from the component's 'applications'.",
      });
    } else if (by.manifest.spec?.source?.path !== path) {
      findings.push({
        by,
        field: 'spec.source.path',
        message: `It syncs '${by.manifest.spec?.source?.path}', but its objects are in '${path}'.`,
        fix: `Set the path to '${path}'.`,
      });
    } else if (by.manifest.spec.source.directory?.recurse !== true) {
      findings.push({
        by,
        field: 'spec.source.directory.recurse',
        message: `The objects are in folders below '${path}', which it does not look into.`,
        fix: 'Set recurse to true.',
      });
    }
  }
  for (const by of input.ofKind('Application')) {
    const { name } = by.manifest.metadata;
    if (by.manifest.spec?.source?.path === undefined || synced.has(name)) continue;
    findings.push({
      by,
      field: 'spec.source.path',
      message: `The folder '${by.manifest.spec.source.path}' would have no file, and so would not exist.`,
      fix: 'Leave the Application out of clusters where it has no objects.',
    });
  }
  for (const { name } of input.built.applications.values()) {
    if (input.find('Application', ARGOCD_NAMESPACE, name)) continue;
    const by = input.find('Application', ARGOCD_NAMESPACE, ROOT);
    if (by)
      findings.push({
        by,
        field: 'spec',
        message: `The cluster has an Application '${name}' of which no object was emitted.`,
        fix: 'Emit it with the others (argocd/root.ts).',
      });
  }
  return findings;
}

interface SyncPolicy {
  readonly automated?: { readonly selfHeal?: boolean; readonly prune?: boolean; readonly allowEmpty?: boolean; readonly enabled?: boolean };
  readonly syncOptions?: readonly string[];
  readonly retry?: { readonly limit?: number; readonly refresh?: boolean; readonly backoff?: object };
}

function application(input: CheckInput, by: BuiltObject, objects: readonly BuiltObject[]): Finding[] {
  const { metadata, spec } = by.manifest;
  const { name } = metadata;
  const isRoot = name === ROOT;
  const built = input.application(name);
  const policy: SyncPolicy = spec?.syncPolicy ?? {};
  const options = policy.syncOptions ?? [];
  const findings: Finding[] = [];
  const say = (field: string, message: string, fix: string): void => void findings.push({ by, field, message, fix });

  if (policy.automated?.selfHeal !== true || policy.automated.enabled === false) {
    say(
      'spec.syncPolicy.automated.selfHeal',
      'What is changed by hand in the cluster stays changed: selfHeal is not on.',
      'Set automated.selfHeal to true.',
    );
  }
  if (policy.automated?.allowEmpty) {
    say(
      'spec.syncPolicy.automated.allowEmpty',
      'A folder that is empty by mistake would delete everything that the Application manages.',
      'Remove allowEmpty.',
    );
  }
  const prune = policy.automated?.prune === true;
  const carriesCrds = built?.upstream === true && (built.spec as UpstreamChart).provides(input.built.cluster).crds.length > 0;
  if (prune && (isRoot || carriesCrds)) {
    say(
      'spec.syncPolicy.automated.prune',
      isRoot
        ? 'A child that leaves Git, perhaps by a mistake in the synth, would be deleted.'
        : `The chart '${name}' carries CRDs; a version that drops one would delete every object of its kind.`,
      'Leave automated.prune out.',
    );
  }
  if (policy.automated?.prune === false) {
    say(
      'spec.syncPolicy.automated.prune',
      'Argo CD drops `prune: false` from the live Application, which then differs from Git after every operation and is synced without end.',
      'Leave automated.prune out; absent is false.',
    );
  }
  if (!prune && !isRoot && !carriesCrds) {
    say(
      'spec.syncPolicy.automated.prune',
      'What leaves Git stays in the cluster for ever: prune is not on.',
      'Set automated.prune to true; what must not go is protected object by object.',
    );
  }
  for (const option of REQUIRED) {
    const unwanted = isRoot
      ? NOT_ON_THE_ROOT[option]
      : option === OUT_OF_SYNC_ONLY && hasWorldsInOrder(objects)
        ? NOT_WITH_AN_ORDER
        : undefined;
    if (unwanted && options.includes(option)) {
      say('spec.syncPolicy.syncOptions', `With ${option} ${unwanted}.`, `Remove ${option}${isRoot ? ' from the root' : ''}.`);
    } else if (!unwanted && !options.includes(option)) {
      say('spec.syncPolicy.syncOptions', `The option ${option} is missing; it has ${list(options)}.`, `Add ${option}.`);
    }
  }
  if (policy.retry?.refresh !== true || !policy.retry.backoff || (policy.retry.limit ?? 0) === 0) {
    say(
      'spec.syncPolicy.retry',
      'A sync that fails once is not tried again with the newest commit, so a repair in Git does not arrive.',
      'Set retry with limit, backoff and refresh: true.',
    );
  }
  const finalizers: readonly string[] = (metadata as { finalizers?: readonly string[] }).finalizers ?? [];
  if (finalizers.some((finalizer) => finalizer.startsWith('resources-finalizer.argocd.argoproj.io'))) {
    say('metadata.finalizers', 'Deleting the Application would delete everything that it has synced.', 'Remove the resources-finalizer.');
  }
  const { source, sources } = spec ?? {};
  if (sources !== undefined || source === undefined)
    say('spec.source', 'It must have exactly one source: a folder of ours or a chart.', "Set 'source' and no 'sources'.");
  if (source?.chart !== undefined && !/^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$/.test(String(source.targetRevision))) {
    say(
      'spec.source.targetRevision',
      `'${source.targetRevision}' is no exact version, so the chart changes without a commit.`,
      'Pin a version such as 1.2.3 in versions.ts.',
    );
  }
  return findings;
}

/** Whether StatefulSets are in different sync waves, so that one waits for the other. */
function hasWorldsInOrder(objects: readonly BuiltObject[]): boolean {
  const waves = objects
    .filter(({ manifest }) => manifest.kind === 'StatefulSet')
    .map(({ manifest }) => manifest.metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? '0');
  return new Set(waves).size > 1;
}

interface SyncWindow {
  readonly kind?: string;
  readonly applications?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly clusters?: readonly string[];
  readonly manualSync?: boolean;
}

/** Windows name the Applications that they hold back, which are labelled, so that nothing waits for them and no alert calls; and nothing else is. */
function windows(input: CheckInput): Finding[] {
  const findings: Finding[] = [];
  const held = new Set<string>();
  for (const by of input.ofKind('AppProject')) {
    const list: readonly SyncWindow[] = by.manifest.spec?.syncWindows ?? [];
    list.forEach((window, index) => {
      const at = `spec.syncWindows[${index}]`;
      const say = (field: string, message: string, fix: string): void => void findings.push({ by, field: `${at}.${field}`, message, fix });
      if (window.namespaces !== undefined || window.clusters !== undefined || window.applications?.some((name) => name.includes('*'))) {
        say(
          'applications',
          'It holds back Applications that it does not name, also those that later waves wait for.',
          'Name each Application, and nothing else.',
        );
      }
      if (window.manualSync !== true)
        say('manualSync', 'A repair cannot be synced by hand outside of the window.', 'Set manualSync to true.');
      for (const name of window.applications ?? []) {
        held.add(name);
        const application = input.find('Application', ARGOCD_NAMESPACE, name);
        if (!application) {
          if (!name.includes('*')) say('applications', `There is no Application '${name}'.`, 'Name one that exists.');
          continue;
        }
        if (application.manifest.metadata.labels?.[LABELS.syncWindow] !== 'true') {
          findings.push({
            by: application,
            field: 'metadata.labels',
            message: `It waits for a sync window without the label ${LABELS.syncWindow}: while it waits, the root is Progressing and an alert calls.`,
            fix: `Label it ${LABELS.syncWindow}: "true".`,
          });
        }
      }
    });
  }
  for (const by of input.ofKind('Application')) {
    const { name, labels } = by.manifest.metadata;
    if (labels?.[LABELS.syncWindow] !== 'true' || held.has(name)) continue;
    findings.push({
      by,
      field: 'metadata.labels',
      message: `It has the label ${LABELS.syncWindow}, but no sync window holds it back: its OutOfSync would be taken as healthy for ever.`,
      fix: 'Remove the label, or give its project a window.',
    });
  }
  return findings;
}

interface ProjectSpec {
  readonly sourceRepos?: readonly string[];
  readonly destinations?: readonly { readonly namespace?: string; readonly server?: string; readonly name?: string }[];
  readonly clusterResourceWhitelist?: readonly GroupKind[];
  readonly namespaceResourceWhitelist?: readonly GroupKind[];
}

interface GroupKind {
  readonly group?: string;
  readonly kind?: string;
}

/** A project that allows everything is no boundary. */
function project(by: BuiltObject): Finding[] {
  const spec: ProjectSpec = by.manifest.spec ?? {};
  const findings: Finding[] = [];
  const refuse = (field: string, what: string): void =>
    void findings.push({
      by,
      field,
      message: `The project allows ${what} by a pattern.`,
      fix: 'Name what its Applications use, one by one.',
    });
  if (spec.sourceRepos?.some((repository) => repository.includes('*'))) refuse('spec.sourceRepos', 'repositories');
  if (spec.destinations?.some(({ namespace = '', server = '', name = '' }) => `${namespace}${server}${name}`.includes('*')))
    refuse('spec.destinations', 'destinations');
  for (const field of ['clusterResourceWhitelist', 'namespaceResourceWhitelist'] as const) {
    if (spec[field]?.some(({ group = '', kind = '' }) => `${group}${kind}`.includes('*'))) refuse(`spec.${field}`, 'kinds');
  }
  return findings;
}

/** Each Application's project allows its source, its destination and each of its objects. */
function allowed(input: CheckInput, synced: ReadonlyMap<string, readonly BuiltObject[]>): Finding[] {
  const projects = new Map(input.ofKind('AppProject').map(({ manifest }) => [manifest.metadata.name, rightsOf(manifest.spec ?? {})]));
  const findings: Finding[] = [];
  for (const by of input.ofKind('Application')) {
    const { metadata, spec } = by.manifest;
    const rights = projects.get(spec?.project);
    if (!rights) {
      findings.push({
        by,
        field: 'spec.project',
        message: `There is no AppProject '${spec?.project}'.`,
        fix: `Name one that exists${nearest(String(spec?.project), [...projects.keys()])}.`,
      });
      continue;
    }
    const server: string = spec.destination?.server ?? '';
    const repository: string = spec.source?.repoURL ?? '';
    if (!rights.repositories.has(repository)) {
      findings.push({
        by,
        field: 'spec.source.repoURL',
        message: `AppProject '${spec.project}' does not allow the repository '${repository}'.`,
        fix: "Add it to the project's sourceRepos.",
      });
    }
    const refusedKinds = new Set<string>();
    const namespaces = new Set<string>([spec.destination?.namespace ?? '']);
    for (const { manifest } of synced.get(metadata.name) ?? []) {
      if (manifest.metadata.namespace) {
        namespaces.add(manifest.metadata.namespace);
        if (rights.namespacedKinds && !rights.namespacedKinds.has(groupKind(manifest))) refusedKinds.add(groupKind(manifest));
      } else if (!rights.clusterKinds.has(groupKind(manifest))) refusedKinds.add(groupKind(manifest));
    }
    for (const kind of upstreamKinds(input, input.application(metadata.name))) if (!rights.clusterKinds.has(kind)) refusedKinds.add(kind);
    for (const namespace of upstreamNamespaces(input, input.application(metadata.name))) namespaces.add(namespace);
    const refusedNamespaces = [...namespaces].filter((namespace) => !rights.destinations.has(`${server} ${namespace}`));
    if (refusedNamespaces.length > 0) {
      findings.push({
        by,
        field: 'spec.destination',
        message: `AppProject '${spec.project}' does not allow the namespace${refusedNamespaces.length > 1 ? 's' : ''} ${list(refusedNamespaces.map((each) => `'${each}'`))} at '${server}', which the Application writes to.`,
        fix: "Add it to the project's destinations.",
      });
    }
    if (refusedKinds.size > 0) {
      findings.push({
        by,
        field: 'spec.project',
        message: `AppProject '${spec.project}' does not allow the kind${refusedKinds.size > 1 ? 's' : ''} ${list([...refusedKinds].map((each) => `'${each}'`))}, which the Application has.`,
        fix: "Add it to the project's clusterResourceWhitelist (or namespaceResourceWhitelist, where it has one).",
      });
    }
  }
  return findings;
}

interface Rights {
  readonly repositories: ReadonlySet<string>;
  /** `<server> <namespace>`. */
  readonly destinations: ReadonlySet<string>;
  readonly clusterKinds: ReadonlySet<string>;
  /** Undefined: all. */
  readonly namespacedKinds?: ReadonlySet<string>;
}

function rightsOf(spec: ProjectSpec): Rights {
  const kinds = (items: readonly GroupKind[] = []): ReadonlySet<string> =>
    new Set(items.map(({ group = '', kind = '' }) => `${group}/${kind}`));
  return {
    repositories: new Set(spec.sourceRepos),
    destinations: new Set(spec.destinations?.map(({ server = '', namespace = '' }) => `${server} ${namespace}`)),
    clusterKinds: kinds(spec.clusterResourceWhitelist),
    ...(spec.namespaceResourceWhitelist ? { namespacedKinds: kinds(spec.namespaceResourceWhitelist) } : {}),
  };
}

function upstreamKinds(input: CheckInput, built: BuiltApplication | undefined): readonly string[] {
  return built?.upstream ? ((built.spec as UpstreamChart).provides(input.built.cluster).clusterKinds ?? []) : [];
}

function upstreamNamespaces(input: CheckInput, built: BuiltApplication | undefined): readonly string[] {
  return built?.upstream ? ((built.spec as UpstreamChart).provides(input.built.cluster).namespaces ?? []) : [];
}

/** One finding for each kind, at its first object. */
function health(input: CheckInput): Finding[] {
  const seen = new Map<string, Set<string>>();
  const findings: Finding[] = [];
  for (const by of input.objects) {
    const { apiVersion, kind } = by.manifest;
    const kinds = seen.get(apiVersion);
    if (kinds?.has(kind)) continue;
    if (kinds) kinds.add(kind);
    else seen.set(apiVersion, new Set([kind]));
    if (healthPolicyOf(apiVersion, kind)) continue;
    findings.push({
      by,
      field: 'kind',
      message: `Nobody has decided when an object of kind ${groupKind(by.manifest).replace(/^\//, '')} is healthy; Argo CD takes it for healthy as soon as it exists.`,
      fix: 'Add the kind to healthPolicy in argocd/health/index.ts.',
    });
  }
  return findings;
}

function groupKind({ apiVersion, kind }: PlainObject): string {
  const slash = apiVersion.indexOf('/');
  return `${slash === -1 ? '' : apiVersion.slice(0, slash)}/${kind}`;
}
