/**
 * What the connect broker's program and its manifests agree on: arguments, environment, files, ports, paths and the configuration's shape.
 * It deliberately holds names and types only; values come from the cluster's model (lib/constructs/broker-config.ts), and one test can hold both sides to it.
 */
import type { BROKER_PORTS } from './platform';

/** Arguments of the image's entry point. Both run the same program with the same configuration file, paths and environment. */
export const BROKER_COMMANDS = {
  /** Serve players, game servers and Prometheus until SIGTERM. */
  serve: ['serve'],
  /** Bring the database's schema up to date as its owner, grant the serving role its rights, and exit with 0; safe to run twice and beside serving replicas. */
  migrate: ['migrate'],
} as const;

/** Environment variables that the program reads in the cluster; everything else is in the configuration file. */
export const BROKER_ENVIRONMENT = {
  /** Path of the configuration file. */
  config: 'CONNECT_BROKER_CONFIG',
  /** Name of the pod, for logs and for the names of locks. */
  podName: 'POD_NAME',
  /** The runtime's own: the limit of the JavaScript heap, below the container's memory limit, because argon2 hashes live outside of the heap. */
  runtimeOptions: 'NODE_OPTIONS',
} as const;

/** Directories and files of the container. All are read-only but `temporary`; Secrets are mounted as whole directories, so that the kubelet renews them in place. */
export const BROKER_FILES = {
  /** The configuration: JSON in the shape of `BrokerConfig`. A change rolls the pods. */
  config: '/etc/connect-broker/config/config.json',
  /** Directory with the files `username` and `password` of the role that this process uses: the serving role, or the owner for `migrate`. Read again for every new connection. */
  databaseCredentials: '/etc/connect-broker/database',
  /** Certificate of the authority that signed the database's server certificate (PEM). Read again for every new connection. */
  databaseCa: '/etc/connect-broker/database-ca/ca.crt',
  /** Directory with netcode's private keys, 32 raw bytes each, named `realm.<name>.<generation>` and `instance.<type>.<generation>`. Read again when it changes. */
  netcodeKeys: '/etc/connect-broker/netcode-keys',
  /** Directory with the keys under which session tokens are hashed, 32 raw bytes each, named `generation-<n>`: the highest signs, all are accepted. */
  sessionKeys: '/etc/connect-broker/session-keys',
  /** Directory with the client secrets of OpenID Connect, one file for each provider, named after it. Not there without providers. */
  openId: '/etc/connect-broker/openid',
  /** File with the mail server's URL: `smtps://user:password@host:465`. Not there without mail. */
  smtpUrl: '/etc/connect-broker/mail/smtp-url',
  /** The only place that can be written: 64 MiB, gone with the pod. */
  temporary: '/tmp',
} as const;

/** Names of the container's ports, as Services, probes and monitors refer to them; the numbers are `BROKER_PORTS`. */
export const BROKER_PORT_NAMES = {
  http: 'http',
  internal: 'internal',
  autoscaler: 'autoscaler',
  metrics: 'metrics',
} as const satisfies Record<keyof typeof BROKER_PORTS, string>;

/** Paths on the metrics port, which neither players nor game servers can reach. */
export const BROKER_OPERATIONS = {
  /** 200 as soon as the process has read its configuration and keys. */
  startup: '/startupz',
  /** 200 while the event loop turns; says nothing about others, so that an outage of the database restarts nothing. */
  live: '/livez',
  /** 503 only before the first synchronisation with the Kubernetes API and during shutdown. */
  ready: '/readyz',
  metrics: '/metrics',
} as const;

/** Prefixes of the paths on the players' port that answer with event streams: never buffered, and not counted against the requests in flight. */
export const BROKER_STREAMING_PATHS = ['/v1/events'] as const;

/** Prefix of the path at which Agones' webhook policy asks how many servers a Fleet needs, the only one on the port `autoscaler`; the Fleet's name and `?warm=&max=` follow. */
export const BROKER_AUTOSCALER_PATH = '/v1/autoscaler';

/** User and group of the image's process. */
export const BROKER_USER = 10001;

/** Seconds of an orderly end. After SIGTERM the pod is unready but serves on for `drain`, because endpoints and Traefik learn of it only then; requests in flight have until `grace`. */
export const BROKER_SHUTDOWN_SECONDS = { drain: 10, grace: 45 } as const;

