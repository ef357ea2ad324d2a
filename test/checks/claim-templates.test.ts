/**
 * Cases of the check `claim-templates`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { claimTemplates } from '../../lib/checks/claim-templates';
import { changed, sentencesOf, violationsOf } from './fixture';

// biome-ignore lint/suspicious/noExplicitAny: tests break objects in ways that types forbid.
type Any = any;
const template = (change: (template: Any) => void) =>
  changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => change(spec.volumeClaimTemplates[0]));

describe('claim-templates', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentencesOf(claimTemplates)).toEqual([]);
  });

  it.each<[string, (template: Any) => void]>([
    ['apiVersion', (each) => void delete each.apiVersion],
    ['kind', (each) => void delete each.kind],
    ['spec.volumeMode', ({ spec }) => void delete spec.volumeMode],
    [
      'spec.accessModes',
      ({ spec }) => {
        spec.accessModes = [];
      },
    ],
    ['spec.resources.requests.storage', ({ spec }) => void delete spec.resources],
  ])('asks for %s', (field, change) => {
    expect(violationsOf(claimTemplates, template(change)).map((each) => each.field)).toEqual([`spec.volumeClaimTemplates[world].${field}`]);
  });

  it('asks for a name', () => {
    expect(
      sentencesOf(
        claimTemplates,
        template(({ metadata }) => void delete metadata.name),
      ),
    ).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.volumeClaimTemplates[0].metadata.name: The claim template '0' has no metadata.name.",
    ]);
  });

  it('says what is there and what would be right', () => {
    const objects = template((each) => {
      each.apiVersion = 'v1beta1';
    });
    expect(violationsOf(claimTemplates, objects).map(({ message, fix }) => `${message} ${fix}`)).toEqual([
      `The claim template 'world' has "v1beta1" as apiVersion. Write apiVersion: 'v1' into the template; the StatefulSet of lib/constructs/stateful-set.ts adds apiVersion and kind.`,
    ]);
  });
});
