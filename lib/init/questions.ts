/**
 * What `npm run init` asks: one table for prompts, flags, the file of answers and the help, each with its proposal.
 * It deliberately judges no answer beyond its form; whether a description is right is the model's business (lib/model/).
 */
import { createHash } from 'node:crypto';
import { withoutCredentials } from '../git-address';
import { freeAddresses, parseMap, proposedPool } from './forms';

/** Answers by question, as texts. `none` is the answer for what there is not. */
export type Answers = Readonly<Partial<Record<QuestionId, string>>>;

/** What proposals may depend on besides earlier answers. */
export interface Surroundings {
  /** Address of the checkout's remote `origin`, where it has one. */
  readonly remote: string | undefined;
}

export interface Question {
  /** Name of the flag and key in the file of answers. */
  readonly id: QuestionId;
  /** What is asked, as it stands before the proposal. */
  readonly ask: string;
  /** Allowed answers, where there are few. */
  readonly choices?: readonly string[];
  /** What is wrong with the answer's form, as a sentence; the model judges the rest. */
  readonly form?: (answer: string) => string | undefined;
  /** What Enter gives, or undefined where only a person knows. */
  readonly proposal: (answers: Answers, surroundings: Surroundings) => string | undefined;
  /** Whether the earlier answers leave the question open. @default always */
  readonly applies?: (answers: Answers) => boolean;
  /** Stands in for the answer as long as nobody has given one, so that the other answers can be judged. @default the proposal */
  readonly standIn?: string;
  /** Fields of the description that the answer fills: a mistake there is a mistake of this answer. */
  readonly fields: readonly string[];
}

/** The answer for what there is not. */
export const NONE = 'none';

const has = (answers: Answers, id: QuestionId): boolean => answers[id] !== undefined && answers[id] !== NONE;
const metallb = (answers: Answers): boolean => answers['load-balancer'] === 'metallb';
const letsencrypt = (answers: Answers): boolean => answers.challenge !== 'self-signed';
const pinned = (answers: Answers): boolean => answers.image?.includes('@sha256:') ?? false;

