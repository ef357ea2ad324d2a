/** The two files that init writes by hand: a description as text, and the line in apps/index.ts. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { describeCluster } from '../../lib/init/describe';
import { type Answers, complete } from '../../lib/init/questions';
import { registerCluster } from '../../lib/init/register';
import { constantName, renderCluster } from '../../lib/init/render';
import { type ClusterDescription, defineCluster } from '../../lib/model/cluster';
import { exampleHomelab, exampleLocal } from '../examples';
import { COMPLETE } from './fixtures';

const answered = (answers: Answers) => describeCluster(complete(answers, { remote: undefined }).answers);

/** Descriptions of many shapes. */
const descriptions: [string, ClusterDescription][] = [
  ['the example of a home', exampleHomelab],
  ['the example of a laptop', exampleLocal],
  ['a home of two machines', answered(COMPLETE)],
  [
    'a home with everything',
    answered({
      ...COMPLETE,
      'public-address': '203.0.113.9',
      'backup-endpoint': 'https://s3.example.com',
      'backup-bucket': 'castle',
      'storage-class': 'longhorn',
      'storage-expandable': 'yes',
      challenge: 'dns-01',
      realms: 'aurora=eldermoor+sunreach,borealis=frosthold',
      instances: 'dungeon,raid',
    }),
  ],
  [
    'one machine without a load balancer',
    answered({ ...COMPLETE, nodes: 'laptop=172.18.0.2', 'load-balancer': 'none', challenge: 'self-signed', instances: 'none' }),
  ],
  ['quotes in a text', answered({ ...COMPLETE, image: 'ghcr.io/castle/mmo-server:1', 'image-unverified': `nobody's "digest" is known` })],
];

describe('the text of a description', () => {
  test.each(descriptions)('says what the description says: %s', (_, description) => {
    const { code } = transformSync(renderCluster(description), { loader: 'ts', format: 'cjs' });
    const module = { exports: {} as Record<string, unknown> };
    new Function('module', 'exports', 'require', code)(module, module.exports, () => ({ defineCluster }));
    expect(module.exports[constantName(description.name)]).toEqual(description);
  });

  test('is formatted as Biome formats it', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'init-'));
    try {
      writeFileSync(path.join(folder, 'biome.json'), readFileSync('biome.json', 'utf8'));
      const files = descriptions.map(([title, description]) => {
        const file = path.join(folder, `${title.replaceAll(' ', '-')}.ts`);
        writeFileSync(file, renderCluster(description));
        return file;
      });
      execFileSync(path.resolve('node_modules/.bin/biome'), ['format', '--write', ...files], { cwd: folder, stdio: 'pipe' });
      expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(descriptions.map(([, description]) => renderCluster(description)));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.each([
    ['homelab', 'homelab'],
    ['my-home-2', 'myHome2'],
    ['default', 'defaultCluster'],
    ['clusters', 'clustersCluster'],
  ])('names the constant of %s %s', (cluster, constant) => {
    expect(constantName(cluster)).toBe(constant);
  });
});

describe('apps/index.ts', () => {
  const index = `/** The clusters that a synth writes, one line each. */
import { homelab } from './homelab';
import { local } from './local';

export const clusters = [homelab, local];
`;

  test('gets one import and one name', () => {
    expect(registerCluster(index, 'castle')).toBe(`/** The clusters that a synth writes, one line each. */
import { castle } from './castle';
import { homelab } from './homelab';
import { local } from './local';

export const clusters = [homelab, local, castle];
`);
  });

  test('stays as it is when it has the cluster', () => {
    expect(registerCluster(index, 'homelab')).toBe(index);
  });

  test('is one that this knows', () => {
    expect(registerCluster(readFileSync('apps/index.ts', 'utf8'), 'never-seen')).toContain('neverSeen');
  });

  test.each([
    ['a list that is computed', index.replace('[homelab, local]', '[homelab, local].filter(Boolean)')],
    ['a list with something else in it', index.replace('local]', '...others]')],
    ['a constant of that name from elsewhere', index.replace("{ local } from './local'", "{ castle } from './local'")],
    ['imports in two places', index.replace('\nimport { local }', '\n\nimport { local }')],
  ])('of another form is left alone, with the lines for a person: %s', (_, other) => {
    expect(other).not.toBe(index);
    expect(() => registerCluster(other, 'castle')).toThrow(
      `the line "import { castle } from './castle';", and castle in the list 'clusters'`,
    );
  });
});
