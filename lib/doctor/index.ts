/**
 * The doctor: every group of checks in the order in which things depend on each other, asked about the machine, each cluster's files, and, when wanted, the cluster.
 * It deliberately changes nothing anywhere. A new group is a file beside this one and a line in the list.
 */
import path from 'node:path';
import { type BuiltCluster, buildCluster } from '../build';
import type { PlainObject } from '../emit/manifest';
import { type Kubectl, KubectlError } from '../kubectl';
import { DescriptionError, resolveCluster } from '../model/cluster';
import { SecretsError } from '../secrets/sealing';
import { fileStore } from '../secrets/store';
import { applications } from './applications';
import { backups } from './backups';
import { certificates } from './certificates';
import { clock } from './clock';
import { clusterGroup } from './cluster';
import { dist } from './dist';
import { files } from './files';
import { git } from './git';
import { keys } from './keys';
import { machine } from './machine';
import { network } from './network';
import { operators } from './operators';
import { players } from './players';
import { secrets } from './secrets';
import { storage } from './storage';
import { type CheckGroup, type ClusterContext, type Finding, failed, type LiveContext, type ProjectContext, skipped } from './types';

/** The first live group is the one that finds out whether anybody answers. */
export const groups: readonly CheckGroup[] = [
  machine,
  files,
  keys,
  git,
  dist,
  secrets,
  network,
  clusterGroup,
  clock,
  storage,
  operators,
  applications,
  certificates,
  backups,
  players,
];

/** A finding, and where it was found. */
export interface Diagnosis extends Finding {
  readonly group: string;
  /** Absent for what concerns the machine and the project. */
  readonly cluster?: string;
}

export interface DoctorRequest extends ProjectContext {
  /** Names of the clusters to look at. */
  readonly clusters: readonly string[];
  /** The API server of the one cluster in `clusters`. @default none is asked */
  readonly kubectl?: Kubectl;
}

/**
 * Runs groups. Never throws for what is wrong with the machine, the project or the cluster: those are findings.
 * @param only @default all
 */
export async function diagnose(request: DoctorRequest, only: readonly CheckGroup[] = groups): Promise<readonly Diagnosis[]> {
  const contexts = request.clusters.flatMap((name): ClusterContext[] => clusterContext(request, name));
  const found: Diagnosis[] = [];
  const { kubectl } = request;
  let unreachable = false;
  for (const group of only) {
    if (group.scope === 'project') {
      for (const finding of await group.look(request)) found.push({ group: group.name, ...finding });
      continue;
    }
    for (const context of contexts) {
      const place = { group: group.name, cluster: context.cluster.name };
      if (group.scope === 'cluster') {
        for (const finding of await guarded(() => group.look(context))) found.push({ ...place, ...finding });
      } else if (kubectl && !unreachable) {
        const live = liveContext(context, kubectl);
        const findings = await guarded(() => group.look(live));
        unreachable = findings.some(({ check }) => check === 'reachable');
        for (const finding of findings) found.push({ ...place, ...finding });
      }
    }
  }
  return found;
}

/** No context for a description with mistakes, which the group `files` tells. */
function clusterContext(request: DoctorRequest, name: string): ClusterContext[] {
  const description = request.descriptions.find((each) => each.name === name);
  if (!description) return [];
  try {
    const cluster = resolveCluster(description);
    let built: BuiltCluster | undefined;
    return [
      {
        ...request,
        cluster,
        built: () => {
          built ??= buildCluster(cluster, { store: fileStore(path.join(request.root, 'secrets'), name) });
          return built;
        },
      },
    ];
  } catch (error) {
    if (!(error instanceof DescriptionError)) throw error;
    return [];
  }
}

const lists = new WeakMap<Kubectl, Map<string, Promise<readonly PlainObject[]>>>();

function liveContext(context: ClusterContext, kubectl: Kubectl): LiveContext {
  const known = lists.get(kubectl) ?? new Map<string, Promise<readonly PlainObject[]>>();
  lists.set(kubectl, known);
  return {
    ...context,
    kubectl,
    list: (kind) => {
      const asked = known.get(kind) ?? kubectl.list(kind);
      known.set(kind, asked);
      return asked;
    },
  };
}

/** What keeps a group from looking is a finding of it. */
async function guarded(look: () => Promise<readonly Finding[]> | readonly Finding[]): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof SecretsError) return [skipped('secrets', 'Not looked at, because files of secrets have mistakes (see secrets).')];
    if (!(error instanceof KubectlError)) throw error;
    switch (error.failure) {
      case 'no-kubectl':
        return [
          failed(
            'reachable',
            'The cluster was not asked: kubectl is not installed.',
            'Install kubectl: https://kubernetes.io/docs/tasks/tools/',
          ),
        ];
      case 'unreachable':
        return [
          failed(
            'reachable',
            `Nobody answers for the cluster: ${error.message}`,
            'Check the kubeconfig (--kubeconfig FILE, --context NAME) and that the control plane runs.',
          ),
        ];
      case 'not-served':
        return [skipped('served', `Not looked at, because the cluster does not serve the kind yet: ${error.message}`)];
      case 'forbidden':
        return [skipped('allowed', `Not looked at, because this kubeconfig may not: ${error.message}`)];
      default:
        return [failed('answered', `kubectl failed: ${error.message}`, 'Run it by hand to see more.')];
    }
  }
}
