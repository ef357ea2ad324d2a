/**
 * The sealed values of a cluster as files, secrets/<cluster>/<namespace>/<name>.yaml, and its certificate beside them: reads, judges and writes them.
 * It deliberately never sees a plaintext, and it judges only form: whether a value opens is known to the private key alone.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { toYaml } from '../emit/yaml';
import { DRILL_FILE, parseDrill } from './drill';
import { CERTIFICATE_FILE } from './keys';
import { ciphertextProblem, readCertificate, type SealingCertificate, SecretsError } from './sealing';
import type { SecretSpec, SecretStore } from './spec';

/** Annotation of a file: fingerprint of the key that its values are sealed to (`SealingCertificate.keyFingerprint`). Files that kubeseal wrote lack it. */
export const SEALED_TO_ANNOTATION = 'mmo/sealed-to';

/** One file: the sealed values of one Secret. */
export interface SealedFile {
  readonly namespace: string;
  readonly name: string;
  readonly type?: SecretSpec['type'];
  readonly encryptedData: Readonly<Record<string, string>>;
  /** @default unknown */
  readonly sealedTo?: string;
}

/** A value to store, sealed to the store's certificate. */
export interface SealedValue {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  /** `SecretSpec.type` */
  readonly type: SecretSpec['type'];
  readonly ciphertext: string;
}

/** Mistakes in a cluster's files of secrets: everything wrong with all of them. */
export class SecretFileError extends SecretsError {
  constructor(place: string, problems: readonly string[]) {
    super(problems);
    this.name = 'SecretFileError';
    this.message = `${place} has ${problems.length} mistake${problems.length === 1 ? '' : 's'}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`;
  }
}

/** A store whose files can be listed and written. */
export interface FileStore extends SecretStore {
  /** Folder of the cluster, as messages name it: `secrets/homelab`. */
  readonly place: string;
  /** All files, by namespace and name. */
  files(): readonly SealedFile[];
  /** Undefined when there is none yet. */
  certificate(): SealingCertificate | undefined;
  /**
   * Merges values into their files: all texts are written beside their places first, then each takes its place at once, so that no file is ever half written.
   * @returns the files, as messages name them
   * @throws SecretsError, before anything is written, when a file would mix values of two sealing keys
   */
  write(values: readonly SealedValue[]): string[];
  /** Writes the certificate; throws SecretsError when there is one, because values that were sealed to it would be lost. */
  writeCertificate(pem: string): void;
}

interface Content {
  readonly files: ReadonlyMap<string, SealedFile>;
  readonly certificate: SealingCertificate | undefined;
}

/**
 * The store of one cluster. Files are read at the first question, all at once.
 * @param directory the folder of all clusters' secrets; messages name it by its last part
 * @throws SecretFileError (from each method that reads) with every mistake in every file
 */
export function fileStore(directory: string, clusterName: string): FileStore {
  const folder = path.join(directory, clusterName);
  const place = `${path.basename(directory)}/${clusterName}`;
  let content: Content | undefined;
  const read = (): Content => {
    content ??= readFolder(folder, place);
    return content;
  };
  return {
    place,
    files: () => [...read().files.values()],
    certificate: () => read().certificate,
    encryptedData: (namespace, name) => read().files.get(`${namespace}/${name}`)?.encryptedData,
    warnings: (needed) => warningsOf(read(), place, needed),
    write: (values) => {
      const files = merge(read(), values, place);
      writeAll(files.map((file) => [path.join(folder, file.namespace, `${file.name}.yaml`), serialize(file)]));
      content = undefined;
      return files.map((file) => `${place}/${file.namespace}/${file.name}.yaml`);
    },
    writeCertificate: (pem) => {
      const file = path.join(folder, CERTIFICATE_FILE);
      if (existsSync(file)) throw certificateExists(place);
      writeAll([[file, pem]]);
      content = undefined;
    },
  };
}

/**
 * A store in memory, for tests and measurements: its values have the form of sealed ones, depend on their names alone, and open with no key.
 * @param sealed the Secrets that have values; `everything` answers each key that is asked for by name (and lists none)
 */
export function memoryStore(sealed: 'everything' | readonly SecretSpec[]): SecretStore {
  const keysOf =
    sealed === 'everything' ? undefined : new Map(sealed.map((spec) => [`${spec.namespace}/${spec.name}`, Object.keys(spec.keys)]));
  return {
    encryptedData: (namespace, name) => {
      const keys = keysOf?.get(`${namespace}/${name}`);
      if (keys) return Object.fromEntries(keys.map((key) => [key, fakeCiphertext(namespace, name, key)]));
      return keysOf === undefined ? answerEveryKey(namespace, name) : undefined;
    },
    warnings: () => [],
  };
}

