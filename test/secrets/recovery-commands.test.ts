/** The modes of `npm run seal` that need a private key or make one: rotation, generations, the drill, new keys and re-sealing; and since when values are sealed. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { main } from '../../commands/seal';
import { lastRecoveryDrill } from '../../lib/secrets/drill';
import type { SealEnvironment } from '../../lib/secrets/environment';
import { privateKeyFile } from '../../lib/secrets/keys';
import { EXAMPLE_ORGANIZATION, makeCertificate, readCertificate, seal, strictLabel, unseal } from '../../lib/secrets/sealing';
import type { SecretSpec } from '../../lib/secrets/spec';
import { fileStore } from '../../lib/secrets/store';
import { brokerKeys, databaseCopy, databaseOwner, dnsToken, makeKey, realmKey, scratchFolder } from './fixtures';

let real: { certificate: string; privateKey: string };
let other: { certificate: string; privateKey: string };
let example: { certificate: string; privateKey: string };

beforeAll(async () => {
  [real, other, example] = [await makeKey(), await makeKey(), await makeKey(EXAMPLE_ORGANIZATION)];
});

const needed: readonly SecretSpec[] = [databaseOwner, databaseCopy];
const nextGeneration: readonly SecretSpec[] = [
  { ...realmKey, keys: { 'generation-2': { value: 'netcode/realm/aurora/2', source: { generate: 'random-32-bytes' } } } },
  { ...brokerKeys, keys: { 'realm.aurora.2': { value: 'netcode/realm/aurora/2', source: { generate: 'random-32-bytes' } } } },
];

/** A project with a cluster `home`, whose private key is in its place, and a copy of it elsewhere. */
function project(options: { certificate?: string; needed?: readonly SecretSpec[]; today?: string; input?: string } = {}) {
  const root = scratchFolder();
  const store = () => fileStore(path.join(root, 'secrets'), 'home');
  const certificate = options.certificate ?? real.certificate;
  if (certificate !== '') store().writeCertificate(certificate);
  const copy = path.join(root, 'copy.key');
  writeFileSync(copy, real.privateKey);
  const environment: SealEnvironment = {
    root,
    clusters: ['home'],
    needed: (_cluster, _store, raised) => [...(options.needed ?? needed), ...(raised === undefined ? [] : nextGeneration)],
    users: () => new Map(),
    interactive: false,
    readInput: async () => Buffer.from(options.input ?? ''),
    ask: async () => '',
    variable: () => undefined,
    today: () => options.today ?? '2026-11-22',
    keyBits: 2048,
  };
  return {
    root,
    copy,
    store,
    environment,
    /** The first key of the pair is in its place, as `npm run seal -- --new-key` leaves it. */
    keepKey: () => keep(root, real.privateKey),
    open: (namespace: string, name: string, key: string, privateKey = real.privateKey) =>
      unseal(privateKey, store().encryptedData(namespace, name)?.[key] ?? '', `${namespace}/${name}`).toString(),
    run: async (...args: string[]) => {
      const output: string[] = [];
      const log = jest.spyOn(console, 'log').mockImplementation((text) => void output.push(String(text)));
      const error = jest.spyOn(console, 'error').mockImplementation((text) => void output.push(String(text)));
      try {
        return { code: await main(['--cluster', 'home', ...args], environment), output: output.join('\n') };
      } finally {
        log.mockRestore();
        error.mockRestore();
      }
    },
  };
}

