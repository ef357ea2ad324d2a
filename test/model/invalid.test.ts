/** Descriptions that are wrong in one way each, one file a mistake, named after it: every one is refused with the sentence that helps. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { DescriptionError, resolveCluster } from '../../lib/model/cluster';
import { type InvalidFixture, validDescription } from './fixture';

const folder = path.join(__dirname, 'invalid');
const fixtures = readdirSync(folder)
  .sort()
  .map((file): [string, InvalidFixture] => [path.basename(file, '.ts').replaceAll('-', ' '), require(path.join(folder, file)).fixture]);

function mistakesOf(description: unknown): string[] {
  try {
    resolveCluster(description as Parameters<typeof resolveCluster>[0]);
    return [];
  } catch (error) {
    if (!(error instanceof DescriptionError)) throw error;
    return error.mistakes.map((mistake) => `${mistake.path}: ${mistake.message}`);
  }
}

test('the description that the fixtures break is itself without mistakes', () => {
  expect(mistakesOf(validDescription())).toEqual([]);
});

test.each(fixtures)('%s', (_, fixture) => {
  const description = validDescription();
  fixture.change(description);
  expect(mistakesOf(description)).toEqual(fixture.mistakes);
});