function answerEveryKey(namespace: string, name: string): Record<string, string> {
  return new Proxy<Record<string, string>>(
    {},
    {
      get: (_, key) => (typeof key === 'string' ? fakeCiphertext(namespace, name, key) : undefined),
    },
  );
}

/** The name again and again, as long as a sealed value: a measurement is of the synth, and a hash of this length would be a tenth of the build. */
function fakeCiphertext(namespace: string, name: string, key: string): string {
  const bytes = Buffer.alloc(2 + 512 + 32 + 16, JSON.stringify([namespace, name, key]));
  bytes.writeUInt16BE(512);
  return bytes.toString('base64');
}

/** Refuses to replace a certificate. */
export function certificateExists(place: string): SecretsError {
  return new SecretsError([
    `${place}/${CERTIFICATE_FILE} exists: values may be sealed to it. To replace it, remove it together with all values in ${place}, and seal them again.`,
  ]);
}

/** The file's text: a SealedSecret that kubectl and kubeseal take as it is. */
export function serialize(file: SealedFile): string {
  const { name, namespace, type, encryptedData, sealedTo } = file;
  return toYaml({
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    metadata: { name, namespace, annotations: sealedTo === undefined ? undefined : { [SEALED_TO_ANNOTATION]: sealedTo } },
    spec: { encryptedData, template: { metadata: { name, namespace }, type: type === 'Opaque' ? undefined : type } },
  });
}

/** The files that change, with the values in them, by namespace and name. */
function merge({ files, certificate }: Content, values: readonly SealedValue[], place: string): SealedFile[] {
  const changed = new Map<string, { before: SealedFile | undefined; type: SecretSpec['type']; added: Record<string, string> }>();
  for (const { namespace, name, key, type, ciphertext } of values) {
    const id = `${namespace}/${name}`;
    const change = changed.get(id) ?? { before: files.get(id), type, added: {} };
    change.added[key] = ciphertext;
    changed.set(id, change);
  }
  const problems: string[] = [];
  const merged = [...changed]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { before, type, added }]): SealedFile => {
      const [namespace = '', name = ''] = id.split('/');
      const kept = Object.keys(before?.encryptedData ?? {}).filter((key) => !(key in added));
      const sealedTo = kept.length === 0 ? certificate?.keyFingerprint : before?.sealedTo;
      if (sealedTo !== undefined && sealedTo !== certificate?.keyFingerprint) {
        problems.push(
          `${place}/${id}.yaml is sealed to another key than that of ${place}/${CERTIFICATE_FILE}, and ${kept.map((key) => `'${key}'`).join(', ')} would stay so: one file has values of one key. Remove the file and run 'npm run seal' with --missing, or bring the other certificate back.`,
        );
      }
      return { namespace, name, type, encryptedData: { ...before?.encryptedData, ...added }, sealedTo };
    });
  if (problems.length > 0) throw new SecretsError(problems);
  return merged;
}

function writeAll(files: readonly (readonly [file: string, text: string])[]): void {
  const temporary: string[] = [];
  try {
    for (const [file, text] of files) {
      mkdirSync(path.dirname(file), { recursive: true });
      const beside = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
      temporary.push(beside);
      writeFileSync(beside, text, { flush: true });
    }
    files.forEach(([file], index) => {
      renameSync(temporary[index] as string, file);
    });
  } finally {
    for (const file of temporary) rmSync(file, { force: true });
  }
}

// Reading

function readFolder(folder: string, place: string): Content {
  const problems: string[] = [];
  const files = new Map<string, SealedFile>();
  const certificate = readOwnCertificate(path.join(folder, CERTIFICATE_FILE), `${place}/${CERTIFICATE_FILE}`, problems);
  for (const entry of entriesOf(folder)) {
    if (!entry.isDirectory()) {
      if (entry.name === DRILL_FILE) checkDrill(path.join(folder, entry.name), `${place}/${entry.name}`, problems);
      else if (entry.name !== CERTIFICATE_FILE) problems.push(unexpected(path.join(folder, entry.name), `${place}/${entry.name}`));
      continue;
    }
    const namespace = entry.name;
    for (const inner of entriesOf(path.join(folder, namespace))) {
      const file = path.join(folder, namespace, inner.name);
      const filePlace = `${place}/${namespace}/${inner.name}`;
      if (inner.isDirectory() || !inner.name.endsWith('.yaml')) {
        problems.push(
          inner.isDirectory() ? `${filePlace} is a folder; files are ${place}/<namespace>/<name>.yaml.` : unexpected(file, filePlace),
        );
        continue;
      }
      const name = inner.name.slice(0, -'.yaml'.length);
      const sealed = readSealedFile(readFileSync(file, 'utf8'), filePlace, { namespace, name }, certificate, problems);
      if (sealed) files.set(`${namespace}/${name}`, sealed);
    }
  }
  if (files.size > 0 && !existsSync(path.join(folder, CERTIFICATE_FILE))) {
    problems.push(`${place}/${CERTIFICATE_FILE} is missing: the certificate that the values in ${place} are sealed to belongs there.`);
  }
  if (problems.length > 0) throw new SecretFileError(place, problems);
  return { files, certificate };
}

