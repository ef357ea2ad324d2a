/** Files of sealed values: what is read, every mistake that is refused, what is warned of, and how values are merged and written. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { type RecoveryDrill, serializeDrill } from '../../lib/secrets/drill';
import { EXAMPLE_ORGANIZATION, readCertificate, seal, strictLabel, unseal } from '../../lib/secrets/sealing';
import type { SecretStore } from '../../lib/secrets/spec';
import { fileStore, memoryStore, type SealedFile, SecretFileError, serialize } from '../../lib/secrets/store';
import { brokerKeys, databaseOwner, everySecret, makeKey, realmKey, scratchFolder, writeTree } from './fixtures';

let certificate: string;
let privateKey: string;
let example: string;
let sealed: string;

beforeAll(async () => {
  ({ certificate, privateKey } = await makeKey());
  example = (await makeKey(EXAMPLE_ORGANIZATION)).certificate;
  sealed = seal(readCertificate(certificate, 'sealing.crt'), strictLabel('realm-aurora', 'netcode-key'), Buffer.from('value'));
});

const file = (change: Partial<SealedFile> = {}): string =>
  serialize({ namespace: 'realm-aurora', name: 'netcode-key', encryptedData: { 'generation-1': sealed }, ...change });

/** A store over texts of files below secrets/home. */
function storeOf(files: Readonly<Record<string, string>>, own = certificate) {
  const folder = path.join(scratchFolder(), 'secrets');
  writeTree(path.join(folder, 'home'), { ...(own === '' ? {} : { 'sealing.crt': own }), ...files });
  return { folder, store: fileStore(folder, 'home') };
}

function problemsOf(store: SecretStore): readonly string[] {
  try {
    store.encryptedData('realm-aurora', 'netcode-key');
  } catch (error) {
    if (error instanceof SecretFileError) return error.problems;
    throw error;
  }
  return [];
}

describe('the day of the next drill', () => {
  const asked = (store: SecretStore) => () => store.drillDue();
  const DAY = 24 * 60 * 60 * 1000;
  const dueAfter = (record?: Partial<RecoveryDrill>) => {
    const drill = {
      date: '2026-11-22',
      fingerprint: readCertificate(certificate, 'sealing.crt').keyFingerprint,
      key: 'copy',
      ...record,
    } as const;
    return storeOf(record ? { 'last-recovery-drill.yaml': serializeDrill(drill) } : {})
      .store.drillDue()
      ?.toISOString();
  };
  const afterTheKey = () => new Date(Date.parse(new X509Certificate(certificate).validFrom) + 14 * DAY).toISOString();

  test('is 180 days after the last one with a copy of the key', () => {
    expect(dueAfter({})).toBe('2027-05-21T00:00:00.000Z');
  });

  test('is 14 days after the key was made when there was none', () => {
    expect(dueAfter()).toBe(afterTheKey());
  });

  test('is the same when only the key in use was tried', () => {
    expect(dueAfter({ key: 'in-use' })).toBe(afterTheKey());
  });

  test('is the same when the last one was of another key', () => {
    expect(dueAfter({ fingerprint: `sha256:${'0'.repeat(64)}` })).toBe(afterTheKey());
  });

  test('is never asked for with the certificate of an example, which has no key', () => {
    expect(storeOf({}, example).store.drillDue()).toBeUndefined();
  });

  test('is told with every mistake of the folder when its record cannot be read', () => {
    const { store } = storeOf({ 'last-recovery-drill.yaml': 'date: soon\n', 'realm-aurora/netcode-key.yaml': 'kind: Secret\n' });
    expect(asked(store)).toThrow(expect.objectContaining({ name: 'SecretFileError', problems: problemsOf(store) }));
  });

  test('is told with every mistake of the folder when the certificate is none', () => {
    const { store } = storeOf({ 'realm-aurora/netcode-key.yaml': 'kind: Secret\n' }, 'no certificate');
    expect(asked(store)).toThrow(expect.objectContaining({ name: 'SecretFileError', problems: problemsOf(store) }));
  });
});

