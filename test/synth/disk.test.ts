/** A synth that writes: all or nothing, nothing twice, and no world lost. */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { homelab } from '../../apps/homelab';
import { readTree } from '../../lib/emit/writer';
import type { ClusterDescription } from '../../lib/model/cluster';
import { fileStore, memoryStore } from '../../lib/secrets/store';
import { SynthesisError } from '../../lib/synth';
import { type SynthReport, synthesizeToDisk } from '../../lib/synth-to-disk';
import { type Change, described, store } from './cluster-files';

let scratch: string;
let directory: string;
beforeEach(() => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'synth-'));
  directory = path.join(scratch, 'dist');
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const write = (description: ClusterDescription, released: readonly string[] = []): SynthReport =>
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
const state = () => [...readTree(directory)].map(([file, text]) => [file, text, statSync(path.join(directory, file)).mtimeMs]);
/** As if all files had been written long ago. */
const age = () => [...readTree(directory).keys()].forEach((file) => utimesSync(path.join(directory, file), 1000, 1000));
const wrong: Change = (d) => (d.domain = 'not a domain');

describe('a synth that fails', () => {
  test('touches no file, neither its text nor its time', () => {
    write(described());
    age();
    const before = state();
    refusal(() => write(described(wrong, (d) => d.realms.pop())));
    expect(state()).toEqual(before);
  });

  test('makes no folder where there was none', () => {
    refusal(() => write(described(wrong)));
    expect(existsSync(directory)).toBe(false);
  });

  test('leaves nothing beside the folder', () => {
    write(described());
    refusal(() => write(described(wrong)));
    expect(readdirSync(scratch)).toEqual(['dist']);
  });

  test('because of one cluster does not write the other', () => {
    const other = described((d) => (d.name = 'other'));
    refusal(() => synthesizeToDisk({ descriptions: [other, described(wrong)], directory, store }));
    expect(existsSync(directory)).toBe(false);
  });

  test('says the mistakes of all clusters', () => {
    const other = described((d) => (d.name = 'other'), wrong);
    const sentences = refusal(() => synthesizeToDisk({ descriptions: [other, described(wrong)], directory, store }));
    expect(sentences.map((sentence) => sentence.split('\n')[0])).toEqual([
      "The description of cluster 'other' has 1 mistake:",
      "The description of cluster 'test' has 1 mistake:",
    ]);
  });

  test('says the mistakes of one cluster beside the missing secrets of another', () => {
    const other = described((d) => (d.name = 'other'));
    const stores = (name: string) => memoryStore(name === 'other' ? [] : 'everything');
    const sentences = refusal(() => synthesizeToDisk({ descriptions: [described(wrong), other], directory, store: stores }));
    expect(sentences.map((sentence) => /cluster '(\w+)'/i.exec(sentence)?.[1])).toEqual(['test', 'other']);
  });
});

test('two clusters of one name are refused, because their files would overwrite each other', () => {
  expect(refusal(() => synthesizeToDisk({ descriptions: [described(), described()], directory, store }))).toContain(
    "Two clusters are named 'test'; their files would overwrite each other. Give one of them another name.",
  );
});

describe('secrets that are not sealed', () => {
  const missing = () => refusal(() => synthesizeToDisk({ descriptions: [described()], directory, store: () => memoryStore([]) }));

  test('fail with the one command that seals them all', () => {
    expect(
      missing()
        .join('\n')
        .match(/npm run .*/g),
    ).toEqual(['npm run seal -- --cluster test --missing']);
  });

  test('are each named with namespace, name and key', () => {
    expect(missing()[0]).toContain('\n  - realm-aurora/netcode-key, key generation-1\n');
  });

  test('write nothing', () => {
    missing();
    expect(existsSync(directory)).toBe(false);
  });
});

describe('the second run', () => {
  test('changes nothing', () => {
    write(described());
    const { added, changed, removed } = write(described()).change;
    expect({ added, changed, removed }).toEqual({ added: [], changed: [], removed: [] });
  });

  test('leaves every file its time', () => {
    write(described());
    age();
    const before = state();
    write(described());
    expect(state()).toEqual(before);
  });

  test('after a change touches the files that differ and no other', () => {
    write(described());
    age();
    const { changed } = write(described((d) => (d.realms[0].continents[0].storage = '40Gi'))).change;
    const young = state()
      .filter(([, , time]) => time !== 1_000_000)
      .map(([file]) => file);
    expect(young).toEqual(changed);
  });

  test('makes good what somebody edited, removed or added by hand', () => {
    write(described());
    const before = readTree(directory);
    const file = 'test/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml';
    writeFileSync(path.join(directory, file), 'edited: true\n');
    rmSync(path.join(directory, 'test/namespaces/_cluster/Namespace.traefik.yaml'));
    writeFileSync(path.join(directory, 'test/namespaces/_cluster/Namespace.stranger.yaml'), 'kind: Namespace\n');
    write(described());
    expect(readTree(directory)).toEqual(before);
  });
});

test('a dry run says what would change and writes nothing', () => {
  const { change } = synthesizeToDisk({ descriptions: [described()], directory, store, dryRun: true });
  expect([change.added.length > 100, existsSync(directory)]).toEqual([true, false]);
});