describe('--rotate', () => {
  test('makes a new value for every place', async () => {
    const { run, open } = project();
    await run('--missing');
    const before = open('database', 'broker-owner', 'password');
    expect((await run('--rotate', 'database/broker/password', '--yes')).code).toBe(0);
    expect(open('database', 'broker-owner', 'password')).not.toBe(before);
    expect(open('connect-broker', 'database', 'password')).toBe(open('database', 'broker-owner', 'password'));
  });

  test('takes the new value of an asked one from standard input', async () => {
    const { run, open } = project({ needed: [dnsToken], input: 'hunter3\n' });
    expect((await run('--rotate', 'cloudflare/api-token')).code).toBe(0);
    expect(open('cert-manager', 'cloudflare', 'api-token')).toBe('hunter3');
  });

  test('replaces nothing without --yes, and says what a new value does', async () => {
    const key = {
      ...databaseOwner.keys.password,
      value: 'p',
      source: { generate: 'password' },
      whenReplaced: 'Everybody is logged out.',
    } as const;
    const { run, store } = project({ needed: [{ ...databaseOwner, keys: { password: key } }] });
    await run('--missing');
    const before = store().files();
    const { code, output } = await run('--rotate', 'p');
    expect(code).toBe(1);
    expect(output).toContain('Everybody is logged out.');
    expect(store().files()).toEqual(before);
  });
});

describe('--netcode with --next-generation', () => {
  const keys = [realmKey, { ...brokerKeys, keys: { 'realm.aurora.1': brokerKeys.keys['realm.aurora.1'] } } as SecretSpec];

  test('seals the next key beside the one in use, for the realm and the broker', async () => {
    const { run, open } = project({ needed: keys });
    await run('--missing');
    const before = open('realm-aurora', 'netcode-key', 'generation-1');
    expect((await run('--netcode', 'aurora', '--next-generation')).code).toBe(0);
    expect(open('realm-aurora', 'netcode-key', 'generation-1')).toBe(before);
    expect(open('realm-aurora', 'netcode-key', 'generation-2')).toBe(open('connect-broker', 'netcode-keys', 'realm.aurora.2'));
  });

  test('says which field to raise', async () => {
    const { run } = project({ needed: keys });
    expect((await run('--netcode', 'aurora', '--next-generation')).output).toContain(
      "set netcodeKeyGeneration: 2 of 'aurora' in apps/home.ts",
    );
  });

  test('changes nothing the second time', async () => {
    const { run, store } = project({ needed: keys });
    await run('--netcode', 'aurora', '--next-generation');
    const before = store().files();
    expect((await run('--netcode', 'aurora', '--next-generation')).output).toContain('set netcodeKeyGeneration: 2');
    expect(store().files()).toEqual(before);
  });
});