/** Entries in an order that does not depend on the file system; hidden files (editors', unfinished writes) are not looked at. */
function entriesOf(folder: string) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function readOwnCertificate(file: string, place: string, problems: string[]): SealingCertificate | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  if (PRIVATE_KEY.test(text)) {
    problems.push(privateKeySentence(place));
    return undefined;
  }
  try {
    return readCertificate(text, place);
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

function checkDrill(file: string, place: string, problems: string[]): void {
  try {
    parseDrill(readFileSync(file, 'utf8'), place);
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    problems.push(...error.problems);
  }
}

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

function privateKeySentence(place: string): string {
  return `${place} holds a private key: with it everyone can open every sealed value. Move it out of the repository; if it was ever committed, make a new key and new values.`;
}

function unexpected(file: string, place: string): string {
  return PRIVATE_KEY.test(readFileSync(file, 'latin1'))
    ? privateKeySentence(place)
    : `${place} has no place here: a cluster's folder holds ${CERTIFICATE_FILE} and <namespace>/<name>.yaml. Remove or rename it.`;
}

type Fields = Readonly<Record<string, unknown>>;

interface Expected {
  readonly namespace: string;
  readonly name: string;
}

/** A file whose values were not looked at yet. */
interface Parsed extends Omit<SealedFile, 'encryptedData'> {
  readonly encryptedData: Fields;
}

function readSealedFile(
  text: string,
  place: string,
  expected: Expected,
  certificate: SealingCertificate | undefined,
  problems: string[],
): SealedFile | undefined {
  const before = problems.length;
  const say = (sentence: string) => problems.push(`${place} ${sentence}`);
  const parsed = parseOwn(text, expected) ?? parseAny(text, expected, say);
  if (!parsed) return undefined;
  const modulusBytes = certificate && parsed.sealedTo === certificate.keyFingerprint ? certificate.modulusBytes : undefined;
  for (const [key, value] of Object.entries(parsed.encryptedData)) {
    if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key))
      say(`has a key that no Secret can have (${JSON.stringify(key)}); letters, digits, '-', '_' and '.' are allowed.`);
    const problem = typeof value === 'string' ? ciphertextProblem(value, modulusBytes) : 'is no text';
    if (problem) say(`: the value of '${key}' ${problem}. Seal it again with 'npm run seal'.`);
  }
  return problems.length > before ? undefined : { ...parsed, encryptedData: parsed.encryptedData as Record<string, string> };
}

/**
 * Reads a text that is, to the byte, what `serialize` writes. A YAML parser takes a millisecond for it, which is most of a synth's time when there are
 * thousands; writing the result again and comparing is what makes the shortcut safe.
 */
function parseOwn(text: string, expected: Expected): Parsed | undefined {
  const encryptedData: Record<string, string> = {};
  for (const [, key = '', value = ''] of text.matchAll(/^ {4}"?([-._a-zA-Z0-9]+)"?: "?([A-Za-z0-9+/]{40,}={0,2})"?$/gm))
    encryptedData[key] = value;
  const sealedTo = /^ {4}mmo\/sealed-to: (sha256:[0-9a-f]+)$/m.exec(text)?.[1];
  const type = /^ {4}type: kubernetes\.io\/basic-auth$/m.test(text) ? ({ type: 'kubernetes.io/basic-auth' } as const) : {};
  if (Object.keys(encryptedData).length === 0) return undefined;
  const file = { ...expected, ...type, encryptedData, ...(sealedTo && { sealedTo }) };
  return serialize(file) === text ? file : undefined;
}

