/**
 * The realms of a laptop's broker: a fixed list of servers on loopback, which a game under development starts by hand.
 * It deliberately is data: another list is a JSON file (`--realms FILE`).
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type ServerIdentity, type WorldServer, worldServerId } from '../discovery/view.ts';

const nameSchema = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a DNS label: lower-case letters, digits and hyphens');
const realmsSchema = z
  .array(
    z.strictObject({
      name: nameSchema,
      title: z.string().min(1),
      continents: z
        .array(
          z.strictObject({
            name: nameSchema,
            title: z.string().min(1),
            capacity: z.number().int().min(1),
            /** UDP address that the server is bound to and that clients dial. */
            address: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
            port: z.number().int().min(1).max(65_535),
          }),
        )
        .min(1),
    }),
  )
  .min(1);

export type LaptopRealms = z.output<typeof realmsSchema>;

/** Two realms, so that choosing one means something. */
const DEFAULT_REALMS: LaptopRealms = [
  {
    name: 'aurora',
    title: 'Aurora',
    continents: [
      { name: 'eldermoor', title: 'Eldermoor', capacity: 100, address: '127.0.0.1', port: 40_000 },
      { name: 'sunreach', title: 'Sunreach', capacity: 100, address: '127.0.0.1', port: 40_001 },
    ],
  },
  {
    name: 'umbra',
    title: 'Umbra',
    continents: [{ name: 'nightfall', title: 'Nightfall', capacity: 2, address: '127.0.0.1', port: 40_010 }],
  },
];

/** @throws a sentence with the file's name when it cannot be read or is not JSON */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`The realms cannot be read from ${file}: ${(error as Error).message}`);
  }
}

/** @param file JSON of the same shape. @default two realms on ports 40000 to 40010 @throws with every mistake of the file */
export function laptopRealms(file?: string): LaptopRealms {
  if (file === undefined) return DEFAULT_REALMS;
  const result = realmsSchema.safeParse(readJson(file));
  if (result.success) return result.data;
  throw new Error(
    `The realms of ${file} are wrong:\n${result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`).join('\n')}`,
  );
}

/** Each continent as a running server. Its pod is called after it; nothing of Kubernetes is there. */
export function laptopWorlds(realms: LaptopRealms, protocolId: bigint, build: string): WorldServer[] {
  return realms.flatMap((realm) =>
    realm.continents.map((continent): WorldServer => {
      const serverId = worldServerId(realm.name, continent.name);
      const address = { address: continent.address, port: continent.port };
      const identity: ServerIdentity = {
        serverId,
        podName: `${continent.name}-0`,
        podUid: `laptop-${realm.name}-${continent.name}`,
        namespace: `realm-${realm.name}`,
        privateAddress: address,
        lan: [address],
        wan: [],
        keyGeneration: 1,
        protocolId,
        build,
      };
      return { realm: realm.name, continent: continent.name, serverId, phase: 'ready', identity };
    }),
  );
}
