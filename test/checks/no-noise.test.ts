/**
 * Cases of the check `no-noise`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { noNoise } from '../../lib/checks/no-noise';
import { changed, excepting, sentencesOf, violationsOf } from './fixture';

// biome-ignore lint/suspicious/noExplicitAny: tests break objects in ways that types forbid.
type Any = any;
const CONFIG = 'ConfigMap realm-aurora/eldermoor';
const WORLD = 'StatefulSet realm-aurora/eldermoor';
const sentences = (objects?: Parameters<typeof sentencesOf>[1]) => sentencesOf(noNoise, objects);
const text = (value: string) =>
  changed(CONFIG, ({ data }) => {
    data['motd.txt'] = value;
  });

describe('no-noise', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it.each(['helm.sh/chart', 'app.kubernetes.io/version', 'app.kubernetes.io/managed-by'])('refuses the label %s', (label) => {
    const objects = changed(CONFIG, ({ metadata }) => {
      metadata.labels = { [label]: 'x' };
    });
    expect(violationsOf(noNoise, objects).map(({ field }) => field)).toEqual([`metadata.labels["${label}"]`]);
  });

  it('says why a label is noise', () => {
    expect(
      sentences(
        changed(CONFIG, ({ metadata }) => {
          metadata.labels = { 'helm.sh/chart': 'mmo-1.2.3' };
        }),
      ),
    ).toEqual([
      `ConfigMap realm-aurora/eldermoor metadata.labels["helm.sh/chart"]: The label helm.sh/chart ('mmo-1.2.3') changes with every upgrade, or tells nothing.`,
    ]);
  });

  it('looks at the labels of pods', () => {
    const objects = changed(WORLD, ({ spec }) => {
      spec.template.metadata.labels['app.kubernetes.io/version'] = '1.0.0';
    });
    expect(violationsOf(noNoise, objects).map(({ field }) => field)).toEqual([
      'spec.template.metadata.labels["app.kubernetes.io/version"]',
    ]);
  });

  it.each(['uid', 'creationTimestamp', 'resourceVersion', 'generation', 'managedFields'])('refuses metadata.%s', (field) => {
    const objects = changed(CONFIG, ({ metadata }) => void Object.assign(metadata, { [field]: 'x' }));
    expect(violationsOf(noNoise, objects).map((each) => each.field)).toEqual([`metadata.${field}`]);
  });

  it('refuses a status', () => {
    expect(
      sentences(
        changed(WORLD, (manifest) => {
          manifest.status = { replicas: 1 };
        }),
      ),
    ).toEqual(['StatefulSet realm-aurora/eldermoor status: It has a status, which only the cluster writes.']);
  });

  it.each<[string, string, (spec: Any) => void]>([
    [
      'null',
      'spec.template.spec.priorityClassName',
      (spec) => {
        spec.template.spec.priorityClassName = null;
      },
    ],
    [
      'an empty list',
      'spec.template.spec.containers[game].args',
      (spec) => {
        spec.template.spec.containers[0].args = [];
      },
    ],
    [
      'an empty map',
      'spec.template.metadata.annotations',
      (spec) => {
        spec.template.metadata.annotations = {};
      },
    ],
    [
      'a map of undefined values',
      'spec.template.spec.nodeSelector',
      (spec) => {
        spec.template.spec.nodeSelector = { a: undefined };
      },
    ],
  ])('refuses %s', (_, field, change) => {
    expect(
      violationsOf(
        noNoise,
        changed(WORLD, ({ spec }) => change(spec)),
      ).map((each) => each.field),
    ).toEqual([field]);
  });

  it('takes an undefined value, which nobody writes', () => {
    expect(
      sentences(
        changed(WORLD, ({ spec }) => {
          spec.template.spec.priorityClassName = undefined;
        }),
      ),
    ).toEqual([]);
  });

  it('takes an emptyDir without a size, whose empty map means something', () => {
    expect(sentences(changed(WORLD, ({ spec }) => void spec.template.spec.volumes.push({ name: 'tmp', emptyDir: {} })))).toEqual([]);
  });

  it("takes empty values of a chart, which replace the chart's own", () => {
    const objects = changed('Application argocd/traefik', ({ spec }) => {
      spec.source.helm.valuesObject = { ports: { web: null }, args: [] };
    });
    expect(sentences(objects)).toEqual([]);
  });

  it('refuses a version as a value of a selector', () => {
    const objects = changed('Service realm-aurora/eldermoor', ({ spec }) => {
      spec.selector['mmo/flavour'] = 'v1.4.2';
    });
    expect(sentences(objects)).toEqual([
      'Service realm-aurora/eldermoor spec.selector["mmo/flavour"]: It selects by mmo/flavour=v1.4.2, which changes with each version.',
    ]);
  });

  it.each(['app.kubernetes.io/version', 'mmo/build', 'pod-template-hash'])('refuses to select by %s', (key) => {
    const objects = changed(WORLD, ({ spec }) => {
      spec.selector.matchLabels[key] = 'x';
    });
    expect(violationsOf(noNoise, objects).map(({ field }) => field)).toEqual([`spec.selector.matchLabels["${key}"]`]);
  });

  it('looks at the expressions of selectors', () => {
    const objects = changed('PodMonitor realm-aurora/game-server', ({ spec }) => {
      spec.selector.matchExpressions = [{ key: 'mmo/build', operator: 'Exists' }];
    });
    expect(sentences(objects)).toHaveLength(1);
  });

  it('takes names with digits in selectors', () => {
    const objects = changed('Service realm-aurora/eldermoor', ({ spec }) => {
      spec.selector['mmo/realm'] = 'realm-2';
    });
    expect(sentences(objects)).toEqual([]);
  });

  it('refuses lines that end in spaces', () => {
    expect(sentences(text('Welcome.  \nHave fun.\n'))).toEqual([
      'ConfigMap realm-aurora/eldermoor data["motd.txt"]: Line 1 of the text ends in spaces, and so the text cannot be written line by line.',
    ]);
  });

  it.each([
    ['a tab', 'a:\n\tb\n'],
    ['a carriage return', 'a\r\nb\r\n'],
    ['spaces at the begin', '  a\nb\n'],
    ['an empty first line', '\na\n'],
    ['spaces at the end', 'a\nb '],
  ])('refuses a text with %s', (_, value) => {
    expect(violationsOf(noNoise, text(value)).map(({ field }) => field)).toEqual(['data["motd.txt"]']);
  });

  it('takes a text of one line as it is', () => {
    expect(sentences(text('ends in a space '))).toEqual([]);
  });

  it('lets a text stand with an exception', () => {
    const exception = { rule: 'no-noise', field: 'data["motd.txt"]', reason: 'a test' };
    expect(sentences(excepting(text('a:\n\tb\n'), CONFIG, exception))).toEqual([]);
  });
});
