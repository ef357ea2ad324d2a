/** The record of the last recovery drill: what is read, and what is refused. */
import path from 'node:path';
import { DRILL_FILE, lastRecoveryDrill, serializeDrill } from '../../lib/secrets/drill';
import { fileStore } from '../../lib/secrets/store';
import { scratchFolder, writeTree } from './fixtures';

const drill = { date: '2026-11-22', fingerprint: `sha256:${'0a'.repeat(32)}`, key: 'copy' } as const;

/** A project's root with a record of the cluster `home`. */
function rootWith(text: string): string {
  const root = scratchFolder();
  writeTree(root, { [`secrets/home/${DRILL_FILE}`]: text });
  return root;
}

test('the record that is written is the one that is read', () => {
  expect(lastRecoveryDrill(rootWith(serializeDrill(drill)), 'home')).toEqual(drill);
});

test('a cluster without a record had no drill', () => {
  expect(lastRecoveryDrill(scratchFolder(), 'home')).toBeUndefined();
});

test.each([
  ['no date', `fingerprint: ${drill.fingerprint}\nkey: copy\n`],
  ['a day that does not exist', `date: 2026-02-31\nfingerprint: ${drill.fingerprint}\nkey: copy\n`],
  ['a month that does not exist', `date: 2026-13-01\nfingerprint: ${drill.fingerprint}\nkey: copy\n`],
  ['no fingerprint', `date: ${drill.date}\nkey: copy\n`],
  ['an unknown word for the key', `date: ${drill.date}\nfingerprint: ${drill.fingerprint}\nkey: mine\n`],
])('a record with %s is refused', (_, text) => {
  expect(() => lastRecoveryDrill(rootWith(text), 'home')).toThrow(
    "secrets/home/last-recovery-drill.yaml must have a line 'date: YYYY-MM-DD'",
  );
});

test('a record that says nothing of the key counts as one of the key in use', () => {
  expect(lastRecoveryDrill(rootWith(`date: ${drill.date}\nfingerprint: ${drill.fingerprint}\n`), 'home')?.key).toBe('in-use');
});

test('the record has a place beside the certificate', () => {
  expect(fileStore(path.join(rootWith(serializeDrill(drill)), 'secrets'), 'home').files()).toEqual([]);
});

test('a record that cannot be read is a mistake of the store as well', () => {
  expect(() => fileStore(path.join(rootWith('date: soon\n'), 'secrets'), 'home').files()).toThrow("must have a line 'date: YYYY-MM-DD'");
});