describe('--missing with the private key, when a realm joins that needs what others have', () => {
  const copyOf = (namespace: string): SecretSpec => ({ ...dnsToken, namespace });
  /** The cluster has its values; then the needs grow. */
  const grown = async (options: { before: readonly SecretSpec[]; after: readonly SecretSpec[] }) => {
    const made = project({ needed: options.before, input: 'hunter3' });
    for (const { namespace, name, keys } of options.before)
      for (const [key, { source }] of Object.entries(keys)) if ('ask' in source) await made.run(`${namespace}/${name}/${key}`);
    await made.run('--missing');
    Object.assign(made.environment, { needed: () => options.after });
    return made;
  };
  const asked = { before: [dnsToken], after: [dnsToken, copyOf('realm-aurora'), copyOf('realm-borealis')] };
  const generated = { before: [databaseOwner], after: [databaseOwner, databaseCopy] };

  test('seals an asked value for the new places without asking', async () => {
    const { run, open, keepKey } = await grown(asked);
    keepKey();
    const { code, output } = await run('--missing');
    expect([code, output]).toEqual([0, expect.stringContaining('cloudflare/api-token: the same as is sealed for its other places')]);
    expect([open('realm-aurora', 'cloudflare', 'api-token'), open('realm-borealis', 'cloudflare', 'api-token')]).toEqual([
      'hunter3',
      'hunter3',
    ]);
  });

  test('gives a new place the generated value that there is, and replaces none', async () => {
    const { run, store, open, keepKey } = await grown(generated);
    keepKey();
    const before = store().encryptedData('database', 'broker-owner');
    expect((await run('--missing')).code).toBe(0);
    expect(store().encryptedData('database', 'broker-owner')).toEqual(before);
    expect(open('connect-broker', 'database', 'password')).toBe(open('database', 'broker-owner', 'password'));
  });

  test('takes a copy of the key that is given with --key', async () => {
    const { run, copy } = await grown(generated);
    expect((await run('--missing', '--key', copy)).code).toBe(0);
  });

  test('does the same for --netcode', async () => {
    const { run, open, keepKey } = await grown({ before: [realmKey], after: [realmKey, brokerKeys] });
    keepKey();
    expect((await run('--netcode', 'aurora')).code).toBe(0);
    expect(open('connect-broker', 'netcode-keys', 'realm.aurora.1')).toBe(open('realm-aurora', 'netcode-key', 'generation-1'));
  });

  test('refuses an answer that is another value than the sealed one', async () => {
    const { run, root, store, keepKey } = await grown(asked);
    keepKey();
    const answers = write(root, 'answers.yaml', 'cloudflare/api-token: hunter4\n');
    chmodSync(answers, 0o600);
    const { code, output } = await run('--missing', '--answers', answers);
    expect([code, output]).toEqual([1, expect.stringContaining('is another one than is sealed for its other places')]);
    expect(store().encryptedData('realm-aurora', 'cloudflare')).toBeUndefined();
  });

  test('shows no value', async () => {
    const { run, keepKey } = await grown(asked);
    keepKey();
    expect((await run('--missing')).output).not.toContain('hunter3');
  });

  test('replaces nothing without --yes when the sealed copy does not open, and says how to look', async () => {
    const { run, root, store, keepKey } = await grown(generated);
    keepKey();
    const wrong = seal(readCertificate(other.certificate, 'c'), strictLabel('database', 'broker-owner'), Buffer.from('lost'));
    store().write([{ namespace: 'database', name: 'broker-owner', key: 'password', type: databaseOwner.type, ciphertext: wrong }]);
    const { code, output } = await run('--missing');
    expect(code).toBe(1);
    expect(output).toContain('npm run seal -- --cluster home --verify --key .keys/home.key');
    expect(readdirSync(path.join(root, 'secrets/home'))).not.toContain('connect-broker');
  });

  test.each<[string, (root: string) => void]>([
    ['is not there', () => undefined],
    ["is another cluster's", (root) => keep(root, other.privateKey)],
    ['is no key', (root) => keep(root, 'hello')],
  ])('asks as before, and says that a copy of the key would do, when the key in its place %s', async (_, prepare) => {
    const { run, root } = await grown(asked);
    prepare(root);
    const { code, output } = await run('--missing');
    expect(code).toBe(1);
    expect(output).toContain('With a copy of it, --key COPY, the missing places get the values that are sealed for the others.');
  });

  test('says so too when generated values would be replaced', async () => {
    const { run } = await grown(generated);
    expect((await run('--missing')).output).toContain('With a copy of it, --key COPY, the missing places get');
  });

  test("refuses another cluster's key that is given with --key", async () => {
    const { run, root } = await grown(generated);
    const { code, output } = await run('--missing', '--key', write(root, 'other.key', other.privateKey));
    expect([code, output]).toEqual([1, expect.stringContaining('other.key does not hold the private key of secrets/home/sealing.crt')]);
  });
});

