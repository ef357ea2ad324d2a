/**
 * Objects hold what somebody decided and nothing that changes by itself: no labels or selectors with versions, no empty values, no state of the cluster,
 * and texts that stay readable.
 * It deliberately lets empty values stand where they mean something (`emptyDir: {}`), and Helm values, where they unset a chart's default.
 */
import type { BuiltObject } from '../build';
import { spell, visitAll } from './fields';
import { Report } from './report';
import { FREE_FIELDS, isEmpty, scanOf } from './scan';
import type { Check, CheckInput } from './types';

/** Labels that change every object at each upgrade of a chart, or say who wrote the object. */
const NOISE_LABELS = new Set(['helm.sh/chart', 'app.kubernetes.io/version', 'app.kubernetes.io/managed-by']);

/** What the API server writes into every object. */
const SERVER_SET = new Set(['uid', 'creationTimestamp', 'deletionTimestamp', 'resourceVersion', 'generation', 'managedFields', 'selfLink']);

/** Label keys that carry a version or change with each release. */
const VERSION_KEY = /(^|[/.-])(version|build|revision|chart|pod-template-hash)$/;
const VERSION_VALUE = /^v?\d+\.\d+(\.\d+)?([.+-].*)?$/;

export const noNoise: Check = {
  id: 'no-noise',
  why: 'A pull request is read by people: what changes in every object at each upgrade hides the one line that matters, and a version in a selector orphans what runs, because selectors of workloads cannot be changed.',
  run: (input) => {
    const report = new Report(input, noNoise);
    for (const object of input.objects) metadata(report, object);
    values(report, input);
    labelsOfTemplates(report, input);
    selectors(report, input);
    texts(report, input);
    return report.violations;
  },
};

function metadata(report: Report, object: BuiltObject): void {
  const { manifest } = object;
  noiseLabels(report, object, manifest.metadata.labels, 'metadata.labels');
  for (const field in manifest.metadata) {
    if (SERVER_SET.has(field))
      report.say(object, `metadata.${field}`, `metadata.${field} is written by the API server.`, 'Remove the field.');
  }
  if (manifest.status !== undefined) report.say(object, 'status', 'It has a status, which only the cluster writes.', 'Remove the field.');
}

function noiseLabels(report: Report, object: BuiltObject, labels: Readonly<Record<string, string>> | undefined, at: string): void {
  for (const label in labels) {
    if (!NOISE_LABELS.has(label)) continue;
    report.say(
      object,
      `${at}["${label}"]`,
      `The label ${label} ('${labels[label]}') changes with every upgrade, or tells nothing.`,
      'Remove the label; labels() in lib/component.ts makes those that objects have.',
    );
  }
}

function labelsOfTemplates(report: Report, input: CheckInput): void {
  for (const { object, path, labels } of input.podTemplates) {
    noiseLabels(report, object, labels, path === 'spec' ? 'metadata.labels' : path.replace(/spec$/, 'metadata.labels'));
  }
  for (const object of input.ofKind('StatefulSet')) {
    for (const { metadata: claim } of (object.manifest.spec?.volumeClaimTemplates ?? []) as {
      metadata?: { name?: string; labels?: Record<string, string> };
    }[]) {
      noiseLabels(report, object, claim?.labels, `spec.volumeClaimTemplates[${claim?.name}].metadata.labels`);
    }
  }
}

function values(report: Report, input: CheckInput): void {
  for (const object of scanOf(input).empty) {
    visitAll(object.manifest, (value, field, path) => {
      if (FREE_FIELDS.has(field)) return false;
      if (isEmpty(value, field, path.at(-1)?.startsWith('[') ?? false)) {
        const what = value === null ? 'The value is null.' : `The ${Array.isArray(value) ? 'list' : 'map'} is empty.`;
        report.say(object, spell(object.manifest, path), what, 'Leave the field out.');
      }
      return true;
    });
  }
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly values?: readonly string[] }[];
}

/** Where kinds select by labels; what a NetworkPolicy or a spread constraint selects may change at any time. */
const SELECTORS: Readonly<Record<string, string>> = {
  Deployment: 'spec.selector',
  StatefulSet: 'spec.selector',
  DaemonSet: 'spec.selector',
  PodDisruptionBudget: 'spec.selector',
  ServiceMonitor: 'spec.selector',
  PodMonitor: 'spec.selector',
  NetworkPolicy: 'spec.podSelector',
};

function selectors(report: Report, input: CheckInput): void {
  const judge = (object: BuiltObject, at: string, key: string, value: string): void => {
    if (!VERSION_KEY.test(key) && !VERSION_VALUE.test(value)) return;
    report.say(
      object,
      at,
      `It selects by ${key}=${value}, which changes with each version.`,
      'Select by what the thing is (name, component, realm, continent), never by its version.',
    );
  };
  for (const [kind, path] of Object.entries(SELECTORS)) {
    for (const object of input.ofKind(kind)) {
      const selector = (path === 'spec.selector' ? object.manifest.spec?.selector : object.manifest.spec?.podSelector) as
        | Selector
        | undefined;
      for (const key in selector?.matchLabels) judge(object, `${path}.matchLabels["${key}"]`, key, selector.matchLabels[key] as string);
      selector?.matchExpressions?.forEach(({ key, values: list = [] }, index) => {
        for (const value of list.length > 0 ? list : ['']) judge(object, `${path}.matchExpressions[${index}]`, key, value);
      });
    }
  }
  for (const object of input.ofKind('Service')) {
    const selector = object.manifest.spec?.selector as Record<string, string> | undefined;
    for (const key in selector) judge(object, `spec.selector["${key}"]`, key, selector[key] as string);
  }
}

/** The forms that a block scalar cannot hold: such a text is written as one long quoted line. */
const UNREADABLE: readonly (readonly [form: RegExp, what: string])[] = [
  [/[ \t]+(?=\n|$)/, 'ends in spaces'],
  [/\t/, 'has a tab'],
  [/\r/, 'ends in a carriage return'],
];

function texts(report: Report, input: CheckInput): void {
  for (const object of input.ofKind('ConfigMap')) {
    const data = (object.manifest.data ?? {}) as Record<string, unknown>;
    for (const key in data) {
      const text = data[key];
      if (typeof text !== 'string' || !text.includes('\n')) continue;
      const field = /^[\w-]+$/.test(key) ? `data.${key}` : `data["${key}"]`;
      if (/^[ \n]/.test(text)) {
        report.say(
          object,
          field,
          'The text begins with a space or an empty line, and so cannot be written line by line.',
          'Begin the text with its first word.',
        );
      }
      for (const [form, what] of UNREADABLE) {
        const found = form.exec(text);
        if (!found) continue;
        const line = text.slice(0, found.index).split('\n').length;
        report.say(
          object,
          field,
          `Line ${line} of the text ${what}, and so the text cannot be written line by line.`,
          'Remove it from the text; indent with spaces.',
        );
        break;
      }
    }
  }
}
