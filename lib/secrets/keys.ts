/**
 * Where a cluster's sealing key is: the private half outside Git, the certificate in it. It deliberately reads and makes no key (sealing.ts does)
 * and knows nothing of the cluster's own copies, which Terraform and the controller keep.
 */
import path from 'node:path';

/** Name of the certificate in a cluster's folder of secrets. */
export const CERTIFICATE_FILE = 'sealing.crt';

/** Folder of private keys, from the project's root. Git ignores it. */
export const KEYS_FOLDER = '.keys';

/** What others may do with a private key's file: nothing. */
export const PRIVATE_KEY_MODE = 0o600;

/**
 * The file of a cluster's private key: PKCS#8 in PEM, mode `PRIVATE_KEY_MODE`, never in Git.
 * @param root the project's root
 */
export function privateKeyFile(root: string, cluster: string): string {
  return path.join(root, KEYS_FOLDER, `${cluster}.key`);
}

/**
 * The file of a cluster's certificate: X.509 in PEM, committed.
 * @param root the project's root
 */
export function certificateFile(root: string, cluster: string): string {
  return path.join(root, 'secrets', cluster, CERTIFICATE_FILE);
}