describe('--verify', () => {
  const sealedProject = async (options: Parameters<typeof project>[0] = {}) => {
    const made = project(options);
    await made.run('--missing');
    return made;
  };

  test('opens everything and records the day and the key', async () => {
    const { run, root, copy } = await sealedProject();
    const { code, output } = await run('--verify', '--key', copy);
    expect(code).toBe(0);
    expect(output).toContain('4 values in 2 files opened');
    expect(lastRecoveryDrill(root, 'home')).toEqual({
      date: '2026-11-22',
      fingerprint: readCertificate(real.certificate, 'sealing.crt').keyFingerprint,
      key: 'copy',
    });
  });

  test('takes the Secrets of a controller as kubectl writes them', async () => {
    const { run, root } = await sealedProject();
    const backup = path.join(root, 'backup.json');
    const secret = (key: string) => ({ apiVersion: 'v1', kind: 'Secret', data: { 'tls.key': Buffer.from(key).toString('base64') } });
    writeFileSync(backup, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [secret(other.privateKey), secret(real.privateKey)] }));
    expect((await run('--verify', '--key', backup)).code).toBe(0);
  });

  test.each<[string, (root: string) => string]>([
    ['the key in its place', (root) => privateKeyFile(root, 'home')],
    ['a copy beside it', (root) => write(path.join(root, '.keys'), 'copy.key', real.privateKey)],
    ['a symbolic link to it', (root) => link(symlinkSync, root)],
    ['a hard link to it', (root) => link(linkSync, root)],
  ])('with %s opens everything, and says that it proves nothing of the copy', async (_, keyFile) => {
    const { run, root, keepKey } = await sealedProject();
    keepKey();
    const { code, output } = await run('--verify', '--key', keyFile(root));
    expect(code).toBe(0);
    expect(output).toContain('4 values in 2 files opened');
    expect(output).toContain('A drill that counts is made with that copy: npm run seal -- --cluster home --verify --key PATH_OF_THE_COPY');
    expect(lastRecoveryDrill(root, 'home')).toMatchObject({ date: '2026-11-22', key: 'in-use' });
  });

  test('with a copy elsewhere is a drill also while the key is in its place', async () => {
    const { run, root, copy, keepKey } = await sealedProject();
    keepKey();
    await run('--verify', '--key', copy);
    expect(lastRecoveryDrill(root, 'home')?.date).toBe('2026-11-22');
  });

  test('with the key in its place leaves the drill with the copy as it was', async () => {
    const { run, root, copy, keepKey, environment } = await sealedProject();
    keepKey();
    await run('--verify', '--key', copy);
    Object.assign(environment, { today: () => '2027-01-01' });
    await run('--verify', '--key', privateKeyFile(root, 'home'));
    expect(lastRecoveryDrill(root, 'home')?.date).toBe('2026-11-22');
  });

  test('shows no value', async () => {
    const { run, copy, open } = await sealedProject();
    expect((await run('--verify', '--key', copy)).output).not.toContain(open('database', 'broker-owner', 'password'));
  });

  test.each<[string, (made: Awaited<ReturnType<typeof sealedProject>>) => string[], string]>([
    [
      "the key is another cluster's",
      ({ root }) => [write(root, 'other.key', other.privateKey)],
      'The private key is not that of secrets/home/sealing.crt',
    ],
    ['the file is no key', ({ root }) => [write(root, 'note.txt', 'hello: you')], 'note.txt holds no private key'],
    ['there is no such file', ({ root }) => [path.join(root, 'nowhere.key')], 'nowhere.key cannot be read (ENOENT)'],
  ])('fails and records nothing when %s', async (_, keyFiles, sentence) => {
    const made = await sealedProject();
    const { code, output } = await made.run('--verify', ...keyFiles(made).flatMap((file) => ['--key', file]));
    expect(code).toBe(1);
    expect(output).toContain(sentence);
    expect(lastRecoveryDrill(made.root, 'home')).toBeUndefined();
  });

  test('fails when a value was damaged, and names it', async () => {
    const { run, root, copy } = await sealedProject();
    const file = path.join(root, 'secrets/home/database/broker-owner.yaml');
    const lines = readFileSync(file, 'utf8').split('\n');
    const at = lines.findIndex((line) => line.startsWith('    password: '));
    lines[at] = lines[at]?.replace(/(.{20})(.)/, (_, before: string, letter: string) => before + (letter === 'A' ? 'B' : 'A')) ?? '';
    writeFileSync(file, lines.join('\n'));
    const { code, output } = await run('--verify', '--key', copy);
    expect(code).toBe(1);
    expect(output).toContain("secrets/home/database/broker-owner.yaml: 'password' does not open");
  });

  test('fails when copies of one value differ', async () => {
    const { run, store, copy } = await sealedProject();
    const ciphertext = seal(readCertificate(real.certificate, 'c'), strictLabel('database', 'broker-owner'), Buffer.from('another'));
    store().write([{ namespace: 'database', name: 'broker-owner', key: 'password', type: databaseOwner.type, ciphertext }]);
    const { code, output } = await run('--verify', '--key', copy);
    expect(code).toBe(1);
    expect(output).toContain(
      'The copies of database/broker/password differ: database/broker-owner/password has another value than connect-broker/database/password',
    );
    expect(output).not.toContain('another\n');
  });

  test('fails when a value is missing', async () => {
    const { run, copy } = project();
    await run('database/broker-owner/password', '--generate', '32');
    const { code, output } = await run('--verify', '--key', copy);
    expect(code).toBe(1);
    expect(output).toContain('database/broker-owner/username is not sealed');
  });

  test('fails when what is in a value has not the form that it must have', async () => {
    const { run, store, copy } = project({ needed: [realmKey] });
    const ciphertext = seal(readCertificate(real.certificate, 'c'), strictLabel('realm-aurora', 'netcode-key'), Buffer.from('short'));
    store().write([{ namespace: 'realm-aurora', name: 'netcode-key', key: 'generation-1', type: undefined, ciphertext }]);
    expect((await run('--verify', '--key', copy)).output).toContain('has 5 bytes; it must be exactly 32 raw bytes');
  });

  test('of an example says that nobody can open it', async () => {
    const { run, copy } = await sealedProject({ certificate: example.certificate });
    expect((await run('--verify', '--key', copy)).output).toContain('whose private key was thrown away');
  });

  test('without a key is wrong usage', async () => {
    expect((await project().run('--verify')).code).toBe(2);
  });
});

