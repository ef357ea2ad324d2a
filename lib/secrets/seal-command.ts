/**
 * What `npm run seal` does, mode by mode: each is one function from options to an exit code and lines for people.
 * It deliberately parses no command line (commands/seal.ts does), and holds no cryptography.
 */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { replaceFiles } from '../replace-files';
import { readAnswers } from './answers';
import { readFile, readYaml, refuseReadableByOthers } from './answers-file';
import { DRILL_FILE, lastRecoveryDrill, serializeDrill } from './drill';
import type { SealEnvironment } from './environment';
import { fill, refuseSilentLoss } from './fill';
import { CERTIFICATE_FILE, KEYS_FOLDER, privateKeyFile } from './keys';
import { listLines, listSecrets } from './list';
import { giveOwnKey, renewCertificate, reseal } from './own-key';
import { neededValues, newestGeneration, planMissing, planNetcode, planOne, planRotation, type Step } from './plan';
import { readPrivateKeys } from './private-keys';
import { verify } from './recovery';
import { keysAtHand, sealedElsewhere } from './sealed-elsewhere';
import { makeExampleCertificate, type SealingCertificate, SecretsError } from './sealing';
import { sealedSince } from './since';
import { type Give, severalSource, singleSource } from './sources';
import type { SecretSpec } from './spec';
import { certificateExists, type FileStore, fileStore } from './store';
import { describeSource } from './values';

/** How a mode ended. */
export interface SealResult {
  readonly code: 0 | 1;
  /** For standard output. */
  readonly lines: readonly string[];
  /** For standard error: what is still missing. */
  readonly complaints: readonly string[];
}

/** A cluster to seal for. */
export interface SealTarget {
  readonly cluster: string;
  readonly environment: SealEnvironment;
}

/** Where the value of one step comes from. */
export interface SourceOptions {
  readonly generate?: number | undefined;
  readonly fromFile?: string | undefined;
  /** Whether sealed values may be replaced. */
  readonly confirmed: boolean;
}

const done = (...lines: readonly string[]): SealResult => ({ code: 0, lines, complaints: [] });

/** `--list` */
export async function list(target: SealTarget, json: boolean): Promise<SealResult> {
  const { cluster, environment } = target;
  const store = storeOf(target);
  const needed = environment.needed(cluster, store);
  const listed = listSecrets({
    store,
    needed,
    users: environment.users(cluster, store),
    since: await sealedSince(path.join(environment.root, 'secrets', cluster), store.files()),
    drill: lastRecoveryDrill(environment.root, cluster),
  });
  return done(...(json ? [JSON.stringify(listed, null, 2)] : listLines(listed)));
}

/** `--example` */
export async function makeExample(target: SealTarget): Promise<SealResult> {
  const { cluster } = target;
  const store = storeOf(target);
  // Making one takes seconds; whoever has one already need not wait for the refusal.
  if (store.certificate()) throw certificateExists(store.place);
  store.writeCertificate(await makeExampleCertificate(cluster));
  return done(
    `Wrote ${store.place}/${CERTIFICATE_FILE}, an example's certificate: its private key is gone already, so no cluster will ever open what is sealed to it.`,
    `Next: npm run seal -- --cluster ${cluster} --missing --placeholder-asks`,
  );
}

/** `--new-key` @param giveUp `--yes`: values of a key that is lost may go */
export async function newKey(target: SealTarget, giveUp: boolean): Promise<SealResult> {
  const { cluster, environment } = target;
  const store = storeOf(target);
  const { file, found } = await giveOwnKey({ root: environment.root, cluster, store, bits: environment.keyBits, giveUp });
  return done(
    found
      ? `${file} was there already and was kept; ${store.place}/${CERTIFICATE_FILE} is a new certificate of it.`
      : `Made ${file}, which only you can read and Git ignores, and its certificate ${store.place}/${CERTIFICATE_FILE}.`,
    `Copy ${file} to a place that outlives this machine and the cluster: with it and Git every secret comes back, without it none does.`,
    `Next: npm run seal -- --cluster ${cluster} --missing`,
  );
}

