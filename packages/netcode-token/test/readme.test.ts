/** README.md: its examples run, and its table of user data is the layout. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as library from '../src/index.ts';
import { creationError, KEY, SESSION } from './fixtures.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The examples as one function of the key: imports become names of the library. */
function runExamples(): Record<string, unknown> {
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  const code = blocks.join('\n').replace(/import (\{[^}]*\}) from 'netcode-token';/g, 'const $1 = library;');
  const run = new Function('library', 'key', `'use strict';\n${code}\nreturn { token, answer, who, forTheLog };`);
  return run(library, KEY) as Record<string, unknown>;
}

describe('README.md', () => {
  it('its examples run, and the second reads what the first has written', () => {
    const { who, token } = runExamples() as { who: library.UserData; token: library.ConnectToken };
    assert.deepEqual(who, { ...SESSION, clientId: token.clientId, issuedAt: token.createdAt });
  });

  it('its example answers with both forms', () => {
    const { answer } = runExamples() as { answer: library.ConnectTokenJson };
    assert.deepEqual(Object.keys(answer.tokens), ['netcode', 'renet']);
  });

  it('its example of an error is what the library says', () => {
    const { message } = creationError({ lifetimeSeconds: 30_000, publicAddresses: ['game.example.com:7777'] });
    assert.ok(
      readme.includes(
        message
          .split('\n')
          .map((line) => `    ${line}`)
          .join('\n'),
      ),
      message,
    );
  });

  it('it names every function', () => {
    const functions = Object.entries(library).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
    assert.deepEqual(
      functions.filter((name) => !readme.includes(`\`${name}`)),
      [],
    );
  });

  it('its table of user data covers the 256 bytes without a gap', () => {
    const section = readme.slice(readme.indexOf('### User data'), readme.indexOf('In a game server with renet'));
    const rows = [...section.matchAll(/^\| (\d+) \| (\d+) \|/gm)].map((match) => [Number(match[1]), Number(match[2])] as const);
    const ends = rows.map(([offset, size]) => offset + size);
    assert.deepEqual(ends, [...rows.slice(1).map(([offset]) => offset), 256]);
  });
});
