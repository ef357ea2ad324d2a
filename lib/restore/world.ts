/**
 * The restore of one world: manifests that make a new volume from a backup beside the running world, and the steps that give it to the world.
 * It deliberately deletes no volume, and the world's Application knows nothing of it: the claim keeps its name, so Git stays as it is
 * (docs/decisions/0020-doctor-and-restore.md).
 */
import { repositoryOf, WORLD_BACKUP, worldBackend, worldBackupPod } from '../../charts/world-backups';
import { PodConfig, Restore } from '../../imports/k8up.io';
import { labels, PROTECTED } from '../component';
import { BACKUP_ANNOTATION, WORLD_CLAIM, worldSelector } from '../constructs/world';
import type { GeneratedClass, PlainObject } from '../emit/manifest';
import { toYaml } from '../emit/yaml';
import { KubePersistentVolumeClaim, Quantity } from '../k8s';
import { untilReady } from '../maintenance';
import { minuteStamp } from '../minute-stamp';
import type { Cluster, Continent, Realm } from '../model/cluster';
import { validateObject } from '../schemas';
import { type Step, type StepList, stepsText } from '../steps';
import { RestoreError } from './errors';
import { snapshotPath } from './snapshots';

/** Fields of a pod's spec that say where it may run: a volume on a node's own disk must be made where the world will be. */
const PLACEMENT = ['nodeSelector', 'tolerations', 'affinity'] as const;

export interface WorldRestore {
  readonly cluster: Cluster;
  readonly realm: Realm;
  readonly continent: Continent;
  /** restic's id of the snapshot. */
  readonly snapshot: string;
  /** When the snapshot was taken, for people. @default not known */
  readonly taken?: Date;
  /** Names of the new objects end with it, by the minute. */
  readonly now: Date;
  /** Where the files will be, as commands name it. */
  readonly folder: string;
  /** The world's StatefulSet, as the synth makes it. */
  readonly workload: PlainObject;
}

export interface RestorePlan {
  /** Text by name in the folder. */
  readonly files: ReadonlyMap<string, string>;
  readonly list: StepList;
}

/** Claim of a continent, as its StatefulSet makes it. */
export function worldClaim(continent: { readonly name: string }): string {
  return `${WORLD_CLAIM}-${continent.name}-0`;
}

/** Files of the folder. */
export const WORLD_FILES = { restore: 'restore.yaml', claims: 'claims.yaml', swap: 'swap.sh', steps: 'README.md' } as const;

/** Stand in the claims' file for names that only the cluster knows. */
const NEW_VOLUME = 'new-volume';
const OLD_VOLUME = 'old-volume';