describe('reading', () => {
  test('gives the sealed values of a Secret by key', () => {
    const { store } = storeOf({ 'realm-aurora/netcode-key.yaml': file() });
    expect(store.encryptedData('realm-aurora', 'netcode-key')).toEqual({ 'generation-1': sealed });
  });

  test('gives undefined for a Secret without a file', () => {
    const { store } = storeOf({ 'realm-aurora/netcode-key.yaml': file() });
    expect(store.encryptedData('realm-borealis', 'netcode-key')).toBeUndefined();
  });

  test('of a cluster without a folder finds nothing and no mistake', () => {
    expect(fileStore(scratchFolder(), 'new').encryptedData('realm-aurora', 'netcode-key')).toBeUndefined();
  });

  test('takes what kubeseal writes, with its creationTimestamp and without our annotation', () => {
    const text = `---\napiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  creationTimestamp: null\n  name: netcode-key\n  namespace: realm-aurora\nspec:\n  encryptedData:\n    generation-1: ${sealed}\n  template:\n    metadata:\n      creationTimestamp: null\n      name: netcode-key\n      namespace: realm-aurora\n`;
    expect(storeOf({ 'realm-aurora/netcode-key.yaml': text }).store.encryptedData('realm-aurora', 'netcode-key')).toEqual({
      'generation-1': sealed,
    });
  });

  test('gives the same for a text of our own form and for the same with other spaces, which a YAML parser reads', () => {
    const own = file({
      type: 'kubernetes.io/basic-auth',
      encryptedData: { '1': sealed, 'a.b_c-d': sealed },
      sealedTo: `sha256:${'0'.repeat(64)}`,
    });
    const [one, other] = [own, own.replace('kind: ', 'kind:  ')].map((text) =>
      storeOf({ 'realm-aurora/netcode-key.yaml': text }).store.files(),
    );
    expect(one).toEqual(other);
    expect(one?.[0]).toMatchObject({ type: 'kubernetes.io/basic-auth', encryptedData: { '1': sealed, 'a.b_c-d': sealed } });
  });

  test('does not look at hidden files', () => {
    expect(problemsOf(storeOf({ 'realm-aurora/.netcode-key.yaml.1.tmp': 'half', 'realm-aurora/netcode-key.yaml': file() }).store)).toEqual(
      [],
    );
  });
});

