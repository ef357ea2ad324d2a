/** Sealing and unsealing with keys made at run time: the format that kubeseal and the controller share, and the certificate. */
import { constants, createPrivateKey, privateDecrypt, X509Certificate } from 'node:crypto';
import {
  ciphertextProblem,
  EXAMPLE_ORGANIZATION,
  makeCertificate,
  readCertificate,
  seal,
  strictLabel,
  unseal,
} from '../../lib/secrets/sealing';
import { makeKey } from './fixtures';

let certificate: string;
let privateKey: string;
const label = strictLabel('realm-aurora', 'netcode-key');
const own = () => readCertificate(certificate, 'sealing.crt');

beforeAll(async () => {
  ({ certificate, privateKey } = await makeKey());
});

describe('a sealed value', () => {
  test('opens with the private key and the label it was sealed for', () => {
    expect(unseal(privateKey, seal(own(), label, Buffer.from('open sesame')), label).toString()).toBe('open sesame');
  });

  test('may be any bytes', () => {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));
    expect(unseal(privateKey, seal(own(), label, bytes), label)).toEqual(bytes);
  });

  test.each([
    ['another namespace', strictLabel('realm-borealis', 'netcode-key')],
    ['another name', strictLabel('realm-aurora', 'netcode-keys')],
    ['no label, as a cluster-wide value has', ''],
    ['its namespace alone, as a namespace-wide value has', 'realm-aurora'],
  ])('does not open for %s', (_, other) => {
    const sealed = seal(own(), label, Buffer.from('open sesame'));
    expect(() => unseal(privateKey, sealed, other)).toThrow('does not open with this key');
  });

  test('does not open with another key', async () => {
    const other = await makeKey();
    const sealed = seal(own(), label, Buffer.from('open sesame'));
    expect(() => unseal(other.privateKey, sealed, label)).toThrow('does not open with this key');
  });

  test('does not open when its last byte was changed', () => {
    const bytes = Buffer.from(seal(own(), label, Buffer.from('open sesame')), 'base64');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    expect(() => unseal(privateKey, bytes.toString('base64'), label)).toThrow('does not open with this key');
  });

  test('begins with the length of its RSA part, two bytes, big-endian', () => {
    expect(Buffer.from(seal(own(), label, Buffer.from('x')), 'base64').readUInt16BE(0)).toBe(256);
  });

  test('is as long as length, RSA part, value and 16 bytes of tag together', () => {
    expect(Buffer.from(seal(own(), label, Buffer.from('12345')), 'base64')).toHaveLength(2 + 256 + 5 + 16);
  });

  test('has a session key of 32 bytes in its RSA part, under OAEP with SHA-256 and the label', () => {
    const bytes = Buffer.from(seal(own(), label, Buffer.from('x')), 'base64');
    const key = createPrivateKey(privateKey);
    const oaep = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel: Buffer.from('realm-aurora/netcode-key') };
    expect(privateDecrypt(oaep, bytes.subarray(2, 258))).toHaveLength(32);
  });

  test('differs from the next one of the same value', () => {
    expect(seal(own(), label, Buffer.from('x'))).not.toBe(seal(own(), label, Buffer.from('x')));
  });

  test('of an unreadable private key is refused without quoting the key', () => {
    expect(() => unseal('hunter2', seal(own(), label, Buffer.from('x')), label)).toThrow(
      'The private key is not readable; it must be an RSA key in PEM without a passphrase.',
    );
  });
});

describe('the form of a sealed value', () => {
  test('is right for what was sealed', () => {
    expect(ciphertextProblem(seal(own(), label, Buffer.from('')), 256)).toBeUndefined();
  });

  test.each([
    ['a plaintext', 'hunter2', 'is not base64'],
    [
      'base64 of a plaintext',
      Buffer.from('hunter2').toString('base64'),
      "is not a value that kubeseal or 'npm run seal' sealed: its 7 bytes do not have that form",
    ],
    ['nothing', '', "is not a value that kubeseal or 'npm run seal' sealed: its 0 bytes do not have that form"],
  ])('is wrong for %s', (_, text, problem) => {
    expect(ciphertextProblem(text)).toBe(problem);
  });

  test('is wrong when the key has another size than the certificate', () => {
    expect(ciphertextProblem(seal(own(), label, Buffer.from('x')), 512)).toContain("to the certificate's key of 4096 bits");
  });

  test('is wrong when the tag was cut off', () => {
    const bytes = Buffer.from(seal(own(), label, Buffer.from('')), 'base64');
    expect(ciphertextProblem(bytes.subarray(0, -1).toString('base64'))).toContain('its 273 bytes do not have that form');
  });
});

describe('a certificate', () => {
  test('is signed with its own key', () => {
    const parsed = new X509Certificate(certificate);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
  });

  test('belongs to the private key it was made with', () => {
    expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
  });

  test('lives ten years from the moment it is made', async () => {
    const made = await makeCertificate({
      organization: 'A home',
      commonName: 'sealing',
      bits: 2048,
      from: new Date('2026-02-03T04:05:06Z'),
    });
    expect(readCertificate(made.certificate, 'sealing.crt').validTo.toISOString()).toBe('2036-02-03T04:05:06.000Z');
  });

  test('of a home is no example', () => {
    expect(own().example).toBe(false);
  });

  test('of an example is known by its subject', async () => {
    expect(readCertificate((await makeKey(EXAMPLE_ORGANIZATION)).certificate, 'sealing.crt').example).toBe(true);
  });

  test('that is none is refused with its place', () => {
    expect(() => readCertificate('hello', 'secrets/homelab/sealing.crt')).toThrow(
      'secrets/homelab/sealing.crt is no X.509 certificate in PEM',
    );
  });

  test('of a key too small for Sealed Secrets is refused', async () => {
    const small = await makeCertificate({ organization: 'A home', commonName: 'sealing', bits: 1024 });
    expect(() => readCertificate(small.certificate, 'sealing.crt')).toThrow(
      'a key of type rsa with 1024 bits; Sealed Secrets needs RSA with at least 2048 bits',
    );
  });
});