describe('--new-key', () => {
  test('makes a key that only its owner can read, and its certificate', async () => {
    const { run, root, store } = project({ certificate: '' });
    expect((await run('--new-key')).code).toBe(0);
    expect(statSync(privateKeyFile(root, 'home')).mode & 0o777).toBe(0o600);
    expect(store().certificate()?.example).toBe(false);
  });

  test('makes a key that opens what is sealed to the certificate', async () => {
    const { run, root } = project({ certificate: '' });
    await run('--new-key');
    await run('--missing');
    expect((await run('--verify', '--key', privateKeyFile(root, 'home'))).code).toBe(0);
  });

  test("replaces an example's certificate together with its values, which nobody can open", async () => {
    const { run, store } = project({ certificate: example.certificate });
    await run('--missing');
    expect((await run('--new-key')).code).toBe(0);
    expect(store().files()).toEqual([]);
    expect(store().certificate()?.example).toBe(false);
  });

  test('replaces no certificate of your own', async () => {
    const { run, root } = project();
    const { code, output } = await run('--new-key');
    expect(code).toBe(1);
    expect(output).toContain('--reseal');
    expect(existsSync(privateKeyFile(root, 'home'))).toBe(false);
  });

  test('gives up the values of a key that is lost, with --yes', async () => {
    const { run, store } = project();
    await run('--missing');
    expect((await run('--new-key', '--yes')).code).toBe(0);
    expect(store().files()).toEqual([]);
    expect(store().certificate()?.keyFingerprint).not.toBe(readCertificate(real.certificate, 'c').keyFingerprint);
  });

  test('gives up nothing when the key is not lost at all', async () => {
    const { run, store, keepKey } = project();
    keepKey();
    await run('--missing');
    const before = store().files();
    const { code, output } = await run('--new-key', '--yes');
    expect(code).toBe(1);
    expect(output).toContain('so nothing is lost');
    expect(store().files()).toEqual(before);
  });

  test('keeps the values of a certificate that is missing, when the private key is there', async () => {
    const { run, root, store, keepKey } = project();
    keepKey();
    await run('--missing');
    const before = store().files();
    rmSync(path.join(root, 'secrets/home/sealing.crt'));
    expect((await run('--new-key')).code).toBe(0);
    expect(store().files()).toEqual(before);
  });

  test('gives up no values because their certificate is missing', async () => {
    const { run, root } = project();
    await run('--missing');
    const before = readdirSync(path.join(root, 'secrets/home'));
    rmSync(path.join(root, 'secrets/home/sealing.crt'));
    const { code, output } = await run('--new-key');
    expect([code, readdirSync(path.join(root, 'secrets/home'))]).toEqual([1, before.filter((file) => file !== 'sealing.crt')]);
    expect(output).toMatch(/^secrets\/home has sealed values, but sealing\.crt is missing\. Bring the certificate back/);
  });

  test('never overwrites a private key: it gets the certificate', async () => {
    const { run, root, store, keepKey } = project({ certificate: '' });
    keepKey();
    expect((await run('--new-key')).output).toContain('was there already and was kept');
    expect(readFileSync(privateKeyFile(root, 'home'), 'utf8')).toBe(real.privateKey);
    expect(store().certificate()?.keyFingerprint).toBe(readCertificate(real.certificate, 'c').keyFingerprint);
  });
});

