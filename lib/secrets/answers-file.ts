/**
 * A YAML file as plain data, without a message that quotes it: it may hold what nobody should see. It deliberately knows nothing of what the data means.
 */
import { readFileSync, statSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { SecretsError } from './sealing';

/** @throws SecretsError when there is no such file */
export function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SecretsError([`The file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`]);
  }
}

/** @throws SecretsError when it is no YAML */
export function readYaml(file: string): unknown {
  const document = parseDocument(readFile(file).toString('utf8'));
  if (document.errors.length > 0)
    throw new SecretsError(document.errors.map((error) => `${file} is not YAML: ${error.code} in line ${error.linePos?.[0].line ?? 1}.`));
  return document.toJS();
}

/** @throws SecretsError when others than its owner may do anything with the file */
export function refuseReadableByOthers(file: string): void {
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  throw new SecretsError([
    `${file} can be read by others (mode ${mode.toString(8).padStart(4, '0')}); make it yours alone first: chmod 600 ${file}`,
  ]);
}
