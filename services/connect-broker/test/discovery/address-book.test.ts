/** Public addresses: literals, host names that change, name servers that fail. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type AddressBook, addressBook, type Resolve } from '../../src/discovery/address-book.ts';
import { makeLog } from '../../src/log.ts';

const NAME = 'home.example.org';
const failure = (code: string) => Object.assign(new Error(code), { code });

let book: AddressBook | undefined;
afterEach(() => book?.close());

/** A book that resolves as `resolve` says, with the name already asked for once. */
async function opened(resolve: Resolve): Promise<{ book: AddressBook; changes: () => number }> {
  let changes = 0;
  book = addressBook({ resolve, onChange: () => changes++, log: makeLog('silent') });
  book.find(NAME);
  await book.refresh();
  return { book, changes: () => changes };
}

describe('public addresses', () => {
  test('that are literals are used as they are', () => {
    book = addressBook({ resolve: () => assert.fail('nothing to resolve'), onChange: () => undefined, log: makeLog('silent') });
    assert.deepEqual([book.find('203.0.113.7'), book.find('2001:db8::7')], [['203.0.113.7'], ['2001:db8::7']]);
  });

  test('that are names have both families, IPv4 first', async () => {
    const { book } = await opened(async (_name, family) => (family === 4 ? ['203.0.113.7'] : ['2001:db8::7']));
    assert.deepEqual(book.find(NAME), ['203.0.113.7', '2001:db8::7']);
  });

  test('are unknown before the first answer', () => {
    book = addressBook({ resolve: () => new Promise(() => undefined), onChange: () => undefined, log: makeLog('silent') });
    assert.deepEqual(book.find(NAME), []);
  });

  test('follow a home address that changes', async () => {
    let address = '203.0.113.7';
    const { book } = await opened(async (_name, family) => {
      if (family === 6) throw failure('ENODATA');
      return [address];
    });
    address = '203.0.113.99';
    await book.refresh();
    assert.deepEqual(book.find(NAME), ['203.0.113.99']);
  });

  for (const code of ['ETIMEOUT', 'ESERVFAIL', 'ECONNREFUSED', 'ENOTFOUND', 'ENODATA']) {
    test(`stay as they were last known when the name server says ${code}`, async () => {
      let fails = false;
      const { book } = await opened(async (_name, family) => {
        if (fails || family === 6) throw failure(fails ? code : 'ENODATA');
        return ['203.0.113.7'];
      });
      fails = true;
      await book.refresh();
      assert.deepEqual(book.find(NAME), ['203.0.113.7']);
    });
  }

  test('lose a family that the name no longer has', async () => {
    let both = true;
    const { book } = await opened(async (_name, family) => {
      if (family === 6 && !both) throw failure('ENODATA');
      return family === 4 ? ['203.0.113.7'] : ['2001:db8::7'];
    });
    both = false;
    await book.refresh();
    assert.deepEqual(book.find(NAME), ['203.0.113.7']);
  });

  test('tell of a change once', async () => {
    const { book, changes } = await opened(async (_name, family) => (family === 4 ? ['203.0.113.7'] : []));
    await book.refresh();
    assert.equal(changes(), 1);
  });

  test('are at most two of each family, because each costs a client seconds', async () => {
    const { book } = await opened(async (_name, family) => (family === 4 ? ['203.0.113.3', '203.0.113.1', '203.0.113.2'] : []));
    assert.deepEqual(book.find(NAME), ['203.0.113.1', '203.0.113.2']);
  });
});
