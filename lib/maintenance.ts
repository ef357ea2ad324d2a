/**
 * The steps of taking a node out of service and back (who is told, in which order things leave, how it returns), and of a backup out of turn.
 * It deliberately runs none of them, and names no pod: where worlds run is the scheduler's knowledge, so commands select by node.
 */
import { repositoryOf, WORLD_BACKUP, worldBackend } from '../charts/world-backups';
import { Backup } from '../imports/k8up.io';
import { minuteStamp } from './minute-stamp';
import type { Cluster, Continent, Realm } from './model/cluster';
import { databaseCluster, LABELS, NAMESPACES } from './platform';
import type { Step, StepList } from './steps';

/** A node or realm that the description does not have, or a backup without a store. */
export class MaintenanceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MaintenanceError';
  }
}

/** @throws MaintenanceError when the description has no such node */
export function planNodeMaintenance(cluster: Cluster, node: string): StepList {
  const described = cluster.nodes.find(({ name }) => name === node);
  if (!described)
    throw new MaintenanceError(
      `Cluster '${cluster.name}' has no node '${node}'; it has ${cluster.nodes.map(({ name }) => name).join(', ')}.`,
    );
  const only = cluster.nodes.length === 1;
  const controlPlane = cluster.kubernetes.apiServer.addresses.includes(described.address);
  const running = cluster.realms.filter(
    ({ state, continents }) => state !== 'retired' && continents.some((each) => each.state !== 'retired'),
  );
  return {
    title: `Maintenance of node ${node} of ${cluster.name}`,
    about: [
      "A plain 'kubectl drain' waits for ever: the budgets of worlds refuse every eviction, because nobody would be warned. A deleted pod announces its end and saves first.",
      ...(only ? ['It is the only node, so everything stops until it returns. Choose an hour when nobody plays.'] : []),
    ],
    steps: [
      look(node),
      cordon(node),
      ...instances(cluster, node),
      ...running.map((realm) => worlds(cluster, realm, node)),
      ...(only ? [] : [drain(cluster, node)]),
      work(node, controlPlane, only),
      comeBack(cluster, node),
    ],
    afterwards: [],
  };
}

const ON = (node: string): string => `--field-selector spec.nodeName=${node}`;
const GAME = `-l ${LABELS.gameServer}=true`;

function look(node: string): Step {
  return {
    title: 'See what runs on it',
    commands: [`kubectl get pods --all-namespaces ${ON(node)} ${GAME} -L ${LABELS.realm},${LABELS.continent}`],
    note: 'These players will be interrupted. Tell them before, where they talk to each other.',
  };
}

function cordon(node: string): Step {
  return { title: 'Let nothing new come', commands: [`kubectl cordon ${node}`] };
}

/** A GameServer that nobody plays on is made anew elsewhere; one that is played on is waited for. */
function instances(cluster: Cluster, node: string): Step[] {
  if (cluster.instances.length === 0) return [];
  const servers = `kubectl -n ${NAMESPACES.instances} get gameservers.agones.dev -o jsonpath='{range .items[?(@.status.nodeName=="${node}")]}{.metadata.name} {.status.state}{"\\n"}{end}'`;
  const here = cluster.network.instanceNode;
  return [
    {
      title: 'Let instances end',
      commands: [
        // Those that still start as well: they would be ready here, and taken, while the loop waits for others.
        `${servers} | awk '$2 != "Allocated" { print $1 }' | xargs -r kubectl -n ${NAMESPACES.instances} delete gameservers.agones.dev`,
        `while ${servers} | grep Allocated; do sleep 30; done`,
      ],
      note:
        here === node
          ? 'Empty ones are deleted, played ones are waited for. Instances run on this node alone (network.instanceNode), so there are no dungeons until it returns.'
          : 'Empty ones are made anew on other nodes, played ones are waited for.',
    },
  ];
}

/** Continents that may run on the node: those that run, but for the ones that are pinned to another. */
function here(realm: Realm, node: string): readonly Continent[] {
  if (realm.state === 'retired') return [];
  return realm.continents.filter((each) => each.state !== 'retired' && (each.node === undefined || each.node === node));
}

/**
 * What waits until a world that was stopped is played again; kubectl's arguments. `rollout status` knows a world that sleeps, which nothing need wait for, and refuses
 * StatefulSets with OnDelete.
 */
export function untilReady({ updates }: Realm, continent: string): string {
  return updates.strategy === 'on-delete'
    ? `wait statefulset/${continent} --for=jsonpath='{.status.readyReplicas}'=1 --timeout=15m`
    : `rollout status statefulset/${continent} --timeout=15m`;
}

