/**
 * What an operator may write in apps/<cluster>.ts: the schema of a cluster's description, field by field, with defaults and their reasons.
 * It deliberately knows one field at a time; what depends on several fields (addresses used twice, impossible exposures) is in validate.ts.
 */
import { z } from 'zod';
import { isIPv4, parseRange } from './addresses';
import { cronMistake } from './cron';
import { canonicalQuantity, quantityValue } from './quantities';

/** A name that is a DNS label, because it becomes part of object names, namespaces and host names (RFC 1123; at most 40 characters, so that derived names fit into 63). */
export const name = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
    'must be a DNS label: lower-case letters, digits and hyphens, beginning with a letter, at most 40 characters, such as "aurora"',
  );

export const ipv4 = z
  .string()
  .refine(isIPv4, { error: (issue) => `'${String(issue.input)}' is not an IPv4 address such as '192.168.1.240'` });

export const range = z.string().superRefine((text, ctx) => {
  const parsed = parseRange(text);
  if (typeof parsed === 'string') ctx.addIssue({ code: 'custom', message: parsed });
});

const hostName = z
  .string()
  .regex(
    /^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]([-a-z0-9]*[a-z0-9])?$/,
    'must be a full host name in lower case, such as "mmo.homelab.io"',
  );

/** Where players on the Internet find something. */
const publicAddress = z.union([ipv4, hostName], {
  error:
    "must be an IPv4 address such as '203.0.113.7' or a host name in lower case such as 'home.example.net', without a scheme (https://) and without a port",
});

const NOT_A_QUANTITY = (text: unknown): string => `'${String(text)}' is not a Kubernetes quantity such as '500m', '2' or '20Gi'`;
/** The two quantities that '20GB', '20 gb' or '20gib' may mean: powers of 1000 and of 1024. Undefined where the text is wrong in another way. */
const bytesMeant = (text: string): string | undefined => {
  const [, value, unit, binary] = /^([0-9]+(?:\.[0-9]+)?) *([kmgtp])(i?)b?$/i.exec(text) ?? [];
  if (value === undefined || unit === undefined) return undefined;
  const exact = `'${value}${unit.toUpperCase()}i'`;
  return binary ? exact : `'${value}${unit.toLowerCase() === 'k' ? 'k' : unit.toUpperCase()}' or ${exact}`;
};
const canonical = (text: string): string => (quantityValue(text) === undefined ? text : canonicalQuantity(text));

/** An amount of CPU, in cores; more than nothing. */
export const quantity = z
  .string()
  .refine((text) => quantityValue(text) !== undefined, { error: (issue) => NOT_A_QUANTITY(issue.input) })
  .refine((text) => quantityValue(text) !== 0, {
    error: (issue) => `'${String(issue.input)}' is nothing; write what it really needs, such as '500m'`,
  })
  .transform(canonical);

/** Fewest bytes that are no slip: less holds no process and no file system. */
const FEWEST_BYTES = '16Mi';

/** A number of bytes with its unit: storage and memory. A bare number or 'm' is nearly always a slip (20 bytes, 512 millibytes). */
export const bytes = z
  .string()
  .superRefine((text, ctx) => {
    const value = quantityValue(text);
    if (value === undefined) {
      const meant = bytesMeant(text);
      const message = meant === undefined ? NOT_A_QUANTITY(text) : `'${text}' is not a Kubernetes quantity; did you mean ${meant}?`;
      ctx.addIssue({ code: 'custom', message });
    } else if (!/[kKMGTP]i?$/.test(text))
      ctx.addIssue({ code: 'custom', message: `'${text}' has no unit of bytes; write it as '20Gi' or '512Mi'` });
    else if (value < (quantityValue(FEWEST_BYTES) ?? 0))
      ctx.addIssue({ code: 'custom', message: `'${text}' is too little to be meant; write at least '${FEWEST_BYTES}'` });
  })
  .transform(canonical);

export const port = z.number().int().min(1).max(65535);

/** An IANA time zone. */
const timeZone = z.string().regex(/^[A-Z][A-Za-z_]+(\/[A-Za-z_+-]+[0-9]*)*$/, 'must be an IANA time zone such as "Europe/Berlin" or "UTC"');

