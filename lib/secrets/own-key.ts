/**
 * A cluster's own sealing key: makes it, keeps the private half outside of Git where only its owner can read it, and puts the certificate into Git.
 * It deliberately never overwrites a private key: every value that was sealed to it would be lost.
 */
import type { KeyObject } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { readTree } from '../emit/writer';
import { CERTIFICATE_FILE, KEYS_FOLDER, PRIVATE_KEY_MODE, privateKeyFile } from './keys';
import { openAll } from './recovery';
import {
  type CertificateRequest,
  fingerprintOf,
  makeCertificate,
  readCertificate,
  readPrivateKey,
  SecretsError,
  seal,
  strictLabel,
} from './sealing';
import { type FileStore, SEALED_TO_ANNOTATION } from './store';

export interface OwnKeyOptions {
  /** The project's root. */
  readonly root: string;
  readonly cluster: string;
  readonly store: FileStore;
  /** Bits of a new key. @default 4096 */
  readonly bits?: number | undefined;
}

/** A key that a cluster has now. */
export interface OwnKey {
  /** The private half's file, from the project's root. */
  readonly file: string;
  /** Whether the private half was there already. */
  readonly found: boolean;
  readonly keyFingerprint: string;
}

/**
 * Gives a cluster that has no certificate, or the example's, one of its own. The example's values go with its certificate: nobody can open them.
 * Values that lost their certificate stay, when the private key that is there opens them.
 * A private key that is there already, because this was interrupted or the key comes from a backup, gets the certificate.
 * @param options.giveUp whether a certificate of its own may go too, with all values, because its private key is lost. @default false
 * @throws SecretsError when the cluster has a certificate of its own and it is not to be given up, or when its private key is not lost at all
 */
export async function giveOwnKey({
  root,
  cluster,
  store,
  bits,
  giveUp = false,
}: OwnKeyOptions & { readonly giveUp?: boolean }): Promise<OwnKey> {
  const before = existsSync(path.join(root, store.place, CERTIFICATE_FILE)) ? certificateOf(root, store) : undefined;
  if (before && !before.example && !giveUp) {
    throw new SecretsError([
      `${store.place}/${CERTIFICATE_FILE} is the certificate of a key of your own, and values are sealed to it. To change to a new key: npm run seal -- --cluster ${cluster} --reseal. Only when the private key is lost for good: --new-key --yes, which gives up every value that is sealed to it.`,
    ]);
  }
  const file = privateKeyFile(root, cluster);
  const place = path.relative(root, file);
  const found = existsSync(file);
  if (found && before && !before.example && fingerprintOf(readPrivateKey(readFileSync(file, 'utf8'), place)) === before.keyFingerprint) {
    throw new SecretsError([
      `${place} is the private key of ${store.place}/${CERTIFICATE_FILE}, so nothing is lost. To change to a new key and keep the values: npm run seal -- --cluster ${cluster} --reseal`,
    ]);
  }
  const own = found ? readPrivateKey(readFileSync(file, 'utf8'), place) : undefined;
  const keeps = !before && !giveUp && keepsValues({ root, cluster, store }, own);
  const { certificate, privateKey } = await makeCertificate({
    ...request(cluster, bits),
    ...(own ? { privateKey: own } : {}),
  });
  if (!found) writePrivateKey(file, privateKey);
  if (keeps) store.writeCertificate(certificate);
  else store.restart(certificate, []);
  return { file: place, found, keyFingerprint: fingerprintOf(privateKey) };
}

/**
 * Whether there are values whose certificate is gone, which is a slip and no reason to lose them: with the private key they get a new certificate and stay.
 * @throws SecretsError when the private key is not there, or when values say that they are sealed to another one
 */
function keepsValues({ root, cluster, store }: OwnKeyOptions, privateKey: KeyObject | undefined): boolean {
  const texts = [...readTree(path.join(root, store.place))]
    .filter(([file]) => /^[^./][^/]*\/[^./][^/]*\.yaml$/.test(file))
    .map(([, text]) => text);
  const fits = (text: string): boolean => {
    const sealedTo = new RegExp(`${SEALED_TO_ANNOTATION}: *"?(sha256:[0-9a-f]+)`).exec(text)?.[1];
    return privateKey !== undefined && (sealedTo === undefined || sealedTo === fingerprintOf(privateKey));
  };
  if (texts.every(fits)) return texts.length > 0;
  const place = privateKeyFile('', cluster);
  throw new SecretsError([
    `${store.place} has sealed values, but ${CERTIFICATE_FILE} is missing${privateKey ? `, and ${place} is not the key that they are sealed to` : ''}. Bring the certificate back: git log -- ${store.place}/${CERTIFICATE_FILE}. Or bring the private key back from its copy, and --new-key makes a new certificate of it: install -D -m 600 COPY ${place}. Only when both are lost for good: --new-key --yes, which gives up every value.`,
  ]);
}

