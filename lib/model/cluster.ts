/**
 * The typed model of one cluster: a description that was checked, with every default and every derived value filled in.
 * It deliberately holds data only; what the data becomes in Kubernetes is the charts' business.
 */
import type { z } from 'zod';
import { DEFAULT_GAME_PORT } from './defaults';
import type {
  ClusterDescription,
  ContentTypeDescription,
  ContinentDescription,
  ParsedDescription,
  RealmDescription,
  Resources,
} from './description';
import { description as schema } from './description';
import { describeIssues } from './issues';
import { crossChecks } from './validate';

export type { ClusterDescription, Resources } from './description';

/** One persistent world: a continent of a realm, with the realm's defaults filled in. */
export interface Continent extends Omit<ContinentDescription, 'title' | 'port' | 'storage' | 'capacity' | 'resources'> {
  readonly title: string;
  /** UDP port that players connect to. */
  readonly port: number;
  readonly storage: string;
  readonly capacity: number;
  readonly resources: Resources;
  /** The address in the LAN that players connect to: its own, the realm's shared one, or the node's. */
  readonly lanAddress: string;
}

export interface Realm extends Omit<RealmDescription, 'title' | 'continents'> {
  readonly title: string;
  /** `realm-<name>`. */
  readonly namespace: string;
  readonly continents: readonly Continent[];
}

export interface ContentType extends Omit<ContentTypeDescription, 'title'> {
  readonly title: string;
}

export interface Cluster extends Omit<ParsedDescription, 'realms' | 'instances'> {
  readonly realms: readonly Realm[];
  readonly instances: readonly ContentType[];
  /** Host names; all are the domain or below it. */
  readonly hosts: { readonly broker: string; readonly grafana: string; readonly argocd: string; readonly pihole: string };
  /** Replicas of a stateless service that should outlive a node: 2 on any cluster, because an update needs a second one too. */
  readonly statelessReplicas: number;
  /** PostgreSQL instances: one per node, at most three. */
  readonly databaseInstances: number;
  /** Seconds between SIGTERM's announcement and the kill: announce, save, and 30 s for everything else. */
  readonly worldGraceSeconds: number;
  /** Whether MetalLB publishes Services. */
  readonly hasLoadBalancer: boolean;
  /** Whether Pi-hole and ExternalDNS run: they need an address of their own. */
  readonly hasDns: boolean;
  /** Name of the ClusterIssuer for hosts that players use. */
  readonly publicIssuer: string;
  /** Name of the ClusterIssuer for admin hosts: Let's Encrypt only by DNS-01, because HTTP-01 needs them reachable from the Internet. */
  readonly adminIssuer: string;
}

/** A mistake in a description: where, what is wrong, and what would be right. */
export interface Mistake {
  /** Path into the description, such as `realms[aurora].continents[eldermoor].address`. */
  readonly path: string;
  readonly message: string;
}

/** All mistakes of one description at once. */
export class DescriptionError extends Error {
  constructor(
    readonly cluster: string,
    readonly mistakes: readonly Mistake[],
  ) {
    super(
      `The description of cluster '${cluster}' has ${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'}:\n${mistakes.map((m) => `  - ${m.path}: ${m.message}`).join('\n')}`,
    );
    this.name = 'DescriptionError';
  }
}

/** Gives a description its type. It is validated by `resolveCluster`, so that the mistakes of all clusters can be shown together. */
export function defineCluster(description: ClusterDescription): ClusterDescription {
  return description;
}

/** Validates a description and derives the model. Throws `DescriptionError` with every mistake. */
export function resolveCluster(input: ClusterDescription): Cluster {
  const clusterName = typeof input?.name === 'string' ? input.name : '(without a name)';
  const parsed = schema.safeParse(input);
  const mistakes = parsed.success ? [] : describeIssues(parsed.error, input);
  const data = parsed.success ? parsed.data : schema.safeParse(withoutUnknownKeys(input, parsed.error)).data;
  if (data) mistakes.push(...crossChecks(data));
  if (mistakes.length > 0 || !data) throw new DescriptionError(clusterName, mistakes);
  return derive(data);
}

/** A misspelt field hides nothing else: without it the rest can still be judged in the same run. */
function withoutUnknownKeys(input: unknown, error: z.ZodError): unknown {
  const copy = structuredClone(input);
  for (const issue of error.issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    // biome-ignore lint/suspicious/noExplicitAny: walking the operator's own, untyped input.
    const parent = issue.path.reduce<any>((at, part) => at?.[part], copy);
    for (const key of issue.keys) delete parent[key];
  }
  return copy;
}

function derive(data: ParsedDescription): Cluster {
  const nodeAddress = new Map(data.nodes.map((node) => [node.name, node.address]));
  const hasLoadBalancer = data.kubernetes.loadBalancer === 'metallb';
  const letsencrypt = data.certificates.issuer === 'letsencrypt' ? data.certificates : undefined;
  const publicIssuer = letsencrypt ? `letsencrypt-${letsencrypt.environment}` : 'cluster-ca';
  return {
    ...data,
    // By name, because their order says nothing: the broker's configuration holds them, and its replicas restart when its text changes.
    nodes: [...data.nodes].sort((a, b) => (a.name < b.name ? -1 : 1)),
    realms: data.realms.map((realm) => ({
      ...realm,
      title: realm.title ?? titleOf(realm.name),
      namespace: `realm-${realm.name}`,
      continents: realm.continents.map((continent) => ({
        ...continent,
        state: realm.state === 'retired' ? 'retired' : continent.state,
        title: continent.title ?? titleOf(continent.name),
        port: continent.port ?? DEFAULT_GAME_PORT,
        storage: continent.storage ?? realm.storage,
        capacity: continent.capacity ?? realm.capacity,
        resources: continent.resources ?? realm.resources,
        lanAddress:
          realm.exposure.type === 'shared-address'
            ? realm.exposure.address
            : (continent.address ?? nodeAddress.get(continent.node ?? '') ?? ''),
      })),
    })),
    instances: data.instances.map((type) => ({ ...type, title: type.title ?? titleOf(type.name) })),
    hosts: { broker: data.domain, grafana: `grafana.${data.domain}`, argocd: `argocd.${data.domain}`, pihole: `pihole.${data.domain}` },
    statelessReplicas: 2,
    databaseInstances: Math.min(3, data.nodes.length),
    worldGraceSeconds: data.game.announceSeconds + data.game.saveSeconds + 30,
    hasLoadBalancer,
    hasDns: data.network.dns !== undefined,
    publicIssuer,
    adminIssuer: letsencrypt?.dns01 ? publicIssuer : 'cluster-ca',
  };
}

function titleOf(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => (dash ? ' ' : '') + letter.toUpperCase());
}