function worlds(cluster: Cluster, realm: Realm, node: string): Step {
  const moving = cluster.nodes.length === 1 ? [] : here(realm, node).filter((each) => each.node !== node);
  const kubectl = `kubectl -n ${realm.namespace}`;
  return {
    title: `${moving.length === 0 ? 'Stop' : 'Move'} the worlds of ${realm.name} that run on it`,
    commands: [
      `${kubectl} delete pods ${GAME} ${ON(node)} --timeout=${cluster.worldGraceSeconds + 60}s`,
      ...moving.map(({ name }) => `${kubectl} ${untilReady(realm, name)}`),
    ],
    note: [
      `Players are warned for ${cluster.game.announceSeconds} s, and the world is saved.`,
      moving.length === 0
        ? 'It stays Pending until the node returns.'
        : "It starts on another node. Where it is pinned here, or its volume is on this node's own disk, it stays Pending, and the second command fails: go on, it returns with the node.",
      ...(realm.updates.strategy === 'on-delete' ? ['A change that waits for its next start (updates: on-delete) is taken now.'] : []),
    ].join(' '),
  };
}

function drain(cluster: Cluster, node: string): Step {
  return {
    title: 'Move everything else',
    commands: [`kubectl drain ${node} --ignore-daemonsets --delete-emptydir-data --timeout=15m`],
    note:
      cluster.databaseInstances > 1
        ? 'If it has the primary of the database, its operator makes another one primary first; logins pause for some seconds.'
        : 'The database has one instance: nobody can log in until it runs again.',
  };
}

function work(node: string, controlPlane: boolean, only: boolean): Step {
  return {
    title: 'Do the work',
    commands: [],
    note: [
      `Shut ${node} down, repair, upgrade, start it.`,
      ...(controlPlane && !only
        ? ['It has the API server: while it is away nothing is scheduled and kubectl may not answer; whoever plays goes on playing.']
        : []),
    ].join(' '),
  };
}

function comeBack(cluster: Cluster, node: string): Step {
  const name = databaseCluster(cluster.database.generation);
  return {
    title: 'Return',
    commands: [
      `kubectl wait node/${node} --for=condition=Ready --timeout=15m`,
      `kubectl uncordon ${node}`,
      `kubectl -n ${NAMESPACES.database} wait clusters.postgresql.cnpg.io/${name} --for=condition=Ready --timeout=30m`,
      'kubectl get pods --all-namespaces --field-selector status.phase=Pending',
      `npm run doctor -- --cluster ${cluster.name} --live`,
    ],
    note: 'Worlds stay where they are now; they move only when somebody moves them. Nothing may be Pending in the end.',
  };
}

/**
 * A backup of a realm's worlds at once: before something risky, before a retired realm goes, and in a new cluster, where it makes K8up list what the store has.
 * @param now the object's name ends with it, by the minute
 * @throws MaintenanceError when the description has no such realm, or no backups
 */
export function planRealmBackup(cluster: Cluster, realmName: string, now: Date): StepList {
  const realm = cluster.realms.find(({ name }) => name === realmName);
  const { backups } = cluster;
  if (!realm)
    throw new MaintenanceError(
      `Cluster '${cluster.name}' has no realm '${realmName}'; it has ${cluster.realms.map(({ name }) => name).join(', ')}.`,
    );
  if (!backups) throw new MaintenanceError(`Cluster '${cluster.name}' has no backups (backups is not set in apps/${cluster.name}.ts).`);
  const name = `by-hand-${minuteStamp(now)}`;
  const kubectl = `kubectl -n ${realm.namespace}`;
  const backup = Backup.manifest({
    metadata: { name, namespace: realm.namespace },
    spec: { backend: worldBackend(backups, realm), podConfigRef: { name: WORLD_BACKUP } },
  });
  return {
    title: `A backup of the worlds of ${realm.name} in ${cluster.name}, now`,
    about: [`Into ${backups.endpoint}/${repositoryOf(backups.bucket, realm)}, beside the scheduled ones. The worlds go on.`],
    steps: [
      {
        title: 'Make it, and wait for it',
        commands: [
          `echo '${JSON.stringify(backup)}' | kubectl apply --server-side -f -`,
          `${kubectl} wait backups.k8up.io/${name} --for=condition=Completed --timeout=2h`,
        ],
      },
      {
        title: 'See what the store has',
        commands: [`${kubectl} get snapshots.k8up.io --sort-by=.spec.date`],
        note: 'Each world has a line of this minute.',
      },
    ],
    afterwards: [],
  };
}
