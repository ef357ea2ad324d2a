/** docs/reference/flows.md is the list of the flows that components and charts declare for the example homelab: who reviews a new flow sees it there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { buildCluster } from '../../lib/build';
import { resolveCluster } from '../../lib/model/cluster';
import { memoryStore } from '../../lib/secrets/store';
import { exampleHomelab } from '../examples';
import { renderFlows } from './flows-page';

const PAGE = 'docs/reference/flows.md';
const BEGIN = '<!-- generated from here: UPDATE_DOCS=1 npx jest test/docs -->';

test('the page is what the example declares; after a change on purpose: UPDATE_DOCS=1 npx jest test/docs', () => {
  const { flows } = buildCluster(resolveCluster(exampleHomelab), { store: memoryStore('everything') });
  const page = readFileSync(PAGE, 'utf8');
  const written = page.slice(0, page.indexOf(BEGIN) + BEGIN.length);
  const expected = `${written}\n\n${renderFlows(flows)}`;
  if (process.env.UPDATE_DOCS) writeFileSync(PAGE, expected);
  expect(readFileSync(PAGE, 'utf8')).toBe(expected);
});
