/** `npm run init` from its answers to the files of a project, with nobody there and with a person. The example's folder of secrets is the one that it may replace. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readTree } from '../../lib/emit/writer';
import { describeCluster } from '../../lib/init/describe';
import { questions as allQuestions, complete } from '../../lib/init/questions';
import { resolveCluster } from '../../lib/model/cluster';
import { certificateFile, privateKeyFile } from '../../lib/secrets/keys';
import { neededSecrets } from '../../lib/secrets/needs';
import { missingPlaces } from '../../lib/secrets/plan';
import { readPrivateKeys } from '../../lib/secrets/private-keys';
import { openAll } from '../../lib/secrets/recovery';
import { SecretsError } from '../../lib/secrets/sealing';
import { fileStore, memoryStore } from '../../lib/secrets/store';
import { synthesizeToDisk } from '../../lib/synth-to-disk';
import { exampleHomelab } from '../examples';
import { COMPLETE, flags, project } from './fixtures';

const described = describeCluster(complete(COMPLETE, { remote: undefined }).answers);
/** Answers after which two values are missing that only a person has. */
const WITH_BACKUPS = { ...COMPLETE, 'backup-endpoint': 'https://s3.eu-central-003.backblazeb2.com', 'backup-bucket': 'castle-backups' };

describe('with complete answers', () => {
  let root: string;
  let output: string;
  let code: number;

  beforeAll(async () => {
    const made = project();
    root = made.root;
    ({ code, output } = await made.run(...flags(COMPLETE)));
  });

  test('it ends with success', () => {
    expect(code).toBe(0);
  });

  test('it writes and registers the description', () => {
    expect(readFileSync(path.join(root, 'apps/castle.ts'), 'utf8')).toContain("export const castle = defineCluster({\n  name: 'castle',");
    expect(readFileSync(path.join(root, 'apps/index.ts'), 'utf8')).toContain("import { castle } from './castle';");
  });

  test('it makes a key that only its owner can read', () => {
    expect(statSync(privateKeyFile(root, 'castle')).mode & 0o777).toBe(0o600);
  });

  test('it seals everything that the cluster needs', () => {
    const store = fileStore(path.join(root, 'secrets'), 'castle');
    expect(missingPlaces(neededSecrets(described, store), store)).toEqual([]);
  });

  test('it seals values that the key opens', () => {
    expect(
      openAll(fileStore(path.join(root, 'secrets'), 'castle'), readPrivateKeys(privateKeyFile(root, 'castle'))).length,
    ).toBeGreaterThan(10);
  });

  test('it writes dist', () => {
    expect(existsSync(path.join(root, 'dist/castle/root'))).toBe(true);
  });

  test('it names three next steps', () => {
    expect(output.match(/^ {2}\d\. /gm)).toHaveLength(3);
  });
});

test('a second run with the same answers changes nothing', async () => {
  const { root, run } = project();
  await run(...flags(COMPLETE));
  const before = readTree(root);
  const { code, output } = await run(...flags(COMPLETE));
  expect(code).toBe(0);
  expect(output).toContain('dist/: unchanged');
  expect(readTree(root)).toEqual(before);
});

test('a second run with other answers changes nothing and says whose file it is', async () => {
  const { root, run } = project();
  await run(...flags(COMPLETE));
  const before = readTree(root);
  const { code, output } = await run(...flags({ ...COMPLETE, domain: 'mmo.tower.example.com' }));
  expect(code).toBe(1);
  expect(output).toContain('apps/castle.ts exists and says something else than these answers');
  expect(readTree(root)).toEqual(before);
});

test('a private key that is there is never overwritten', async () => {
  const first = project();
  await first.run(...flags(COMPLETE));
  const key = readFileSync(privateKeyFile(first.root, 'castle'), 'utf8');
  const files = path.join(first.root, 'secrets/castle');
  for (const name of readdirSync(files)) if (name === 'sealing.crt') writeFileSync(path.join(files, name), '');
  expect((await first.run(...flags(COMPLETE))).code).toBe(1);
  expect(readFileSync(privateKeyFile(first.root, 'castle'), 'utf8')).toBe(key);
});

test('what an interruption left undone is done by the next run, with the same key', async () => {
  const { root, run } = project();
  await run(...flags(COMPLETE));
  const key = readFileSync(privateKeyFile(root, 'castle'), 'utf8');
  rmSync(path.join(root, 'secrets/castle'), { recursive: true });
  rmSync(path.join(root, 'dist'), { recursive: true });
  expect((await run(...flags(COMPLETE))).code).toBe(0);
  expect(readFileSync(privateKeyFile(root, 'castle'), 'utf8')).toBe(key);
  expect(existsSync(path.join(root, 'dist/castle'))).toBe(true);
});

