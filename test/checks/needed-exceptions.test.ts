/** An exception that silences nothing is refused; one that is needed is not. */
import { runChecks } from '../../lib/checks';
import { neededExceptions } from '../../lib/checks/needed-exceptions';
import { podSecurity } from '../../lib/checks/pod-security';
import { built, changed, excepting, goodObjects } from './fixture';

const FIELD = 'spec.template.spec.containers[game].securityContext.readOnlyRootFilesystem';
const WORLD = 'StatefulSet realm-aurora/eldermoor';
const exception = { rule: 'pod-security', field: FIELD, reason: 'the image writes to itself' };
const run = (objects: ReturnType<typeof goodObjects>) => runChecks(built(objects), [podSecurity, neededExceptions]);

test('without exceptions there is nothing to say', () => {
  expect(run(goodObjects())).toEqual([]);
});

test('an exception that nothing needs is named with its rule and field', () => {
  expect(run(excepting(goodObjects(), WORLD, exception))).toEqual([
    expect.objectContaining({
      rule: 'needed-exceptions',
      object: WORLD,
      field: FIELD,
      message: "The exception from 'pod-security' silences nothing.",
    }),
  ]);
});

test('an exception that silences a violation is needed', () => {
  const writable = changed(WORLD, (manifest) => {
    delete manifest.spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem;
  });
  expect(run(excepting(writable, WORLD, exception))).toEqual([]);
});

test('an exception from a rule that does not exist is refused', () => {
  expect(run(excepting(goodObjects(), WORLD, { ...exception, rule: 'probes' }))).toHaveLength(1);
});