/** In the order in which they are asked: proposals look back only. */
const TABLE = [
  {
    id: 'name',
    ask: "Cluster's name, also that of its folder in dist/",
    proposal: () => 'homelab',
    fields: ['name'],
  },
  {
    id: 'domain',
    ask: "Players' entry point, a host name of your own; admin pages are below it",
    proposal: () => undefined,
    standIn: 'mmo.homelab.io',
    fields: ['domain'],
  },
  {
    id: 'repository',
    ask: 'Git repository that Argo CD reads: your fork of this one (https://, ssh:// or git@host:path)',
    // A checkout's remote may have a token in it, which belongs on no screen.
    proposal: (_answers, { remote }) =>
      remote !== undefined && /^(https:\/\/|ssh:\/\/|git@[^:]+:)/.test(remote) ? withoutCredentials(remote) : undefined,
    standIn: 'https://git.homelab.io/you/mmo-backend.git',
    fields: ['git.repository'],
  },
  { id: 'revision', ask: 'Branch that Argo CD reads', proposal: () => 'main', fields: ['git.revision'] },
  {
    id: 'nodes',
    ask: 'Nodes as `kubectl get nodes -o wide` shows them, NAME=ADDRESS,NAME=ADDRESS',
    form: (answer) => parseMap(answer, 'NAME=ADDRESS', 'node-1=192.168.1.11,node-2=192.168.1.12').mistake,
    proposal: () => undefined,
    standIn: 'node-1=192.168.1.11',
    fields: ['nodes'],
  },
  {
    id: 'api-server',
    ask: 'Addresses of the control-plane nodes, where the API server listens (6443; another port: edit the file)',
    proposal: (answers) => parseMap(answers.nodes ?? '').entries[0]?.value,
    fields: ['kubernetes.apiServer'],
  },
  {
    id: 'metrics-server',
    ask: 'Does the distribution bring metrics-server (k3s does: provided), or is it to be installed',
    choices: ['install', 'provided'],
    proposal: () => 'install',
    fields: ['kubernetes.metricsServer'],
  },
  {
    id: 'load-balancer',
    ask: 'Who gives Services addresses of the LAN (none: ports of the node, for a laptop)',
    choices: ['metallb', 'none'],
    proposal: () => 'metallb',
    fields: ['kubernetes.loadBalancer'],
  },
  {
    id: 'pool',
    ask: "Addresses of the LAN that are free for the cluster, outside of the router's DHCP range",
    proposal: (answers) => proposedPool(parseMap(answers.nodes ?? '').entries.map(({ value }) => value)),
    applies: metallb,
    fields: ['network.pool'],
  },
  {
    id: 'ingress',
    ask: 'Address for players: the router forwards TCP 80 and 443 to it',
    proposal: (answers) => freeAddresses(answers, [])[0],
    applies: metallb,
    fields: ['network.ingress'],
  },
  {
    id: 'admin-ingress',
    ask: 'Address for admin pages: never forwarded',
    proposal: (answers) => freeAddresses(answers, ['ingress'])[0],
    applies: metallb,
    fields: ['network.adminIngress'],
  },
  {
    id: 'dns',
    ask: "Pi-hole's address, which the LAN gets as DNS server (none: without Pi-hole)",
    proposal: (answers) => freeAddresses(answers, ['ingress', 'admin-ingress'])[0],
    applies: metallb,
    fields: ['network.dns', 'dns'],
  },
  {
    id: 'public-address',
    ask: "The home's address on the Internet, an IPv4 address or a (dynamic) host name (none: players in the LAN only)",
    proposal: () => NONE,
    fields: ['network.publicAddress'],
  },
  {
    id: 'storage-class',
    ask: "StorageClass of worlds and databases (none: the cluster's default class)",
    proposal: () => NONE,
    fields: ['storage.class', 'storage'],
  },
  {
    id: 'storage-expandable',
    ask: 'Can volumes of that class grow (allowVolumeExpansion)',
    choices: ['yes', 'no'],
    proposal: () => 'no',
    fields: ['storage.expandable'],
  },
  {
    id: 'challenge',
    ask: "Certificates: Let's Encrypt by DNS-01 at Cloudflare, by HTTP-01, or self-signed (browsers warn)",
    choices: ['dns-01', 'http-01', 'self-signed'],
    proposal: (answers) => (metallb(answers) ? 'dns-01' : 'self-signed'),
    fields: ['certificates.issuer', 'certificates'],
  },
  {
    id: 'email',
    ask: "E-mail address for Let's Encrypt's warnings",
    proposal: () => undefined,
    applies: letsencrypt,
    standIn: 'you@homelab.io',
    fields: ['certificates.email'],
  },
  {
    id: 'zone',
    ask: "Cloudflare's zone that holds the domain",
    proposal: (answers) => answers.domain?.split('.').slice(-2).join('.'),
    applies: (answers) => answers.challenge === 'dns-01',
    fields: ['certificates.dns01'],
  },
  {
    id: 'backup-endpoint',
    ask: 'S3 object store outside of your home for backups, https://… (none: everything can be lost)',
    proposal: () => NONE,
    fields: ['backups.endpoint', 'backups', 'database'],
  },
  {
    id: 'backup-bucket',
    ask: 'Bucket for backups',
    proposal: () => undefined,
    applies: (answers) => has(answers, 'backup-endpoint'),
    standIn: 'you-mmo-backups',
    fields: ['backups.bucket'],
  },
  {
    id: 'image',
    ask: "Your game server's image, with tag and digest: registry/name:tag@sha256:…",
    proposal: () => undefined,
    standIn: `ghcr.io/you/mmo-server:0.1.0@sha256:${'0'.repeat(64)}`,
    fields: ['game.image', 'game'],
  },
  {
    id: 'image-unverified',
    ask: 'The image has no digest, so the same tag may be another program tomorrow; why is there none',
    proposal: () => undefined,
    applies: (answers) => answers.image !== undefined && !pinned(answers),
    standIn: 'nobody has said yet why there is none',
    fields: ['game.imageUnverified'],
  },
  {
    id: 'build',
    ask: "The game's build, a label: clients of another build are told to update",
    proposal: (answers) => /:([A-Za-z0-9._-]+)(?:@|$)/.exec(answers.image ?? '')?.[1],
    standIn: '0.1.0',
    fields: ['game.build'],
  },
  {
    id: 'protocol-id',
    ask: "netcode's protocol id, which your game's clients and servers share",
    proposal: (answers) =>
      `0x${createHash('sha256')
        .update(`netcode protocol of ${answers.domain ?? ''}`)
        .digest('hex')
        .slice(0, 16)}`,
    fields: ['game.protocolId'],
  },
  {
    id: 'realms',
    ask: 'Realms with their continents, REALM=CONTINENT+CONTINENT,REALM=… (none: instances only)',
    form: (answer) => (answer === NONE ? undefined : parseMap(answer, 'REALM=CONTINENT+CONTINENT', 'aurora=eldermoor+sunreach').mistake),
    proposal: () => 'aurora=eldermoor',
    fields: ['realms'],
  },
  {
    id: 'exposure',
    ask: 'How players reach worlds: an address each, one address for each realm, or a port of the node',
    choices: ['own-address', 'shared-address', 'host-port'],
    proposal: (answers) => (metallb(answers) ? 'own-address' : 'host-port'),
    applies: (answers) => has(answers, 'realms'),
    fields: [],
  },
  {
    id: 'instances',
    ask: 'Kinds of instances that are started on demand, NAME,NAME (none: without)',
    proposal: () => 'dungeon',
    fields: ['instances'],
  },
  {
    id: 'instance-node',
    ask: 'Node to which the router forwards the ports of instances',
    proposal: (answers) => parseMap(answers.nodes ?? '').entries.at(-1)?.value && parseMap(answers.nodes ?? '').entries.at(-1)?.name,
    applies: (answers) => has(answers, 'instances') && has(answers, 'public-address') && parseMap(answers.nodes ?? '').entries.length > 1,
    fields: ['network.instanceNode', 'network.instancePorts'],
  },
] as const satisfies readonly TableEntry[];

