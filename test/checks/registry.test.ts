/** Every check is registered, proven by a test of its own, and explained on the page of checks. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { checks } from '../../lib/checks';

const PAGE = 'docs/reference/checks.md';
const files = readdirSync('lib/checks').filter((file) => /^export const \w+: Check\b/m.test(readFileSync(`lib/checks/${file}`, 'utf8')));

test.each(files)('%s is registered', (file) => {
  expect(checks.map((check) => `${check.id}.ts`)).toContain(file);
});

test.each(checks.map((check) => check.id))('%s has a test file that breaks it', (id) => {
  const test = readFileSync(`test/checks/${id}.test.ts`, 'utf8');
  const name = id.replace(/-./g, (each) => each.charAt(1).toUpperCase());
  expect(test).toMatch(new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from '../../lib/checks/${id}'`));
  // A list of sentences, of objects and fields, or of a length; an empty list is what the good cluster has.
  expect(test).toMatch(/\.(toEqual|toStrictEqual)\(\[\s*[^\s\]]|\.toHaveLength\([1-9]|\.toMatchInlineSnapshot\(/);
});

test('no two checks have the same id', () => {
  expect(new Set(checks.map((check) => check.id)).size).toBe(checks.length);
});

test('the page of checks says what each is for (UPDATE_DOCS=1 writes it)', () => {
  const page = [
    '# Checks',
    '',
    'What `npm run synth` and `npm run check` prove about every object of every cluster, and why. One file each in `lib/checks/`.',
    'A deliberate departure is an entry beside the object that needs it (rule, field, reason) and shows in its `mmo/exceptions` annotation.',
    '',
    '| check | why |',
    '| --- | --- |',
    ...checks.map((check) => `| \`${check.id}\` | ${check.why.replaceAll('|', '\\|')} |`),
    '',
  ].join('\n');
  if (process.env.UPDATE_DOCS) writeFileSync(PAGE, page);
  expect(readFileSync(PAGE, 'utf8')).toBe(page);
});
