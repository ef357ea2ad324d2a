/**
 * Cases of the check `canonical-quantities`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { canonicalQuantities } from '../../lib/checks/canonical-quantities';
import { changed, sentencesOf, violationsOf } from './fixture';

// biome-ignore lint/suspicious/noExplicitAny: tests break objects in ways that types forbid.
type Any = any;

describe('canonical-quantities', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentencesOf(canonicalQuantities)).toEqual([]);
  });

  it.each<[string, string, (spec: Any) => void]>([
    [
      'StatefulSet realm-aurora/eldermoor',
      'spec.template.spec.containers[game].resources.requests.cpu',
      (spec) => {
        spec.template.spec.containers[0].resources.requests.cpu = '1000m';
      },
    ],
    [
      'StatefulSet realm-aurora/eldermoor',
      'spec.template.spec.containers[game].resources.limits.memory',
      (spec) => {
        spec.template.spec.containers[0].resources.limits.memory = '1024Mi';
      },
    ],
    [
      'StatefulSet realm-aurora/eldermoor',
      'spec.volumeClaimTemplates[world].spec.resources.requests.storage',
      (spec) => {
        spec.volumeClaimTemplates[0].spec.resources.requests.storage = '0.5Ti';
      },
    ],
    [
      'StatefulSet realm-aurora/eldermoor',
      'spec.template.spec.volumes[tmp].emptyDir.sizeLimit',
      (spec) => void spec.template.spec.volumes.push({ name: 'tmp', emptyDir: { sizeLimit: '1024Ki' } }),
    ],
    [
      'Fleet instances/dungeon',
      'spec.template.spec.template.spec.containers[game].resources.requests.memory',
      (spec) => {
        spec.template.spec.template.spec.containers[0].resources.requests.memory = '1048576Ki';
      },
    ],
    [
      'Cluster database/postgres',
      'spec.storage.size',
      (spec) => {
        spec.storage.size = '10240Mi';
      },
    ],
    [
      'Cluster database/postgres',
      'spec.resources.requests.cpu',
      (spec) => {
        spec.resources.requests.cpu = '0.25';
      },
    ],
  ])('finds another form in %s at %s', (id, field, change) => {
    expect(
      violationsOf(
        canonicalQuantities,
        changed(id, ({ spec }) => change(spec)),
      ).map((each) => each.field),
    ).toEqual([field]);
  });

  it('says what would be right', () => {
    const objects = changed('Cluster database/postgres', ({ spec }) => {
      spec.storage.size = '10240Mi';
    });
    expect(violationsOf(canonicalQuantities, objects).map(({ message, fix }) => `${message} ${fix}`)).toEqual([
      `"10240Mi" is not how Kubernetes writes it. Write '10Gi' (canonicalQuantity() in lib/model/quantities.ts).`,
    ]);
  });

  it('refuses a number, which comes back as a text', () => {
    const objects = changed('Cluster database/postgres', ({ spec }) => {
      spec.resources.requests.cpu = 2;
    });
    expect(sentencesOf(canonicalQuantities, objects)).toEqual([
      'Cluster database/postgres spec.resources.requests.cpu: 2 is not how Kubernetes writes it.',
    ]);
  });

  it('refuses what is no quantity', () => {
    const objects = changed('Cluster database/postgres', ({ spec }) => {
      spec.storage.size = 'ten';
    });
    expect(sentencesOf(canonicalQuantities, objects)).toEqual(['Cluster database/postgres spec.storage.size: "ten" is no quantity.']);
  });
});
