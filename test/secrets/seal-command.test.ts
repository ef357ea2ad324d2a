/** `npm run seal` from its options to the files it writes, over a folder of secrets and a list of needed ones. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { clusters } from '../../apps';
import { main } from '../../commands/seal';
import type { SealEnvironment } from '../../lib/secrets/environment';
import { missingPlaces } from '../../lib/secrets/plan';
import { EXAMPLE_ORGANIZATION, unseal } from '../../lib/secrets/sealing';
import type { SecretSpec } from '../../lib/secrets/spec';
import { fileStore } from '../../lib/secrets/store';
import { brokerKeys, databaseCopy, databaseOwner, dnsToken, everySecret, makeKey, realmKey, scratchFolder } from './fixtures';

let real: { certificate: string; privateKey: string };
let example: { certificate: string; privateKey: string };

beforeAll(async () => {
  real = await makeKey();
  example = await makeKey(EXAMPLE_ORGANIZATION);
});

interface Setup {
  readonly needed?: readonly SecretSpec[];
  readonly certificate?: string;
  readonly input?: string | Buffer;
  /** What the next generation of a netcode key adds. */
  readonly raised?: readonly SecretSpec[];
  /** Answers of a person, in turn; without them nobody sits there. */
  readonly person?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
}

/** A project folder and a way to run the command in it. */
function project(setup: Setup = {}) {
  const root = scratchFolder();
  const secrets = path.join(root, 'secrets');
  const certificate = setup.certificate ?? real.certificate;
  if (certificate !== '') fileStore(secrets, 'home').writeCertificate(certificate);
  const questions: string[] = [];
  const environment: SealEnvironment = {
    root,
    clusters: ['home', 'local'],
    needed: (_cluster, _store, raised) => [...(setup.needed ?? everySecret), ...(raised === undefined ? [] : (setup.raised ?? []))],
    users: () => new Map([['cert-manager/cloudflare', ['ClusterIssuer letsencrypt']]]),
    variable: (name) => setup.variables?.[name],
    today: () => '2026-11-22',
    keyBits: 2048,
    interactive: setup.person !== undefined,
    readInput: async () => Buffer.from(setup.input ?? ''),
    ask: async (question) => {
      questions.push(question);
      return setup.person?.[questions.length - 1] ?? '';
    },
  };
  return {
    root,
    secrets,
    questions,
    store: () => fileStore(secrets, 'home'),
    open: (namespace: string, name: string, key: string, privateKey = real.privateKey) =>
      unseal(privateKey, fileStore(secrets, 'home').encryptedData(namespace, name)?.[key] ?? '', `${namespace}/${name}`),
    run: async (...args: string[]) => {
      const output: string[] = [];
      const log = jest.spyOn(console, 'log').mockImplementation((text) => void output.push(String(text)));
      const error = jest.spyOn(console, 'error').mockImplementation((text) => void output.push(String(text)));
      try {
        return { code: await main(args, environment), output: output.join('\n') };
      } finally {
        log.mockRestore();
        error.mockRestore();
      }
    },
  };
}

const seal = ['--cluster', 'home'];

