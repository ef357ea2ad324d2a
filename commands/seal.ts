/**
 * `npm run seal`: seals values offline, to the committed certificate, and writes them into secrets/<cluster>/.
 * It deliberately cannot show a value, takes none from the command line, and opens nothing: it has no private key.
 */
import { readFileSync, statSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { didYouMean } from '../lib/model/issues';
import { CERTIFICATE_FILE } from '../lib/secrets/keys';
import {
  acceptValue,
  describeSource,
  makeValue,
  missingPlaces,
  neededValues,
  placeName,
  planMissing,
  planNetcode,
  planOne,
  type Step,
} from '../lib/secrets/plan';
import { makeExampleCertificate, type SealingCertificate, SecretsError, seal, strictLabel } from '../lib/secrets/sealing';
import type { SecretSpec, SecretStore } from '../lib/secrets/spec';
import { certificateExists, type FileStore, fileStore } from '../lib/secrets/store';
import { readOptions, runCommand, UsageError } from './options';

const HELP = `
npm run seal -- --cluster NAME --list [--json]
npm run seal -- --cluster NAME --missing [--answers FILE | --placeholder-asks] [--yes]
npm run seal -- --cluster NAME --netcode REALM_OR_CONTENT_TYPE [--yes]
npm run seal -- --cluster NAME NAMESPACE/SECRET[/KEY] [--generate N | --from-file FILE | < FILE] [--yes]
npm run seal -- --cluster NAME --example

Seals values to secrets/NAME/${CERTIFICATE_FILE} and writes secrets/NAME/<namespace>/<secret>.yaml. Needs no cluster and no network.
A value that several Secrets need is sealed for all of them at once. Values are never shown, and never taken from the command line.

  --list              every value that the cluster needs, sealed or missing
  --missing           generate and seal what is missing; ask for what only a person has
  --netcode NAME      generate and seal the missing key of one realm or content type
  --generate N        make the value: N letters and digits, or N random bytes where bytes are needed
  --from-file FILE    take the value from a file; without it and --generate, from standard input (a terminal asks, and does not echo)
  --answers FILE      values that would be asked for: a YAML map from identity (see --list) to text; only you may be able to read the file
  --placeholder-asks  seal random text instead of asking; only with an example's certificate, which nobody can open
  --example           make an example's certificate, whose private key is thrown away; to try things out
  --yes               replace values that are sealed already; they cannot be read back
  --json              with --list: print JSON
  -h, --help          this text

Exit code: 0 when done, 1 when not or when something is still missing, 2 for wrong usage.
`;

/** What the command has from outside; tests give their own. */
export interface SealEnvironment {
  /** Folder of all clusters' secrets. */
  readonly secretsDirectory: string;
  readonly clusters: readonly string[];
  readonly needed: (clusterName: string, store: SecretStore) => readonly SecretSpec[];
  /** Whether a person sits there. */
  readonly interactive: boolean;
  /** All of standard input. */
  readonly readInput: () => Promise<Buffer>;
  /** Asks without an echo. */
  readonly ask: (question: string) => Promise<string>;
}

/** @returns the exit code. */
export const main = (args: readonly string[], environment?: SealEnvironment): Promise<number> =>
  runCommand(async () => {
    const options = readOptions(args, HELP, OPTIONS, true);
    if (!options) return 0;
    const world = environment ?? (await projectEnvironment());
    try {
      return await run(options.values, options.positionals, world);
    } catch (error) {
      if (!(error instanceof SecretsError) && (error as Error).name !== 'DescriptionError') throw error;
      console.error((error as Error).message);
      return 1;
    }
  });

const OPTIONS = {
  cluster: { type: 'string' },
  list: { type: 'boolean' },
  missing: { type: 'boolean' },
  netcode: { type: 'string' },
  generate: { type: 'string' },
  'from-file': { type: 'string' },
  answers: { type: 'string' },
  'placeholder-asks': { type: 'boolean' },
  example: { type: 'boolean' },
  yes: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

interface Values {
  readonly cluster?: string;
  readonly list?: boolean;
  readonly missing?: boolean;
  readonly netcode?: string;
  readonly generate?: string;
  readonly 'from-file'?: string;
  readonly answers?: string;
  readonly 'placeholder-asks'?: boolean;
  readonly example?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

async function run(values: Values, positionals: readonly string[], world: SealEnvironment): Promise<number> {
  checkUsage(values, positionals);
  const store = fileStore(world.secretsDirectory, chosenCluster(values.cluster, world.clusters));
  if (values.example) return makeExample(store, values.cluster ?? '');
  const needed = world.needed(values.cluster ?? '', store);
  if (values.list) return list(store, needed, values.json ?? false);

  const certificate = usableCertificate(store, values.cluster ?? '');
  if (values['placeholder-asks'] && !certificate.example) {
    throw new SecretsError([
      `--placeholder-asks is for examples, but ${store.place}/${CERTIFICATE_FILE} is a real certificate: a cluster would run with random text instead of your values. Give them with --answers, or in a terminal.`,
    ]);
  }
  const [target] = positionals;
  const single = target === undefined ? undefined : planOne(needed, store, target);
  const steps = single ? [single] : values.netcode === undefined ? planMissing(needed, store) : planNetcode(needed, store, values.netcode);
  if (steps.length === 0) {
    const generation =
      values.netcode === undefined ? '' : ' A new key is a new generation: raise netcodeKeyGeneration of the entry in apps/ first.';
    console.log(`${store.place}: nothing is missing, every value is sealed.${generation}`);
    return 0;
  }
  refuseSilentLoss(steps, values.yes ?? false);

  const give = single ? await singleSource(values, world) : await severalSource(values, world, needed);
  const sealed: { readonly step: Step; readonly how: string; readonly plaintext: Buffer }[] = [];
  const open: Step[] = [];
  for (const step of steps) {
    const given = await give(step);
    if (given) sealed.push({ step, ...given });
    else open.push(step);
  }
  writeSealed(store, certificate, needed, sealed);
  if (open.length === 0) {
    console.log(`Next: npm run synth, then commit ${store.place} and dist.`);
    return 0;
  }
  console.error(
    [
      `Still missing, because only a person has ${open.length === 1 ? 'it' : 'them'} and there is no terminal to ask in:`,
      ...open.map(({ value }) => `  ${value.identity}: ${'ask' in value.source ? value.source.ask : describeSource(value.source)}`),
      `Put them into a YAML file that only you can read (chmod 600), one line each, 'identity: value', and run the command again with --answers FILE.`,
      ...(certificate.example
        ? ['This is the example, which nobody can open: to try things out, --placeholder-asks seals placeholders instead.']
        : []),
    ].join('\n'),
  );
  return 1;
}

function checkUsage(values: Values, positionals: readonly string[]): void {
  if (positionals.length > 1 || positionals.some((positional) => positional.includes('='))) {
    throw new UsageError(
      'A value is never given on the command line, where other programs and the history of the shell see it: pipe it in, use --from-file, or type it when asked. See --help.',
    );
  }
  const modes = [
    values.list && '--list',
    values.missing && '--missing',
    values.netcode !== undefined && '--netcode',
    values.example && '--example',
    positionals.length > 0 && 'NAMESPACE/SECRET',
  ].filter((mode): mode is string => typeof mode === 'string');
  if (modes.length !== 1) {
    throw new UsageError(
      modes.length === 0
        ? 'Say what to do: --list, --missing, --netcode NAME, --example, or NAMESPACE/SECRET/KEY. See --help.'
        : `${modes.join(' and ')} cannot be combined; give one of them. See --help.`,
    );
  }
  const [mode = ''] = modes;
  const allowed: Record<string, readonly (keyof Values)[]> = {
    '--list': ['json'],
    '--missing': ['answers', 'placeholder-asks', 'yes'],
    '--netcode': ['yes'],
    '--example': [],
    'NAMESPACE/SECRET': ['generate', 'from-file', 'yes'],
  };
  const others: readonly (keyof Values)[] = ['generate', 'from-file', 'answers', 'placeholder-asks', 'yes', 'json'];
  const wrong = others.filter((option) => values[option] !== undefined && !allowed[mode]?.includes(option));
  if (wrong.length > 0) throw new UsageError(`${wrong.map((option) => `--${option}`).join(', ')} has no meaning with ${mode}. See --help.`);
  if (values.generate !== undefined && values['from-file'] !== undefined)
    throw new UsageError('--generate and --from-file cannot be combined; give one of them.');
  if (values.answers !== undefined && values['placeholder-asks'])
    throw new UsageError('--answers and --placeholder-asks cannot be combined; give one of them.');
  if (values.generate !== undefined && !/^\d+$/.test(values.generate)) throw new UsageError('--generate needs a number, such as 32.');
}

function chosenCluster(name: string | undefined, clusters: readonly string[]): string {
  const known = clusters.join(', ');
  if (name === undefined) throw new UsageError(`Say which cluster: --cluster NAME, one of ${known}.`);
  if (!clusters.includes(name))
    throw new UsageError(`There is no cluster '${name}'${didYouMean(name, clusters).replace('known fields', 'the clusters of apps/')}.`);
  return name;
}

async function makeExample(store: FileStore, clusterName: string): Promise<number> {
  // Making one takes seconds; whoever has one already need not wait for the refusal.
  if (store.certificate()) throw certificateExists(store.place);
  store.writeCertificate(await makeExampleCertificate(clusterName));
  console.log(
    [
      `Wrote ${store.place}/${CERTIFICATE_FILE}, an example's certificate: its private key is gone already, so no cluster will ever open what is sealed to it.`,
      `Next: npm run seal -- --cluster ${clusterName} --missing --placeholder-asks`,
    ].join('\n'),
  );
  return 0;
}

function usableCertificate(store: FileStore, clusterName: string): SealingCertificate {
  const certificate = store.certificate();
  const place = `${store.place}/${CERTIFICATE_FILE}`;
  if (!certificate) {
    throw new SecretsError([
      `${place} is missing: it is the certificate of your cluster's sealing key (docs/how-to/secrets.md makes one). To try things out without a cluster, make an example's: npm run seal -- --cluster ${clusterName} --example`,
    ]);
  }
  if (certificate.validTo.getTime() < Date.now()) {
    throw new SecretsError([
      `${place} has expired on ${certificate.validTo.toISOString().slice(0, 10)}; kubeseal refuses it too. Put a certificate there that is valid, of the same key or of a new one (docs/how-to/secrets.md).`,
    ]);
  }
  return certificate;
}

/** A sealed value cannot be read back, so whoever still uses the old one (a database's role, a service outside) has to be told the new one. */
function refuseSilentLoss(steps: readonly Step[], confirmed: boolean): void {
  const replacing = steps.filter((step) => step.replaces.length > 0);
  if (confirmed || replacing.length === 0) return;
  throw new SecretsError([
    `Nothing was sealed, because these values are sealed already and would be replaced by new ones in every place:`,
    ...replacing.map((step) => `  ${step.value.identity}: ${step.replaces.map(placeName).join(', ')}`),
    `What was sealed cannot be read back. If that is what you want, run the command again with --yes.`,
  ]);
}

/** A value and how it came to be, as the end of a sentence, or undefined when nobody can give it now. */
type Give = (step: Step) => Promise<{ readonly how: string; readonly plaintext: Buffer } | undefined>;

async function singleSource(values: Values, world: SealEnvironment): Promise<Give> {
  const file = values['from-file'];
  return async (step) => {
    const { value } = step;
    if (values.generate !== undefined) return { how: 'made new', plaintext: makeValue(value, Number(values.generate)) };
    if (file !== undefined) return { how: `taken from ${file}`, plaintext: acceptValue(value, readFile(file)) };
    if (world.interactive)
      return { how: 'taken from the terminal', plaintext: acceptValue(value, Buffer.from(await world.ask(question(step)))) };
    return { how: 'taken from standard input', plaintext: acceptValue(value, await world.readInput()) };
  };
}

async function severalSource(values: Values, world: SealEnvironment, needed: readonly SecretSpec[]): Promise<Give> {
  const answers = values.answers === undefined ? new Map<string, string>() : readAnswers(values.answers, needed);
  return async (step) => {
    const { value } = step;
    if ('literal' in value.source) return { how: 'fixed by its component', plaintext: makeValue(value) };
    if ('generate' in value.source) return { how: 'made new', plaintext: makeValue(value) };
    const answer = answers.get(value.identity);
    if (answer !== undefined) return { how: `taken from ${values.answers}`, plaintext: acceptValue(value, Buffer.from(answer)) };
    if (values['placeholder-asks']) return { how: 'a placeholder, random text', plaintext: makeValue(value) };
    if (world.interactive)
      return { how: 'taken from the terminal', plaintext: acceptValue(value, Buffer.from(await world.ask(question(step)))) };
    return undefined;
  };
}

function question({ value, seal: places }: Step): string {
  const others = value.places.length - places.length;
  const same = others === 0 ? '' : `, the same as is sealed for ${others} other place${others === 1 ? '' : 's'}`;
  return `${value.identity}${'ask' in value.source ? ` (${value.source.ask})` : ''}${same}: `;
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SecretsError([`The file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`]);
  }
}

/** Answers by identity, all checked before anything is sealed. Messages name identities, never values. */
function readAnswers(file: string, needed: readonly SecretSpec[]): Map<string, string> {
  const text = readFile(file).toString('utf8');
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new SecretsError([
      `${file} can be read by others (mode ${mode.toString(8).padStart(4, '0')}); make it yours alone first: chmod 600 ${file}`,
    ]);
  }
  const document = parseDocument(text);
  if (document.errors.length > 0)
    throw new SecretsError(document.errors.map((error) => `${file} is not YAML: ${error.code} in line ${error.linePos?.[0].line ?? 1}.`));
  const parsed: unknown = document.toJS();
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw new SecretsError([`${file} must be a YAML map from identity to value, one 'identity: value' a line.`]);
  }
  const values = neededValues(needed);
  const asked = values.filter((value) => 'ask' in value.source).map((value) => value.identity);
  const problems: string[] = [];
  const answers = new Map<string, string>();
  for (const [identity, answer] of Object.entries(parsed)) {
    const value = values.find((each) => each.identity === identity);
    if (!value)
      problems.push(
        `${file}: the cluster needs no value '${identity}'${didYouMean(identity, asked).replace('known fields', 'those asked for')}.`,
      );
    else if (!('ask' in value.source)) {
      problems.push(
        `${file}: '${identity}' is ${describeSource(value.source)}, not asked for; to give it yourself, seal it alone with --from-file.`,
      );
    } else if (typeof answer !== 'string' || answer === '')
      problems.push(`${file}: the value of '${identity}' must be text that is not empty; put numbers and the like in quotes.`);
    else answers.set(identity, answer);
  }
  if (problems.length > 0) throw new SecretsError(problems);
  return answers;
}

