/**
 * The sealed values of a cluster as a store: answers out of its folder, merges new values into its files, and begins anew under another certificate.
 * It deliberately never sees a plaintext. How a file is read is sealed-file.ts's and sealed-folder.ts's part; they are one door with this file for whoever uses stores.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readTree, writeTree } from '../emit/writer';
import { replaceFiles } from '../replace-files';
import { drillDue } from './drill-due';
import { CERTIFICATE_FILE } from './keys';
import { type SealedFile, serialize } from './sealed-file';
import { readFolder, type SealedFolder } from './sealed-folder';
import { readCertificate, type SealingCertificate, SecretsError } from './sealing';
import type { SecretSpec, SecretStore } from './spec';
import { warningsOf } from './store-warnings';

export { memoryStore } from './memory-store';
export { SEALED_TO_ANNOTATION, type SealedFile, serialize } from './sealed-file';
export { SecretFileError } from './sealed-folder';

/** A value to store, sealed to the store's certificate. */
export interface SealedValue {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  /** `SecretSpec.type` */
  readonly type: SecretSpec['type'];
  readonly ciphertext: string;
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
  /** Replaces the certificate by another one of the same key, to which all values stay sealed; throws SecretsError when it is of another key. */
  renewCertificate(pem: string): void;
  /**
   * Begins anew under a certificate: these values are all that there is then, every other file goes, the record of the last drill too.
   * What was there is not read, so that mistakes in it keep nobody from it. Hidden files stay.
   */
  restart(pem: string, values: readonly SealedValue[]): void;
}

/**
 * The store of one cluster. Files are read at the first question, all at once.
 * @param directory the folder of all clusters' secrets; messages name it by its last part
 * @throws SecretFileError (from each method that reads) with every mistake in every file
 */
export function fileStore(directory: string, clusterName: string): FileStore {
  const folder = path.join(directory, clusterName);
  const place = `${path.basename(directory)}/${clusterName}`;
  let content: SealedFolder | undefined;
  const read = (): SealedFolder => {
    content ??= readFolder(folder, place);
    return content;
  };
  return {
    place,
    files: () => [...read().files.values()],
    certificate: () => read().certificate,
    encryptedData: (namespace, name) => read().files.get(`${namespace}/${name}`)?.encryptedData,
    warnings: (needed) => warningsOf(read(), place, needed),
    drillDue: () => {
      // First whatever else is wrong in the folder: a certificate or a record with a mistake is one of several then.
      read();
      return drillDue(folder);
    },
    write: (values) => {
      const files = merge(read(), values, place);
      replaceFiles(files.map((file) => [path.join(folder, file.namespace, `${file.name}.yaml`), serialize(file)]));
      content = undefined;
      return files.map((file) => `${place}/${file.namespace}/${file.name}.yaml`);
    },
    writeCertificate: (pem) => {
      const file = path.join(folder, CERTIFICATE_FILE);
      if (existsSync(file)) throw certificateExists(place);
      replaceFiles([[file, pem]]);
      content = undefined;
    },
    renewCertificate: (pem) => {
      const [before, after] = [read().certificate, readCertificate(pem, 'The new certificate')];
      if (before?.keyFingerprint !== after.keyFingerprint)
        throw new SecretsError([
          `The new certificate is of another key than that of ${place}/${CERTIFICATE_FILE}, and the values would not be.`,
        ]);
      replaceFiles([[path.join(folder, CERTIFICATE_FILE), pem]]);
      content = undefined;
    },
    restart: (pem, values) => {
      const certificate = readCertificate(pem, `${place}/${CERTIFICATE_FILE}`);
      const files = merge({ files: new Map(), certificate }, values, place);
      const before = new Map([...readTree(folder)].filter(([file]) => !file.split('/').some((part) => part.startsWith('.'))));
      const after = new Map([
        [CERTIFICATE_FILE, pem],
        ...files.map((file): [string, string] => [`${file.namespace}/${file.name}.yaml`, serialize(file)]),
      ]);
      writeTree(folder, before, after);
      content = undefined;
    },
  };
}

/** Refuses to replace a certificate. */
export function certificateExists(place: string): SecretsError {
  return new SecretsError([
    `${place}/${CERTIFICATE_FILE} exists: values may be sealed to it. To replace it, remove it together with all values in ${place}, and seal them again.`,
  ]);
}

/** The files that change, with the values in them, by namespace and name. */
function merge({ files, certificate }: SealedFolder, values: readonly SealedValue[], place: string): SealedFile[] {
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
          `${place}/${id}.yaml is sealed to another key than that of ${place}/${CERTIFICATE_FILE}, and ${kept.map((key) => `'${key}'`).join(', ')} would stay so: one file has values of one key. Remove the file and run 'npm run seal' with --missing, or bring the other certificate back, or give all values the new key: --reseal.`,
        );
      }
      return { namespace, name, type, encryptedData: { ...before?.encryptedData, ...added }, sealedTo };
    });
  if (problems.length > 0) throw new SecretsError(problems);
  return merged;
}
