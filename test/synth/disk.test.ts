/** A synth that writes: all or nothing, nothing twice, and no world lost. */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { clusters } from '../../apps';
import { readTree } from '../../lib/emit/writer';
import type { ClusterDescription } from '../../lib/model/cluster';
import { fileStore, memoryStore } from '../../lib/secrets/store';
import { SynthesisError } from '../../lib/synth';
import { type SynthReport, synthesizeToDisk } from '../../lib/synth-to-disk';
import { type Change, described, store } from './cluster-files';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'synth-'));
/** The fixture's files, written long ago. Only tests that must not write anything work here; the others have a folder of their own. */
const written = path.join(scratch, 'dist');
let first: SynthReport;
beforeAll(() => {
  first = write(described(), written);
  age(written);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
/** A place where nothing is yet, in an empty folder. */
const newFolder = () => path.join(mkdtempSync(path.join(scratch, 'x')), 'dist');

const write = (description: ClusterDescription, directory: string, released: readonly string[] = []): SynthReport =>
  synthesizeToDisk({ descriptions: [description], directory, store, released });
/** Sentences that a synth refuses with. */
function refusal(synth: () => unknown): readonly string[] {
  try {
    synth();
  } catch (error) {
    if (error instanceof SynthesisError) return error.sentences;
    throw error;
  }
  throw new Error('It did not refuse.');
}
/** Every file with its text and time. */
const state = (directory: string) =>
  [...readTree(directory)].map(([file, text]) => [file, text, statSync(path.join(directory, file)).mtimeMs]);
/** As if all files had been written long ago. */
function age(directory: string): void {
  for (const file of readTree(directory).keys()) utimesSync(path.join(directory, file), 1000, 1000);
}
/** A folder of its own with the same files, for a test that writes. */
function copyOfWritten(cluster = 'test'): string {
  const directory = newFolder();
  cpSync(path.join(written, 'test'), path.join(directory, cluster), { recursive: true, preserveTimestamps: true });
  return directory;
}
const wrong: Change = (d) => (d.domain = 'not a domain');

describe('a synth that fails', () => {
  test('touches no file, neither its text nor its time', () => {
    const before = state(written);
    refusal(() =>
      write(
        described(wrong, (d) => d.realms.pop()),
        written,
      ),
    );
    expect(state(written)).toEqual(before);
  });

  test('makes no folder where there was none, and leaves nothing beside it', () => {
    const directory = newFolder();
    refusal(() => write(described(wrong), directory));
    expect(readdirSync(path.dirname(directory))).toEqual([]);
  });

  test('because of one cluster does not write the other', () => {
    const directory = newFolder();
    const other = described((d) => (d.name = 'other'));
    refusal(() => synthesizeToDisk({ descriptions: [other, described(wrong)], directory, store }));
    expect(existsSync(directory)).toBe(false);
  });

  test('says the mistakes of all clusters', () => {
    const other = described((d) => (d.name = 'other'), wrong);
    const sentences = refusal(() => synthesizeToDisk({ descriptions: [other, described(wrong)], directory: written, store }));
    expect(sentences.map((sentence) => sentence.split('\n')[0])).toEqual([
      "The description of cluster 'other' has 1 mistake:",
      "The description of cluster 'test' has 1 mistake:",
    ]);
  });

  test('says the mistakes of one cluster beside the missing secrets of another', () => {
    const other = described((d) => (d.name = 'other'));
    const stores = (name: string) => memoryStore(name === 'other' ? [] : 'everything');
    const sentences = refusal(() => synthesizeToDisk({ descriptions: [described(wrong), other], directory: written, store: stores }));
    expect(sentences.map((sentence) => /cluster '(\w+)'/i.exec(sentence)?.[1])).toEqual(['test', 'other']);
  });

  test('says that two clusters have one name', () => {
    expect(refusal(() => synthesizeToDisk({ descriptions: [described(), described()], directory: written, store }))).toContain(
      "Two clusters are named 'test'; their files would overwrite each other. Give one of them another name.",
    );
  });
});

describe('secrets that are not sealed', () => {
  let missing: readonly string[];
  let before: unknown;
  beforeAll(() => {
    before = state(written);
    missing = refusal(() => synthesizeToDisk({ descriptions: [described()], directory: written, store: () => memoryStore([]) }));
  });

  test('fail with the one command that seals them all, and with nothing that only follows from it', () => {
    expect(missing.join('\n').match(/npm run .*|.*breaks.*/g)).toEqual(['npm run seal -- --cluster test --missing']);
  });

  test('are each named with namespace, name and key', () => {
    expect(missing[0]).toContain('\n  - realm-aurora/netcode-key, key generation-1\n');
  });

  test('touch no file', () => {
    expect(state(written)).toEqual(before);
  });
});

describe('the second run', () => {
  let before: unknown;
  let report: SynthReport;
  beforeAll(() => {
    before = state(written);
    report = write(described(), written);
  });

  test('changes nothing', () => {
    const { added, changed, removed } = report.change;
    expect({ added, changed, removed }).toEqual({ added: [], changed: [], removed: [] });
  });

  test('leaves every file its time', () => {
    expect(state(written)).toEqual(before);
  });

  test('after a change touches the files that differ and no other', () => {
    const directory = copyOfWritten();
    const { changed } = write(
      described((d) => (d.realms[0].continents[0].title = 'Another title')),
      directory,
    ).change;
    const young = state(directory)
      .filter(([, , time]) => time !== 1_000_000)
      .map(([file]) => file);
    expect(young).toEqual(changed);
  });

  test('makes good what somebody edited, removed or added by hand', () => {
    const directory = copyOfWritten();
    const whole = readTree(directory);
    writeFileSync(path.join(directory, 'test/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml'), 'edited: true\n');
    rmSync(path.join(directory, 'test/namespaces/_cluster/Namespace.traefik.yaml'));
    writeFileSync(path.join(directory, 'test/namespaces/_cluster/Namespace.stranger.yaml'), 'kind: Namespace\n');
    write(described(), directory);
    expect(readTree(directory)).toEqual(whole);
  });
});

describe('a dry run', () => {
  let directory: string;
  let report: SynthReport;
  beforeAll(() => {
    directory = newFolder();
    report = synthesizeToDisk({ descriptions: [described()], directory, store, dryRun: true });
  });

  test('says what would change', () => {
    expect(report.change).toEqual(first.change);
  });

  test('writes nothing', () => {
    expect(existsSync(directory)).toBe(false);
  });
});

describe('removing a world', () => {
  const removed: Change = (d) => d.realms[0].continents.shift();
  const retired: Change = (d) => (d.realms[0].continents[0].state = 'retired');

  describe('that was never retired', () => {
    let before: unknown;
    let sentences: readonly string[];
    beforeAll(() => {
      before = state(written);
      sentences = refusal(() => write(described(removed), written));
    });

    test('is refused, with the way to do it', () => {
      expect(sentences).toEqual([
        "dist/test/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml is the world 'eldermoor' in namespace 'realm-aurora', which was never retired. Set state: 'retired' on it first, synthesize, commit and let Argo CD stop it; remove the entry in a second change. (A world that no cluster ever ran, such as the example's, leaves with: npm run synth -- --release StatefulSet/realm-aurora/eldermoor)",
      ]);
    });

    test('touches no file', () => {
      expect(state(written)).toEqual(before);
    });
  });

  test('by renaming it is refused too', () => {
    expect(
      refusal(() =>
        write(
          described((d) => (d.realms[0].continents[0].name = 'newmoor')),
          written,
        ),
      ),
    ).toHaveLength(1);
  });

  test('with its whole realm is refused once for each of its worlds', () => {
    expect(
      refusal(() =>
        write(
          described((d) => d.realms.shift()),
          written,
        ),
      ),
    ).toHaveLength(2);
  });

  test('with its whole cluster is refused', () => {
    const sentences = refusal(() =>
      write(
        described((d) => (d.name = 'other')),
        written,
      ),
    );
    expect(sentences.filter((sentence) => sentence.includes('never retired'))).toHaveLength(4);
  });

  test('does not depend on a world of the same name in another cluster', () => {
    const directory = copyOfWritten('other');
    const other: Change = (d) => (d.name = 'other');
    cpSync(path.join(written, 'test'), path.join(directory, 'test'), { recursive: true });
    const sentences = refusal(() => synthesizeToDisk({ descriptions: [described(), described(other, removed)], directory, store }));
    expect(sentences.filter((sentence) => sentence.includes('never retired')).map((sentence) => sentence.split(' ')[0])).toEqual([
      'dist/other/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml',
    ]);
  });

  test('that is retired prints the command that releases it', () => {
    const directory = copyOfWritten();
    write(described(retired), directory);
    expect(write(described(removed), directory).lines).toContain(
      '  kubectl -n realm-aurora annotate statefulset eldermoor argocd.argoproj.io/sync-options-',
    );
  });

  test('that the operator releases by name goes without being retired', () => {
    const { change } = write(described(removed), copyOfWritten(), ['StatefulSet/realm-aurora/eldermoor']);
    expect(change.removed).toContain('test/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml');
  });

  test('with its whole realm, which is retired, prints every step in the order in which a person takes them', () => {
    const directory = copyOfWritten();
    write(
      described((d) => (d.realms[0].state = 'retired')),
      directory,
    );
    const { lines } = write(
      described((d) => d.realms.shift()),
      directory,
    );
    const steps = lines.slice(lines.findIndex((line) => line.includes('in this order')) + 1).map((line) => line.trim());
    // What the commands name besides is lib/removals' own test; whether they work, a real Argo CD's.
    expect(steps.map((step) => step.replace(/^kubectl (?:-n \S+ )?(\S+)(?: (?:--\S+ )*)?(\S*).*$/, '$1 $2'))).toMatchInlineSnapshot(`
[
  "wait application",
  "annotate namespace",
  "annotate sealedsecret.bitnami.com",
  "annotate sealedsecret.bitnami.com",
  "wait application",
  "delete application/realm-aurora",
  "delete configmap/eldermoor",
  "wait application",
  "What is left then (volumes, backups, keys) stays until you end it for good:",
  "delete namespace",
]
`);
  });
});

test('removing the store of backups is refused, because the archive of the database would leave Git', () => {
  expect(
    refusal(() =>
      write(
        described((d) => delete d.backups),
        written,
      ),
    ),
  ).toEqual([expect.stringMatching(/ObjectStore .* npm run synth -- --release ObjectStore\/database\/\S+$/)]);
});

describe('the report', () => {
  test('says how many Applications there are, with the root', () => {
    const count = [...readTree(written).keys()].filter((file) => file.includes('/argocd/Application.')).length;
    expect(first.lines[0]).toMatch(new RegExp(`^test: ${count} Applications, `));
  });

  test('says how many objects there are', () => {
    expect(first.lines[0]).toContain(`, ${readTree(written).size} objects.`);
  });

  test('ends with what was written', () => {
    expect(first.lines.at(-1)).toBe(`${written}: ${readTree(written).size} added, 0 changed, 0 removed, 0 unchanged.`);
  });

  const without: Change = (d) => (d.instances = []);
  let lines: readonly string[];
  beforeAll(() => {
    lines = synthesizeToDisk({ descriptions: [described(without)], directory: newFolder(), store, dryRun: true }).lines;
  });

  test('says what is left out, and why', () => {
    expect(lines).toContain('  left out: instances — the cluster has no instanced content (instances is empty)');
  });

  test('names a system that is left out once, although it is a component and a chart', () => {
    expect(lines.filter((line) => line.startsWith('  left out: agones '))).toHaveLength(1);
  });

  test('warns of a sealed file that nothing needs', () => {
    const secretsDirectory = path.join(scratch, 'secrets');
    cpSync('secrets', secretsDirectory, { recursive: true });
    const [cluster] = clusters as [ClusterDescription];
    const sealed = fileStore(secretsDirectory, cluster.name);
    const ciphertext = Object.values(sealed.encryptedData('connect-broker', 'session-keys') ?? {})[0] ?? '';
    sealed.write([{ namespace: 'realm-gone', name: 'netcode-key', key: 'generation-1', type: 'Opaque', ciphertext }]);
    const report = synthesizeToDisk({ descriptions: [cluster], directory: newFolder(), secretsDirectory, dryRun: true });
    expect(report.lines).toContain(
      `  warning: secrets/${cluster.name}/realm-gone/netcode-key.yaml: nothing in the cluster needs this Secret any more. Remove the file once nothing outside needs it either; a backup's password opens that backup only.`,
    );
  });
});