/** The certificate alone: the example's values may have mistakes, which nobody has to repair before they go. */
function certificateOf(root: string, store: FileStore) {
  const place = `${store.place}/${CERTIFICATE_FILE}`;
  return readCertificate(readFileSync(path.join(root, place), 'utf8'), place);
}

/**
 * Makes a new certificate of the key that the cluster has, for another ten years: no value changes.
 * @throws SecretsError when none of the keys is the certificate's
 */
export async function renewCertificate({
  cluster,
  store,
  keys,
  bits,
}: OwnKeyOptions & { readonly keys: readonly KeyObject[] }): Promise<void> {
  const fingerprint = store.certificate()?.keyFingerprint;
  const privateKey = keys.find((key) => fingerprintOf(key) === fingerprint);
  if (!privateKey) {
    throw new SecretsError([
      `The private key is not that of ${store.place}/${CERTIFICATE_FILE}; give that one with --key, or change to a new key with --reseal.`,
    ]);
  }
  store.renewCertificate((await makeCertificate({ ...request(cluster, bits), privateKey })).certificate);
}

/** What was re-sealed. */
export interface Resealed {
  readonly values: number;
  /** The new private half's file, from the project's root; undefined when a certificate was given. */
  readonly file?: string;
  /** Where the old private half is now, from the project's root; undefined when it was not in its place. */
  readonly oldFile?: string;
}

/**
 * Opens everything with the old key and seals it to a new certificate. Plaintexts exist in memory only.
 * @param options.keys private halves that open what is sealed now
 * @param options.certificate in PEM. @default that of a new key, whose private half takes the place of the old one, which gets another name
 * @throws SecretsError, before anything is changed, when a value does not open or the certificate is of no use
 */
export async function reseal(
  options: OwnKeyOptions & { readonly keys: readonly KeyObject[]; readonly certificate?: string },
): Promise<Resealed> {
  const { root, cluster, store, keys, bits } = options;
  const opened = openAll(store, keys);
  if (options.certificate !== undefined) {
    const given = readCertificate(options.certificate, 'The new certificate');
    if (given.example)
      throw new SecretsError([`The new certificate is an example's, whose private key was thrown away: every value would be lost.`]);
    if (given.validTo.getTime() < Date.now())
      throw new SecretsError([`The new certificate has expired on ${given.validTo.toISOString().slice(0, 10)}; kubeseal refuses it too.`]);
  }
  const made = options.certificate === undefined ? await makeCertificate(request(cluster, bits)) : undefined;
  const pem = options.certificate ?? made?.certificate ?? '';
  const certificate = readCertificate(pem, `${store.place}/${CERTIFICATE_FILE}`);
  const oldFile = made && moveAway(root, cluster);
  if (made) writePrivateKey(privateKeyFile(root, cluster), made.privateKey);
  store.restart(
    pem,
    opened.map(({ namespace, name, key, type, plaintext }) => ({
      namespace,
      name,
      key,
      type,
      ciphertext: seal(certificate, strictLabel(namespace, name), plaintext),
    })),
  );
  return {
    values: opened.length,
    ...(made ? { file: path.relative(root, privateKeyFile(root, cluster)) } : {}),
    ...(oldFile === undefined ? {} : { oldFile }),
  };
}

/** Renames the private key after its fingerprint, so that it is kept: old commits and backups of the cluster are sealed to it. */
function moveAway(root: string, cluster: string): string | undefined {
  const file = privateKeyFile(root, cluster);
  if (!existsSync(file)) return undefined;
  const fingerprint = fingerprintOf(readPrivateKey(readFileSync(file, 'utf8'), path.relative(root, file))).slice(
    'sha256:'.length,
    'sha256:'.length + 12,
  );
  const old = path.join(root, KEYS_FOLDER, `${cluster}.old-${fingerprint}.key`);
  if (existsSync(old))
    throw new SecretsError([`${path.relative(root, old)} exists; move it away first, so that no private key is overwritten.`]);
  renameSync(file, old);
  return path.relative(root, old);
}

function request(cluster: string, bits: number | undefined): CertificateRequest {
  return {
    organization: 'MMO backend',
    commonName: `sealing key of cluster ${cluster}`.slice(0, 64),
    ...(bits === undefined ? {} : { bits }),
  };
}

/** Only for its owner from the first moment on, and never over a file that is there. */
function writePrivateKey(file: string, key: KeyObject): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const descriptor = openSync(file, 'wx', PRIVATE_KEY_MODE);
  try {
    writeSync(descriptor, key.export({ type: 'pkcs8', format: 'pem' }) as string);
  } finally {
    closeSync(descriptor);
  }
}
