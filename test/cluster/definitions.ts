/**
 * Upstream's CustomResourceDefinitions in an API server, as the operators' charts would have installed them.
 * It deliberately takes them where `npm run crds` does, by the hashes of imports/lock.json, and waits until the server serves them all.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlainObject } from '../../lib/emit/manifest';
import { writeDefinitions } from '../../lib/imports/definition-files';
import { mirrorReader, networkReader } from '../../lib/imports/sources';
import type { Client } from './client';

const COLLECTION = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Writes them to a folder. MMO_CRDS_MIRROR names a folder with upstream's files, instead of the network. */
export async function fetchDefinitions(folder: string): Promise<void> {
  const mirror = process.env.MMO_CRDS_MIRROR;
  await writeDefinitions(process.cwd(), mirror ? mirrorReader(mirror) : networkReader, folder);
}

/**
 * Applies every definition of the folder.
 * @returns the server's warnings, with the file's name
 * @throws when one is refused, or not served after a minute
 */
export async function installDefinitions(client: Client, folder: string): Promise<string[]> {
  await client.discover();
  const warnings: string[] = [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const waiting = [...files];
  const worker = async (): Promise<void> => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const answer = await client.request(
        'PATCH',
        `${COLLECTION}/${name.replace(/\.yaml$/, '')}?fieldManager=argocd-controller&force=true&fieldValidation=Strict`,
        readFileSync(join(folder, name), 'utf8'),
        'application/apply-patch+yaml',
      );
      warnings.push(...answer.warnings.map((text) => `${name}: ${text}`));
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);

  const deadline = Date.now() + 60_000;
  for (;;) {
    const definitions = await client.list(COLLECTION);
    const missing = definitions.filter((definition) => !isEstablished(definition)).map((definition) => definition.metadata.name);
    const served = new Set((await client.discover()).map(({ group, plural }) => `${plural}.${group}`));
    missing.push(...definitions.map((definition) => definition.metadata.name).filter((name) => !served.has(name)));
    if (missing.length === 0 && definitions.length >= files.length) return warnings;
    if (Date.now() > deadline)
      throw new Error(`The API server does not serve these definitions after 60 s: ${[...new Set(missing)].join(', ')}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function isEstablished({ status }: PlainObject): boolean {
  return (
    status?.conditions?.some((each: { type: string; status: string }) => each.type === 'Established' && each.status === 'True') ?? false
  );
}
