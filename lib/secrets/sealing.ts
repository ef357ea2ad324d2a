/**
 * The encryption of Sealed Secrets, byte for byte what kubeseal makes and the controller opens: seals a value for one Secret, opens it again, and makes
 * the certificate that both need. It deliberately knows no files and no other scope than `strict`: a value is bound to its namespace and name.
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { promisify } from 'node:util';

/** What is wrong with secrets, their files or their certificate, as full sentences; `message` has one a line. */
export class SecretsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'SecretsError';
  }
}

/** The organization in the subject of an example's certificate; nothing else marks it, so that no file beside it can be lost. */
export const EXAMPLE_ORGANIZATION = 'EXAMPLE ONLY - its private key was thrown away';

/** The public half of a cluster's sealing key. */
export interface SealingCertificate {
  readonly publicKey: KeyObject;
  /** SHA-256 of the public key (SubjectPublicKeyInfo), `sha256:<hex>`: a renewed certificate of the same key has the same. */
  readonly keyFingerprint: string;
  /** Bytes of the RSA modulus, and so of the encrypted session key. */
  readonly modulusBytes: number;
  /** Whether it is an example's, which no controller can have the private key of. */
  readonly example: boolean;
  readonly validTo: Date;
}

/**
 * Reads an X.509 certificate in PEM.
 * @param place how messages name it, such as `secrets/homelab/sealing.crt`
 * @throws SecretsError when it is no certificate, or not one of an RSA key of at least 2048 bits
 */
export function readCertificate(pem: string, place: string): SealingCertificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new SecretsError([
      `${place} is no X.509 certificate in PEM; it must be the sealing certificate, from its line '-----BEGIN CERTIFICATE-----' to its line '-----END CERTIFICATE-----'.`,
    ]);
  }
  const { publicKey } = certificate;
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (publicKey.asymmetricKeyType !== 'rsa' || bits < 2048) {
    throw new SecretsError([
      `${place} is a certificate of a key of type ${publicKey.asymmetricKeyType ?? 'unknown'} with ${bits} bits; Sealed Secrets needs RSA with at least 2048 bits.`,
    ]);
  }
  return {
    publicKey,
    keyFingerprint: fingerprintOf(publicKey),
    modulusBytes: Math.ceil(bits / 8),
    example: certificate.subject.split('\n').includes(`O=${EXAMPLE_ORGANIZATION}`),
    validTo: new Date(certificate.validTo),
  };
}

/** `SealingCertificate.keyFingerprint` of a key's public half, or of the private one's. */
export function fingerprintOf(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}

