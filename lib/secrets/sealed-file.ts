/**
 * One file of sealed values, secrets/<cluster>/<namespace>/<name>.yaml: its text, and every mistake that a text can have.
 * It deliberately knows no folder and opens nothing: whether a value opens is known to the private key alone.
 */
import { toYaml } from '../emit/yaml';
import { ciphertextProblem, type SealingCertificate } from './sealing';
import type { SecretSpec } from './spec';

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

type Fields = Readonly<Record<string, unknown>>;

/** What a file's path says of it. */
interface Expected {
  readonly namespace: string;
  readonly name: string;
}

/** A file whose values were not looked at yet. */
interface Parsed extends Omit<SealedFile, 'encryptedData'> {
  readonly encryptedData: Fields;
}

/**
 * Reads a file's text.
 * @param place how messages name the file
 * @param certificate of the cluster: values that say they are sealed to it must have its key's length
 * @param problems gets a sentence for every mistake; none quotes the text, which in a mistaken file may be a plaintext
 * @returns undefined when there is a mistake
 */
export function readSealedFile(
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
