/**
 * Cases of the check `valid-schema`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { validSchema } from '../../lib/checks/valid-schema';
import { changed, sentencesOf, violationsOf, withMore } from './fixture';

describe('valid-schema', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentencesOf(validSchema)).toEqual([]);
  });

  it('names a field that does not exist, and the one that was probably meant', () => {
    const objects = changed('Service realm-aurora/eldermoor-public', ({ spec }) => {
      spec.externalTrafikPolicy = 'Local';
    });
    expect(sentencesOf(validSchema, objects)).toEqual([
      'Service realm-aurora/eldermoor-public spec.externalTrafikPolicy: The field "externalTrafikPolicy" ("Local") does not exist here; did you mean "externalTrafficPolicy"?',
    ]);
  });

  it('names a value of the wrong type', () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => {
      spec.template.spec.terminationGracePeriodSeconds = '150';
    });
    expect(sentencesOf(validSchema, objects)).toEqual([
      'StatefulSet realm-aurora/eldermoor spec.template.spec.terminationGracePeriodSeconds: "150" is a string, but must be an integer.',
    ]);
  });

  it('names a field that is missing', () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => {
      delete spec.selector;
    });
    expect(sentencesOf(validSchema, objects)).toEqual([
      'StatefulSet realm-aurora/eldermoor spec.selector: The field "selector" is missing, but required (an object).',
    ]);
  });

  it('names a kind that nobody can validate', () => {
    const objects = withMore('realms', { apiVersion: 'apps/v1', kind: 'StatefulSett', metadata: { name: 'a', namespace: 'realm-aurora' } });
    expect(sentencesOf(validSchema, objects)).toEqual([
      'StatefulSett realm-aurora/a kind: The kind "StatefulSett" of apps/v1 is not known: did you mean "StatefulSet"? If it is right, add it to lib/imports/kinds.ts and run `npm run import`.',
    ]);
  });

  it('shows all mistakes of an object at once', () => {
    const objects = changed('Fleet instances/dungeon', ({ spec }) => {
      spec.schedulin = spec.scheduling;
      spec.scheduling = 'Dense';
    });
    expect(violationsOf(validSchema, objects).map(({ field }) => field)).toEqual(['spec.scheduling', 'spec.schedulin']);
  });
});