describe("in the example's place", () => {
  test('it replaces description, certificate and values in one step', async () => {
    const { root, run } = project();
    const example = readFileSync(certificateFile(root, 'homelab'), 'utf8');
    expect((await run(...flags({ ...COMPLETE, name: 'homelab' }))).code).toBe(0);
    expect(readFileSync(path.join(root, 'apps/homelab.ts'), 'utf8')).toContain('mmo.castle.example.com');
    expect(readFileSync(certificateFile(root, 'homelab'), 'utf8')).not.toBe(example);
  });

  /** The example's dist, as a checkout has it. */
  const withDist = (root: string) =>
    synthesizeToDisk({ descriptions: [exampleHomelab], directory: path.join(root, 'dist'), secretsDirectory: path.join(root, 'secrets') });

  test("it lets the example's worlds go, which nobody ever played", async () => {
    const { root, run } = project();
    withDist(root);
    expect((await run(...flags({ ...COMPLETE, name: 'homelab', realms: 'gaia=pangea' }))).code).toBe(0);
    expect(readdirSync(path.join(root, 'dist/homelab')).filter((name) => name.startsWith('realm-'))).toEqual(['realm-gaia']);
  });

  test('a synth lets them go as well, when values came later and the example is still what is committed', async () => {
    const { root, run } = project();
    withDist(root);
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@test.invalid', ...args], { cwd: root });
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '--message', 'The example');
    const answers = { ...WITH_BACKUPS, name: 'homelab', realms: 'gaia=pangea' };
    expect((await run(...flags(answers))).code).toBe(1);
    const description = describeCluster(complete(answers, { remote: undefined }).answers);
    const { change } = synthesizeToDisk({
      descriptions: [description],
      directory: path.join(root, 'dist'),
      secretsDirectory: path.join(root, 'secrets'),
      store: () => memoryStore('everything'),
    });
    expect(change.removed).toContain('homelab/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml');
  });
});

describe('values that only a person has', () => {
  const answersFile = (root: string, secrets: string) => {
    const file = path.join(root, 'answers.yaml');
    writeFileSync(
      file,
      `${Object.entries(WITH_BACKUPS)
        .map(([id, answer]) => `${id}: ${JSON.stringify(answer)}`)
        .join('\n')}\nsecrets:\n${secrets}`,
    );
    return file;
  };

  test('come from the files and environment variables that the file of answers names', async () => {
    const { root, run } = project({ variables: { STORE_ID: 'hunter2' } });
    writeFileSync(path.join(root, 'key'), 'hunter3\n');
    const file = answersFile(
      root,
      `  backups/s3/access-key-id: { env: STORE_ID }\n  backups/s3/secret-access-key: { file: ${root}/key }\n`,
    );
    const { code, output } = await run('--answers', file);
    expect([code, output]).toEqual([0, expect.stringContaining('dist/: ')]);
    const opened = openAll(fileStore(path.join(root, 'secrets'), 'castle'), readPrivateKeys(privateKeyFile(root, 'castle')));
    expect(opened.filter(({ name }) => name === 'backup-s3').map(({ plaintext }) => plaintext.toString())).toEqual(['hunter2', 'hunter3']);
  });

  test('must not stand in the file of answers, and are not repeated', async () => {
    const { root, run } = project();
    const { code, output } = await run('--answers', answersFile(root, '  backups/s3/access-key-id: hunter2\n'));
    expect(code).toBe(1);
    expect(output).toContain("the value of 'backups/s3/access-key-id' must not stand in the file itself");
    expect(output).not.toContain('hunter2');
    expect(existsSync(path.join(root, 'apps/castle.ts'))).toBe(false);
  });

  test('that nobody gives are named at the end, with the command that seals them', async () => {
    const { root, run } = project();
    const { code, output } = await run(...flags(WITH_BACKUPS));
    expect(code).toBe(1);
    expect(output).toContain('backups/s3/access-key-id: ');
    expect(output).toContain('npm run seal -- --cluster castle --missing && npm run synth');
    expect(existsSync(path.join(root, 'dist'))).toBe(false);
  });

  test('are asked for without an echo, and may be left for later', async () => {
    const { root, run, questions } = project({ person: [], hidden: ['hunter2', ''] });
    const { output } = await run(...flags({ ...everyAnswer(WITH_BACKUPS) }));
    expect(questions.at(-1)).toContain('(Enter: later)');
    expect(output).toContain('backups/s3/secret-access-key: ');
    expect(output).not.toContain('backups/s3/access-key-id: ');
    expect(existsSync(path.join(root, 'secrets/castle/database/backup-s3.yaml'))).toBe(true);
  });
});