/** Five fields of a cron schedule. */
export const cron = z.string().superRefine((text, ctx) => {
  const mistake = cronMistake(text);
  if (mistake) ctx.addIssue({ code: 'custom', message: mistake });
});

/** A moment as RFC 3339 writes it, with its offset: without one it would be a guess whether it is the home's time or UTC. */
const pointInTime = z.string().superRefine((text, ctx) => {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(Date.parse(text)))
    ctx.addIssue({ code: 'custom', message: `'${text}' is not a time with its offset from UTC, such as '2026-03-01T18:30:00+01:00'` });
});

/** What a container reserves, field by field; every field that is left out has its default (no CPU limit is ever set: throttling shows as lag). */
const resourcesOf = (defaults: { cpu: string; memory: string }) =>
  z
    .strictObject({
      /** CPU that the scheduler reserves. */
      cpu: quantity.default(defaults.cpu),
      /** Memory that the scheduler reserves. */
      memory: bytes.default(defaults.memory),
      /** Memory at which the kernel kills the process. @default the same as `memory`, so that a node never promises more than it has */
      memoryLimit: bytes.optional(),
    })
    .prefault({});

/** Only what differs from the realm's. */
const partialResources = z.strictObject({ cpu: quantity.optional(), memory: bytes.optional(), memoryLimit: bytes.optional() });

/** A container image: repository, tag and digest. */
export const image = z
  .string()
  .regex(
    /^[a-z0-9.-]+(:[0-9]+)?(\/[a-z0-9._-]+)+:[A-Za-z0-9._-]+(@sha256:[0-9a-f]{64})?$/,
    'must be a full image reference with registry, repository and tag, such as "ghcr.io/you/mmo-server:0.4.2@sha256:…"',
  );

const unsigned64 = z.string().superRefine((text, ctx) => {
  if (!/^0x[0-9a-fA-F]{1,16}$/.test(text))
    ctx.addIssue({ code: 'custom', message: `'${text}' is not an unsigned 64-bit number in hexadecimal, such as '0x4d4d4f0000000001'` });
});

/** A value that Kubernetes accepts as a label. */
const labelValue = z
  .string()
  .regex(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/, 'must be a label value: at most 63 letters, digits, "-", "_" and "."');

/** A Git server inside of the cluster, as `npm run local` has one: plain text that never leaves the cluster, and is reached by Argo CD alone. */
const IN_CLUSTER_GIT = /^git:\/\/[a-z0-9-]+\.[a-z0-9-]+\.svc\.cluster\.local\/[^\s]+$/;

/** The repository's address. One with credentials is refused before anything else, and its sentence does not repeat them: it may stand in a log. */
const repository = z.string().superRefine((text, ctx) => {
  const [, scheme, user = '', rest = ''] = /^([a-z]+:\/\/)([^/@\s]+)@(\S*)$/i.exec(text) ?? [];
  if (scheme !== undefined && (scheme.toLowerCase() !== 'ssh://' || user.includes(':'))) {
    const without = scheme.toLowerCase() === 'ssh://' ? `${scheme}${user.split(':')[0]}@${rest}` : `https://${rest}`;
    ctx.addIssue({
      code: 'custom',
      message: `has credentials in it, which would be in plain text in every Application; write '${without}' and give Argo CD a repository credential instead`,
    });
  } else if (!IN_CLUSTER_GIT.test(text) && !/^(https:\/\/[^\s]+|ssh:\/\/[^\s]+|git@[^\s:]+:[^\s]+)$/.test(text)) {
    ctx.addIssue({ code: 'custom', message: 'must be an https://, ssh:// or git@host:path address of a Git repository' });
  }
});

const node = z.strictObject({
  /** The node's name as `kubectl get nodes` shows it. */
  name: z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/, 'must be a node name as `kubectl get nodes` shows it'),
  /** Its address in the LAN (the InternalIP). */
  address: ipv4,
  /** The address or host name under which players on the Internet reach this node. @default the network's `publicAddress` */
  publicAddress: publicAddress.optional(),
});

/** How long something lasts, such as "4h" or "90m". */
const duration = z
  .string()
  .regex(/^([1-9][0-9]*h)?([1-9][0-9]*m)?$/, 'must be a duration such as "4h", "90m" or "1h30m"')
  .refine((text) => text !== '', { error: 'must not be empty' });
