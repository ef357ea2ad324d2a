/**
 * What a broker runs with: the cluster's configuration file (lib/broker-contract.ts), checked, or a laptop's settings of the same shape.
 * It deliberately reads no secret; files with secrets are read where they are used.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { BrokerConfig } from '../../../lib/broker-contract.ts';

const port = z.number().int().min(1).max(65_535);
const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a DNS label: lower-case letters, digits and hyphens');
const endpoint = z.strictObject({ address: z.string().min(1).max(253), port });
const openIdProvider = z.strictObject({
  /** Part of paths: /v1/openid/<name>/… */
  name,
  title: z.string().min(1).max(60),
  issuer: z.url({ protocol: /^https?$/ }),
  clientId: z.string().min(1),
  /** File with the client secret. @default none: a public client with PKCE alone */
  clientSecretFile: z.string().min(1).optional(),
  scopes: z.array(z.string().min(1)).default(['openid', 'profile']),
});

/** The configuration file's schema. Everything with a default is not (yet) in the cluster's ConfigMap. */
export const configSchema = z.strictObject({
  publicUrl: z.url({ protocol: /^https?$/ }),
  registration: z.enum(['invite', 'open', 'closed']),
  ports: z.strictObject({
    http: port,
    internal: port,
    /** Where Agones asks for the size of Fleets. @default nothing listens there, as on a laptop */
    autoscaler: port.optional(),
    metrics: port,
  }),
  trustedProxyHops: z.number().int().min(0).max(5),
  shutdown: z.strictObject({ drainSeconds: z.number().min(0).max(300) }),
  database: z.strictObject({
    host: z.string().min(1),
    port,
    name: z.string().min(1),
    applicationRole: z.string().min(1),
    credentialsDirectory: z.string().min(1),
    caFile: z.string().min(1),
    poolSize: z.number().int().min(1).max(100),
  }),
  sessions: z.strictObject({ keysDirectory: z.string().min(1) }),
  tokens: z.strictObject({
    keysDirectory: z.string().min(1),
    /** netcode-token refuses more than 120 s; below 10 s a slow home connection cannot use one. */
    lifetimeSeconds: z.number().int().min(10).max(120),
    timeoutSeconds: z.number().int().min(1).max(30),
    /** How addresses of IPv6 are written in tokens: renet writes octets, the standard words. */
    ipv6: z.enum(['octets', 'words']).default('octets'),
  }),
  game: z.strictObject({
    protocolId: z.string().regex(/^0x[0-9a-fA-F]{1,16}$/, 'must be an unsigned 64-bit number in hexadecimal, such as 0x4d4d4f0000000001'),
    build: z.string().min(1).max(63),
    /** Where players get the client of the server's build; told to outdated clients. */
    downloadUrl: z.url({ protocol: /^https?$/ }).optional(),
  }),
  kubernetes: z.strictObject({ audience: z.string().min(1), instancesNamespace: name.optional() }),
  nodes: z.array(z.strictObject({ name: z.string().min(1), lan: z.string().min(1), public: z.string().min(1).optional() })),
  realms: z.array(
    z.strictObject({
      name,
      title: z.string().min(1),
      namespace: name,
      /** A world that nobody is in for as long is stopped, and started by whoever connects. */
      sleepAfterMinutes: z.number().int().min(1).optional(),
      continents: z
        .array(
          z.strictObject({
            name,
            title: z.string().min(1),
            capacity: z.number().int().min(1),
            lan: endpoint,
            public: endpoint.optional(),
          }),
        )
        .min(1),
    }),
  ),
  instances: z.array(
    z.strictObject({
      name,
      title: z.string().min(1),
      capacity: z.number().int().min(1),
      rooms: z.number().int().min(1),
      /** What may be asked for; the first is meant when nothing is said. */
      difficulties: z.array(name).default([]),
      /** Longest life of an instance, from its allocation on. */
      lifetimeSeconds: z.number().int().min(60).default(86_400),
    }),
  ),
  /** Other ways to log in. */
  openId: z.array(openIdProvider).default([]),
  /** How long the record of what operators did is kept; the database itself refuses to lose a year of it. */
  audit: z.strictObject({ retentionDays: z.number().int().min(366).max(36_500).default(366) }).prefault({}),
  /** How reset links are sent. @default none: the admin's command prints them */
  mail: z.strictObject({ from: z.string().min(3), smtpUrlFile: z.string().min(1) }).optional(),
});

/** The checked configuration with its defaults: what every part of the broker reads. */
export type Settings = z.output<typeof configSchema>;

// The two descriptions of one file must not drift apart: whatever the cluster writes, the program reads.
type Plain<T> = T extends object ? { -readonly [Key in keyof T]: Plain<T[Key]> } : T;
type Readable = Plain<BrokerConfig> extends z.input<typeof configSchema> ? true : never;
export const CONFIG_IS_READABLE: Readable = true;

/** @throws with every mistake of the configuration, each with its place */
export function parseSettings(config: unknown, source: string): Settings {
  const result = configSchema.safeParse(config);
  if (result.success) return result.data;
  const mistakes = result.error.issues.map((issue) => `  ${issue.path.join('.') || '(the whole)'}: ${issue.message}`);
  throw new Error(
    `The configuration ${source} has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.join('\n')}`,
  );
}

/** @throws when the file cannot be read, is not JSON, or has mistakes */
export function readSettings(file: string): Settings {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`The configuration ${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return parseSettings(JSON.parse(text), file);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`The configuration ${file} is not JSON: ${error.message}`);
    throw error;
  }
}