describe('mistakes', () => {
  test('are reported together, and nothing is written', async () => {
    const { root, run } = project();
    const { code, output } = await run(
      ...flags({
        ...COMPLETE,
        name: 'Castle',
        email: 'nobody',
        ingress: '10.20.0.11',
        repository: 'https://me:hunter2@git.castle.example.com/x.git',
        'metrics-server': 'maybe',
      }),
    );
    expect(code).toBe(1);
    expect(output).toContain("metrics-server (kubernetes.metricsServer): 'maybe' is not allowed; it must be one of 'install', 'provided'.");
    expect(output).toContain('name: "Castle" is wrong');
    expect(output).toContain('email (certificates.email): "nobody" is not an e-mail address.');
    expect(output).toContain('repository (git.repository): has credentials in it');
    expect(output).toContain("ingress (network.ingress): '10.20.0.11'");
    expect(output).not.toContain('hunter2');
    expect(readdirSync(root).sort()).toEqual(['apps', 'secrets']);
  });

  test.each([
    ['an address that is used twice', { ingress: '10.20.0.241', dns: '10.20.0.241' }, "'10.20.0.241'"],
    ["a pool that covers a node's address", { pool: '10.20.0.5-10.20.0.20' }, "'10.20.0.5-10.20.0.20'"],
    [
      'nodes of another form',
      { nodes: '10.20.0.11' },
      "nodes: '10.20.0.11' is not NAME=ADDRESS; write it as 'node-1=192.168.1.11,node-2=192.168.1.12'.",
    ],
    ['a bucket without a store', { 'backup-bucket': 'x' }, 'backup-bucket has an answer, but the other answers leave no such question'],
  ])("of %s are said in the model's own sentences", async (_, change, sentence) => {
    const { code, output } = await project().run(...flags({ ...COMPLETE, ...change }));
    expect(code).toBe(1);
    expect(output).toContain(sentence);
  });

  test('of the file of answers name the question that was meant', async () => {
    const { root, run } = project();
    const file = path.join(root, 'answers.yaml');
    writeFileSync(file, 'domian: mmo.castle.example.com\n');
    expect((await run('--answers', file)).output).toContain("there is no question 'domian'; did you mean 'domain'?");
  });

  test('of missing answers say how to give them', async () => {
    const { output } = await project().run('--unattended');
    expect(output).toContain("domain has no answer, and nothing can be proposed: Players' entry point");
    expect(output).toContain('Give it with --domain');
  });

  test('of unknown flags are wrong usage', async () => {
    expect((await project().run('--domian', 'x')).code).toBe(2);
  });
});

describe('a person', () => {
  test('is asked for everything, and Enter takes what is proposed', async () => {
    const { run, questions, root } = project({
      person: [
        'castle',
        'mmo.castle.example.com',
        '',
        '',
        'tower=10.20.0.11',
        '',
        '',
        '',
        '',
        '',
        '',
        '',
        '',
        '',
        '',
        'http-01',
        'admin@castle.example.com',
        '',
        COMPLETE.image ?? '',
      ],
    });
    const { code, output } = await run();
    expect([code, output]).toEqual([0, expect.stringContaining('dist/: ')]);
    expect(questions[2]).toContain('[git@git.castle.example.com:castle/from-the-remote.git]: ');
    expect(readFileSync(path.join(root, 'apps/castle.ts'), 'utf8')).toContain(
      "repository: 'git@git.castle.example.com:castle/from-the-remote.git'",
    );
  });

  test('is not shown the token in the address of the checkout', () => {
    const remote = 'https://oauth2:hidden-token@git.castle.example.com/castle/mmo.git';
    const proposal = allQuestions.find(({ id }) => id === 'repository')?.proposal({}, { remote });
    expect(proposal).toBe('https://git.castle.example.com/castle/mmo.git');
  });

  test('who gives a value that is refused thrice is told how to go on without answering everything again', async () => {
    const { run } = project({ person: [], hidden: [' x', ' x', ' x'] });
    const { output } = await run(...flags({ ...everyAnswer(WITH_BACKUPS) }));
    expect(output).toContain('What was written stays. Go on with: npm run seal -- --cluster castle --missing && npm run synth');
  });

  test('is shown what the synth warns of', async () => {
    const { run } = project({ person: [] });
    const { output } = await run(...flags({ ...everyAnswer(COMPLETE), exposure: 'shared-address' }));
    expect(output).toContain("  warning: the worlds of realm 'aurora' share");
  });

  test('is told of a mistake at once and asked again', async () => {
    const { run, questions } = project({ person: ['Castle', 'castle', 'no'] });
    const { output } = await run(...flags(without(everyAnswer(COMPLETE), 'name')));
    expect(output).toContain('  name: "Castle" is wrong: it must be a DNS label');
    expect(questions.slice(0, 2)).toEqual([questions[0], questions[0]]);
  });

  test('is asked for an address that is free in the pool', async () => {
    const { run, questions } = project({ person: ['10.20.0.11', '10.20.0.240', 'no'] });
    const { output } = await run(...flags(without(everyAnswer(COMPLETE), 'ingress')));
    expect(questions[0]).toContain('[10.20.0.240]: ');
    expect(output).toContain("  network.ingress: '10.20.0.11'");
  });

  test('who says no at the end finds nothing written but the notes of the answers', async () => {
    const { root, run } = project({ person: ['no'] });
    const { code, output } = await run(...flags(everyAnswer(COMPLETE)));
    expect([code, output]).toEqual([1, 'Nothing was written.']);
    expect(readdirSync(root).sort()).toEqual(['.cache', 'apps', 'secrets']);
  });
});