function writeSealed(
  store: FileStore,
  certificate: SealingCertificate,
  needed: readonly SecretSpec[],
  sealed: readonly { readonly step: Step; readonly how: string; readonly plaintext: Buffer }[],
): void {
  if (sealed.length === 0) return;
  const types = new Map(needed.map((spec) => [`${spec.namespace}/${spec.name}`, spec.type]));
  const written = store.write(
    sealed.flatMap(({ step, plaintext }) =>
      step.seal.map((place) => ({
        ...place,
        type: types.get(`${place.namespace}/${place.name}`),
        ciphertext: seal(certificate, strictLabel(place.namespace, place.name), plaintext),
      })),
    ),
  );
  for (const { step, how } of sealed) {
    console.log(`${step.value.identity}: ${how}`);
    for (const place of step.seal)
      console.log(`  sealed for ${placeName(place)}${step.replaces.includes(place) ? ', replacing what was there' : ''}`);
  }
  console.log(
    `${written.length} file${written.length === 1 ? '' : 's'} in ${store.place} written, sealed to ${certificate.example ? "the example's certificate" : CERTIFICATE_FILE}.`,
  );
}

function list(store: FileStore, needed: readonly SecretSpec[], json: boolean): number {
  const certificate = store.certificate();
  const missing = new Set(missingPlaces(needed, store).map(placeName));
  const secrets = [...needed]
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))
    .map(({ namespace, name, purpose, keys }) => ({
      namespace,
      name,
      purpose,
      keys: Object.keys(keys)
        .sort()
        .map((key) => ({ key, sealed: !missing.has(placeName({ namespace, name, key })), ...sourceOf(keys, key) })),
    }));
  const warnings = store.warnings(needed);
  if (json) {
    const about = certificate && {
      example: certificate.example,
      keyFingerprint: certificate.keyFingerprint,
      validTo: certificate.validTo.toISOString(),
    };
    console.log(JSON.stringify({ place: store.place, certificate: about ?? null, missing: missing.size, secrets, warnings }, null, 2));
    return 0;
  }
  for (const { namespace, name, purpose, keys } of secrets) {
    console.log(`${namespace}/${name}: ${purpose}`);
    for (const { key, sealed, identity, source } of keys) console.log(`  ${sealed ? 'sealed ' : 'MISSING'} ${key}  ${identity}, ${source}`);
  }
  for (const warning of warnings) console.log(`warning: ${warning}`);
  console.log(
    missing.size === 0 ? `${store.place}: nothing is missing.` : `${store.place}: ${missing.size} missing; seal them with --missing.`,
  );
  return 0;
}