type TableEntry = Omit<Question, 'id'> & { readonly id: string };

export type QuestionId =
  | 'name'
  | 'domain'
  | 'repository'
  | 'revision'
  | 'nodes'
  | 'api-server'
  | 'metrics-server'
  | 'load-balancer'
  | 'pool'
  | 'ingress'
  | 'admin-ingress'
  | 'dns'
  | 'public-address'
  | 'storage-class'
  | 'storage-expandable'
  | 'challenge'
  | 'email'
  | 'zone'
  | 'backup-endpoint'
  | 'backup-bucket'
  | 'image'
  | 'image-unverified'
  | 'build'
  | 'protocol-id'
  | 'realms'
  | 'exposure'
  | 'instances'
  | 'instance-node';

export const questions: readonly Question[] = TABLE;

/** The questions that the answers so far leave open, with what each is answered by when nobody says anything. */
export function complete(
  answers: Answers,
  surroundings: Surroundings,
): { readonly answers: Answers; readonly unanswered: readonly Question[] } {
  const all: Partial<Record<QuestionId, string>> = {};
  const unanswered: Question[] = [];
  for (const question of questions) {
    const given = answers[question.id];
    if (question.applies?.(all) === false) continue;
    const value = given ?? question.proposal(all, surroundings);
    if (value === undefined) unanswered.push(question);
    const used = value ?? question.standIn;
    if (used !== undefined) all[question.id] = used;
  }
  return { answers: all, unanswered };
}