/** Reads what kubeseal or a person wrote. */
function parseAny(text: string, expected: Expected, say: (sentence: string) => void): Parsed | undefined {
  // Loaded here, because most synths read files of our own form only.
  const { parseAllDocuments } = require('yaml') as typeof import('yaml');
  let mistaken = false;
  const mistake = (sentence: string): undefined => {
    mistaken = true;
    say(sentence);
  };
  const documents = parseAllDocuments(text);
  const [document] = documents;
  if (!document || documents.length !== 1) {
    return mistake(`holds ${documents.length} YAML documents; it must hold one, the SealedSecret ${expected.namespace}/${expected.name}.`);
  }
  // Only place and kind of the mistake: the library's message quotes the text, which in a mistaken file may be a plaintext.
  for (const error of document.errors) mistake(`is not YAML: ${error.code} in line ${error.linePos?.[0].line ?? 1}.`);
  if (mistaken) return undefined;
  const object = asMap(document.toJS());
  if (object.kind === 'Secret') {
    return mistake(
      `is a plain Secret, readable for everyone with the repository: remove it, make new values if it was ever committed, and seal them with 'npm run seal'.`,
    );
  }
  if (object.apiVersion !== 'bitnami.com/v1alpha1' || object.kind !== 'SealedSecret') {
    return mistake(`must have apiVersion 'bitnami.com/v1alpha1' and kind 'SealedSecret'.`);
  }
  const metadata = asMap(object.metadata);
  const spec = asMap(object.spec);
  const template = asMap(spec.template);
  checkScope(metadata, 'metadata', expected, true, mistake);
  checkScope(asMap(template.metadata), 'spec.template.metadata', expected, false, mistake);
  if (spec.data !== undefined) mistake(`has spec.data, the format of 2018; seal each key into spec.encryptedData with 'npm run seal'.`);
  if (template.data !== undefined) {
    mistake(`has spec.template.data, which is not encrypted and which the synth does not take; seal its keys into spec.encryptedData.`);
  }
  const sealedTo = asMap(metadata.annotations)[SEALED_TO_ANNOTATION];
  const encryptedData = asMap(spec.encryptedData);
  if (Object.keys(encryptedData).length === 0 && spec.data === undefined)
    mistake('has no spec.encryptedData; remove the file, or seal values into it.');
  if (mistaken) return undefined;
  return {
    ...expected,
    ...(template.type === 'kubernetes.io/basic-auth' ? { type: template.type } : {}),
    encryptedData,
    ...(typeof sealedTo === 'string' ? { sealedTo } : {}),
  };
}

/** The scope is part of the encryption: a file under another name or namespace, or of another scope, would never open. */
function checkScope(metadata: Fields, field: string, expected: Expected, required: boolean, say: (sentence: string) => void): void {
  for (const part of ['name', 'namespace'] as const) {
    const value = metadata[part];
    if (value === expected[part] || (value === undefined && !required)) continue;
    say(
      `has ${field}.${part} ${JSON.stringify(value) ?? '(none)'}, but its path says '${expected[part]}'. Sealed values are bound to namespace and name: move the file back, or seal the values again for ${expected.namespace}/${expected.name}.`,
    );
  }
  const annotations = asMap(metadata.annotations);
  for (const scope of ['namespace-wide', 'cluster-wide']) {
    if (annotations[`sealedsecrets.bitnami.com/${scope}`] === undefined) continue;
    say(
      `has the annotation sealedsecrets.bitnami.com/${scope} in ${field}; only the strict scope is allowed: seal the values again with 'npm run seal' or 'kubeseal --scope strict'.`,
    );
  }
}

function asMap(value: unknown): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
}

// Judging

function warningsOf({ files, certificate }: Content, place: string, needed: readonly SecretSpec[]): string[] {
  const warnings: string[] = [];
  if (certificate?.example) {
    warnings.push(
      `${place}/${CERTIFICATE_FILE} is an example's certificate, whose private key was thrown away: no cluster can open these secrets. Before you use this cluster, replace certificate and values (docs/how-to/secrets.md).`,
    );
  }
  const keys = new Map<string, Set<string>>();
  for (const spec of needed) {
    const id = `${spec.namespace}/${spec.name}`;
    const known = keys.get(id) ?? new Set();
    for (const key of Object.keys(spec.keys)) known.add(key);
    keys.set(id, known);
  }
  for (const [id, file] of files) {
    const known = keys.get(id);
    if (!known) {
      warnings.push(
        `${place}/${id}.yaml: nothing in the cluster needs this Secret any more. Remove the file once nothing outside needs it either; a backup's password opens that backup only.`,
      );
      continue;
    }
    const spare = Object.keys(file.encryptedData).filter((key) => !known.has(key));
    if (spare.length > 0) {
      warnings.push(
        `${place}/${id}.yaml: nothing in the cluster needs ${spare.map((key) => `'${key}'`).join(', ')}; remove the ${spare.length === 1 ? 'entry' : 'entries'}.`,
      );
    }
    if (file.sealedTo !== undefined && certificate && file.sealedTo !== certificate.keyFingerprint) {
      warnings.push(
        `${place}/${id}.yaml is sealed to another key than that of ${place}/${CERTIFICATE_FILE}: only a controller that still has the other key can open it.`,
      );
    }
  }
  return warnings;
}