describe('a person whose run was interrupted', () => {
  const interrupted = new SecretsError(['Interrupted']);
  const firstAnswers = ['castle', 'mmo.castle.example.com', '', 'release', 'tower=10.20.0.11,keep=10.20.0.12'];
  const again = async (...second: readonly string[]) => {
    const made = project({ person: [...firstAnswers, interrupted, ...second, interrupted] });
    await made.run();
    const before = made.questions.length;
    const { output } = await made.run();
    return { ...made, output, asked: made.questions.slice(before) };
  };
  const proposals = (asked: readonly string[]) => asked.map((question) => /\[(.*)\]: $/.exec(question)?.[1]);

  test('is proposed every answer of before', async () => {
    const { asked } = await again('', '', '', '', '');
    expect(proposals(asked).slice(0, 5)).toEqual([
      'castle',
      'mmo.castle.example.com',
      'git@git.castle.example.com:castle/from-the-remote.git',
      'release',
      'tower=10.20.0.11,keep=10.20.0.12',
    ]);
  });

  test('is told where the proposals come from', async () => {
    expect((await again()).output).toContain('Proposals are the answers of the last run, where there are some (.cache/init-answers.yaml).');
  });

  test('is proposed what follows from the new answers, where the one of before was a proposal', async () => {
    const made = project({ person: [...firstAnswers, '', interrupted, '', '', '', '', 'keep=10.20.0.12', interrupted] });
    await made.run();
    await made.run();
    expect(proposals(made.questions).at(-1)).toBe('10.20.0.12');
  });

  test('is not proposed an answer of before that the new ones make wrong', async () => {
    const typed = ['', '', '', '10.20.0.200-10.20.0.210', '10.20.0.205', interrupted];
    const made = project({ person: [...firstAnswers, ...typed, '', '', '', '', '', '', '', '', '10.20.0.100-10.20.0.110', interrupted] });
    await made.run();
    await made.run();
    expect(proposals(made.questions).at(-1)).toBe('10.20.0.100');
  });

  test('is proposed none of the answers for another cluster', async () => {
    const { asked } = await again('keep', 'mmo.keep.example.com', '');
    expect(proposals(asked)).toEqual(['castle', undefined, 'git@git.castle.example.com:castle/from-the-remote.git', 'main']);
  });

  test('keeps what was answered when the second run is interrupted earlier', async () => {
    const made = project({ person: [...firstAnswers, interrupted, '', interrupted, '', '', '', '', interrupted] });
    for (let run = 0; run < 3; run++) await made.run();
    expect(proposals(made.questions).at(-1)).toBe('tower=10.20.0.11,keep=10.20.0.12');
  });

  test('is asked as at first when the notes cannot be read', async () => {
    const made = project({ person: [interrupted] });
    mkdirSync(path.join(made.root, '.cache'));
    writeFileSync(path.join(made.root, '.cache/init-answers.yaml'), 'nobody: asks this\n');
    await made.run();
    expect(proposals(made.questions)).toEqual(['homelab']);
  });
});

test('the help names every question', async () => {
  const { output } = await project().run('--help');
  for (const id of Object.keys(complete(COMPLETE, { remote: undefined }).answers)) expect(output).toContain(`--${id} `);
});

test('the description is one that the model takes', () => {
  expect(resolveCluster(described).name).toBe('castle');
});

function everyAnswer(answers: Readonly<Record<string, string>>): Record<string, string> {
  return { ...complete(answers, { remote: undefined }).answers };
}

function without(answers: Record<string, string>, id: string): Record<string, string> {
  return Object.fromEntries(Object.entries(answers).filter(([each]) => each !== id));
}