describe('a file is refused that', () => {
  const at = 'realm-aurora/netcode-key.yaml';
  test.each<[string, (text: string) => string, string]>([
    ['is no YAML', () => 'a: [', 'secrets/home/realm-aurora/netcode-key.yaml is not YAML: '],
    ['is empty', () => '', 'holds 0 YAML documents; it must hold one'],
    ['has two documents', (text) => `${text}---\n${text}`, 'holds 2 YAML documents; it must hold one'],
    ['is a plain Secret', (text) => text.replace('SealedSecret', 'Secret'), 'is a plain Secret, readable for everyone with the repository'],
    [
      'is of another kind',
      (text) => text.replace('SealedSecret', 'ConfigMap'),
      "must have apiVersion 'bitnami.com/v1alpha1' and kind 'SealedSecret'",
    ],
    [
      'is of another version',
      (text) => text.replace('v1alpha1', 'v2'),
      "must have apiVersion 'bitnami.com/v1alpha1' and kind 'SealedSecret'",
    ],
    [
      'names another Secret',
      (text) => text.replace('name: netcode-key', 'name: other'),
      `has metadata.name "other", but its path says 'netcode-key'`,
    ],
    [
      'names another namespace',
      (text) => text.replace('namespace: realm-aurora', 'namespace: other'),
      `has metadata.namespace "other", but its path says 'realm-aurora'`,
    ],
    [
      'names no namespace',
      (text) => text.replace('  namespace: realm-aurora\n', ''),
      `has metadata.namespace (none), but its path says 'realm-aurora'`,
    ],
    [
      'makes a Secret of another name',
      (text) => text.replace(/(template:\s+metadata:\s+name: )netcode-key/, '$1other'),
      `has spec.template.metadata.name "other", but its path says 'netcode-key'`,
    ],
    [
      'is of namespace-wide scope',
      (text) => text.replace('spec:', '  annotations:\n    sealedsecrets.bitnami.com/namespace-wide: "true"\nspec:'),
      'has the annotation sealedsecrets.bitnami.com/namespace-wide in metadata; only the strict scope is allowed',
    ],
    [
      'makes a Secret of cluster-wide scope',
      (text) => `${text}      annotations:\n        sealedsecrets.bitnami.com/cluster-wide: "true"\n`,
      'has the annotation sealedsecrets.bitnami.com/cluster-wide in spec.template.metadata; only the strict scope is allowed',
    ],
    ['has the format of 2018', (text) => text.replace(/encryptedData:\n.*\n/, 'data: AgA=\n'), 'has spec.data, the format of 2018'],
    ['has no values', (text) => text.replace(/encryptedData:\n.*\n/, 'encryptedData: {}\n'), 'has no spec.encryptedData; remove the file'],
    [
      'has plaintext in its template',
      (text) => `${text}    data:\n      token: hunter2\n`,
      'has spec.template.data, which is not encrypted',
    ],
    [
      'has a key that no Secret can have',
      (text) => text.replace('generation-1', 'generation 1'),
      'has a key that no Secret can have ("generation 1")',
    ],
    [
      'has a plaintext for a value',
      (text) => text.replace(/generation-1: .*/, 'generation-1: hunter2'),
      "the value of 'generation-1' is not base64",
    ],
    [
      'has a number for a value',
      (text) => text.replace(/generation-1: .*/, 'generation-1: 12345'),
      "the value of 'generation-1' is no text",
    ],
  ])('%s', (_, change, sentence) => {
    const before = file();
    const text = change(before);
    expect(text).not.toBe(before);
    expect(problemsOf(storeOf({ [at]: text }).store)).toEqual([expect.stringContaining(sentence)]);
  });

  test('is refused without quoting what it holds', () => {
    const { store } = storeOf({ [at]: 'token: "hunter2' });
    expect(problemsOf(store).join()).not.toContain('hunter2');
  });

  test('says that it is sealed to the certificate, but to a key of another size', () => {
    const { keyFingerprint } = readCertificate(certificate, 'sealing.crt');
    const longer = memoryStore([realmKey]).encryptedData('realm-aurora', 'netcode-key') ?? {};
    const { store } = storeOf({ [at]: file({ encryptedData: longer, sealedTo: keyFingerprint }) });
    expect(problemsOf(store)).toEqual([expect.stringContaining("to the certificate's key of 2048 bits")]);
  });

  test('lies where no file belongs', () => {
    const { store } = storeOf({ 'notes.txt': 'x', 'realm-aurora/netcode-key.yml': file(), 'realm-aurora/deeper/netcode-key.yaml': file() });
    expect(problemsOf(store)).toEqual([
      expect.stringMatching(/^secrets\/home\/notes\.txt has no place here/),
      expect.stringMatching(/^secrets\/home\/realm-aurora\/deeper is a folder/),
      expect.stringMatching(/^secrets\/home\/realm-aurora\/netcode-key\.yml has no place here/),
    ]);
  });

  test('holds a private key, under whatever name', () => {
    expect(problemsOf(storeOf({ 'sealing.key': privateKey }).store)).toEqual([
      expect.stringMatching(/^secrets\/home\/sealing\.key holds a private key/),
    ]);
  });

  test('holds the private key beside the certificate', () => {
    expect(problemsOf(storeOf({}, certificate + privateKey).store)).toEqual([
      expect.stringMatching(/^secrets\/home\/sealing\.crt holds a private key/),
    ]);
  });

  test('should be a certificate and is none', () => {
    expect(problemsOf(storeOf({}, 'hello').store)).toEqual([
      expect.stringMatching(/^secrets\/home\/sealing\.crt is no X\.509 certificate/),
    ]);
  });
});