/** What a strictly scoped value is bound to. It contains only characters of Kubernetes names, so it is the same in every encoding. */
export function strictLabel(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

const LENGTH_BYTES = 2;
const SESSION_KEY_BYTES = 32;
const TAG_BYTES = 16;
/** Each session key encrypts one value, so a constant nonce never repeats under a key. It is part of the format. */
const ZERO_NONCE = Buffer.alloc(12);

/**
 * Seals a value: length of the RSA part (2 bytes, big-endian), RSA-OAEP-SHA256 of a fresh session key with the label, AES-256-GCM of the value with its tag.
 * Two calls give different texts.
 * @param label `strictLabel(namespace, name)`: opening with another fails
 * @returns base64, as `spec.encryptedData` holds it
 */
export function seal(certificate: SealingCertificate, label: string, plaintext: Uint8Array): string {
  const sessionKey = randomBytes(SESSION_KEY_BYTES);
  const encryptedKey = publicEncrypt(
    { key: certificate.publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel: Buffer.from(label) },
    sessionKey,
  );
  const cipher = createCipheriv('aes-256-gcm', sessionKey, ZERO_NONCE);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(encryptedKey.length);
  return Buffer.concat([length, encryptedKey, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/**
 * Opens a sealed value: the recovery without a cluster.
 * @param privateKey the sealing key's private half, as a key or in PEM (PKCS#1 or PKCS#8)
 * @throws SecretsError when the key or the label is another one than it was sealed with, or the text was damaged; they cannot be told apart
 */
export function unseal(privateKey: KeyObject | string, ciphertext: string, label: string): Buffer {
  const problem = ciphertextProblem(ciphertext);
  if (problem) throw new SecretsError([`The sealed value for ${label} ${problem}.`]);
  const bytes = Buffer.from(ciphertext, 'base64');
  const end = LENGTH_BYTES + bytes.readUInt16BE(0);
  const key = typeof privateKey === 'string' ? readPrivateKey(privateKey, 'The private key') : privateKey;
  try {
    const sessionKey = privateDecrypt(
      { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel: Buffer.from(label) },
      bytes.subarray(LENGTH_BYTES, end),
    );
    const decipher = createDecipheriv('aes-256-gcm', sessionKey, ZERO_NONCE);
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(end, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new SecretsError([
      `The sealed value for ${label} does not open with this key: it was sealed to another key, or for another namespace or name, or it was damaged.`,
    ]);
  }
}

/**
 * Reads the private half of a sealing key in PEM.
 * @param place how messages name it
 * @throws SecretsError when it is no RSA key, or one with a passphrase
 */
export function readPrivateKey(pem: string, place: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // Said below: OpenSSL's own words name no file.
  }
  throw new SecretsError([`${place} is not readable; it must be an RSA key in PEM without a passphrase.`]);
}

/**
 * Says what is wrong with the form of a sealed value; whether it opens only the private key can tell.
 * @param modulusBytes of the key it is sealed to, where that is known
 * @returns the end of a sentence that begins with the value's name, or undefined
 */
export function ciphertextProblem(ciphertext: string, modulusBytes?: number): string | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(ciphertext)) return 'is not base64';
  const bytes = Buffer.from(ciphertext, 'base64');
  const keyLength = bytes.length < LENGTH_BYTES ? 0 : bytes.readUInt16BE(0);
  const plausible = modulusBytes === undefined ? keyLength >= 256 && keyLength <= 2048 : keyLength === modulusBytes;
  if (!plausible || bytes.length < LENGTH_BYTES + keyLength + TAG_BYTES) {
    const wanted = modulusBytes === undefined ? '' : ` to the certificate's key of ${modulusBytes * 8} bits`;
    return `is not a value that kubeseal or 'npm run seal' sealed${wanted}: its ${bytes.length} bytes do not have that form`;
  }
  return undefined;
}

/** Subject and life of a certificate to make. */
export interface CertificateRequest {
  readonly organization: string;
  readonly commonName: string;
  /** The key that the certificate is for. @default a new one */
  readonly privateKey?: KeyObject;
  /** Size of a new RSA key. @default 4096, as the controller's own keys have */
  readonly bits?: number;
  /** @default 10: the values outlive any renewal rhythm, and kubeseal refuses an expired certificate */
  readonly years?: number;
  /** Begin of its life. @default now */
  readonly from?: Date;
}

/**
 * Makes a sealing key and its self-signed certificate.
 * @returns the certificate in PEM, and the private key, which exists in memory only until the caller keeps it
 */
export async function makeCertificate(
  request: CertificateRequest,
): Promise<{ readonly certificate: string; readonly privateKey: KeyObject }> {
  // Loaded here, because a synth reads certificates and must not pay for ASN.1 classes that only making one needs.
  const x509 = require('@peculiar/asn1-x509') as typeof import('@peculiar/asn1-x509');
  const { AsnConvert, OctetString } = require('@peculiar/asn1-schema') as typeof import('@peculiar/asn1-schema');
  const { organization, commonName, bits = 4096, years = 10, from = new Date() } = request;
  const privateKey = request.privateKey ?? (await promisify(generateKeyPair)('rsa', { modulusLength: bits })).privateKey;
  const publicKey = createPublicKey(privateKey);

  const attribute = (type: string, utf8String: string) =>
    new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type, value: new x509.AttributeValue({ utf8String }) })]);
  const subject = new x509.Name([attribute(OID.organization, organization), attribute(OID.commonName, commonName)]);
  const algorithm = new x509.AlgorithmIdentifier({ algorithm: OID.sha256WithRsa, parameters: null });
  const until = new Date(from);
  until.setUTCFullYear(from.getUTCFullYear() + years);
  // A serial number is a positive integer that does not begin with a zero byte.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const extension = (extnID: string, value: unknown) =>
    new x509.Extension({ extnID, critical: true, extnValue: new OctetString(AsnConvert.serialize(value)) });

  const body = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: exactBuffer(serial),
    signature: algorithm,
    issuer: subject,
    subject,
    validity: new x509.Validity({ notBefore: from, notAfter: until }),
    subjectPublicKeyInfo: AsnConvert.parse(exactBuffer(publicKey.export({ type: 'spki', format: 'der' })), x509.SubjectPublicKeyInfo),
    extensions: new x509.Extensions([
      extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: true })),
      extension(x509.id_ce_keyUsage, new x509.KeyUsage(x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.keyCertSign)),
    ]),
  });
  const certificate = new x509.Certificate({
    tbsCertificate: body,
    signatureAlgorithm: algorithm,
    signatureValue: exactBuffer(sign('sha256', Buffer.from(AsnConvert.serialize(body)), privateKey)),
  });
  return { certificate: new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString(), privateKey };
}

/** Makes the certificate of an example: the private key is dropped before anyone could keep it. */
export async function makeExampleCertificate(clusterName: string): Promise<string> {
  const { certificate } = await makeCertificate({
    organization: EXAMPLE_ORGANIZATION,
    commonName: `sealing certificate of example cluster ${clusterName}`.slice(0, 64),
  });
  return certificate;
}

const OID = { organization: '2.5.4.10', commonName: '2.5.4.3', sha256WithRsa: '1.2.840.113549.1.1.11' } as const;

/** Node's buffers may be views into a shared pool; the ASN.1 library takes the whole memory behind them. */
function exactBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
