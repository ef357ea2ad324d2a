/** The table of questions in docs/how-to/new-cluster.md is the one that `npm run init` asks from. UPDATE_DOCS=1 writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { complete, questions } from '../../lib/init/questions';

const PAGE = 'docs/how-to/new-cluster.md';
const BEGIN = '<!-- questions: written by UPDATE_DOCS=1 npx jest test/docs/init-questions.test.ts -->\n';
const END = '<!-- end of questions -->';

/** Answers that nothing can be proposed for, so that the proposals of the others show. */
const KNOWN = {
  domain: 'mmo.homelab.io',
  nodes: 'node-1=192.168.1.11,node-2=192.168.1.12',
  image: 'ghcr.io/you/mmo-server:0.4.2',
  'public-address': '203.0.113.7',
  'backup-endpoint': 'https://s3.example.com',
} as const;

function table(): string {
  const surroundings = { remote: undefined };
  const { answers } = complete(KNOWN, surroundings);
  const rows = questions.map(({ id, ask, choices, proposal }) => {
    const proposed = id in KNOWN && id !== 'public-address' && id !== 'backup-endpoint' ? undefined : proposal(answers, surroundings);
    const shown = id === 'repository' ? 'the remote `origin`' : proposed === undefined ? '' : `\`${proposed}\``;
    return `| \`${id}\` | ${ask.replaceAll('|', '\\|')}${choices ? `: ${choices.map((choice) => `\`${choice}\``).join(', ')}` : ''} | ${shown} |`;
  });
  return [
    `With nodes \`${KNOWN.nodes}\` and domain \`${KNOWN.domain}\`:`,
    '',
    '| question | what is asked | proposal |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

test('the page has every question with its proposal', () => {
  const page = readFileSync(PAGE, 'utf8');
  const [before = '', rest = ''] = page.split(BEGIN);
  const after = rest.slice(rest.indexOf(END));
  const wanted = `${before}${BEGIN}\n${table()}\n${after}`;
  if (process.env.UPDATE_DOCS) writeFileSync(PAGE, wanted);
  expect(readFileSync(PAGE, 'utf8')).toBe(wanted);
});
