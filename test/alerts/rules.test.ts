/** Every alert by promtool, with series that fire it and series that do not (test/alerts/cases.ts). */
import { CASES } from './cases';
import { ALERT_NAMES, DISTINCT, EMITTED } from './emitted';
import { failuresOf, promtoolIsInstalled, trialsOf } from './promtool';

const trials = DISTINCT.flatMap((rules) => trialsOf(rules, CASES));

test('every alert has a case in which it fires and one in which it does not', () => {
  const without = ALERT_NAMES.filter((name) => !CASES[name]?.fires.length || !CASES[name].quiet.length);
  expect(without).toEqual([]);
});

test('every case is of an alert that there is', () => {
  expect(Object.keys(CASES).filter((name) => !ALERT_NAMES.includes(name))).toEqual([]);
});

test('no two cases have one name', () => {
  const names = trials.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test('the words of an alert name only labels that it has when it fires', () => {
  const missing = EMITTED.flatMap(({ rules }) =>
    rules.flatMap(({ alert, annotations }) => {
      const named = [...`${annotations.summary} ${annotations.description}`.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
      const firing = CASES[alert]?.fires ?? [];
      return named.filter((label) => firing.some(({ labels }) => !(label in labels))).map((label) => `${alert}: ${label}`);
    }),
  );
  expect(missing).toEqual([]);
});

describe('promtool', () => {
  const installed = promtoolIsInstalled();
  if (!installed) process.stderr.write('promtool is not installed (Debian: prometheus): no alert is tried. PROMTOOL may name it.\n');
  const testWithPromtool = installed ? test : test.skip;
  const failures = installed ? failuresOf(DISTINCT, trials) : new Map<string, string>();

  testWithPromtool.each(trials)('$name', ({ name }) => {
    expect(failures.get(name) ?? '').toBe('');
  });

  testWithPromtool('disagrees with a case that is wrong, so that its silence means something', () => {
    const [rules] = EMITTED;
    const up = CASES.WorldDown?.fires[0];
    if (!rules || !up) throw new Error('The example homelab has no alert WorldDown to try.');
    const wrong = trialsOf(rules, {
      WorldDown: { fires: [{ ...up, summary: 'Something else.' }], quiet: [{ because: 'it is down', series: up.series }] },
    });
    expect([...failuresOf([{ ...rules, rules: rules.rules.filter(({ alert }) => alert === 'WorldDown') }], wrong).keys()].sort()).toEqual(
      wrong.map(({ name }) => name).sort(),
    );
  });
});