test('values without their certificate are refused', () => {
  expect(problemsOf(storeOf({ 'realm-aurora/netcode-key.yaml': file() }, '').store)).toEqual([
    expect.stringMatching(/^secrets\/home\/sealing\.crt is missing/),
  ]);
});

test('the mistakes of all files are reported together', () => {
  const { store } = storeOf({ 'a/one.yaml': 'kind: Secret', 'b/two.yaml': 'kind: Secret' });
  expect(() => store.encryptedData('a', 'one')).toThrow(
    /^secrets\/home has 2 mistakes:\n {2}- secrets\/home\/a\/one\.yaml is a plain Secret.*\n {2}- secrets\/home\/b\/two\.yaml/,
  );
});

describe('a warning', () => {
  test('is not given when all is in order', () => {
    expect(storeOf({ 'realm-aurora/netcode-key.yaml': file() }).store.warnings([realmKey])).toEqual([]);
  });

  test("is given for an example's certificate", () => {
    expect(storeOf({}, example).store.warnings([])).toEqual([
      expect.stringContaining("secrets/home/sealing.crt is an example's certificate"),
    ]);
  });

  test('is given for a file that nothing needs', () => {
    expect(storeOf({ 'realm-aurora/netcode-key.yaml': file() }).store.warnings([brokerKeys])).toEqual([
      "secrets/home/realm-aurora/netcode-key.yaml: nothing in the cluster needs this Secret any more. Remove the file once nothing outside needs it either; a backup's password opens that backup only.",
    ]);
  });

  test('is given for a key that nothing needs', () => {
    const { store } = storeOf({
      'realm-aurora/netcode-key.yaml': file({ encryptedData: { 'generation-0': sealed, 'generation-1': sealed } }),
    });
    expect(store.warnings([realmKey])).toEqual([
      "secrets/home/realm-aurora/netcode-key.yaml: nothing in the cluster needs 'generation-0'; remove the entry.",
    ]);
  });

  test('is given for a file sealed to another key', () => {
    const { store } = storeOf({ 'realm-aurora/netcode-key.yaml': file({ sealedTo: 'sha256:00' }) });
    expect(store.warnings([realmKey])).toEqual([expect.stringContaining('is sealed to another key than that of secrets/home/sealing.crt')]);
  });
});