describe('removing a world', () => {
  const removed: Change = (d) => d.realms[0].continents.shift();
  const retired: Change = (d) => (d.realms[0].continents[0].state = 'retired');

  test('that was never retired is refused', () => {
    write(described());
    expect(refusal(() => write(described(removed)))).toEqual([
      "dist/test/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml is the world 'eldermoor' in namespace 'realm-aurora', which was never retired. Set state: 'retired' on it first, synthesize, commit and let Argo CD stop it; remove the entry in a second change.",
    ]);
  });

  test('that was never retired touches no file', () => {
    write(described());
    age();
    const before = state();
    refusal(() => write(described(removed)));
    expect(state()).toEqual(before);
  });

  test('by renaming it is refused too', () => {
    write(described());
    expect(refusal(() => write(described((d) => (d.realms[0].continents[0].name = 'newmoor'))))).toHaveLength(1);
  });

  test('with its whole realm is refused once for each of its worlds', () => {
    write(described());
    expect(refusal(() => write(described((d) => d.realms.shift())))).toHaveLength(2);
  });

  test('with its whole cluster is refused', () => {
    write(described());
    expect(
      refusal(() => write(described((d) => (d.name = 'other')))).filter((sentence) => sentence.includes('never retired')),
    ).toHaveLength(4);
  });

  test('that is retired prints the command that releases it', () => {
    write(described());
    write(described(retired));
    expect(write(described(removed)).lines.at(-1)).toBe(
      '  kubectl -n realm-aurora annotate statefulset eldermoor argocd.argoproj.io/sync-options-',
    );
  });

  test('that the operator releases by name goes without being retired', () => {
    write(described());
    expect(write(described(removed), ['StatefulSet/realm-aurora/eldermoor']).change.removed).toContain(
      'test/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml',
    );
  });

  test('by accident in a second cluster does not depend on a world of the same name in the first', () => {
    const other: Change = (d) => (d.name = 'other');
    synthesizeToDisk({ descriptions: [described(), described(other)], directory, store });
    const sentences = refusal(() => synthesizeToDisk({ descriptions: [described(), described(other, removed)], directory, store }));
    expect(sentences.map((sentence) => sentence.split(' ')[0])).toEqual([
      'dist/other/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml',
    ]);
  });
});

test('removing a retired realm prints every step in the order in which a person takes them', () => {
  write(described((d) => (d.realms[0].state = 'retired')));
  const { lines } = write(described((d) => d.realms.shift()));
  expect(lines.slice(lines.findIndex((line) => line.includes('in this order')) + 1)).toEqual([
    '  kubectl -n argocd delete application.argoproj.io realm-aurora   # what it synced stays, except what the next lines delete',
    '  kubectl -n realm-aurora delete statefulset eldermoor',
    '  kubectl -n realm-aurora delete statefulset sunreach',
    '  kubectl -n realm-aurora annotate sealedsecret.bitnami.com world-backup-encryption argocd.argoproj.io/sync-options-',
    '  kubectl -n realm-aurora annotate sealedsecret.bitnami.com world-backup-store argocd.argoproj.io/sync-options-',
    '  kubectl annotate namespace realm-aurora argocd.argoproj.io/sync-options-   # deletes the namespace with every volume claim in it: first see that the last backup restores',
  ]);
});

test('removing the store of backups is refused, because the archive of the database would leave Git', () => {
  write(described());
  expect(refusal(() => write(described((d) => delete d.backups)))).toEqual([
    expect.stringMatching(/ObjectStore .* npm run synth -- --release ObjectStore\/database\/\S+$/),
  ]);
});

describe('the report', () => {
  test('says for each cluster how much it is', () => {
    const { applications, objects } = { applications: /(\d+) Applications/, objects: /(\d+) objects/ };
    const line = write(described()).lines[0] ?? '';
    expect([Number(applications.exec(line)?.[1]) > 20, Number(objects.exec(line)?.[1])]).toEqual([true, readTree(directory).size]);
  });

  test('says what is left out, and why', () => {
    const lines = write(described((d) => (d.instances = []))).lines;
    expect(lines).toContain('  left out: instances — the cluster has no instanced content (instances is empty)');
  });

  test('names a system that is left out once, although it is a component and a chart', () => {
    const lines = write(described((d) => (d.instances = []))).lines;
    expect(lines.filter((line) => line.startsWith('  left out: agones '))).toHaveLength(1);
  });

  test('ends with what was written', () => {
    expect(write(described()).lines.at(-1)).toBe(`${directory}: ${readTree(directory).size} added, 0 changed, 0 removed, 0 unchanged.`);
  });

  test('warns of a sealed file that nothing needs', () => {
    const secrets = path.join(scratch, 'secrets');
    cpSync('secrets', secrets, { recursive: true });
    const sealed = fileStore(secrets, homelab.name);
    const ciphertext = Object.values(sealed.encryptedData('connect-broker', 'session-keys') ?? {})[0] ?? '';
    sealed.write([{ namespace: 'realm-gone', name: 'netcode-key', key: 'generation-1', type: 'Opaque', ciphertext }]);
    const { lines } = synthesizeToDisk({ descriptions: [homelab], directory, secretsDirectory: secrets });
    expect(lines).toContain(
      '  warning: secrets/homelab/realm-gone/netcode-key.yaml: nothing in the cluster needs this Secret; remove the file.',
    );
  });
});
