/** Alerts and the pages of docs/runbooks/: each has the other. Whether a page says the right thing is for its reader. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { catalog } from '../../argocd/catalog';
import { resolveCluster } from '../../lib/model/cluster';
import { exampleHomelab } from '../examples';
import { EMITTED, EVERY_ALERT_NAME, HOMELAB_OBJECTS, LOG_ALERTING } from './emitted';

const FOLDER = 'docs/runbooks';
const pages = new Map(
  readdirSync(FOLDER).map((file) => [path.basename(file, '.md'), readFileSync(path.join(FOLDER, file), 'utf8').split('\n')] as const),
);
const rules = [...EMITTED.flatMap((emitted) => emitted.rules), ...LOG_ALERTING];
const pagesWhere = (wrong: (lines: readonly string[], name: string) => boolean) =>
  [...pages].filter(([name, lines]) => wrong(lines, name)).map(([name]) => name);

test('every alert has a page, and every page an alert', () => {
  expect([...pages.keys()].sort()).toEqual(EVERY_ALERT_NAME);
});

test('every page has the name of its alert as its heading', () => {
  expect(pagesWhere((lines, name) => lines[0] !== `# ${name}`)).toEqual([]);
});

test('every alert names its page', () => {
  const wrong = rules.filter(({ alert, annotations }) => annotations.runbook !== `${FOLDER}/${alert}.md`);
  expect(wrong.map(({ alert }) => alert)).toEqual([]);
});

test('every page says the severity of its alert first', () => {
  const severities = new Map(rules.map(({ alert, labels }) => [alert, labels.severity]));
  expect(pagesWhere((lines, name) => !lines[2]?.startsWith(`**${severities.get(name)}.** `))).toEqual([]);
});

test('every page says what players feel, how to look, how to repair, and when it is over', () => {
  const parts = ['**What players feel:** ', '## Look', '## Repair', '## Over when'];
  expect(pagesWhere((lines) => !parts.every((part) => lines.some((line) => line.startsWith(part))))).toEqual([]);
});

test('every page can be read on a phone at night: at most thirty lines', () => {
  expect(pagesWhere((lines) => lines.length > 31)).toEqual([]);
});

describe('names in commands', () => {
  /** Objects of the example homelab, ours and those that upstream charts bring. */
  const cluster = resolveCluster(exampleHomelab);
  const known = new Set([
    // Every cluster's own.
    'Namespace kube-system',
    ...HOMELAB_OBJECTS,
    ...catalog.flatMap(({ provides }) => {
      const { pods, services } = provides(cluster);
      return [...pods.map(({ kind, name }) => `${kind} ${name}`), ...services.map(({ name }) => `Service ${name}`)];
    }),
  ]);
  const unknown = (pattern: RegExp, object: (match: RegExpMatchArray) => string) =>
    [...pages].flatMap(([page, lines]) =>
      [...lines.join('\n').matchAll(pattern)]
        .map(object)
        .filter((each) => !known.has(each))
        .map((each) => `${page}: ${each}`),
    );

  test('every namespace is one of the example homelab', () => {
    expect(unknown(/kubectl -n ([a-z][a-z0-9-]*)/g, ([, name]) => `Namespace ${name}`)).toEqual([]);
  });

  const KINDS: Readonly<Record<string, string>> = {
    deployment: 'Deployment',
    statefulset: 'StatefulSet',
    daemonset: 'DaemonSet',
    svc: 'Service',
  };
  test('every workload and Service is one of the example homelab', () => {
    expect(
      unknown(/\b(deployment|statefulset|daemonset|svc)[/ ]([a-z][a-z0-9-]+)\b/g, ([, kind = '', name]) => `${KINDS[kind]} ${name}`),
    ).toEqual([]);
  });
});
