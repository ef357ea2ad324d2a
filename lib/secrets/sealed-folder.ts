/**
 * A cluster's folder of secrets, secrets/<cluster>/: reads all of its files at once and refuses what does not belong there, a private key above all.
 * It deliberately writes nothing; a file of sealed values is judged by sealed-file.ts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DRILL_FILE, parseDrill } from './drill';
import { CERTIFICATE_FILE } from './keys';
import { readSealedFile, type SealedFile } from './sealed-file';
import { readCertificate, type SealingCertificate, SecretsError } from './sealing';

/** Mistakes in a cluster's files of secrets: everything wrong with all of them. */
export class SecretFileError extends SecretsError {
  constructor(place: string, problems: readonly string[]) {
    super(problems);
    this.name = 'SecretFileError';
    this.message = `${place} has ${problems.length} mistake${problems.length === 1 ? '' : 's'}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`;
  }
}

/** All that a folder holds. */
export interface SealedFolder {
  /** By namespace and name, `realm-aurora/netcode-key`. */
  readonly files: ReadonlyMap<string, SealedFile>;
  readonly certificate: SealingCertificate | undefined;
}

/**
 * @param place how messages name the folder
 * @throws SecretFileError with every mistake in every file
 */
export function readFolder(folder: string, place: string): SealedFolder {
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