describe('writing', () => {
  const value = (key: string) => ({ namespace: 'database', name: 'broker-owner', key, type: databaseOwner.type, ciphertext: '' });
  const sealedFor = (key: string, text: string) => ({
    ...value(key),
    ciphertext: seal(readCertificate(certificate, 'sealing.crt'), strictLabel('database', 'broker-owner'), Buffer.from(text)),
  });

  test('makes the file of a Secret, which can be read back', () => {
    const { store } = storeOf({});
    const password = sealedFor('password', 'x');
    store.write([password]);
    expect(store.encryptedData('database', 'broker-owner')).toEqual({ password: password.ciphertext });
  });

  test('keeps the other values of the file', () => {
    const { store } = storeOf({});
    store.write([sealedFor('username', 'broker')]);
    store.write([sealedFor('password', 'x')]);
    expect(Object.keys(store.encryptedData('database', 'broker-owner') ?? {})).toEqual(['password', 'username']);
  });

  test('has a text of one form, with keys in order', () => {
    const { folder, store } = storeOf({});
    store.write([sealedFor('username', 'broker'), sealedFor('password', 'x')]);
    const text = readFileSync(path.join(folder, 'home/database/broker-owner.yaml'), 'utf8');
    expect(text.replace(/"?[A-Za-z0-9+/]{300,}=*"?/g, '(sealed)').replace(/sha256:[0-9a-f]{64}/, '(fingerprint)')).toBe(
      [
        'apiVersion: bitnami.com/v1alpha1',
        'kind: SealedSecret',
        'metadata:',
        '  name: broker-owner',
        '  namespace: database',
        '  annotations:',
        '    mmo/sealed-to: (fingerprint)',
        'spec:',
        '  encryptedData:',
        '    password: (sealed)',
        '    username: (sealed)',
        '  template:',
        '    metadata:',
        '      name: broker-owner',
        '      namespace: database',
        '    type: kubernetes.io/basic-auth',
        '',
      ].join('\n'),
    );
  });

  test('leaves no other file behind', () => {
    const { folder, store } = storeOf({});
    store.write([sealedFor('password', 'x')]);
    expect(readdirSync(path.join(folder, 'home/database'))).toEqual(['broker-owner.yaml']);
  });

  test('does not touch files that do not change', () => {
    const { folder, store } = storeOf({ 'realm-aurora/netcode-key.yaml': file() });
    const other = path.join(folder, 'home/realm-aurora/netcode-key.yaml');
    utimesSync(other, 1000, 1000);
    store.write([sealedFor('password', 'x')]);
    expect(statSync(other).mtimeMs).toBe(1_000_000);
  });

  test('gives values that open for their Secret', () => {
    const { store } = storeOf({});
    store.write([sealedFor('password', 'x')]);
    expect(unseal(privateKey, store.encryptedData('database', 'broker-owner')?.password ?? '', 'database/broker-owner').toString()).toBe(
      'x',
    );
  });

  test('refuses to mix values of two keys in one file, and changes nothing', () => {
    const text = serialize({ namespace: 'database', name: 'broker-owner', encryptedData: { username: sealed }, sealedTo: 'sha256:00' });
    const { folder, store } = storeOf({ 'database/broker-owner.yaml': text });
    expect(() => store.write([sealedFor('password', 'x')])).toThrow("'username' would stay so: one file has values of one key");
    expect(readFileSync(path.join(folder, 'home/database/broker-owner.yaml'), 'utf8')).toBe(text);
  });

  test('replaces all values of a file that was sealed to another key', () => {
    const { store } = storeOf({
      'database/broker-owner.yaml': serialize({
        namespace: 'database',
        name: 'broker-owner',
        encryptedData: { password: sealed },
        sealedTo: 'sha256:00',
      }),
    });
    store.write([sealedFor('password', 'x')]);
    expect(store.files()[0]?.sealedTo).toBe(readCertificate(certificate, 'sealing.crt').keyFingerprint);
  });

  test('does not replace a certificate, because values may be sealed to it', () => {
    const { folder, store } = storeOf({});
    expect(() => store.writeCertificate(example)).toThrow('secrets/home/sealing.crt exists');
    expect(readFileSync(path.join(folder, 'home/sealing.crt'), 'utf8')).toBe(certificate);
  });

  test('makes the folder of a new cluster with its certificate', () => {
    const folder = scratchFolder();
    fileStore(folder, 'new').writeCertificate(certificate);
    expect(existsSync(path.join(folder, 'new/sealing.crt'))).toBe(true);
  });
});

describe('the store in memory', () => {
  const fake = (store: SecretStore) => store.encryptedData('realm-aurora', 'netcode-key')?.['generation-1'] ?? '';

  test('gives values of the form of sealed ones', () => {
    const { folder, store } = storeOf({});
    writeTree(path.join(folder, 'home'), {
      'realm-aurora/netcode-key.yaml': file({ encryptedData: { 'generation-1': fake(memoryStore([realmKey])) } }),
    });
    expect(problemsOf(store)).toEqual([]);
  });

  test('gives the same value each time', () => {
    expect(fake(memoryStore(everySecret))).toBe(fake(memoryStore([realmKey])));
  });

  test('gives another value for another place', () => {
    expect(memoryStore([brokerKeys]).encryptedData('connect-broker', 'netcode-keys')?.['realm.aurora.1']).not.toBe(
      fake(memoryStore([realmKey])),
    );
  });

  test('has no value for a Secret that it was not given', () => {
    expect(memoryStore([brokerKeys]).encryptedData('realm-aurora', 'netcode-key')).toBeUndefined();
  });

  test("answers for every Secret when it has 'everything'", () => {
    expect(fake(memoryStore('everything'))).toBe(fake(memoryStore([realmKey])));
  });
});