describe('--reseal', () => {
  test('seals the same values to a new key, and keeps the old key under another name', async () => {
    const { run, root, open, keepKey } = project();
    keepKey();
    await run('--missing');
    const before = open('database', 'broker-owner', 'password');
    expect((await run('--reseal')).code).toBe(0);
    const files = readdirSync(path.join(root, '.keys')).sort();
    expect(files).toEqual(['home.key', expect.stringMatching(/^home\.old-[0-9a-f]{12}\.key$/)]);
    expect(readFileSync(path.join(root, '.keys', files[1] ?? ''), 'utf8')).toBe(real.privateKey);
    expect(open('database', 'broker-owner', 'password', readFileSync(privateKeyFile(root, 'home'), 'utf8'))).toBe(before);
  });

  test('keeps the types of Secrets', async () => {
    const { run, keepKey, store } = project();
    keepKey();
    await run('--missing');
    await run('--reseal');
    expect(
      store()
        .files()
        .map(({ type }) => type),
    ).toEqual(['kubernetes.io/basic-auth', 'kubernetes.io/basic-auth']);
  });

  test('seals to a certificate that is given', async () => {
    const { run, root, copy, open } = project();
    await run('--missing');
    const before = open('database', 'broker-owner', 'password');
    expect((await run('--reseal', '--key', copy, '--certificate', write(root, 'new.crt', other.certificate))).code).toBe(0);
    expect(open('database', 'broker-owner', 'password', other.privateKey)).toBe(before);
  });

  test('forgets the last drill, which was of another key', async () => {
    const { run, root, copy } = project();
    await run('--missing');
    await run('--verify', '--key', copy);
    await run('--reseal', '--key', copy, '--certificate', write(root, 'new.crt', other.certificate));
    expect(lastRecoveryDrill(root, 'home')).toBeUndefined();
  });

  test.each<[string, (root: string) => string[], string]>([
    ['the key does not open the values', (root) => ['--key', write(root, 'other.key', other.privateKey)], 'does not open'],
    ["the new certificate is an example's", (root) => ['--certificate', write(root, 'new.crt', example.certificate)], "is an example's"],
    ['the new certificate is none', (root) => ['--certificate', write(root, 'new.crt', 'hello')], 'is no X.509 certificate'],
  ])('changes nothing when %s', async (_, args, sentence) => {
    const { run, root, store, keepKey } = project();
    keepKey();
    await run('--missing');
    const before = store().files();
    const { code, output } = await run('--reseal', ...args(root));
    expect(code).toBe(1);
    expect(output).toContain(sentence);
    expect(store().files()).toEqual(before);
    expect(readdirSync(path.join(root, '.keys'))).toEqual(['home.key']);
  });

  test('changes nothing when the new certificate has expired', async () => {
    const expired = await makeCertificate({ organization: 'x', commonName: 'x', bits: 2048, years: 1, from: new Date('2020-01-01') });
    const { run, root, copy, store } = project();
    await run('--missing');
    const before = store().files();
    expect((await run('--reseal', '--key', copy, '--certificate', write(root, 'new.crt', expired.certificate))).output).toContain(
      'has expired on 2021-01-01',
    );
    expect(store().files()).toEqual(before);
  });

  test("of an example's values says that nobody can open them", async () => {
    const { run } = project({ certificate: example.certificate });
    expect((await run('--reseal')).output).toContain('--new-key');
  });
});

