/**
 * The typed model of one cluster: a description that was checked, with every default and every derived value filled in.
 * It deliberately holds data only; what the data becomes in Kubernetes is the charts' business.
 */
import type { z } from 'zod';
import { continentResources, DEFAULT_GAME_PORT } from './defaults';
import type {
  ClusterDescription,
  ContentTypeDescription,
  ContinentDescription,
  ParsedDescription,
  Placement,
  RealmDescription,
  Resources,
} from './description';
import { description as schema } from './description';
import { describeIssues, meantFields } from './issues';
import { crossChecks } from './validate';

export type { ClusterDescription, Resources } from './description';

/** One persistent world: a continent of a realm, with the realm's defaults filled in. */
export interface Continent extends Omit<ContinentDescription, 'title' | 'port' | 'storage' | 'capacity' | 'resources' | 'placement'> {
  readonly title: string;
  /** UDP port that players connect to. */
  readonly port: number;
  readonly storage: string;
  readonly capacity: number;
  readonly resources: Resources;
  readonly placement: Placement;
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
  const data = parsed.success ? parsed.data : withoutWrongFields(input);
  if (data) {
    // What is wrong at the place of a field that was left out, or that stands there under a misspelt name, follows from that.
    const said = [...mistakes.map(({ path }) => path), ...(parsed.success ? [] : meantFields(parsed.error, input))];
    mistakes.push(...crossChecks(data).filter(({ path }) => !said.some((other) => other === path || other.startsWith(`${path}.`))));
  }
  if (mistakes.length > 0 || !data) throw new DescriptionError(clusterName, mistakes);
  return derive(data);
}

/** Parts of a description that no rule needs in order to judge the others: what is wrong there by itself hides nothing else. */
const SEPARATE: ReadonlySet<PropertyKey> = new Set(['realms', 'instances', 'storage', 'monitoring', 'broker', 'dns']);
/** Fields of a world whose absence means no other world's mistake. Without any other field the whole entry is left out. */
const OMISSIBLE: ReadonlySet<PropertyKey> = new Set([
  'title',
  'address',
  'port',
  'node',
  'storage',
  'capacity',
  'resources',
  'cpu',
  'memory',
  'memoryLimit',
]);

/**
 * The description without what is wrong by itself, so that rules between fields judge the rest in the same run.
 * Undefined where the wrong field is one that such rules compare others with (the network, the nodes): then they wait for the next run.
 */
function withoutWrongFields(input: unknown): ParsedDescription | undefined {
  let copy = structuredClone(input);
  // Each round leaves something out; a mistake sits at most this deep.
  for (let round = 0; round < 8; round += 1) {
    const parsed = schema.safeParse(copy);
    if (parsed.success) return parsed.data;
    const wrong = new Set<unknown>();
    for (const issue of parsed.error.issues) if (!leaveOut(copy, issue, wrong)) return undefined;
    copy = withoutEntries(copy, wrong);
  }
  return undefined;
}

/** Removes the field of an issue, or notes the entry of a list that has to go. False when neither may. */
function leaveOut(description: unknown, issue: z.core.$ZodIssue, wrong: Set<unknown>): boolean {
  // biome-ignore lint/suspicious/noExplicitAny: walking the operator's own, untyped input.
  const chain: any[] = [description];
  for (const part of issue.path) chain.push(chain.at(-1)?.[part]);
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) delete chain.at(-1)[key];
    return true;
  }
  const leaf = issue.path.at(-1);
  if (!SEPARATE.has(issue.path[0] ?? '') || leaf === undefined) return false;
  const entry = issue.path.findLastIndex((part) => typeof part === 'number');
  const present = chain.at(-1) !== undefined;
  if (
    present &&
    typeof leaf === 'string' &&
    (entry === -1 || leaf === 'continents' || (issue.path[0] === 'realms' && OMISSIBLE.has(leaf)))
  ) {
    delete chain.at(-2)[leaf];
    return true;
  }
  if (entry === -1) return false;
  wrong.add(chain[entry + 1]);
  return true;
}

/** A copy without these entries of lists. */
function withoutEntries(value: unknown, wrong: ReadonlySet<unknown>): unknown {
  if (wrong.size === 0 || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.filter((entry) => !wrong.has(entry)).map((entry) => withoutEntries(entry, wrong));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutEntries(each, wrong)]));
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
        resources: continentResources(realm.resources, continent.resources),
        placement: continent.placement ?? realm.placement,
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