/** `--missing` */
export async function sealMissing(
  target: SealTarget,
  options: {
    readonly answers?: string | undefined;
    readonly placeholders: boolean;
    readonly keyFiles: readonly string[];
    readonly confirmed: boolean;
  },
): Promise<SealResult> {
  const { store, needed, certificate } = prepare(target);
  if (options.placeholders && !certificate.example) {
    throw new SecretsError([
      `--placeholder-asks is for examples, but ${store.place}/${CERTIFICATE_FILE} is a real certificate: a cluster would run with random text instead of your values. Give them with --answers, or in a terminal.`,
    ]);
  }
  const { known, otherwise } = openElsewhere(target, { store, needed, certificate }, options.keyFiles);
  const steps = planMissing(needed, store, { known });
  if (steps.length === 0) return done(`${store.place}: nothing is missing, every value is sealed.`);
  if (!options.confirmed) refuseSilentLoss(steps, otherwise);
  const answers = options.answers === undefined ? new Map<string, Buffer>() : answersOf(options.answers, needed, target.environment);
  const give = severalSource(
    { answers, answersPlace: options.answers ?? '', known, placeholders: options.placeholders },
    target.environment,
  );
  return filled(store, certificate, needed, steps, give, { otherwise });
}

/** `--netcode NAME [--next-generation]` */
export async function sealNetcode(
  target: SealTarget,
  name: string,
  options: { readonly nextGeneration: boolean; readonly keyFiles: readonly string[]; readonly confirmed: boolean },
): Promise<SealResult> {
  const { cluster } = target;
  const { store, needed, certificate } = prepare(target, options.nextGeneration ? name : undefined);
  const { known, otherwise } = openElsewhere(target, { store, needed, certificate }, options.keyFiles);
  const steps = planNetcode(needed, store, name, known);
  const generation = newestGeneration(
    neededValues(needed)
      .map(({ identity }) => identity)
      .filter((identity) => identity.split('/')[2] === name.split('/').at(-1)),
  );
  const next = options.nextGeneration
    ? [
        `Generation ${generation} of '${name}' is sealed beside the one in use. Next: set netcodeKeyGeneration: ${generation} of '${name}' in apps/${cluster}.ts, then npm run synth and commit ${store.place}, apps and dist together.`,
      ]
    : undefined;
  if (steps.length === 0) {
    return done(
      ...(next ?? [`${store.place}: the key of '${name}' is sealed. A new key is a next generation beside it: add --next-generation.`]),
    );
  }
  if (!options.confirmed) refuseSilentLoss(steps, otherwise);
  return filled(store, certificate, needed, steps, severalSource({ ...NO_ANSWERS, known }, target.environment), {
    next,
    otherwise,
  });
}

/** `NAMESPACE/SECRET/KEY` */
export async function sealOne(target: SealTarget, place: string, options: SourceOptions): Promise<SealResult> {
  const { store, needed, certificate } = prepare(target);
  const step = planOne(needed, store, place);
  if (!options.confirmed) refuseSilentLoss([step]);
  return filled(store, certificate, needed, [step], singleSource(options, target.environment));
}

/** `--rotate NAME` */
export async function rotate(target: SealTarget, name: string, options: SourceOptions): Promise<SealResult> {
  const { store, needed, certificate } = prepare(target);
  const step = planRotation(needed, store, name);
  if (!options.confirmed) refuseSilentLoss([step]);
  return filled(store, certificate, needed, [step], singleSource({ ...options, makeIfPossible: true }, target.environment));
}