describe('--renew-certificate', () => {
  test('makes a certificate of the same key that lasts longer, and leaves every value alone', async () => {
    const { run, store, keepKey } = project({ certificate: await certificateUntil(2020) });
    keepKey();
    const before = store().files();
    expect((await run('--renew-certificate')).code).toBe(0);
    const after = store().certificate();
    expect(after?.keyFingerprint).toBe(readCertificate(real.certificate, 'c').keyFingerprint);
    expect(after?.validTo.getTime()).toBeGreaterThan(Date.now());
    expect(store().files()).toEqual(before);
  });

  test('is what a value that cannot be sealed any more asks for', async () => {
    const { run } = project({ certificate: await certificateUntil(2020) });
    const { code, output } = await run('--missing');
    expect(code).toBe(1);
    expect(output).toContain('--renew-certificate');
  });

  test('changes nothing when the key is another one', async () => {
    const { run, root, store } = project();
    const before = store().certificate()?.validTo;
    const { code, output } = await run('--renew-certificate', '--key', write(root, 'other.key', other.privateKey));
    expect(code).toBe(1);
    expect(output).toContain('The private key is not that of secrets/home/sealing.crt');
    expect(store().certificate()?.validTo).toEqual(before);
  });

  /** Of the real key, expired at the end of that year's first day. */
  async function certificateUntil(year: number): Promise<string> {
    const privateKey = createPrivateKey(real.privateKey);
    const from = new Date(`${year - 1}-01-01`);
    return (await makeCertificate({ organization: 'x', commonName: 'x', years: 1, from, privateKey })).certificate;
  }
});

describe('--list', () => {
  const inGit = async () => {
    const made = project({ needed: [databaseOwner] });
    await made.run('--missing');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@test.invalid', ...args], {
        cwd: made.root,
        env: { ...process.env, GIT_COMMITTER_DATE: '2026-03-01T12:00:00Z' },
      });
    git('init', '--quiet');
    git('add', 'secrets');
    git('commit', '--quiet', '--message', 'x');
    return made;
  };

  test('says since when each value is sealed', async () => {
    const { run } = await inGit();
    expect((await run('--list')).output).toContain('sealed  password  database/broker/password, a generated password, since 2026-03-01');
  });

  test('says of a value that was sealed again that it is not committed yet, and keeps the day of the others', async () => {
    const { run } = await inGit();
    await run('--rotate', 'database/broker/password', '--yes');
    const { output } = await run('--list');
    expect(output).toContain('password  database/broker/password, a generated password, not committed yet');
    expect(output).toContain("username  database/broker/username, fixed as 'broker', since 2026-03-01");
  });

  test('says when the last drill was', async () => {
    const { run, copy } = await inGit();
    await run('--verify', '--key', copy);
    expect((await run('--list')).output).toContain('last recovery drill: on 2026-11-22');
  });
});

function write(folder: string, name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** A link outside of `.keys/` to the key in its place. */
function link(make: (target: string, file: string) => void, root: string): string {
  const file = path.join(root, 'linked.key');
  make(privateKeyFile(root, 'home'), file);
  return file;
}

/** Puts a text where the private key is kept. */
function keep(root: string, text: string): void {
  mkdirSync(path.join(root, '.keys'));
  writeFileSync(privateKeyFile(root, 'home'), text, { mode: 0o600 });
}
