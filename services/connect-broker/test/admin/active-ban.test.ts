/** `active_ban` reads indexes, however many bans there are: it is asked at every login, connect and claim. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onDatabase } from '../support/databases.ts';

onDatabase('active_ban among many bans', (database) => {
  before(async () => {
    await database().query("insert into accounts (name, name_key) select 'a' || i, 'a' || i from generate_series(1, 5000) as i");
    await database().query("insert into bans (account_id, reason) select id, 'x' from accounts");
    await database().query(
      "insert into bans (network, reason) select set_masklen(('11.0.0.0'::inet + i * 256), 24)::cidr, 'x' from generate_series(1, 5000) as i",
    );
    await database().query("insert into bans (network, reason) values ('2001:db8:9::/48', 'six')");
    await database().query('analyze bans');
  });

  const plan = async (account: string, address: string) => {
    const rows = await database().query<{ 'QUERY PLAN': string }>(`explain select * from active_ban(${account}, ${address})`);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };
  const account = "'00000000-0000-4000-8000-000000000000'::uuid";

  for (const [title, address] of [
    ['IPv4', "'11.0.5.9'::inet"],
    ['IPv6', "'2001:db8:9::1'::inet"],
    ['IPv4 inside IPv6', "'::ffff:11.0.5.9'::inet"],
  ] as const) {
    test(`an account and an address of ${title} use both indexes`, async () => {
      const text = await plan(account, address);
      assert.match(text, /bans_by_account/);
      assert.match(text, /bans_by_network/);
      assert.doesNotMatch(text, /Seq Scan/);
    });
  }

  test('an account alone uses its index', async () => {
    assert.doesNotMatch(await plan(account, 'null'), /Seq Scan/);
  });

  test('an address alone uses its index', async () => {
    assert.doesNotMatch(await plan('null', "'11.0.5.9'::inet"), /Seq Scan/);
  });

  test('it finds the one ban of an address', async () => {
    assert.equal((await database().query("select 1 from active_ban(null, '::ffff:11.0.5.9')")).length, 1);
  });

  test('it finds none for somebody else', async () => {
    assert.deepEqual(await database().query("select 1 from active_ban(null, '12.0.0.1')"), []);
  });

  test('it finds none for nobody', async () => {
    assert.deepEqual(await database().query('select 1 from active_ban(null, null)'), []);
  });
});