/** `--verify`: records the day. Only a copy that is kept elsewhere proves what a drill is for, so the key in use never takes the place of such a record. */
export function verifyEverything(target: SealTarget, keyFiles: readonly string[]): SealResult {
  const { cluster, environment } = target;
  const store = storeOf(target);
  const { values, files, fingerprint } = verify(store, environment.needed(cluster, store), keyFiles.flatMap(readPrivateKeys));
  const inUse = keyFiles.filter((file) => isKeptHere(environment.root, file));
  const key = inUse.length === 0 ? 'copy' : 'in-use';
  const place = `${store.place}/${DRILL_FILE}`;
  const last = lastRecoveryDrill(environment.root, cluster);
  const isBetter = key === 'in-use' && last?.key === 'copy' && last.fingerprint === fingerprint;
  const record = path.join(environment.root, 'secrets', cluster, DRILL_FILE);
  const text = serializeDrill({ date: environment.today(), fingerprint, key });
  if (!isBetter && (last === undefined || readFileSync(record, 'utf8') !== text)) replaceFiles([[record, text]]);
  return done(
    `${values} values in ${files} files opened with ${keyFiles.join(' and ')}; none is missing, and copies of one value are equal.`,
    isBetter
      ? `${place} keeps the drill of ${last.date}, which was made with a copy.`
      : `Recorded in ${place}. Next: npm run synth, then commit ${store.place} and dist: an alert asks for the next drill.`,
    ...(key === 'in-use'
      ? [
          `The alert does not count this one: ${inUse.join(' and ')} is lost with this machine, and says nothing of the copy that you keep elsewhere. A drill that counts is made with that copy: npm run seal -- --cluster ${cluster} --verify --key PATH_OF_THE_COPY`,
        ]
      : []),
  );
}

/** Whether a file is one of the folder of working keys, under whatever name: by a link, say. */
function isKeptHere(root: string, file: string): boolean {
  const folder = path.join(root, KEYS_FOLDER);
  if (!existsSync(folder)) return false;
  if (realpathSync(file).startsWith(`${realpathSync(folder)}${path.sep}`)) return true;
  const { dev, ino } = statSync(file);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((name) => {
    const one = statSync(path.join(folder, name), { throwIfNoEntry: false });
    return one?.dev === dev && one.ino === ino;
  });
}

/** `--reseal` */
export async function resealEverything(
  target: SealTarget,
  options: { readonly keyFiles: readonly string[]; readonly certificate?: string | undefined },
): Promise<SealResult> {
  const { cluster, environment } = target;
  const { root, keyBits } = environment;
  const store = storeOf(target);
  const before = store.certificate();
  if (before?.example) {
    throw new SecretsError([
      `${store.place}/${CERTIFICATE_FILE} is an example's certificate, and nobody can open what is sealed to it. Make a key and values of your own: npm run seal -- --cluster ${cluster} --new-key`,
    ]);
  }
  const keyFiles = options.keyFiles.length > 0 ? options.keyFiles : [privateKeyFile(root, cluster)];
  const { values, file, oldFile } = await reseal({
    root,
    cluster,
    store,
    bits: keyBits,
    keys: keyFiles.flatMap(readPrivateKeys),
    ...(options.certificate === undefined ? {} : { certificate: readFile(options.certificate).toString('utf8') }),
  });
  return done(
    `${values} values are sealed to ${options.certificate ?? 'a new key'} now; ${store.place}/${CERTIFICATE_FILE} is its certificate.`,
    ...(file === undefined ? [] : [`The new private key is ${file}. Copy it to a place that outlives this machine and the cluster.`]),
    ...(oldFile === undefined ? [] : [`The old one is ${oldFile}. Keep it as long as you keep commits or backups that are sealed to it.`]),
    `The controller needs the new key before it sees these values (docs/how-to/secrets.md). Next: npm run seal -- --cluster ${cluster} --verify --key COPY_OF_THE_NEW_KEY`,
  );
}

/** `--renew-certificate` */
export async function renew(target: SealTarget, keyFiles: readonly string[]): Promise<SealResult> {
  const { cluster, environment } = target;
  const { root } = environment;
  const store = storeOf(target);
  const files = keyFiles.length > 0 ? keyFiles : [privateKeyFile(root, cluster)];
  await renewCertificate({ root, cluster, store, keys: files.flatMap(readPrivateKeys) });
  const until = store.certificate()?.validTo.toISOString().slice(0, 10);
  return done(
    `${store.place}/${CERTIFICATE_FILE} is a new certificate of the same key, until ${until}; every value stays as it is.`,
    `Next: npm run synth, then commit ${store.place}.`,
  );
}

