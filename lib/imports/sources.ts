/**
 * Upstream's files: which addresses cdk8s.yaml lists, and how their text is had, from the network or from a folder
 * that mirrors it. It deliberately does not look into a file, nor decide whether its bytes are the right ones: that is
 * the lock's (lock.ts).
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { parse } from 'yaml';

/** One entry of `imports` in cdk8s.yaml. */
export interface SourceEntry {
  /** Of `prefix:=url`: put before the names of the generated files, as `cdk8s import` does; usually absent. */
  readonly prefix?: string;
  /** An `https://` address whose path carries the version. */
  readonly address: string;
  /** The version in the address, `v1.2.3`. */
  readonly version: string;
}

/** An upstream file's text. */
export interface SourceFile extends SourceEntry {
  readonly text: string;
}

/** Mistakes in what a person wrote or a folder holds; `message` names each, one a line. */
export class ImportError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ImportError';
  }
}

/** The hash that locks and mirrors write: SHA-256, lower-case hexadecimal, of the UTF-8 bytes. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

const VERSION = /^v?\d+\.\d+\.\d+[0-9A-Za-z.+-]*$/;

/**
 * Reads the list of addresses from the text of cdk8s.yaml.
 * @throws ImportError naming every entry that is not a pinned `https://` address, or is there twice.
 */
export function parseSourceList(configText: string): SourceEntry[] {
  const config: unknown = parse(configText);
  const list = (config as { imports?: unknown } | null)?.imports;
  if (!Array.isArray(list) || list.length === 0) {
    throw new ImportError(['cdk8s.yaml: `imports` must be a list of at least one address.']);
  }
  const problems: string[] = [];
  const entries: SourceEntry[] = [];
  const seen = new Set<string>();
  list.forEach((item: unknown, index) => {
    const place = `cdk8s.yaml: imports[${index}]`;
    if (typeof item !== 'string') {
      problems.push(`${place} is ${JSON.stringify(item)}, but must be a string: "https://…" or "prefix:=https://…".`);
      return;
    }
    const [, prefix, address] = /^(?:([A-Za-z0-9_-]+):=)?(.*)$/s.exec(item) as unknown as [string, string?, string?];
    if (address === undefined || !URL.canParse(address) || new URL(address).protocol !== 'https:') {
      problems.push(`${place} is "${item}", but must be an address that starts with "https://" (so that its bytes can be pinned).`);
      return;
    }
    const version = new URL(address).pathname.split('/').find((part) => VERSION.test(part));
    if (version === undefined) {
      problems.push(`${place}: the path of ${address} has no version; name a tag such as "v1.2.3", never a branch.`);
      return;
    }
    if (seen.has(address)) problems.push(`${place}: ${address} is listed twice; remove one entry.`);
    seen.add(address);
    entries.push({
      ...(prefix === undefined ? {} : { prefix }),
      address,
      version,
    });
  });
  if (problems.length > 0) throw new ImportError(problems);
  return entries;
}

/** Where upstream's text comes from; `describe` ends a sentence such as "… of ADDRESS, read from X". */
export interface SourceReader {
  read(address: string): Promise<string>;
  describe(address: string): string;
}

/** Reads from the network, following redirections; anything but status 200 is an error. */
export const networkReader: SourceReader = {
  describe: (address) => address,
  async read(address) {
    let response: Response;
    try {
      response = await fetch(address, { signal: AbortSignal.timeout(60_000) });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new ImportError([
        `${address} could not be fetched (${String(cause)}). Without a network, pass --mirror DIR with a folder that holds it.`,
      ]);
    }
    if (response.status !== 200) {
      throw new ImportError([`${address} answered ${response.status}; check the version in cdk8s.yaml.`]);
    }
    return response.text();
  },
};

/** How a mirror folder must look; the commands print it in their help. */
export const MIRROR_FORMAT = `A mirror is a folder with a file sources.tsv: tab-separated, its first line the names of the columns.
Three columns are read, others ignored: "url" (an address as cdk8s.yaml lists it), "file" (the path of
its copy, relative to the folder) and "sha256" (of that copy, 64 hexadecimal digits). The copies are
upstream's files unchanged; of a file that holds other objects too, the CustomResourceDefinitions alone do.`;

/**
 * Reads from a mirror folder (see `MIRROR_FORMAT`), and refuses a copy that has not the hash its table gives.
 * @throws ImportError when the folder has no well-formed table.
 */
export function mirrorReader(folder: string): SourceReader {
  const table = join(folder, 'sources.tsv');
  if (!existsSync(table)) throw new ImportError([`${table} does not exist.\n${MIRROR_FORMAT}`]);
  const [header = '', ...lines] = readFileSync(table, 'utf8').split(/\r?\n/);
  const columns = header.split('\t');
  const [urlAt, fileAt, hashAt] = ['url', 'file', 'sha256'].map((name) => columns.indexOf(name)) as [number, number, number];
  if (urlAt < 0 || fileAt < 0 || hashAt < 0) {
    throw new ImportError([`${table}: its first line has the columns "${columns.join('", "')}".\n${MIRROR_FORMAT}`]);
  }
  const rows = new Map<string, { file: string; hash: string }>();
  for (const line of lines) {
    const cells = line.split('\t');
    const url = cells[urlAt];
    if (url) rows.set(url, { file: cells[fileAt] ?? '', hash: cells[hashAt] ?? '' });
  }
  const root = resolve(folder);
  return {
    describe: (address) => `${join(folder, rows.get(address)?.file ?? '')} (mirror of ${address})`,
    async read(address) {
      const row = rows.get(address);
      if (row === undefined) {
        throw new ImportError([`${table} has no line for ${address}; add the file to the mirror, or import from the network.`]);
      }
      const path = resolve(root, row.file);
      if (!path.startsWith(root + sep)) throw new ImportError([`${table}: the file "${row.file}" of ${address} is outside the mirror.`]);
      if (!existsSync(path)) throw new ImportError([`${path}, the copy of ${address} in the mirror, does not exist.`]);
      const text = readFileSync(path, 'utf8');
      if (sha256(text) !== row.hash.toLowerCase()) {
        throw new ImportError([`${path} has the sha256 ${sha256(text)}, but ${table} says ${row.hash}: the copy is damaged; replace it.`]);
      }
      return text;
    },
  };
}

/** Reads every entry's file; all that fail are reported at once. */
export async function readSources(entries: readonly SourceEntry[], reader: SourceReader): Promise<SourceFile[]> {
  const results = await Promise.allSettled(
    entries.map(async (entry) => ({
      ...entry,
      text: await reader.read(entry.address),
    })),
  );
  const problems: string[] = [];
  const files: SourceFile[] = [];
  for (const result of results) {
    if (result.status === 'fulfilled') files.push(result.value);
    else if (result.reason instanceof ImportError) problems.push(...result.reason.problems);
    else throw result.reason;
  }
  if (problems.length > 0) throw new ImportError(problems);
  return files;
}
