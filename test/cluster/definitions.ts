/**
 * Upstream's CustomResourceDefinitions in an API server, as the operators' charts would have installed them.
 * It deliberately takes them where `npm run crds` does, by the hashes of imports/lock.json, and waits until the server serves them all.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDefinitions } from '../../lib/imports/definition-files';
import { ImportError, mirrorReader, networkReader } from '../../lib/imports/sources';
import type { Client } from './client';
import { eventually } from './judge';
import { Processes } from './processes';

const COLLECTION = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** How to have them without the network of this run. */
const ONCE = 'Fetch them once where there is a network, with `npm run crds -- DIR`, and set MMO_CRDS=DIR.';

/**
 * Runs `use` with the folder of upstream's definitions: the one that MMO_CRDS names, or a temporary one, which goes even when the run is killed.
 * MMO_CRDS_MIRROR names a folder of upstream's own files, to be taken instead of the network.
 * @throws Error with one sentence that says how they come
 */
export async function withDefinitions<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const { MMO_CRDS: written, MMO_CRDS_MIRROR: mirror } = process.env;
  if (written) {
    if (!existsSync(written) || readdirSync(written).every((name) => !name.endsWith('.yaml')))
      throw new Error(`MMO_CRDS names ${written}, which holds no definition; write them there with: npm run crds -- ${written}`);
    return use(written);
  }
  const guarded = new Processes('definitions');
  try {
    const folder = join(guarded.folder, 'definitions');
    try {
      await writeDefinitions(process.cwd(), mirror ? mirrorReader(mirror) : networkReader, folder);
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      const [first = '', ...more] = error.problems;
      const reason = `${first.split(/\n| Without a network/)[0]}${more.length > 0 ? ` (and ${more.length} more like it)` : ''}`;
      throw new Error(`Upstream's definitions, which the API servers need, could not be had: ${reason} ${ONCE}`);
    }
    return await use(folder);
  } finally {
    await guarded.stop();
  }
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

  // Asking what is served is cheap; the definitions themselves are ten megabytes.
  const wanted = files.map((name) => name.replace(/\.yaml$/, ''));
  const missing = await eventually(
    async () => {
      const served = new Set((await client.discover()).map(({ group, plural }) => `${plural}.${group}`));
      return wanted.filter((name) => !served.has(name));
    },
    (names) => names.length === 0,
  );
  if (missing.length > 0) throw new Error(`The API server does not serve these definitions after 60 s: ${missing.join(', ')}.`);
  return warnings;
}