// What the modes share

const NO_ANSWERS = { answers: new Map<string, Buffer>(), answersPlace: '', placeholders: false };

function storeOf({ cluster, environment }: SealTarget): FileStore {
  return fileStore(path.join(environment.root, 'secrets'), cluster);
}

function prepare(target: SealTarget, raised?: string) {
  const store = storeOf(target);
  const needed = target.environment.needed(target.cluster, store, raised);
  return { store, needed, certificate: usableCertificate(store, target.cluster) };
}

/** What is missing in some places and opens in others, and what to say where it does not. */
function openElsewhere(
  { cluster, environment: { root } }: SealTarget,
  { store, needed, certificate }: ReturnType<typeof prepare>,
  keyFiles: readonly string[],
): { readonly known: ReadonlyMap<string, Buffer>; readonly otherwise?: string } {
  if (certificate.example) return { known: new Map() };
  const keys = keysAtHand({ root, cluster, certificate, keyFiles });
  return {
    known: sealedElsewhere(needed, store, keys),
    otherwise:
      keys.length === 0
        ? `What was sealed cannot be read back without the private key. With a copy of it, --key COPY, the missing places get the values that are sealed for the others.`
        : `What is sealed for the other places does not open with the private key, or is not the same everywhere; what is wrong says: npm run seal -- --cluster ${cluster} --verify --key ${keyFiles[0] ?? path.join(KEYS_FOLDER, `${cluster}.key`)}`,
  };
}

/**
 * The certificate to seal to.
 * @throws SecretsError when there is none, or when it has expired
 */
function usableCertificate(store: FileStore, cluster: string): SealingCertificate {
  const certificate = store.certificate();
  const place = `${store.place}/${CERTIFICATE_FILE}`;
  if (!certificate) {
    throw new SecretsError([
      `${place} is missing: it is the certificate of your cluster's sealing key, which npm run seal -- --cluster ${cluster} --new-key makes. To try things out without a cluster, make an example's: --example`,
    ]);
  }
  if (certificate.validTo.getTime() < Date.now()) {
    throw new SecretsError([
      `${place} has expired on ${certificate.validTo.toISOString().slice(0, 10)}; kubeseal refuses it too. Make a new one of the same key: npm run seal -- --cluster ${cluster} --renew-certificate`,
    ]);
  }
  return certificate;
}

function answersOf(file: string, needed: readonly SecretSpec[], environment: SealEnvironment): ReadonlyMap<string, Buffer> {
  const answers = readYaml(file);
  refuseReadableByOthers(file);
  return readAnswers(answers, { place: file, needed, variable: environment.variable, plain: true });
}

async function filled(
  store: FileStore,
  certificate: SealingCertificate,
  needed: readonly SecretSpec[],
  steps: readonly Step[],
  give: Give,
  { next, otherwise }: { readonly next?: readonly string[] | undefined; readonly otherwise?: string | undefined } = {},
): Promise<SealResult> {
  const { lines, open } = await fill(store, certificate, needed, steps, give);
  if (open.length === 0) return done(...lines, ...(next ?? [`Next: npm run synth, then commit ${store.place} and dist.`]));
  const isElsewhere = open.some(({ value, seal }) => value.places.length > seal.length);
  return { code: 1, lines, complaints: [...openLines(open, certificate.example), ...(isElsewhere && otherwise ? [otherwise] : [])] };
}

/** What only a person has and nobody has given. */
function openLines(open: readonly Step[], example: boolean): string[] {
  return [
    `Still missing, because only a person has ${open.length === 1 ? 'it' : 'them'}:`,
    ...open.map(({ value }) => `  ${value.identity}: ${'ask' in value.source ? value.source.ask : describeSource(value.source)}`),
    `Run the command again in a terminal, which asks. Or put them into a YAML file that only you can read (chmod 600) and Git ignores, such as ${KEYS_FOLDER}/answers.yaml, one line each, 'identity: value', and give it with --answers FILE.`,
    ...(example ? ['This is the example, which nobody can open: to try things out, --placeholder-asks seals placeholders instead.'] : []),
  ];
}