/** A window that comes again and again. It carries no end date: one that has passed is refused by Agones, and for Argo CD there is none. */
const window = {
  /** IANA time zone of the cron fields. */
  timeZone,
  start: cron,
  duration,
};

/** A key of a label or taint: an optional DNS prefix and a name. */
const labelKey = z
  .string()
  .regex(
    /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    'must be a label key such as "disk" or "example.org/disk"',
  );

/** Which nodes something may run on. */
const placement = z.strictObject({
  /** Labels that the node must have, such as `{ disk: 'nvme' }`. @default any node */
  nodeLabels: z.record(labelKey, labelValue).default({}),
  /** Taints of nodes that do not keep it away. @default none */
  tolerations: z
    .array(
      z.strictObject({
        key: labelKey,
        /** @default any value */
        value: labelValue.optional(),
        /** @default every effect of that key */
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
      }),
    )
    .default([]),
});

const continent = z.strictObject({
  /** Permanent: the name of its StatefulSet and of its volume. Renaming makes a new world. */
  name,
  /** What players see; free to change. @default the name */
  title: z.string().min(1).max(60).optional(),
  /** Own address in the LAN, for `exposure: { type: 'own-address' }`. Written down and never derived from the place in the list, so that removing one continent moves no other. */
  address: ipv4.optional(),
  /** UDP port that players connect to. @default 40000 with an own address; required with a shared address or a host port, for the same reason */
  port: port.optional(),
  /** The node that it runs on and nowhere else. Required with `exposure: { type: 'host-port' }`, whose port it is. @default any that the placement allows */
  node: z.string().optional(),
  /** Instead of the realm's. */
  placement: placement.optional(),
  /** When it is updated, lowest first, for update strategies that have an order. Written down and never derived from the place in the list. */
  order: z.number().int().min(1).max(99).optional(),
  /** Volume for the world. @default the realm's */
  storage: bytes.optional(),
  /** Players at once. @default the realm's */
  capacity: z.number().int().positive().optional(),
  /** Only what differs from the realm's, field by field. */
  resources: partialResources.optional(),
  /** First step of removing a world: no replicas and no external Service; volume and backups are kept. */
  state: z.enum(['active', 'retired']).default('active'),
});

const exposure = z.discriminatedUnion('type', [
  /** One address per continent with externalTrafficPolicy Local: the server sees the players' own addresses. */
  z.strictObject({ type: z.literal('own-address') }),
  /** One address for all continents of the realm, each with its own port, with externalTrafficPolicy Cluster: the server does not see the players' addresses. */
  z.strictObject({ type: z.literal('shared-address'), address: ipv4 }),
  /** A port of a pinned node: no load balancer is needed (laptops), and the world cannot move to another node. */
  z.strictObject({ type: z.literal('host-port') }),
]);

/** How a change of the worlds (build, image, capacity, resources, …) reaches them. Whatever the strategy, each world announces, saves and stops as `game` says. */
const updates = z.discriminatedUnion('strategy', [
  /** All continents at once, each with its announcement: the shortest time until everything is new, and nobody plays meanwhile. */
  z.strictObject({ strategy: z.literal('announce-and-drain') }),
  /** By `order`, each when the one before is ready again: the rest of the realm plays on. What does not start stops the update. */
  z.strictObject({ strategy: z.literal('one-continent-at-a-time') }),
  /** The continent of the lowest `order` first, alone, and the others by their order when it has been ready for a while without a restart. */
  z.strictObject({
    strategy: z.literal('canary-first'),
    /** How long the first one must have been ready. @default 10; at most 30, because whoever waits for the update waits for all of it */
    soakMinutes: z.number().int().min(1).max(30).default(10),
  }),
  /** A world takes the change when it next starts: after a crash, a sleep, or when somebody deletes its pod. */
  z.strictObject({ strategy: z.literal('on-delete') }),
]);

