/** The commands as people run them, in a copy of the project: exit codes, what is on disk afterwards, and that neither place nor machine shows in it. */
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { clusters } from '../../apps';
import { readTree, writeTree } from '../../lib/emit/writer';
import { synthesize } from '../../lib/synth';

/** Milliseconds for one command on a busy machine; far more than it takes. */
const PATIENCE = 120_000;

/** All that a synth reads. */
const SOURCES = [
  'apps',
  'argocd',
  'cdk8s.yaml',
  'charts',
  'commands',
  'imports',
  'lib',
  'package.json',
  'secrets',
  'terraform',
  'tsconfig.json',
  'versions.ts',
];

/** What the project's own place makes of it. */
let here: ReadonlyMap<string, string>;
let scratch: string;
let project: string;
beforeAll(() => {
  here = synthesize(clusters).files;
  scratch = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'processes-')));
  // A space and a letter outside of ASCII, as in many a home folder.
  project = path.join(scratch, 'my wörld');
  for (const name of SOURCES)
    cpSync(name, path.join(project, name), { recursive: true, filter: (from) => path.basename(from) !== '.terraform' });
  symlinkSync(path.resolve('node_modules'), path.join(project, 'node_modules'));
  writeTree(path.join(project, 'dist'), new Map(), here);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], env: Record<string, string> = {}, cwd = project): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}
const command = (...args: string[]) => run(['commands/run.mjs', ...args]);
const dist = () => readTree(path.join(project, 'dist'));

/** Undoes what one describe does to a file or folder of the project, for those beside it. */
function restoredAfterwards(name: string): void {
  const kept = () => path.join(scratch, 'kept', name);
  beforeAll(() => cpSync(path.join(project, name), kept(), { recursive: true }));
  afterAll(() => {
    rmSync(path.join(project, name), { recursive: true });
    cpSync(kept(), path.join(project, name), { recursive: true });
  });
}

describe('npm run synth elsewhere, in another time zone and language and from another folder', () => {
  let result: Result;
  beforeAll(async () => {
    rmSync(path.join(project, 'dist'), { recursive: true });
    const elsewhere = { TZ: 'Pacific/Chatham', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' };
    result = await run([path.join(project, 'commands/run.mjs'), 'synth'], elsewhere, scratch);
  }, PATIENCE);

  test('succeeds', () => {
    expect(result).toMatchObject({ code: 0, stderr: '' });
  });

  test('writes the same bytes', () => {
    expect(dist()).toEqual(here);
  });

  test('writes nothing of the place', () => {
    expect([...dist()].filter(([, text]) => text.includes(scratch)).map(([file]) => file)).toEqual([]);
  });
});

describe('npm run check', () => {
  test(
    'of a fresh dist succeeds',
    async () => {
      expect(await command('check')).toEqual({
        code: 0,
        stdout: "Every check holds; dist, Terraform's variables and imports are fresh.\n",
        stderr: '',
      });
    },
    PATIENCE,
  );

  describe('of a dist that somebody changed', () => {
    // Files that every cluster has, whatever apps/ describes.
    const [first = '', last = first] = [clusters[0]?.name, clusters.at(-1)?.name];
    const edited = `${first}/connect-broker/connect-broker/Deployment.connect-broker.yaml`;
    const missing = `${first}/namespaces/_cluster/Namespace.traefik.yaml`;
    const extra = `${last}/namespaces/_cluster/Namespace.stranger.yaml`;
    const variables = `${last}/cluster.auto.tfvars.json`;
    let result: Result;
    let before: ReadonlyMap<string, string>;
    restoredAfterwards('dist');
    restoredAfterwards('terraform');
    beforeAll(async () => {
      appendFileSync(path.join(project, 'dist', edited), '# by hand\n');
      appendFileSync(path.join(project, 'terraform/clusters', variables), '\n');
      rmSync(path.join(project, 'dist', missing));
      writeFileSync(path.join(project, 'dist', extra), 'kind: Namespace\n');
      before = dist();
      result = await command('check');
    }, PATIENCE);

    test('fails', () => {
      expect(result.code).toBe(1);
    });

    test.each([[`${edited} differs`], [`${missing} is missing`], [`${extra} should not be there`], [`${variables} differs`]])(
      'says that %s',
      (sentence) => {
        expect(result.stderr).toContain(`\n  - ${sentence}\n`);
      },
    );

    test('repairs nothing', () => {
      expect(dist()).toEqual(before);
    });
  });
});

test(
  'npx cdk8s synth writes the same tree into a folder of its own',
  async () => {
    // cdk8s keeps the folder of its app below the working directory.
    const { code, stderr } = await run(['node_modules/cdk8s-cli/bin/cdk8s', 'synth', '--output', 'scratch-tree'], {
      CDK8S_CHECK_UPGRADE: 'false',
    });
    expect({ code, stderr, tree: readTree(path.join(project, 'scratch-tree')) }).toEqual({
      code: 0,
      stderr: '',
      tree: here,
    });
  },
  PATIENCE,
);

describe('npm run synth of clusters with mistakes', () => {
  let result: Result;
  let before: ReadonlyMap<string, string>;
  restoredAfterwards('apps');
  beforeAll(async () => {
    cpSync(path.join(project, 'apps/index.ts'), path.join(project, 'apps/own.ts'));
    writeFileSync(
      path.join(project, 'apps/index.ts'),
      `import { clusters as own } from './own';
export const clusters = own.map((description) => ({ ...description, domain: 'no domain' }));
`,
    );
    before = dist();
    result = await command('synth');
  }, PATIENCE);

  test('fails', () => {
    expect(result.code).toBe(1);
  });

  test.each(clusters.map(({ name }) => name))("says the mistakes of '%s'", (name) => {
    expect(result.stderr).toContain(`The description of cluster '${name}' has `);
  });

  test('shows no stack, because the mistake is not the program’s', () => {
    expect(result.stderr).not.toMatch(/^\s+at /m);
  });

  test('changes nothing on disk', () => {
    expect(dist()).toEqual(before);
  });
});

describe('the runner', () => {
  test(
    'gives the exit code of the command to the shell',
    async () => {
      expect(await command('synth', '--nope')).toEqual({ code: 2, stdout: '', stderr: "Unknown option '--nope'. See --help.\n" });
    },
    PATIENCE,
  );

  test.each(['nope', '../lib/synth'])(
    "says in one line that there is no command '%s'",
    async (name) => {
      expect(await command(name)).toEqual({
        code: 2,
        stdout: '',
        stderr: `There is no command '${name}'; the commands are the scripts of package.json (npm run).\n`,
      });
    },
    PATIENCE,
  );
});