/** PostgreSQL connections of one replica: its pool, and one that only listens for notifications. */
export const BROKER_DATABASE_CONNECTIONS = { pool: 10, listener: 1 } as const;

/** Seconds of a connect token's life, and of silence until a client tries the next address. At most 32 addresses are in a token; two are the usual case: (2 − 1) × 5 s stays below 35 s. */
export const BROKER_TOKEN_SECONDS = { lifetime: 35, timeout: 5 } as const;

/** An address and a UDP port that players can dial. */
export interface BrokerEndpoint {
  /** IPv4 address, or a host name that the broker resolves every 30 s. */
  readonly address: string;
  readonly port: number;
}

/** One persistent world. */
export interface BrokerContinent {
  /** Name of its StatefulSet in the realm's namespace. */
  readonly name: string;
  readonly title: string;
  /** Players at once. */
  readonly capacity: number;
  /** Where players in the LAN reach it. */
  readonly lan: BrokerEndpoint;
  /** Where players on the Internet reach it. @default none: the LAN only */
  readonly public?: BrokerEndpoint;
}

export interface BrokerRealm {
  readonly name: string;
  readonly title: string;
  readonly namespace: string;
  /** Minutes without a player after which a world of the realm is stopped; whoever connects starts it. @default none: its worlds always run */
  readonly sleepAfterMinutes?: number;
  readonly continents: readonly BrokerContinent[];
}

export interface BrokerContentType {
  /** Name of the Fleet. */
  readonly name: string;
  readonly title: string;
  /** Players of one server. */
  readonly capacity: number;
  /** Sessions that one server holds at once. */
  readonly rooms: number;
  /** What players may ask for; the first is meant when nothing is said. @default none: there is only one */
  readonly difficulties?: readonly string[];
  /** Longest life of an instance, from its allocation on. */
  readonly lifetimeSeconds: number;
}

/** A node, so that host ports become addresses that players can dial. */
export interface BrokerNode {
  readonly name: string;
  readonly lan: string;
  /** @default none: the LAN only */
  readonly public?: string;
}

/** The configuration file. No secret is in it: it is a ConfigMap. */
export interface BrokerConfig {
  /** Where players find the page and the API; also the Origin that cookies are accepted from. */
  readonly publicUrl: string;
  /** Who may make an account. */
  readonly registration: 'invite' | 'open' | 'closed';
  /** Ports that the program listens on. */
  readonly ports: { readonly http: number; readonly internal: number; readonly autoscaler: number; readonly metrics: number };
  /** How many proxies stand before the players' port and may be believed about the client's address: Traefik alone, which the network policies enforce. */
  readonly trustedProxyHops: number;
  readonly shutdown: { readonly drainSeconds: number };
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly name: string;
    /** The role that serves; `migrate` grants it its rights. */
    readonly applicationRole: string;
    readonly credentialsDirectory: string;
    /** TLS is required, and the certificate must be signed by this authority for `host`. */
    readonly caFile: string;
    readonly poolSize: number;
  };
  readonly sessions: { readonly keysDirectory: string };
  readonly tokens: {
    readonly keysDirectory: string;
    readonly lifetimeSeconds: number;
    readonly timeoutSeconds: number;
  };
  readonly game: {
    /** netcode's protocol id: an unsigned 64-bit number in hexadecimal. */
    readonly protocolId: string;
    /** The current build; instances are allocated of this one only. */
    readonly build: string;
    /** Where players get the client of this build. @default none */
    readonly downloadUrl?: string;
  };
  readonly kubernetes: {
    /** Audience of the tokens with which game servers call. */
    readonly audience: string;
    /** Where instances are allocated. @default none: no instanced content */
    readonly instancesNamespace?: string;
  };
  readonly nodes: readonly BrokerNode[];
  readonly realms: readonly BrokerRealm[];
  readonly instances: readonly BrokerContentType[];
  /** Other ways to log in. @default none */
  readonly openId?: readonly {
    readonly name: string;
    readonly title: string;
    readonly issuer: string;
    readonly clientId: string;
    readonly clientSecretFile: string;
    readonly scopes: readonly string[];
  }[];
  /** How long the audit log is kept. @default 366 days, which is also the least */
  readonly audit?: { readonly retentionDays: number };
  /** How reset links are sent. @default none */
  readonly mail?: { readonly from: string; readonly smtpUrlFile: string };
}
