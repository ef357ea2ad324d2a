/**
 * How Argo CD judges the health of every kind that this project emits: by a check that Argo CD brings, by one of the Lua
 * scripts in this folder, or not at all, with the reason. It does not render Argo CD's configuration; the catalogue entry
 * of the argo-cd chart takes `healthCustomizations()` into its values.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What a check of ours may answer. `Missing` and `Unknown` are Argo CD's own to say. */
export type HealthVerdict = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended';

/** Who judges a kind. */
export type HealthPolicy =
  | {
      /** Argo CD brings the check. */
      readonly check: 'builtin';
      /** Where in Argo CD it lives: compiled into its engine, or a script among its resource customizations. */
      readonly by: 'engine' | 'script';
      /** What a reader of its verdict has to know. */
      readonly caveat?: string;
    }
  | {
      /** A script of this folder, named after the kind. */
      readonly check: 'ours';
      /** Every verdict that the script can give; each is proven by a fixture. */
      readonly verdicts: readonly HealthVerdict[];
      /** Why Argo CD's own check, where it has one, is not enough. */
      readonly replaces?: string;
    }
  | {
      /** No check: Argo CD leaves the object out of its Application's health. */
      readonly check: 'none';
      readonly reason: string;
    };

const engine = (caveat?: string): HealthPolicy & { check: 'builtin' } => ({ check: 'builtin', by: 'engine', caveat });
const script = (caveat?: string): HealthPolicy & { check: 'builtin' } => ({ check: 'builtin', by: 'script', caveat });
const none = (reason: string): HealthPolicy & { check: 'none' } => ({ check: 'none', reason });

const STATIC = 'It is data that others read; it has no status and is in force once the API server has it.';
const RBAC = 'It is in force once the API server has it; it has no status.';
const TRAEFIK = 'Traefik writes no status on it; the log and metrics of Traefik show a route that does not resolve.';
const PROMETHEUS = 'Its status is off by default; a target or rule that Prometheus cannot use shows in its own alerts, not here.';

/**
 * Every kind that the project emits, by its key in Argo CD: `<group>/<Kind>`, or `<Kind>` alone for the core group.
 *
 * The claims about Argo CD were read in the sources of 3.4 and 3.5: `engine` is
 * gitops-engine/pkg/health, `script` is resource_customizations.
 */
export const healthPolicy = {
  Namespace: none('What it holds has a health of its own; a namespace that is being deleted is Progressing anyway.'),
  ServiceAccount: none(STATIC),
  ConfigMap: none(STATIC),
  Service: engine('A Service of type LoadBalancer is Progressing until it has an address, so an exhausted pool blocks.'),

  'apps/Deployment': engine(),
  // No Degraded: a StatefulSet's status has no sign of failure, only of what is still missing.
  'apps/StatefulSet': {
    check: 'ours',
    verdicts: ['Healthy', 'Progressing'],
    replaces:
      'It does not wait until pods have been ready for minReadySeconds, which is how long a canary runs before the others are updated.',
  },
  'batch/Job': engine(),
  'autoscaling/HorizontalPodAutoscaler': engine('It is Degraded for as long as the metrics API does not answer.'),
  'policy/PodDisruptionBudget': script(),

  'networking.k8s.io/NetworkPolicy': none('Kubernetes gives it no status: whether it is enforced is up to the network plugin.'),
  'scheduling.k8s.io/PriorityClass': none(STATIC),
  'rbac.authorization.k8s.io/Role': none(RBAC),
  'rbac.authorization.k8s.io/RoleBinding': none(RBAC),
  'rbac.authorization.k8s.io/ClusterRole': none(RBAC),
  'rbac.authorization.k8s.io/ClusterRoleBinding': none(RBAC),

  'argoproj.io/Application': { check: 'ours', verdicts: ['Healthy', 'Progressing', 'Degraded', 'Suspended'] },
  'argoproj.io/AppProject': none(STATIC),

  'bitnami.com/SealedSecret': script('Degraded carries the reason why the controller could not unseal it.'),
  'cert-manager.io/Certificate': script(),
  'cert-manager.io/ClusterIssuer': script(),

  'postgresql.cnpg.io/Cluster': {
    check: 'ours',
    verdicts: ['Healthy', 'Progressing', 'Degraded', 'Suspended'],
    replaces:
      'It ignores failing archiving and backups, calls an unrecoverable cluster Suspended, does not know all phases, and is Degraded whenever a configuration is applied.',
  },
  'postgresql.cnpg.io/ScheduledBackup': {
    check: 'ours',
    verdicts: ['Healthy', 'Progressing', 'Degraded', 'Suspended'],
  },
  'barmancloud.cnpg.io/ObjectStore': none(
    'Its status is the recovery window of each server, empty until a first backup; a store that cannot be reached shows on the Cluster.',
  ),

  // No Degraded: a Fleet's status counts GameServers and has no sign of failure.
  'agones.dev/Fleet': { check: 'ours', verdicts: ['Healthy', 'Progressing'] },
  'autoscaling.agones.dev/FleetAutoscaler': { check: 'ours', verdicts: ['Healthy', 'Progressing', 'Degraded'] },

  'metallb.io/IPAddressPool': none(
    'Its status counts addresses; a pool without a free one is as it should be when every address is pinned. A Service without an address is Progressing itself.',
  ),
  'metallb.io/L2Advertisement': none('Its status has no fields.'),

  'monitoring.coreos.com/ServiceMonitor': none(PROMETHEUS),
  'monitoring.coreos.com/PodMonitor': none(PROMETHEUS),
  'monitoring.coreos.com/PrometheusRule': none(PROMETHEUS),

  'traefik.io/IngressRoute': none(TRAEFIK),
  'traefik.io/Middleware': none(TRAEFIK),
  'traefik.io/TLSOption': none(TRAEFIK),

  'k8up.io/Schedule': { check: 'ours', verdicts: ['Healthy', 'Progressing', 'Degraded'] },
  'k8up.io/PodConfig': none('It is a template that jobs read; K8up writes no status on it.'),
} as const satisfies Record<string, HealthPolicy>;