/** @throws RestoreError when the cluster has no backups; Error when a manifest has not the shape of its schema (a mistake of ours) */
export function planWorldRestore(request: WorldRestore): RestorePlan {
  const { cluster, realm, continent, now, folder, taken, snapshot } = request;
  const { backups } = cluster;
  if (!backups)
    throw new RestoreError(
      `Cluster '${cluster.name}' has no backups (backups is not set in apps/${cluster.name}.ts), so there is nothing to restore from.`,
    );
  const stamp = minuteStamp(now);
  // At most 40 characters of the continent, and K8up puts `restore-` in front for the Job: 61 of 63.
  const name = `${continent.name}-${stamp}`;
  const before = `${continent.name}-before-${stamp}`;
  const claim = worldClaim(continent);
  const pod = request.workload.spec.template.spec as Readonly<Record<string, unknown>>;
  const placement = Object.fromEntries(PLACEMENT.filter((field) => pod[field] !== undefined).map((field) => [field, pod[field]]));
  const pinned = Object.keys(placement).length > 0;

  const common = { namespace: realm.namespace, labels: labels('world-restore', 'restore', worldSelector(realm, continent)) };
  const objects: PlainObject[] = [
    claimOf({ ...common, name, annotations: { [BACKUP_ANNOTATION]: 'false' } }, continent, cluster),
    ...(pinned ? [placedPodConfig({ ...common, name }, cluster, placement)] : []),
    made(Restore, {
      metadata: { ...common, name },
      spec: {
        snapshot,
        // Of this world alone: an id that belongs to another one finds nothing.
        paths: [snapshotPath(claim)],
        restoreMethod: { folder: { claimName: name } },
        backend: worldBackend(backups, realm),
        podConfigRef: { name: pinned ? name : WORLD_BACKUP },
      },
    }),
  ];
  const template = request.workload.spec.volumeClaimTemplates[0].metadata as {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  const claims: PlainObject[] = [
    // As the StatefulSet would have made it.
    claimOf(
      { namespace: realm.namespace, name: claim, labels: { ...template.labels }, annotations: { ...template.annotations } },
      continent,
      cluster,
      NEW_VOLUME,
    ),
    claimOf({ ...common, name: before, annotations: { ...PROTECTED, [BACKUP_ANNOTATION]: 'false' } }, continent, cluster, OLD_VOLUME),
  ];
  for (const object of [...objects, ...claims]) {
    const [violation] = validateObject(object);
    if (violation) throw new Error(`${object.kind} ${object.metadata.name} of a restore: ${violation.path} ${violation.message}`);
  }
  const names: Names = { realm, continent, cluster, folder, name, before, claim };
  const list: StepList = {
    title: `Restore the world ${realm.name}/${continent.name}${taken ? ` as it was at ${taken.toISOString()}` : ''}`,
    about: [
      `From snapshot ${snapshot.slice(0, 8)} of ${backups.endpoint}/${repositoryOf(backups.bucket, realm)}, into a new volume. The old one is kept under the claim ${before} until you end it.`,
      'Players of this world are out from step 2 to step 4. What happened in it since the snapshot is gone; accounts and characters are in the database and do not go back, so items may be there twice or not at all.',
    ],
    steps: steps(names),
    afterwards: afterwards(names),
  };
  return {
    files: new Map([
      [WORLD_FILES.restore, documents(objects)],
      [WORLD_FILES.claims, documents(claims)],
      [WORLD_FILES.swap, swapScript(names)],
      [WORLD_FILES.steps, stepsText(list)],
    ]),
    list,
  };
}

interface Names {
  readonly realm: Realm;
  readonly continent: Continent;
  readonly cluster: Cluster;
  readonly folder: string;
  readonly name: string;
  readonly before: string;
  readonly claim: string;
}

function steps({ realm, continent, cluster, folder, name }: Names): Step[] {
  const kubectl = `kubectl -n ${realm.namespace}`;
  return [
    {
      title: 'Make the new volume and fill it. The world goes on',
      commands: [
        `kubectl apply --server-side -f ${folder}/${WORLD_FILES.restore}`,
        `${kubectl} wait restores.k8up.io/${name} --for=condition=Completed --timeout=2h`,
        `${kubectl} logs job/restore-${name} --tail=30`,
      ],
      note: "The log must end with restic's summary of restored files and name no error: K8up calls a restore completed even when restic failed. Go no further otherwise.",
    },
    ...stop({ realm, continent, cluster }),
    {
      title: 'Give the world the new volume. Both volumes stay',
      commands: [`sh ${folder}/${WORLD_FILES.swap} ${name}`],
      note: 'The script tells both volumes to outlive their claims (Retain), and then makes the claims anew, each with the other volume.',
    },
    ...start({ realm, continent, cluster }),
  ];
}

/**
 * The script that exchanges volumes. A script and no lines to copy, because it must stop at the first command that fails: claims are deleted only when
 * their volumes can no longer go with them.
 */
function swapScript({ realm, continent, folder, name, before, claim }: Names): string {
  // A label's name: 8 characters and at most 53 of 63.
  const mark = `mmo/restore-${name}`;
  return [
    '#!/bin/sh',
    `# Gives the world ${realm.name}/${continent.name} the volume of another claim, and keeps the one that it had under the claim ${before}.`,
    '# Deletes no volume, and stops at the first command that fails. May be run again.',
    `# Usage: sh ${folder}/${WORLD_FILES.swap} CLAIM`,
    'set -eu',
    `namespace=${realm.namespace}`,
    `world=${continent.name}`,
    `claim=${claim}`,
    `kept=${before}`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's.
    'other=${1:?name the claim whose volume the world gets}',
    '',
    '# A world that runs would write into a volume that is taken from it, or be given a new and empty one.',
    'replicas=$(kubectl -n "$namespace" get statefulset "$world" -o jsonpath=\'{.spec.replicas}\')',
    'if [ "$replicas" != 0 ] || kubectl -n "$namespace" get pod "$world-0" >/dev/null 2>&1; then',
    '  echo "The world $world is not stopped; stop it first." >&2',
    '  exit 1',
    'fi',
    '',
    '# The volumes of an earlier run that was interrupted carry a mark: their claims may be gone by now.',
    `mark=${mark}`,
    'marked() { kubectl get pv -l "$mark=$1" -o jsonpath=\'{.items[*].metadata.name}\'; }',
    'new=$(marked new)',
    'old=$(marked old)',
    'if [ -z "$new" ] || [ -z "$old" ]; then',
    '  new=$(kubectl -n "$namespace" get pvc "$other" -o jsonpath=\'{.spec.volumeName}\')',
    '  old=$(kubectl -n "$namespace" get pvc "$claim" -o jsonpath=\'{.spec.volumeName}\')',
    'fi',
    'if [ -z "$new" ] || [ -z "$old" ] || [ "$new" = "$old" ]; then',
    "  echo \"Two different volumes are needed, but $other has '$new' and $claim has '$old'.\" >&2",
    '  exit 1',
    'fi',
    'has=$(kubectl -n "$namespace" get pvc "$other" --ignore-not-found -o jsonpath=\'{.spec.volumeName}\')',
    'if [ -n "$has" ] && [ "$has" != "$new" ]; then',
    '  echo "An exchange that gives the world $new was interrupted, and $other has $has. Finish it first: run the script with the claim of that time." >&2',
    '  exit 1',
    'fi',
    'trap \'[ $? -eq 0 ] || echo "Not finished. Once repaired, run it again: sh $0 $other" >&2\' EXIT',
    'echo "The world gets volume $new; $kept keeps $old."',
    'kubectl label pv "$new" "$mark=new" --overwrite',
    'kubectl label pv "$old" "$mark=old" --overwrite',
    '',
    '# From here on no volume goes with its claim.',
    'kubectl patch pv "$new" "$old" --type=merge -p \'{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}\'',
    'for volume in "$new" "$old"; do',
    '  [ "$(kubectl get pv "$volume" -o jsonpath=\'{.spec.persistentVolumeReclaimPolicy}\')" = Retain ]',
    'done',
    'kubectl -n "$namespace" delete pvc "$claim" "$other" --ignore-not-found',
    "# Each volume is promised to its claim by name, so that nobody else's claim takes it, and a world that is started now gets no empty one.",
    'promise() {',
    '  kubectl patch pv "$1" --type=merge -p \\',
    '    "{\\"spec\\":{\\"claimRef\\":{\\"namespace\\":\\"$namespace\\",\\"name\\":\\"$2\\",\\"uid\\":null,\\"resourceVersion\\":null}}}"',
    '}',
    'promise "$new" "$claim"',
    'promise "$old" "$kept"',
    `sed -e "s/volumeName: ${NEW_VOLUME}/volumeName: $new/" -e "s/volumeName: ${OLD_VOLUME}/volumeName: $old/" "$(dirname "$0")/${WORLD_FILES.claims}" |`,
    '  kubectl apply --server-side -f -',
    'kubectl -n "$namespace" wait pvc "$claim" "$kept" --for=jsonpath=\'{.status.phase}\'=Bound --timeout=5m',
    'kubectl label pv "$new" "$old" "$mark-"',
    '',
  ].join('\n');
}

type World = Pick<Names, 'realm' | 'continent' | 'cluster'>;

function stop({ realm, continent, cluster }: World): Step[] {
  const kubectl = `kubectl -n ${realm.namespace}`;
  if (continent.state === 'retired') return [];
  return [
    {
      title: 'Stop the world',
      commands: [
        `${kubectl} scale statefulset ${continent.name} --replicas=0`,
        `${kubectl} wait pod/${continent.name}-0 --for=delete --timeout=${cluster.worldGraceSeconds + 60}s`,
      ],
      note: `It warns its players for ${cluster.game.announceSeconds} s and saves. Argo CD leaves it at that: Git does not say how many replicas there are.${
        realm.sleep
          ? ' The realm may sleep, so the next login would start it: do the next step at once. If it was started, stop it again; the script refuses until then.'
          : ''
      }`,
    },
  ];
}

function start({ realm, continent }: World): Step[] {
  const kubectl = `kubectl -n ${realm.namespace}`;
  if (continent.state === 'retired') return [];
  return [
    {
      title: 'Start the world, and look at it in the game',
      commands: [`${kubectl} scale statefulset ${continent.name} --replicas=1`, `${kubectl} ${untilReady(realm, continent.name)}`],
    },
  ];
}

function afterwards({ realm, continent, cluster, folder, name, before }: Names): Step[] {
  const kubectl = `kubectl -n ${realm.namespace}`;
  return [
    {
      title: 'The way back, if it is the wrong state',
      note: `The same with the volumes exchanged; ${before} then keeps the restored one.`,
      commands: [...stop({ realm, continent, cluster }), ...start({ realm, continent, cluster })].flatMap(({ commands }, index) =>
        index === 0 ? [...commands, `sh ${folder}/${WORLD_FILES.swap} ${before}`] : commands,
      ),
    },
    {
      title: 'When you are sure: end the old volume for good',
      note: '**This deletes what the world was before the restore.**',
      commands: [
        `OLD=$(${kubectl} get pvc ${before} -o jsonpath='{.spec.volumeName}')`,
        `kubectl patch pv "\${OLD:?there is none}" -p '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}'`,
        `${kubectl} delete pvc ${before}`,
        `${kubectl} delete restores.k8up.io ${name}`,
      ],
    },
  ];
}

function claimOf(metadata: PlainObject['metadata'], continent: Continent, cluster: Cluster, volumeName?: string): PlainObject {
  return made(KubePersistentVolumeClaim, {
    metadata,
    spec: {
      accessModes: ['ReadWriteOnce'],
      ...(cluster.storage.class ? { storageClassName: cluster.storage.class } : {}),
      volumeMode: 'Filesystem',
      resources: { requests: { storage: Quantity.fromString(continent.storage) } },
      ...(volumeName === undefined ? {} : { volumeName }),
    },
  });
}

/** The pods' settings of backups, where the world itself may run. */
function placedPodConfig(metadata: PlainObject['metadata'], cluster: Cluster, placement: Readonly<Record<string, unknown>>): PlainObject {
  const object = made(PodConfig, { metadata, spec: { template: { spec: worldBackupPod(cluster) } } });
  object.spec.template.spec = { ...object.spec.template.spec, ...placement };
  return object;
}

function made<Props>(type: GeneratedClass<Props>, props: Props): PlainObject {
  // Through JSON, because the generated classes leave fields that are undefined.
  return JSON.parse(JSON.stringify(type.manifest(props))) as PlainObject;
}

function documents(objects: readonly PlainObject[]): string {
  return objects.map((object) => toYaml(object)).join('---\n');
}