const realm = z.strictObject({
  /** Permanent: part of the namespace `realm-<name>`. */
  name,
  title: z.string().min(1).max(60).optional(),
  continents: z.array(continent).min(1),
  exposure,
  capacity: z.number().int().positive().default(500),
  storage: bytes.default('20Gi'),
  resources: resourcesOf({ cpu: '500m', memory: '1Gi' }),
  /** Rises by one at each rotation of the netcode key; the sealed key of that generation must exist. */
  netcodeKeyGeneration: z.number().int().positive().default(1),
  /** @default announce and drain, all continents at once */
  updates: updates.prefault({ strategy: 'announce-and-drain' }),
  /** When changes of the worlds are applied, and no hand-made change is repaired outside of it. @default at any time */
  maintenanceWindows: z.array(z.strictObject(window)).default([]),
  /** A world that nobody is in for a while is stopped, and started by whoever connects to it. @default worlds always run */
  sleep: z
    .strictObject({
      /** Minutes without a player. Less than 10 is refused: a world may take as long to load. */
      afterMinutes: z.number().int().min(10).max(10_080),
    })
    .optional(),
  /** Which nodes its worlds may run on. @default any */
  placement: placement.prefault({}),
  state: z.enum(['active', 'retired']).default('active'),
});

const count = z.number().int();

/** Buffer policies keep that many servers ready. Zero is refused: Agones' webhook rejects it (fleetautoscaler.go). */
const buffer = z.strictObject({
  policy: z.literal('buffer'),
  /** Ready servers, or a percentage of all (then `min` is at least 1). */
  ready: z
    .union([count.min(1), z.string().regex(/^[1-9][0-9]?%$/, 'must be a percentage from 1% to 99%')], {
      error: "must be a whole number of at least 1, or a percentage such as '20%'",
    })
    .default(1),
  min: count.min(0).default(0),
  max: count.min(1),
});
/** Counter policies keep that much free capacity of a Counter (for example rooms) over all servers. */
const counter = z.strictObject({
  policy: z.literal('counter'),
  /** The Counter's name, which must be one of the content type's counters. */
  counter: name,
  free: count.min(1),
  min: count.min(0).default(0),
  max: count.min(1),
});
/** List policies keep that many free places for players over all servers: for servers that take one player after the other. */
const listPolicy = z.strictObject({
  policy: z.literal('list'),
  /** The List's name, which must be one of the content type's lists. */
  list: name,
  /** Free places, over all servers. */
  free: count.min(1),
  min: count.min(0).default(0),
  max: count.min(1),
});
/** On demand: as many servers as players ask for, from none. The broker answers Agones' webhook; no other policy may go down to zero. */
const onDemand = z.strictObject({
  policy: z.literal('on-demand'),
  /** Servers that are ready although nobody asks. @default 0: the first player waits for the start of a server */
  warm: count.min(0).default(0),
  max: count.min(1),
});
/** Schedule policies hold a bigger buffer in weekly windows and a small one outside. Windows repeat (cron and duration) and carry no end date, because an end in the past is refused by Agones and breaks every later sync. */
const schedule = z.strictObject({
  policy: z.literal('schedule'),
  windows: z
    .array(
      z.strictObject({
        name,
        ...window,
        ready: count.min(1),
        min: count.min(0).default(0),
        max: count.min(1),
      }),
    )
    .min(1),
  /** Outside of every window. */
  otherwise: buffer.omit({ policy: true }),
});
/** Chain policies ask one policy after the other: the first whose window is open, or that has none and can answer, counts. */
const chain = z.strictObject({
  policy: z.literal('chain'),
  links: z
    .array(
      z.strictObject({
        name,
        /** A weekly window outside of which this link is passed over. @default always open; the last link must be */
        during: z.strictObject(window).optional(),
        scaling: z.discriminatedUnion('policy', [buffer, counter, listPolicy, onDemand]),
      }),
    )
    .min(1),
});

const contentType = z.strictObject({
  /** Permanent: the Fleet's name (dungeon, raid, battleground). */
  name,
  title: z.string().min(1).max(60).optional(),
  /** Players of one server: the capacity of the `players` List. */
  capacity: z.number().int().min(1).max(1000),
  /** Rooms that one server holds at once; more than one makes the server serve several sessions (Agones' high-density). @default 1 */
  rooms: z.number().int().min(1).max(100).default(1),
  autoscaling: z.discriminatedUnion('policy', [buffer, counter, listPolicy, onDemand, schedule, chain]),
  /** Difficulties that players may ask for; the first is meant when nothing is said. The server learns it with the allocation. @default none: there is only one */
  difficulties: z.array(name).max(20).default([]),
  /** Longest life of an instance, from its allocation on: its server ends it, and the broker deletes one that does not. @default a day: longer than anybody plays one */
  lifetimeMinutes: z.number().int().min(10).max(10_080).default(1_440),
  /** Which nodes its servers may run on; `network.instanceNode` holds as well. @default any */
  placement: placement.prefault({}),
  resources: resourcesOf({ cpu: '250m', memory: '512Mi' }),
  netcodeKeyGeneration: z.number().int().positive().default(1),
  /** When a running match may be evicted: never (Agones guards it by a budget), when the server saves within 10 minutes, or only by cluster upgrades. */
  eviction: z.enum(['Never', 'Always', 'OnUpgrade']).default('Never'),
  /** Seconds between the order to stop and the kill. */
  graceSeconds: z.number().int().min(10).max(3600).default(60),
});