describe('--missing', () => {
  test('seals everything that can be generated, and says what is left', async () => {
    const { run, store } = project();
    const { code, output } = await run(...seal, '--missing');
    expect(code).toBe(1);
    expect(output).toContain('cloudflare/api-token: API token of Cloudflare with Zone.DNS edit');
    expect(missingPlaces(everySecret, store())).toEqual([{ namespace: 'cert-manager', name: 'cloudflare', key: 'api-token' }]);
  });

  test('seals the same value for every Secret that needs it', async () => {
    const { run, open } = project();
    await run(...seal, '--missing');
    expect(open('realm-aurora', 'netcode-key', 'generation-1')).toEqual(open('connect-broker', 'netcode-keys', 'realm.aurora.1'));
  });

  test('makes a key for each realm and content type', async () => {
    const { run, open } = project();
    await run(...seal, '--missing');
    expect(open('realm-aurora', 'netcode-key', 'generation-1')).not.toEqual(open('instances', 'netcode-key-dungeon', 'generation-1'));
  });

  test('seals fixed values as they are', async () => {
    const { run, open } = project();
    await run(...seal, '--missing');
    expect(open('database', 'broker-owner', 'username').toString()).toBe('broker');
  });

  test('changes nothing when nothing is missing', async () => {
    const { run, secrets } = project({ needed: [realmKey] });
    await run(...seal, '--missing');
    const file = path.join(secrets, 'home/realm-aurora/netcode-key.yaml');
    const before = readFileSync(file, 'utf8');
    const { code, output } = await run(...seal, '--missing');
    expect(code).toBe(0);
    expect(output).toContain('nothing is missing');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('asks a person for what only a person has', async () => {
    const { run, open, questions } = project({ needed: [dnsToken], person: ['hunter2'] });
    expect((await run(...seal, '--missing')).code).toBe(0);
    expect(questions).toEqual(['cloudflare/api-token (API token of Cloudflare with Zone.DNS edit) (Enter: later): ']);
    expect(open('cert-manager', 'cloudflare', 'api-token').toString()).toBe('hunter2');
  });

  test('asks again for a value that cannot be right, and says why', async () => {
    const { run, open, questions } = project({ needed: [dnsToken], person: ['hunter2 ', 'hunter2'] });
    await run(...seal, '--missing');
    expect(questions[1]).toMatch(/^The value for 'cloudflare\/api-token' begins or ends with white space/);
    expect(open('cert-manager', 'cloudflare', 'api-token').toString()).toBe('hunter2');
  });

  test('seals the others when a person has one of them later', async () => {
    const { run, store } = project({ person: [''] });
    const { code, output } = await run(...seal, '--missing');
    expect([code, store().files().length > 0]).toEqual([1, true]);
    expect(output).toContain('Still missing, because only a person has it:\n  cloudflare/api-token: ');
  });

  test('asks for a value that is sealed elsewhere as the same one, and leaves that copy alone', async () => {
    const needed: SecretSpec[] = [dnsToken];
    const { run, open, questions, store } = project({ needed, person: ['hunter2', 'hunter2'] });
    await run(...seal, '--missing');
    const before = store().encryptedData('cert-manager', 'cloudflare');
    needed.push({ ...dnsToken, namespace: 'elsewhere' });
    expect((await run(...seal, '--missing')).code).toBe(0);
    expect(questions[1]).toContain('the same as is sealed for 1 other place (Enter: later): ');
    expect(open('elsewhere', 'cloudflare', 'api-token').toString()).toBe('hunter2');
    expect(store().encryptedData('cert-manager', 'cloudflare')).toEqual(before);
  });

  test('names the next step', async () => {
    expect((await project({ needed: [realmKey] }).run(...seal, '--missing')).output).toContain('Next: npm run synth');
  });

  test('replaces no sealed copy without --yes, and says which it would', async () => {
    const needed: SecretSpec[] = [databaseOwner];
    const { run, store } = project({ needed });
    await run(...seal, '--missing');
    const before = store().files();
    needed.push(databaseCopy);
    const { code, output } = await run(...seal, '--missing');
    expect(code).toBe(1);
    expect(output).toContain('database/broker/password: database/broker-owner/password');
    expect(store().files()).toEqual(before);
  });

  test('replaces sealed copies with --yes, so that all are equal again', async () => {
    const needed: SecretSpec[] = [databaseOwner];
    const { run, open } = project({ needed });
    await run(...seal, '--missing');
    needed.push(databaseCopy);
    const { code, output } = await run(...seal, '--missing', '--yes');
    expect(code).toBe(0);
    expect(output).toContain('sealed for database/broker-owner/password, replacing what was there');
    expect(open('database', 'broker-owner', 'password')).toEqual(open('connect-broker', 'database', 'password'));
  });

  test('without a certificate says where it belongs', async () => {
    const { code, output } = await project({ certificate: '' }).run(...seal, '--missing');
    expect(code).toBe(1);
    expect(output).toContain('secrets/home/sealing.crt is missing');
  });
});

describe('--answers', () => {
  const answered = async (text: string, mode = 0o600) => {
    const home = project({ needed: [dnsToken, realmKey] });
    const file = path.join(home.secrets, '../answers.yaml');
    writeFileSync(file, text);
    chmodSync(file, mode);
    return { ...home, ...(await home.run(...seal, '--missing', '--answers', file)) };
  };

  test('gives the values that would be asked for', async () => {
    const { code, open } = await answered('cloudflare/api-token: hunter2\n');
    expect(code).toBe(0);
    expect(open('cert-manager', 'cloudflare', 'api-token').toString()).toBe('hunter2');
  });

  test('are refused when others can read them', async () => {
    const { code, output, store } = await answered('cloudflare/api-token: hunter2\n', 0o644);
    expect(code).toBe(1);
    expect(output).toContain('can be read by others (mode 0644)');
    expect(store().files()).toEqual([]);
  });

  test('may name a file for a value', async () => {
    const { run, open, root } = project({ needed: [dnsToken] });
    writeFileSync(path.join(root, 'token'), 'hunter2\n');
    writeFileSync(path.join(root, 'answers.yaml'), `cloudflare/api-token: { file: ${path.join(root, 'token')} }`, { mode: 0o600 });
    expect((await run(...seal, '--missing', '--answers', path.join(root, 'answers.yaml'))).code).toBe(0);
    expect(open('cert-manager', 'cloudflare', 'api-token').toString()).toBe('hunter2');
  });

  test('may name an environment variable for a value', async () => {
    const { run, open, root } = project({ needed: [dnsToken], variables: { TOKEN: 'hunter2' } });
    writeFileSync(path.join(root, 'answers.yaml'), 'cloudflare/api-token: { env: TOKEN }', { mode: 0o600 });
    expect((await run(...seal, '--missing', '--answers', path.join(root, 'answers.yaml'))).code).toBe(0);
    expect(open('cert-manager', 'cloudflare', 'api-token').toString()).toBe('hunter2');
  });

  test.each([
    ['a file that is not there', '{ file: /nowhere/token }', 'is to come from the file /nowhere/token, which cannot be read (ENOENT)'],
    ['a variable that is not set', '{ env: TOKEN }', 'is to come from the environment variable TOKEN, which is not set'],
  ])('are refused with %s', async (_, answer, sentence) => {
    const { code, output } = await answered(`cloudflare/api-token: ${answer}\n`);
    expect(code).toBe(1);
    expect(output).toContain(sentence);
  });

  test.each([
    [
      'an identity that is not needed',
      'cloudflare/api-tocken: hunter2',
      "the cluster needs no value 'cloudflare/api-tocken'; did you mean 'cloudflare/api-token'?",
    ],
    [
      'a value that is generated',
      'netcode/realm/aurora/1: hunter2',
      "'netcode/realm/aurora/1' is generated as 32 random bytes, not asked for",
    ],
    ['a number', 'cloudflare/api-token: 42', "the value of 'cloudflare/api-token' must be text that is not empty"],
    ['a list', '- hunter2', 'must be a YAML map from identity to value'],
    ['text that is no YAML', 'cloudflare/api-token: "hunter2', 'is not YAML'],
  ])('are refused with %s, without quoting a value', async (_, text, sentence) => {
    const { code, output, store } = await answered(text);
    expect(code).toBe(1);
    expect(output).toContain(sentence);
    expect(output).not.toContain('hunter2');
    expect(store().files()).toEqual([]);
  });
});

describe('--placeholder-asks', () => {
  test("seals random text to an example's certificate", async () => {
    const { run, open } = project({ needed: [dnsToken], certificate: example.certificate });
    expect((await run(...seal, '--missing', '--placeholder-asks')).code).toBe(0);
    expect(open('cert-manager', 'cloudflare', 'api-token', example.privateKey).toString()).toMatch(/^[A-Za-z0-9]{32}$/);
  });

  test('is refused with a real certificate', async () => {
    const { run, store } = project({ needed: [dnsToken] });
    const { code, output } = await run(...seal, '--missing', '--placeholder-asks');
    expect(code).toBe(1);
    expect(output).toContain('is a real certificate');
    expect(store().files()).toEqual([]);
  });
});

describe('--example', () => {
  test("makes an example's certificate and keeps no private key", async () => {
    const { run, secrets, store } = project({ certificate: '' });
    expect((await run(...seal, '--example')).code).toBe(0);
    expect(store().certificate()?.example).toBe(true);
    expect(store().certificate()?.modulusBytes).toBe(512);
    expect(readdirSync(path.join(secrets, 'home'))).toEqual(['sealing.crt']);
  }, 60_000);

  test('does not replace a certificate', async () => {
    const { run, store } = project();
    expect((await run(...seal, '--example')).code).toBe(1);
    expect(store().certificate()?.example).toBe(false);
  });
});

describe('--netcode', () => {
  test('seals the key of one realm, for the realm and the broker, and nothing else', async () => {
    const { run, store } = project();
    expect((await run(...seal, '--netcode', 'aurora')).code).toBe(0);
    expect(
      store()
        .files()
        .map(({ namespace, name, encryptedData }) => [namespace, name, Object.keys(encryptedData)]),
    ).toEqual([
      ['connect-broker', 'netcode-keys', ['realm.aurora.1']],
      ['realm-aurora', 'netcode-key', ['generation-1']],
    ]);
  });

  test('of a key that is sealed says how a new one is made', async () => {
    const { run } = project({ needed: [brokerKeys, realmKey] });
    await run(...seal, '--netcode', 'aurora');
    expect((await run(...seal, '--netcode', 'aurora')).output).toContain('add --next-generation');
  });
});

describe('one value', () => {
  test('is taken from standard input, without the line feed that echo adds', async () => {
    const { run, open } = project({ input: 'hunter2\n' });
    expect((await run(...seal, 'cert-manager/cloudflare')).code).toBe(0);
    expect(open('cert-manager', 'cloudflare', 'api-token').toString()).toBe('hunter2');
  });

  test('is taken from a file byte by byte where bytes are needed', async () => {
    const { run, open, secrets } = project();
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index));
    writeFileSync(path.join(secrets, '../key'), bytes);
    expect((await run(...seal, 'realm-aurora/netcode-key/generation-1', '--from-file', path.join(secrets, '../key'))).code).toBe(0);
    expect(open('connect-broker', 'netcode-keys', 'realm.aurora.1')).toEqual(bytes);
  });

  test('is generated with the length asked for', async () => {
    const { run, open } = project();
    expect((await run(...seal, 'database/broker-owner/password', '--generate', '48')).code).toBe(0);
    expect(open('connect-broker', 'database', 'password').toString()).toMatch(/^[A-Za-z0-9]{48}$/);
  });

  test('is asked for in a terminal', async () => {
    const { run, open } = project({ person: ['hunter2'] });
    await run(...seal, 'cert-manager/cloudflare/api-token');
    expect(open('cert-manager', 'cloudflare', 'api-token').toString()).toBe('hunter2');
  });

  test('is not replaced without --yes', async () => {
    const { run } = project({ input: 'hunter2' });
    await run(...seal, 'cert-manager/cloudflare');
    const { code, output } = await run(...seal, 'cert-manager/cloudflare');
    expect(code).toBe(1);
    expect(output).toContain('Nothing was sealed');
  });

  test('keeps the type that its Secret needs', async () => {
    const { run, store } = project();
    await run(...seal, 'database/broker-owner/password', '--generate', '32');
    expect(
      store()
        .files()
        .map(({ type }) => type),
    ).toEqual(['kubernetes.io/basic-auth', 'kubernetes.io/basic-auth']);
  });

  test('that is empty is refused', async () => {
    const { code, output } = await project({ input: '' }).run(...seal, 'cert-manager/cloudflare');
    expect(code).toBe(1);
    expect(output).toBe("The value for 'cloudflare/api-token' is empty.");
  });
});

