/**
 * The page's bundle: one script and one style sheet, made from page/ with esbuild, or read from where the image has them ready.
 * It deliberately serves nothing; `routes.ts` does.
 *
 *   node --import tsx --conditions=source services/connect-broker/src/page/build.ts DIRECTORY    writes the files for an image
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';

export const ASSETS = { script: 'page.js', style: 'page.css' } as const;
export type Asset = keyof typeof ASSETS;

const MEDIA_TYPES = { script: 'text/javascript; charset=utf-8', style: 'text/css; charset=utf-8' } as const satisfies Record<Asset, string>;

export interface BuiltAsset {
  /** `page-<hash>.js`: another content has another name, so that it may be kept for ever. */
  readonly file: string;
  readonly type: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly brotli: Buffer;
}

export type PageBundle = Readonly<Record<Asset, BuiltAsset>>;

/** Where an image has the files: beside the program. */
export const PREBUILT_DIRECTORY = path.join(import.meta.dirname, 'page-bundle');
/** Where the sources are, seen from this file. */
const SOURCES = path.join(import.meta.dirname, '../../page');

function asset(kind: Asset, body: Buffer): BuiltAsset {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
  const { name, ext } = path.parse(ASSETS[kind]);
  return {
    file: `${name}-${hash}${ext}`,
    type: MEDIA_TYPES[kind],
    body,
    gzip: gzipSync(body, { level: 9 }),
    brotli: brotliCompressSync(body, { params: { [zlib.BROTLI_PARAM_QUALITY]: 11 } }),
  };
}

async function compile(sources: string): Promise<Readonly<Record<Asset, Buffer>>> {
  // Only where the page is built: an image does not have it.
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: { page: path.join(sources, 'main.tsx') },
    bundle: true,
    minify: true,
    write: false,
    outdir: 'out',
    format: 'esm',
    target: ['es2022', 'chrome111', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const output = (kind: Asset): Buffer => {
    const file = result.outputFiles.find(({ path: name }) => path.basename(name) === ASSETS[kind]);
    if (!file) throw new Error(`The bundle of ${sources} has no ${ASSETS[kind]}.`);
    return Buffer.from(file.contents);
  };
  return { script: output('script'), style: output('style') };
}

/** Makes the bundle from its sources. @throws with esbuild's messages when they do not compile */
export async function buildPage(sources: string = SOURCES): Promise<PageBundle> {
  const { script, style } = await compile(sources);
  return { script: asset('script', script), style: asset('style', style) };
}

/** The bundle that `writePage` has written, or undefined when the directory is not there. @throws when a file is missing from it */
export function readPage(directory: string = PREBUILT_DIRECTORY): PageBundle | undefined {
  if (!existsSync(directory)) return undefined;
  const read = (kind: Asset): BuiltAsset => {
    const { name, ext } = path.parse(ASSETS[kind]);
    const files = readdirSync(directory).filter((file) => file.startsWith(`${name}-`) && file.endsWith(ext));
    if (files.length !== 1) throw new Error(`${directory} must have exactly one ${name}-<hash>${ext}; it has ${files.length}.`);
    return asset(kind, readFileSync(path.join(directory, files[0] as string)));
  };
  return { script: read('script'), style: read('style') };
}

/** Builds and writes the bundle; gives the files' names. */
export async function writePage(directory: string): Promise<string[]> {
  const bundle = await buildPage();
  mkdirSync(directory, { recursive: true });
  for (const { file, body } of Object.values(bundle)) writeFileSync(path.join(directory, file), body);
  return Object.values(bundle).map(({ file }) => file);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const directory = process.argv[2];
  if (directory === undefined) {
    console.error('Name the directory to write to: build.ts DIRECTORY');
    process.exitCode = 2;
  } else console.log((await writePage(directory)).join('\n'));
}
