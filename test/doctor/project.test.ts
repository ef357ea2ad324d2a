/** `npm run doctor` without a cluster: a project that is well, and the ways in which one is not. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nearNodes } from '../../lib/doctor/network';
import { resolveCluster } from '../../lib/model/cluster';
import type { RunProgram } from '../../lib/programs';
import { serializeDrill } from '../../lib/secrets/drill';
import { EXAMPLE_ORGANIZATION, readCertificate } from '../../lib/secrets/sealing';
import { makeKey, scratchFolder } from '../secrets/fixtures';
import {
  commit,
  complaints,
  description,
  examine,
  fixes,
  healthyProject,
  keepKey,
  machine,
  sealEverything,
  synth,
  textOf,
} from './project';

test('has nothing to say against a project without a fault', async () => {
  const { root } = await healthyProject();
  expect(complaints(await examine(root))).toEqual([]);
});

test('says of every group what it looked at', async () => {
  const { root } = await healthyProject();
  const groups = (await examine(root)).filter(({ outcome }) => outcome === 'ok').map(({ group }) => group);
  expect([...new Set(groups)]).toEqual(['machine', 'files', 'keys', 'git', 'dist', 'secrets', 'network']);
});

test('gives a fix with everything that needs somebody, and with nothing else', async () => {
  const { root } = await healthyProject();
  rmSync(path.join(root, 'secrets'), { recursive: true });
  const found = await examine(root, { options: { probe: false } });
  expect(found.filter(({ outcome, fix }) => (fix === undefined) === (outcome === 'failed' || outcome === 'warning'))).toEqual([]);
});

describe("a broken state: the example's key", () => {
  test('is refused with the command that replaces it', async () => {
    const { root } = await healthyProject();
    rmSync(path.join(root, 'secrets'), { recursive: true });
    rmSync(path.join(root, '.keys'), { recursive: true });
    sealEverything(root, await makeKey(EXAMPLE_ORGANIZATION));
    synth(root);
    commit(root);
    const found = await examine(root, {}, ['keys']);
    expect(complaints(found)).toEqual([
      "keys/example-key: secrets/homelab/sealing.crt is the example's, whose private key was thrown away: no cluster can open these values.",
    ]);
    expect(fixes(found)[0]).toMatch(/^npm run init/);
  });
});

describe('a broken state: a private key that others may read', () => {
  test('is told with its mode and the command', async () => {
    const { root } = await healthyProject();
    chmodSync(path.join(root, '.keys', 'homelab.key'), 0o644);
    const found = await examine(root, {}, ['keys', 'secrets']);
    expect(complaints(found)).toEqual(['keys/private-key-mode: Others on this machine may read .keys/homelab.key (mode 0644).']);
    expect(fixes(found)).toEqual(['chmod 600 .keys/homelab.key']);
  });
});

describe('a broken state: the key of another cluster', () => {
  test('is told, and that it opens nothing', async () => {
    const { root } = await healthyProject();
    keepKey(root, (await makeKey()).privateKey);
    const found = await examine(root, {}, ['keys', 'git', 'secrets']);
    expect(complaints(found).map((each) => each.split(':')[0])).toEqual(['keys/private-key', 'secrets/opens']);
    expect(complaints(found)[0]).toMatch(/is another key \(sha256:[0-9a-f]{12}…\) than that of secrets\/homelab\/sealing\.crt/);
  });
});

describe('a broken state: dist edited by hand, and not committed', () => {
  test('is told with the file and the command', async () => {
    const { root } = await healthyProject();
    const file = 'dist/homelab/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml';
    writeFileSync(path.join(root, file), `${textOf(root, file)}# by hand\n`);
    const found = await examine(root);
    expect(complaints(found)).toEqual([
      `git/committed: 1 file is not committed: ${file}.`,
      'dist/dist: 1 file of dist/ is not what apps/ makes: homelab/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml.',
    ]);
    expect(fixes(found)[1]).toBe('npm run synth, review, commit');
  });
});

describe('a broken state: a value that was never sealed', () => {
  test('is told with the command that seals it', async () => {
    const { root } = await healthyProject();
    rmSync(path.join(root, 'secrets', 'homelab', 'realm-aurora', 'netcode-key.yaml'));
    commit(root);
    const found = (await examine(root)).filter(({ group }) => group === 'secrets' || group === 'dist');
    expect(complaints(found)[1]).toBe('secrets/sealed: 1 value is not sealed: realm-aurora/netcode-key/generation-1.');
    expect(fixes(found)[1]).toBe('npm run seal -- --cluster homelab --missing');
  });

  test('keeps the synth from being called fresh', async () => {
    const { root } = await healthyProject();
    rmSync(path.join(root, 'secrets', 'homelab', 'realm-aurora', 'netcode-key.yaml'));
    expect(complaints(await examine(root)).find((each) => each.startsWith('dist/'))).toMatch(
      /^dist\/dist: The synth refuses: Cluster 'homelab' needs 1 sealed value/,
    );
  });
});

describe('a broken state: carrier-grade NAT', () => {
  const found = async (changes: Parameters<typeof examine>[1]) =>
    complaints(await examine((await healthyProject()).root, changes, ['network']));

  test("is told from the router's own address", async () => {
    expect(await found({ options: { probe: false, routerAddress: '100.72.1.9' } })).toEqual([
      "network/router-address: The router's address 100.72.1.9 is shared by the provider's customers (carrier-grade NAT): no forwarding rule of yours is ever reached.",
    ]);
  });

  test("is told when the router's address is not the one that players are sent to", async () => {
    expect(await found({ options: { probe: false, routerAddress: '20.30.40.51' } })).toEqual([
      "network/router-address: The router's address is 20.30.40.51, but players are sent to 20.30.40.50.",
    ]);
  });

  test('is told when dynamic DNS has such an address', async () => {
    const names: Record<string, string[]> = { 'home.example.org': ['100.72.1.9'], 'mmo.homelab.io': ['100.72.1.9'] };
    const described = { ...description, network: { ...description.network, publicAddress: 'home.example.org' } };
    const [first] = await found({ descriptions: [described], resolve: async (host) => names[host] ?? [], options: { probe: false } });
    expect(first).toBe(
      "network/public-address: 'home.example.org' (100.72.1.9) (network.publicAddress) is one that a provider shares among its customers (carrier-grade NAT, 100.64.0.0/10).",
    );
  });

  test('is told as a second router when the address is private', async () => {
    expect((await found({ options: { probe: false, routerAddress: '192.168.0.2' } }))[0]).toMatch(/is private: there is another router/);
  });

  test('is told before there is a public address in the description', async () => {
    const { publicAddress: _, ...network } = description.network;
    const described = { ...description, network };
    const [first] = await found({ descriptions: [described], options: { probe: false, routerAddress: '100.72.1.9' } });
    expect(first).toMatch(/^network\/router-address: The router's address 100\.72\.1\.9 is shared/);
  });

  test('is not compared without the address of the router', async () => {
    expect(await found({ options: { probe: false } })).toEqual([]);
  });
});

describe('the domain', () => {
  const found = async (addresses: readonly string[]) =>
    complaints(await examine((await healthyProject()).root, { resolve: async () => addresses }, ['network']));

  test('that leads elsewhere is told', async () => {
    expect(await found(['20.99.99.99'])).toEqual(['network/domain: mmo.homelab.io leads to 20.99.99.99 and not to 20.30.40.50.']);
  });

  test('may lead to the entry in the LAN, as Pi-hole answers', async () => {
    expect(await found(['192.168.1.240'])).toEqual([]);
  });
});

describe('addresses in the LAN', () => {
  const asked: string[] = [];
  const lan =
    (answering: readonly string[], neighbours: readonly string[]): RunProgram =>
    async (program, args, options) => {
      const address = args.at(-1) ?? '';
      if (program === 'ping' || program === 'ip') asked.push(`${program} ${address}`);
      if (program === 'ping') return { code: answering.includes(address) ? 0 : 1, output: '', errors: '' };
      if (program === 'ip')
        return {
          code: 0,
          output: neighbours.includes(address) ? `${address} dev eth0 lladdr 52:54:00:12:34:56 STALE\n` : `${address} dev eth0 FAILED\n`,
          errors: '',
        };
      return machine(program, args, options);
    };
  const found = async (run: RunProgram, probe: boolean) =>
    complaints(await examine((await healthyProject()).root, { run, options: { probe, routerAddress: '20.30.40.50' } }, ['network']));

  test('are not asked for unless wanted', async () => {
    await found(lan([], []), false);
    expect(asked).toEqual([]);
  });

  test('that nobody has are free', async () => {
    expect(await found(lan([], []), true)).toEqual([]);
  });

  test('that somebody answers at are told with what they are for', async () => {
    expect(await found(lan(['192.168.1.240'], []), true)).toEqual([
      'network/addresses-free: Somebody answers at 192.168.1.240 (for the players’ entry).',
    ]);
  });

  test('of a machine that drops pings are found by ARP', async () => {
    expect(await found(lan([], ['192.168.1.245']), true)).toEqual([
      'network/addresses-free: Somebody answers at 192.168.1.245 (for realm aurora).',
    ]);
  });
});

describe('addresses that MetalLB would announce', () => {
  const found = (pool: { readonly pool: string; readonly ingress: string; readonly dns: string; readonly adminIngress: string }) =>
    nearNodes(resolveCluster({ ...description, realms: [], network: { ...description.network, publicAddress: undefined, ...pool } })).map(
      ({ outcome, text }) => `${outcome}: ${text}`,
    );

  test('where no node is are told with what they are for', () => {
    expect(
      found({ pool: '192.168.2.240-192.168.2.250', ingress: '192.168.2.240', dns: '192.168.2.241', adminIngress: '192.168.2.242' }),
    ).toEqual([
      'warning: No node is in the network of 192.168.2.240 (for the players’ entry), 192.168.2.242 (for admin pages), 192.168.2.241 (for DNS), if that has 256 addresses.',
    ]);
  });

  test('in the network of a node are well', () => {
    expect(
      found({ pool: '192.168.1.240-192.168.1.250', ingress: '192.168.1.240', dns: '192.168.1.241', adminIngress: '192.168.1.242' }),
    ).toEqual(['ok: Every pinned address is in a network that a node is in.']);
  });
});

describe('the backup of the key', () => {
  const withDrill = async (text: string | undefined) => {
    const { root } = await healthyProject();
    const file = path.join(root, 'secrets', 'homelab', 'last-recovery-drill.yaml');
    if (text === undefined) rmSync(file);
    else writeFileSync(file, text);
    return complaints(await examine(root, {}, ['keys']));
  };

  test('that was never tried is a warning', async () => {
    expect(await withDrill(undefined)).toEqual([
      'keys/key-backup: No recovery drill was made yet: whether the backup of the private key opens anything is unknown.',
    ]);
  });

  test('that was tried with an earlier key is a warning', async () => {
    expect(await withDrill(serializeDrill({ date: '2026-05-01', fingerprint: `sha256:${'0'.repeat(64)}`, key: 'copy' }))).toEqual([
      'keys/key-backup: The last recovery drill, on 2026-05-01, was made with an earlier key and says nothing of this one.',
    ]);
  });

  test('of which only the key in use was tried is a warning', async () => {
    const { root, key } = await healthyProject();
    const { keyFingerprint } = readCertificate(key.certificate, 'the certificate');
    writeFileSync(
      path.join(root, 'secrets', 'homelab', 'last-recovery-drill.yaml'),
      serializeDrill({ date: '2026-05-30', fingerprint: keyFingerprint, key: 'in-use' }),
    );
    expect(complaints(await examine(root, {}, ['keys']))).toEqual([
      'keys/key-backup: Everything opened on 2026-05-30, but with the key in use: whether its backup opens anything is unknown.',
    ]);
  });

  test('that was tried too long ago is a warning', async () => {
    const { root } = await healthyProject();
    expect(complaints(await examine(root, { now: new Date('2026-12-01T00:00:00Z') }, ['keys']))).toEqual([
      'keys/key-backup: The last recovery drill was made 214 days ago, on 2026-05-01.',
    ]);
  });

  test('is asked for when the key is not here and nobody proved that it is anywhere', async () => {
    const { root } = await healthyProject();
    rmSync(path.join(root, '.keys'), { recursive: true });
    rmSync(path.join(root, 'secrets', 'homelab', 'last-recovery-drill.yaml'));
    const found = (await examine(root, {}, ['keys'])).filter(({ check }) => check === 'private-key');
    expect(found.map(({ outcome }) => outcome)).toEqual(['failed']);
  });
});

describe('Git', () => {
  test('that holds the private key is told first', async () => {
    const { root } = await healthyProject();
    writeFileSync(path.join(root, '.gitignore'), '/node_modules\n/imports\n');
    commit(root);
    expect(complaints(await examine(root, {}, ['keys'])).find((each) => each.startsWith('keys/key-outside-git'))).toBe(
      'keys/key-outside-git: .keys/homelab.key is in Git: everybody who can read the repository can open every secret.',
    );
  });

  test('with commits that were not pushed is a warning', async () => {
    const { root } = await healthyProject();
    writeFileSync(path.join(root, 'apps', 'homelab.ts'), '// changed\n');
    commit(root);
    expect(complaints(await examine(root, {}, ['git']))).toEqual(['git/pushed: 1 commit is not pushed.']);
  });

  test('of another address than the description is a warning', async () => {
    const { root } = await healthyProject();
    const elsewhere = { ...description, git: { repository: 'https://git.example.org/home/other.git', revision: 'main' } };
    const found = complaints(await examine(root, { descriptions: [elsewhere] }, ['git']));
    expect(found).toEqual([
      'git/repository: git.repository (https://git.example.org/home/other.git) is no remote of this clone, which pushes to git@git.example.org:home/mmo.git: Argo CD would not see what you push.',
    ]);
  });

  test('of another address is put right by a command that works, whether or not there is a remote origin', async () => {
    const { root } = await healthyProject();
    const elsewhere = { ...description, git: { repository: 'https://git.example.org/home/other.git', revision: 'main' } };
    const before = JSON.stringify(await examine(root, { descriptions: [elsewhere] }, ['git']));
    execFileSync('git', ['-C', root, 'remote', 'rename', 'origin', 'upstream']);
    const after = JSON.stringify(await examine(root, { descriptions: [elsewhere] }, ['git']));
    expect([before, after].map((text) => /git remote (\S+) origin/.exec(text)?.[1])).toEqual(['set-url', 'add']);
  });

  test('of a remote with a token is told without the token', async () => {
    const { root } = await healthyProject();
    execFileSync('git', ['-C', root, 'remote', 'set-url', 'origin', 'https://you:s3cr3t@git.example.org/other/mmo.git']);
    expect(JSON.stringify(await examine(root, {}, ['git']))).not.toContain('s3cr3t');
  });

  test('with variables of Terraform that are not committed is a warning', async () => {
    const { root } = await healthyProject();
    mkdirSync(path.join(root, 'terraform/clusters/homelab'), { recursive: true });
    writeFileSync(path.join(root, 'terraform/clusters/homelab/main.tf'), '');
    expect(complaints(await examine(root, {}, ['git']))).toEqual(['git/committed: 1 file is not committed: terraform/.']);
  });

  test('that is no repository is told', async () => {
    const { root } = await healthyProject();
    rmSync(path.join(root, '.git'), { recursive: true });
    expect(complaints(await examine(root, {}, ['git', 'keys']))).toEqual([
      'git/repository: This folder is no Git repository, and Argo CD reads Git.',
    ]);
  });
});

describe('the machine', () => {
  test('without kubectl and Terraform gets two warnings', async () => {
    const { root } = await healthyProject();
    const bare: RunProgram = async (program, args, options) => (program === 'git' ? machine(program, args, options) : undefined);
    expect(complaints(await examine(root, { run: bare }, ['machine'])).map((each) => each.split(':')[0])).toEqual([
      'machine/kubectl',
      'machine/terraform',
    ]);
  });

  test('with a Terraform that is too old is told its version', async () => {
    const { root } = await healthyProject();
    const old: RunProgram = async (program, args, options) =>
      program === 'terraform' ? { code: 0, output: '{ "terraform_version": "1.5.7" }', errors: '' } : machine(program, args, options);
    expect(complaints(await examine(root, { run: old }, ['machine']))).toEqual(['machine/terraform: terraform 1.5.7 is older than 1.9.']);
  });
});

describe('the files', () => {
  test('without packages name the command', async () => {
    const { root } = await healthyProject();
    rmSync(path.join(root, 'node_modules'));
    const found = await examine(root);
    expect([complaints(found), fixes(found)]).toEqual([['files/packages: The packages are not installed.'], ['npm ci']]);
  });

  test('tell every mistake of a description, and the groups that need it are left out', async () => {
    const { root } = await healthyProject();
    const wrong = { ...description, network: { ...description.network, ingress: '192.168.1.9' } };
    const found = await examine(root, { descriptions: [wrong] });
    expect(complaints(found)[0]).toMatch(/^files\/description: homelab: network\.ingress: '192\.168\.1\.9' is not in the pool/);
    expect(found.some(({ group }) => group === 'keys')).toBe(false);
  });
});

test('an empty folder is no crash', async () => {
  const root = scratchFolder();
  writeFileSync(path.join(root, 'package.json'), textOf('.', 'package.json'));
  writeFileSync(path.join(root, 'package-lock.json'), textOf('.', 'package-lock.json'));
  expect(complaints(await examine(root)).length).toBeGreaterThan(3);
});