describe('a plaintext', () => {
  test('is in no output and in no file', async () => {
    const { run, secrets } = project({ input: 'hunter2hunter2' });
    const { output } = await run(...seal, 'cert-manager/cloudflare');
    const text = readFileSync(path.join(secrets, 'home/cert-manager/cloudflare.yaml'), 'utf8');
    for (const form of ['hunter2hunter2', Buffer.from('hunter2hunter2').toString('base64')]) {
      expect(output).not.toContain(form);
      expect(text).not.toContain(form);
    }
  });

  test.each([
    ['as a second argument', ['cert-manager/cloudflare', 'hunter2']],
    ['after an equals sign', ['cert-manager/cloudflare/api-token=hunter2']],
  ])('is refused on the command line %s, without repeating it', async (_, args) => {
    const { run, secrets } = project();
    const { code, output } = await run(...seal, ...args);
    expect(code).toBe(2);
    expect(output).toContain('never given on the command line');
    expect(output).not.toContain('hunter2');
    expect(existsSync(path.join(secrets, 'home/cert-manager'))).toBe(false);
  });
});

describe('--list', () => {
  test('shows every value, what it is for and whether it is sealed', async () => {
    const { run } = project({ needed: [realmKey, dnsToken] });
    await run(...seal, '--netcode', 'aurora');
    expect((await run(...seal, '--list')).output).toBe(
      [
        'cert-manager/cloudflare: DNS-01',
        '  used by ClusterIssuer letsencrypt',
        '  MISSING api-token  cloudflare/api-token, asked for (API token of Cloudflare with Zone.DNS edit)',
        'realm-aurora/netcode-key: key of the realm',
        '  sealed  generation-1  netcode/realm/aurora/1, generated as 32 random bytes',
        'last recovery drill: never: npm run seal -- --verify --key COPY_OF_THE_KEY',
        'secrets/home: 1 missing; seal them with --missing.',
      ].join('\n'),
    );
  });

  test('is JSON for programs', async () => {
    const { output } = await project({ needed: [dnsToken], certificate: example.certificate }).run(...seal, '--list', '--json');
    expect(JSON.parse(output)).toMatchObject({
      place: 'secrets/home',
      certificate: { example: true },
      missing: 1,
      secrets: [
        { namespace: 'cert-manager', name: 'cloudflare', keys: [{ key: 'api-token', identity: 'cloudflare/api-token', sealed: false }] },
      ],
    });
  });

  test('works before there is a certificate', async () => {
    expect((await project({ certificate: '' }).run(...seal, '--list')).code).toBe(0);
  });
});

