/**
 * Secrets, keys and folders that the tests of sealing share. Every key is made when the tests run; none is a file.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeCertificate } from '../../lib/secrets/sealing';
import type { SecretSpec } from '../../lib/secrets/spec';

/** Making a key takes as long as it takes to find two primes; on a busy machine that is more than the 5 s that jest allows a hook. */
jest.setTimeout(120_000);

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that goes when the test file is done. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealing-'));
  folders.push(folder);
  return folder;
}

/** A sealing key of the smallest allowed size, because making one of 4096 bits takes seconds. */
export async function makeKey(organization = 'A home'): Promise<{ certificate: string; privateKey: string }> {
  const { certificate, privateKey } = await makeCertificate({ organization, commonName: 'sealing', bits: 2048 });
  return { certificate, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}

/** Writes texts below a folder. */
export function writeTree(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
}

/** The broker's keys, with a copy of the realm's. */
export const brokerKeys: SecretSpec = {
  namespace: 'connect-broker',
  name: 'netcode-keys',
  purpose: 'keys of all game servers',
  keys: {
    'realm.aurora.1': { value: 'netcode/realm/aurora/1', source: { generate: 'random-32-bytes' } },
    'instance.dungeon.1': { value: 'netcode/instance/dungeon/1', source: { generate: 'random-32-bytes' } },
  },
};

export const realmKey: SecretSpec = {
  namespace: 'realm-aurora',
  name: 'netcode-key',
  purpose: 'key of the realm',
  keys: { 'generation-1': { value: 'netcode/realm/aurora/1', source: { generate: 'random-32-bytes' } } },
};

export const instanceKey: SecretSpec = {
  namespace: 'instances',
  name: 'netcode-key-dungeon',
  purpose: 'key of the dungeons',
  keys: { 'generation-1': { value: 'netcode/instance/dungeon/1', source: { generate: 'random-32-bytes' } } },
};

export const databaseOwner: SecretSpec = {
  namespace: 'database',
  name: 'broker-owner',
  type: 'kubernetes.io/basic-auth',
  purpose: "the broker's role",
  keys: {
    username: { value: 'database/broker/username', source: { literal: 'broker' } },
    password: { value: 'database/broker/password', source: { generate: 'password' } },
  },
};

export const databaseCopy: SecretSpec = { ...databaseOwner, namespace: 'connect-broker', name: 'database' };

export const dnsToken: SecretSpec = {
  namespace: 'cert-manager',
  name: 'cloudflare',
  purpose: 'DNS-01',
  keys: { 'api-token': { value: 'cloudflare/api-token', source: { ask: 'API token of Cloudflare with Zone.DNS edit' } } },
};

export const everySecret: readonly SecretSpec[] = [brokerKeys, realmKey, instanceKey, databaseOwner, databaseCopy, dnsToken];