function sourceOf(keys: SecretSpec['keys'], key: string): { identity: string; source: string } {
  const { value, source } = keys[key] as SecretSpec['keys'][string];
  return { identity: value, source: describeSource(source) };
}

/** The project's own clusters. Loaded here, because `--help` and tests with their own environment need none of it. */
async function projectEnvironment(): Promise<SealEnvironment> {
  const { clusters } = await import('../apps');
  const { resolveCluster } = await import('../lib/model/cluster');
  const { buildCluster } = await import('../lib/build');
  return {
    secretsDirectory: 'secrets',
    clusters: clusters.map((cluster) => cluster.name),
    needed: (name, store) => {
      const description = clusters.find((cluster) => cluster.name === name);
      return description ? buildCluster(resolveCluster(description), { store }).secrets : [];
    },
    interactive: process.stdin.isTTY === true,
    readInput: async () => {
      const parts: Buffer[] = [];
      for await (const part of process.stdin) parts.push(part as Buffer);
      return Buffer.concat(parts);
    },
    ask: askHidden,
  };
}

/** Reads a line from the terminal in raw mode, which echoes nothing. Ctrl-C ends the program as everywhere. */
function askHidden(text: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(text);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((resolve, reject) => {
    let line = '';
    const end = () => {
      stdin.off('data', read);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
    };
    const read = (input: string) => {
      for (const character of input) {
        if (character === '\r' || character === '\n') {
          end();
          resolve(line);
          return;
        }
        if (character === '\u0003' || character === '\u0004') {
          end();
          reject(new SecretsError(['Interrupted; nothing was sealed.']));
          return;
        }
        line = character === '\u007f' || character === '\b' ? line.slice(0, -1) : line + character;
      }
    };
    stdin.on('data', read);
  });
}