describe('wrong usage', () => {
  test.each([
    ['no cluster', ['--list'], 'Say which cluster: --cluster NAME, one of home, local.'],
    ['an unknown cluster', ['--cluster', 'hom', '--list'], "There is no cluster 'hom'; did you mean 'home'?"],
    ['nothing to do', seal, 'Say what to do'],
    ['two things to do', [...seal, '--list', '--missing'], '--list and --missing cannot be combined'],
    ['an option that does not fit', [...seal, '--list', '--yes'], '--yes has no meaning with --list'],
    ['two sources', [...seal, 'a/b', '--generate', '32', '--from-file', 'x'], '--generate and --from-file cannot be combined'],
    ['a length that is no number', [...seal, 'a/b', '--generate', 'many'], '--generate needs a number'],
    ['an unknown option', [...seal, '--lst'], "Unknown option '--lst'"],
  ])('with %s ends with exit code 2', async (_, args, sentence) => {
    const { code, output } = await project().run(...args);
    expect(code).toBe(2);
    expect(output).toContain(sentence);
  });
});

describe('as npm run seal, over the project itself', () => {
  /** The project's own files in a folder that has no secrets yet. */
  function copyOfProject(): string {
    const folder = scratchFolder();
    const root = path.join(__dirname, '../..');
    for (const name of readdirSync(root).filter((name) => !name.startsWith('.') && !['secrets', 'dist', 'commands'].includes(name))) {
      symlinkSync(path.join(root, name), path.join(folder, name));
    }
    // The runner's place is the project's root, so it has to be a file here; what it bundles may be links.
    mkdirSync(path.join(folder, 'commands'));
    copyFileSync(path.join(root, 'commands/run.mjs'), path.join(folder, 'commands/run.mjs'));
    symlinkSync(path.join(root, 'commands/seal.ts'), path.join(folder, 'commands/seal.ts'));
    return folder;
  }

  const run = (folder: string, ...args: string[]) =>
    execFileSync(process.execPath, ['commands/run.mjs', 'seal', '--cluster', clusters[0]?.name ?? '', ...args], {
      cwd: folder,
      encoding: 'utf8',
      input: '',
    });

  test('makes an example of a cluster from nothing in two steps', () => {
    const folder = copyOfProject();
    run(folder, '--example');
    run(folder, '--missing', '--placeholder-asks');
    expect(JSON.parse(run(folder, '--list', '--json'))).toMatchObject({ certificate: { example: true }, missing: 0 });
  }, 120_000);
});