/** A kind that the project emits, as Argo CD names it. */
export type EmittedKind = keyof typeof healthPolicy;

/** A kind that a script of this folder judges. */
export type OwnHealthKind = {
  [K in EmittedKind]: (typeof healthPolicy)[K] extends { readonly check: 'ours' } ? K : never;
}[EmittedKind];

/** The kinds with a script of ours, in the order of `healthPolicy`. */
export const ownHealthKinds: readonly OwnHealthKind[] = (Object.keys(healthPolicy) as EmittedKind[]).filter(
  (kind): kind is OwnHealthKind => healthPolicy[kind].check === 'ours',
);

/**
 * Argo CD's key of an object's kind.
 *
 * @param apiVersion as in the object: `apps/v1`, or `v1` for the core group
 * @param kind as in the object
 * @returns `<group>/<Kind>`, or `<Kind>` alone for the core group
 */
export function healthKey(apiVersion: string, kind: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? kind : `${apiVersion.slice(0, slash)}/${kind}`;
}

/** The policy of an object's kind, or undefined for a kind that nobody has decided on: add it to `healthPolicy`. */
export function healthPolicyOf(apiVersion: string, kind: string): HealthPolicy | undefined {
  const key = healthKey(apiVersion, kind);
  return Object.hasOwn(healthPolicy, key) ? healthPolicy[key as EmittedKind] : undefined;
}

/** Where the script of a kind lies, relative to the project's root. */
function healthScriptPath(kind: OwnHealthKind): string {
  return path.join('argocd', 'health', `${kind.replace('/', '_')}.lua`);
}

/**
 * The Lua source of a kind's check, as Argo CD runs it: with `obj`, the object, and the base and table libraries only.
 *
 * The scripts are files of their own, not strings in TypeScript, because they are reviewed and linted as Lua. They are
 * looked up from the project's root, which every command and test runs in, because the bundled synth has no folder of
 * its own.
 *
 * @param root the project's root; default: the working directory
 * @throws Error when the script cannot be read
 */
export function readHealthCheck(kind: OwnHealthKind, root: string = process.cwd()): string {
  const file = path.join(root, healthScriptPath(kind));
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The health check of ${kind} could not be read from ${file}: ${why}. Run the command in the project's root folder.`, {
      cause: error,
    });
  }
}

/** The Lua source of every check of ours by kind. A source is read when it is first asked for. */
export const healthChecks: Readonly<Record<OwnHealthKind, string>> = lazySources();

function lazySources(): Readonly<Record<OwnHealthKind, string>> {
  const known = new Map<OwnHealthKind, string>();
  const sources = {} as Record<OwnHealthKind, string>;
  for (const kind of ownHealthKinds) {
    Object.defineProperty(sources, kind, {
      enumerable: true,
      get: () => {
        const source = known.get(kind) ?? readHealthCheck(kind);
        known.set(kind, source);
        return source;
      },
    });
  }
  return sources;
}

/**
 * The entries of Argo CD's ConfigMap argocd-cm (`configs.cm` in the values of the argo-cd chart) that install the checks.
 *
 * @returns `resource.customizations.health.<group>_<Kind>` to Lua source
 */
export function healthCustomizations(): Record<string, string> {
  return Object.fromEntries(ownHealthKinds.map((kind) => [`resource.customizations.health.${kind.replace('/', '_')}`, healthChecks[kind]]));
}