const certificates = z.discriminatedUnion('issuer', [
  z.strictObject({
    issuer: z.literal('letsencrypt'),
    /** Where Let's Encrypt sends expiry warnings. */
    email: z.email(),
    /** Staging has no rate limits that matter, but browsers do not trust it: use it until the first certificate is there. */
    environment: z.enum(['staging', 'production']).default('production'),
    /** DNS-01 needs no open port and is the only way to get certificates for admin pages, which are never reachable from the Internet. */
    dns01: z.strictObject({ cloudflare: z.strictObject({ /** The zone that the API token may edit. */ zone: hostName }) }).optional(),
  }),
  /** A certificate authority of the cluster's own, for laptops: browsers warn. */
  z.strictObject({ issuer: z.literal('self-signed') }),
]);

const openIdProvider = z.strictObject({
  /** Permanent: the client secret is sealed under it. */
  name,
  title: z.string().min(1).max(60),
  /** Exactly as the issuer writes itself, https. */
  issuer: z.string().regex(/^https:\/\/[^\s?#]+$/, 'must be the issuer exactly as it names itself, such as "https://auth.homelab.io"'),
  clientId: z.string().min(1).max(200),
  scopes: z.array(z.string().min(1)).min(1).default(['openid', 'profile']),
});

/** A time of the day, as Alertmanager takes it. */
const timeOfDay = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'must be a time of the day such as "23:00"');

const notify = z.strictObject({
  /** A channel of Discord. Its webhook's URL is a sealed secret. */
  discord: z.boolean().default(true),
  /** Mail, beside or instead of it. The password is a sealed secret. */
  email: z
    .strictObject({
      to: z.array(z.email()).min(1),
      from: z.email(),
      /** The mail server; STARTTLS or TLS is required. */
      server: hostName,
      /** 465 for TLS from the start, 587 for STARTTLS. */
      port: port.default(587),
      /** Who logs in there. @default `from` */
      user: z.string().min(1).optional(),
    })
    .optional(),
  /** Hours in which warnings wait until they are over; what is critical comes at any time. @default none: warnings come at any time, too */
  quietHours: z.strictObject({ from: timeOfDay, to: timeOfDay, timeZone }).optional(),
  /**
   * Calls an address of yours every five minutes for as long as alerting works: a service outside of the home (a dead man's switch) then tells you when it stops,
   * as it does with the power or the line. The address is a sealed secret.
   */
  deadMansSwitch: z.boolean().default(false),
});

const https = z
  .string()
  .regex(/^https:\/\/[^\s?#]+$/, 'must be an https:// address without a query, such as "https://auth.homelab.io/oauth/token"');

const grafanaLogin = z.strictObject({
  /** On the button: "Sign in with …". */
  title: z.string().min(1).max(60),
  clientId: z.string().min(1).max(200),
  /** The provider's endpoints, as its discovery document (`/.well-known/openid-configuration`) has them. */
  authorizationUrl: https,
  tokenUrl: https,
  userinfoUrl: https,
  /** What is asked of the provider. @default with `groups`, which Authelia and Authentik have; Keycloak wants its own mapper instead and refuses the word */
  scopes: z.array(z.string().min(1)).min(1).default(['openid', 'profile', 'email', 'groups']),
  /** Who becomes an admin of Grafana: members of this group, by the claim `groups`. Everybody else who may log in there sees and changes nothing. */
  adminGroup: z.string().regex(/^[A-Za-z0-9_.:@/-]+$/, 'must be the name of a group: letters, digits and _.:@/-'),
  /** Who may look. @default everybody whom the provider lets in */
  viewerGroup: z
    .string()
    .regex(/^[A-Za-z0-9_.:@/-]+$/, 'must be the name of a group: letters, digits and _.:@/-')
    .optional(),
});

export const description = z.strictObject({
  name,
  kubernetes: z.strictObject({
    /** Where the API server listens (after the Service's address translation): NetworkPolicies need it. One address per control-plane node. */
    apiServer: z.strictObject({
      addresses: z.array(ipv4).min(1),
      port: port.default(6443),
      /**
       * More addresses from which its calls of webhooks reach pods: with an overlay network (k3s' Flannel, Calico's tunnels) these are the
       * control-plane nodes' own addresses in the pod network, such as `10.42.0.0`. @default none
       */
      tunnelAddresses: z.array(ipv4).default([]),
    }),
    /** Who brings metrics-server, which autoscaling needs: k3s does (`provided`), kubeadm, kind and Talos do not. */
    metricsServer: z.enum(['install', 'provided']).default('install'),
    /** MetalLB gives Services addresses of the LAN; without it (laptops) everything is published on ports of the node. */
    loadBalancer: z.enum(['metallb', 'none']).default('metallb'),
  }),
  nodes: z.array(node).min(1),
  git: z.strictObject({
    /** The Git server's address when it is in the LAN under a host name: a policy lets Argo CD reach the Internet and, at home, only this. @default none */
    address: ipv4.optional(),
    /** The repository that Argo CD reads: this one, after you have forked it. */
    repository,
    revision: z.string().min(1).default('main'),
  }),
  /** The players' entry point; admin pages are host names below it. */
  domain: hostName,
  network: z.strictObject({
    /** Addresses of the LAN that MetalLB may hand out. Keep them out of the router's DHCP range. */
    pool: range.optional(),
    /** Traefik's address for players: ports 80 and 443 are forwarded to it. */
    ingress: ipv4.optional(),
    /** Traefik's address for admin pages: never forwarded. */
    adminIngress: ipv4.optional(),
    /** Pi-hole's address: give it to the LAN as DNS server. Leave it out to do without Pi-hole and ExternalDNS. */
    dns: ipv4.optional(),
    /** The home's address on the Internet: a literal or a (dynamic) host name. @default none: players in the LAN only */
    publicAddress: publicAddress.optional(),
    /**
     * The node to which the router forwards `instancePorts`: instances run there and nowhere else, because a router sends a port to one machine.
     * @default none: instances run on every node, which the Internet reaches only if each node has a public address of its own
     */
    instanceNode: z.string().optional(),
    /** Host ports of instances, forwarded by the router. Small, because every port is one forwarding rule on many routers. */
    instancePorts: z.strictObject({ first: port, last: port }).prefault({ first: 7000, last: 7063 }),
  }),
  storage: z
    .strictObject({
      /** StorageClass of worlds and databases. @default the cluster's default class */
      class: z.string().min(1).optional(),
      /** Whether claims of the class can grow. */
      expandable: z.boolean().default(false),
    })
    .prefault({}),
  certificates,
  /** Object store outside of the cluster for databases and worlds. Leave it out only where losing everything is acceptable (laptops). */
  backups: z
    .strictObject({
      /** S3 endpoint, https, outside of the cluster. */
      endpoint: z
        .string()
        .regex(
          /^https:\/\/[a-z0-9.-]+(:[0-9]+)?$/,
          'must be an https:// address without a path, such as "https://s3.eu-central-003.backblazeb2.com"',
        ),
      bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of an S3 bucket'),
      /** Daily base backup of the database (WAL is archived all the time). @default 03:15 UTC, when few people play */
      databaseSchedule: cron.default('15 3 * * *'),
      databaseRetentionDays: z.number().int().min(1).default(30),
      /** Backups of the worlds' volumes. @default every six hours: at worst six hours of a world are lost */
      worldSchedule: cron.default('40 */6 * * *'),
      worldRetention: z
        .strictObject({ daily: count.min(1).default(7), weekly: count.min(0).default(5), monthly: count.min(0).default(6) })
        .prefault({}),
    })
    .optional(),
  database: z
    .strictObject({
      storage: bytes.default('10Gi'),
      resources: resourcesOf({ cpu: '250m', memory: '512Mi' }),
      /** Rises by one when the database is recovered from a backup: each generation is a Cluster and an archive of its own, never over an old one. */
      generation: z.number().int().positive().default(1),
      /** Up to when the archive of the generation before is replayed. Read when the generation is made and never again. @default to its end */
      recoverTo: pointInTime.optional(),
    })
    .prefault({}),
  game: z.strictObject({
    image,
    /** Why the image has no digest. Without a digest the same tag may be another program tomorrow. */
    imageUnverified: z.string().min(10).optional(),
    /** netcode's protocol id: clients and servers of another id do not talk. */
    protocolId: unsigned64,
    /** Build of the game, as a label: instances are allocated of the current build only. */
    build: labelValue,
    /** Where players get the client of this build; outdated clients are told. @default none */
    downloadUrl: z
      .string()
      .regex(/^https?:\/\/\S+$/, 'must be an address such as "https://example.org/client"')
      .optional(),
    /** Numeric user that the image runs as; 0 is refused. @default 10001 */
    user: z.number().int().min(1).default(10001),
    /** How long players are warned before a world stops. */
    announceSeconds: z.number().int().min(0).max(1800).default(60),
    /** How long saving the world may take at worst. */
    saveSeconds: z.number().int().min(5).max(1800).default(60),
  }),
  realms: z.array(realm).default([]),
  instances: z.array(contentType).default([]),
  broker: z
    .strictObject({
      /** Who may make an account. @default invite: a home server is for friends */
      registration: z.enum(['invite', 'open', 'closed']).default('invite'),
      /** Where else players may log in (OpenID Connect): Discord, Authelia, Keycloak, … @default none: passwords only */
      openId: z.array(openIdProvider).default([]),
      /** How links to reset a password are mailed. The server's address and password are a sealed secret. @default none: an operator's command makes them */
      mail: z
        .strictObject({
          /** Sender, such as `MMO <mmo@homelab.io>`. */
          from: z.string().regex(/^[^\r\n]*[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+>?$/, 'must be an address such as "MMO <mmo@homelab.io>"'),
          /** Port of the mail server: 465 for TLS from the start, 587 for STARTTLS. */
          port: port.default(465),
        })
        .optional(),
      /** Days that the record of what operators did is kept. A year at least, which the database itself sees to: the broker could not shorten it. */
      auditRetentionDays: count.min(366).max(36_500).default(366),
      /** Most replicas that autoscaling may start. */
      maxReplicas: count.min(2).max(20).default(4),
    })
    .prefault({}),
  dns: z
    .strictObject({
      /** Resolvers that Pi-hole asks. */
      upstreams: z.array(ipv4).min(1).default(['9.9.9.9', '149.112.112.112']),
    })
    .prefault({}),
  monitoring: z
    .strictObject({
      metricsRetentionDays: count.min(1).default(15),
      metricsStorage: bytes.default('20Gi'),
      /** Logs of the platform. Those at level debug go after a day. */
      logsRetentionDays: count.min(1).default(14),
      /** Logs of the game servers, the broker and the database: what one looks at when a player asks what happened. @default 30 */
      gameLogsRetentionDays: count.min(1).default(30),
      /** The entry point's log, which has the addresses of players. @default 7: long enough to see who attacks, short enough for their privacy */
      accessLogsRetentionDays: count.min(1).default(7),
      logsStorage: bytes.default('20Gi'),
      /** Where alerts go. @default none: they are seen in Grafana alone */
      notify: notify.optional(),
      /** Who may log in to Grafana besides its sealed admin: an OpenID Connect provider. @default none: the admin alone */
      login: grafanaLogin.optional(),
    })
    .prefault({}),
});

/** What is written in apps/<cluster>.ts. */
export type ClusterDescription = z.input<typeof description>;
/** The same with every default filled in. */
export type ParsedDescription = z.output<typeof description>;
export type RealmDescription = ParsedDescription['realms'][number];
export type ContinentDescription = RealmDescription['continents'][number];
export type ContentTypeDescription = ParsedDescription['instances'][number];
export type Resources = RealmDescription['resources'];
export type Placement = RealmDescription['placement'];
/** Every policy but those that are made of others. */
export type PlainScaling = Exclude<ContentTypeDescription['autoscaling'], { policy: 'schedule' | 'chain' }>;
