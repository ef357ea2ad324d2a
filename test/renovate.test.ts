/** Renovate finds every pinned version: an entry that no regex matches would grow old in silence. */
import { readFileSync } from 'node:fs';
import renovate from '../renovate.json';
import { charts, images } from '../versions';

const text = readFileSync('versions.ts', 'utf8');
const [helm, docker] = renovate.customManagers.map((manager) => new RegExp(manager.matchStrings[0] ?? '', 'g'));
const found = (pattern: RegExp | undefined) => [...text.matchAll(pattern ?? /$^/g)].map((match) => match.groups ?? {});

test.each(Object.values(charts))('the chart $chart is found with its version and repository', ({ chart, version, repository }) => {
  expect(found(helm)).toContainEqual(
    expect.objectContaining({ datasource: 'helm', depName: chart, currentValue: version, registryUrl: repository }),
  );
});

test.each(Object.values(images))('the image $image is found with its tag', ({ image, tag }) => {
  expect(found(docker)).toContainEqual(expect.objectContaining({ datasource: 'docker', depName: image, currentValue: tag }));
});

test('nothing is found that is not an entry', () => {
  expect([found(helm).length, found(docker).length]).toEqual([Object.keys(charts).length, Object.keys(images).length]);
});

test('an image is pinned by digest or says why not', () => {
  const silent = Object.entries(images).filter(([, entry]) => !('digest' in entry) && !('unverified' in entry));
  expect(silent).toEqual([]);
});
