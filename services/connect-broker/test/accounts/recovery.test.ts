/** Getting back into an account: recovery codes, reset links, and mail. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeResetLink } from '../../src/accounts/recovery.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { freshAddress, freshName, logIn, newPlayer, type Player, quickPasswords, send } from './support.ts';

const NEW = 'a completely new one';

/** A mail server that takes everything and keeps it. */
async function mailServer(): Promise<{
  port: number;
  mails: string[];
  refuse(yes: boolean): void;
  next(): Promise<string>;
  close(): Promise<void>;
}> {
  const mails: string[] = [];
  const waiting: ((mail: string) => void)[] = [];
  let refusing = false;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let data: string | undefined;
    let rest = '';
    socket.write('220 test ESMTP\r\n');
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      rest += bytes.toString('utf8');
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (data !== undefined) {
          if (line === '.') {
            mails.push(data);
            waiting.shift()?.(data);
            data = undefined;
            socket.write('250 taken\r\n');
          } else data += `${line}\n`;
        } else if (/^(EHLO|HELO)/i.test(line)) socket.write('250 test\r\n');
        else if (/^RCPT/i.test(line) && refusing) socket.write('550 no such mailbox\r\n');
        else if (/^DATA/i.test(line)) {
          data = '';
          socket.write('354 go on\r\n');
        } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
        else socket.write('250 fine\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    mails,
    refuse: (yes) => {
      refusing = yes;
    },
    next: () => new Promise((resolve) => waiting.push(resolve)),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** The token of a link in a mail, whose lines are folded for transport. */
const tokenOf = (mail: string, key: string): string =>
  new RegExp(`#${key}=3?D?([A-Za-z0-9_-]{43})`).exec(mail.replaceAll('=\n', '').replaceAll('=3D', '='))?.[1] ?? '';

onDatabase('recovery', (database) => {
  let broker: TestBroker;
  let mailing: TestBroker;
  let application: Application;
  let withMail: Application;
  let server: Awaited<ReturnType<typeof mailServer>>;
  const directory = mkdtempSync(path.join(os.tmpdir(), 'broker-mail-'));
  before(async () => {
    server = await mailServer();
    const smtpUrlFile = path.join(directory, 'smtp-url');
    writeFileSync(smtpUrlFile, `smtp://127.0.0.1:${server.port}\n`);
    broker = testBroker(database(), testSettings(), { passwords: quickPasswords() });
    mailing = testBroker(database(), testSettings({ mail: { from: 'MMO <mmo@example.org>', smtpUrlFile } }), {
      passwords: quickPasswords(),
    });
    application = await publicApplication(broker);
    withMail = await publicApplication(mailing);
  });
  after(async () => {
    await application.close();
    await withMail.close();
    await server.close();
    broker.dispose();
    mailing.dispose();
    rmSync(directory, { recursive: true, force: true });
  });
  const useCode = (player: Pick<Player, 'name'>, recoveryCode: string, from = freshAddress(), newPassword = NEW) =>
    send(application, 'POST', '/v1/password-resets/recovery-codes', { body: { name: player.name, recoveryCode, newPassword }, from });
  const useLink = (token: string, newPassword = NEW) => send(application, 'POST', '/v1/password-resets', { body: { token, newPassword } });
  const link = async (player: Player) => (await makeResetLink(broker, player.accountId)).token;
  const code = (player: Player, index = 0) => player.recoveryCodes[index] ?? '';

  test('a recovery code sets a new password', async () => {
    const player = await newPlayer(application);
    await useCode(player, code(player));
    assert.equal((await logIn(application, { name: player.name, password: NEW })).status, 201);
  });

  test('a recovery code says how many are left', async () => {
    const player = await newPlayer(application);
    assert.equal((await useCode(player, code(player))).body.recoveryCodesLeft, 9);
  });

  test('a recovery code is used once', async () => {
    const player = await newPlayer(application);
    await useCode(player, code(player));
    assert.equal((await useCode(player, code(player))).body.code, 'wrong-credentials');
  });

  test('one of many who use a recovery code at once succeeds', async () => {
    const player = await newPlayer(application);
    const from = player.address;
    const answers = await Promise.all(Array.from({ length: 5 }, () => useCode(player, code(player), from)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  });

  test('a recovery code of another account is none', async () => {
    const [one, other] = [await newPlayer(application), await newPlayer(application)];
    assert.equal((await useCode(one, code(other))).body.code, 'wrong-credentials');
  });

  test('a recovery code for an account that does not exist is answered alike', async () => {
    const player = await newPlayer(application);
    const answers = [await useCode(player, 'AAAA-AAAA-AAAA-AAAA'), await useCode({ name: freshName() }, 'AAAA-AAAA-AAAA-AAAA')];
    const [one, other] = answers.map(({ status, body }) => ({ status, body: { ...body, instance: '' } }));
    assert.deepEqual(one, other);
  });

  test('a recovery code ends all sessions', async () => {
    const player = await newPlayer(application);
    await useCode(player, code(player));
    assert.equal((await send(application, 'GET', '/v1/account', { token: player.token })).status, 401);
  });

  test('an address may try five recovery codes of an account in a minute', async () => {
    const player = await newPlayer(application);
    const from = freshAddress();
    for (let tries = 0; tries < 5; tries++) await useCode(player, 'AAAA-AAAA-AAAA-AAAA', from);
    assert.equal((await useCode(player, code(player), from)).body.code, 'too-many-failures');
  });

  test('a recovery code lets its owner in from a new address while others try his password from everywhere', async () => {
    const player = await newPlayer(application);
    for (let tries = 0; tries < 25; tries++)
      await send(application, 'POST', '/v1/sessions', { body: { name: player.name, password: 'wrong horse battery' } });
    assert.equal((await useCode(player, code(player))).status, 200);
  });

  test('wrong recovery codes from everywhere keep no owner from his password', async () => {
    const player = await newPlayer(application);
    for (let tries = 0; tries < 25; tries++) await useCode(player, 'AAAA-AAAA-AAAA-AAAA');
    assert.equal((await send(application, 'POST', '/v1/sessions', { body: { name: player.name, password: player.password } })).status, 201);
  });

  test('a bad new password uses no recovery code up', async () => {
    const player = await newPlayer(application);
    const bad = await useCode(player, code(player), player.address, 'short');
    assert.deepEqual([bad.status, (await useCode(player, code(player))).status], [422, 200]);
  });

  test('a new set of codes ends the old one', async () => {
    const player = await newPlayer(application);
    const { body } = await send(application, 'POST', '/v1/account/recovery-codes', {
      token: player.token,
      body: { password: player.password },
    });
    const answers = [await useCode(player, code(player)), await useCode(player, body.recoveryCodes[0])];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [401, 200],
    );
  });

  test('a new set of codes from an old session needs the password', async () => {
    const player = await newPlayer(application);
    await database().query("update sessions set created_at = created_at - interval '11 minutes' where id = $1", [player.sessionId]);
    const { body } = await send(application, 'POST', '/v1/account/recovery-codes', { token: player.token, body: {} });
    assert.equal(body.code, 'fresh-login-needed');
  });

  test('a reset link leads to the page, with its token where no server sees it', async () => {
    const player = await newPlayer(application);
    const { url, token } = await makeResetLink(broker, player.accountId);
    assert.equal(url, `https://mmo.example.org/#reset=${token}`);
  });

  test('a reset link sets a new password', async () => {
    const player = await newPlayer(application);
    await useLink(await link(player));
    assert.equal((await logIn(application, { name: player.name, password: NEW })).status, 201);
  });

  test('a reset link is used once, also by many at once', async () => {
    const token = await link(await newPlayer(application));
    const answers = await Promise.all(Array.from({ length: 5 }, () => useLink(token)));
    assert.equal(answers.filter(({ status }) => status === 204).length, 1);
  });

  test('a reset link ends every other one of the account', async () => {
    const player = await newPlayer(application);
    const [one, other] = [await link(player), await link(player)];
    await useLink(one);
    assert.equal((await useLink(other)).body.code, 'wrong-credentials');
  });

  test('a reset link ends all sessions', async () => {
    const player = await newPlayer(application);
    await useLink(await link(player));
    assert.equal((await send(application, 'GET', '/v1/account', { token: player.token })).status, 401);
  });

  test('a reset link forgives the failures that locked the account', async () => {
    const player = await newPlayer(application);
    const from = freshAddress();
    for (let tries = 0; tries < 5; tries++) await logIn(application, { name: player.name, password: 'forgotten one' }, { from });
    await useLink(await link(player));
    assert.equal((await logIn(application, { name: player.name, password: NEW }, { from })).status, 201);
  });

  test('a reset link that has ended sets nothing', async () => {
    const player = await newPlayer(application);
    const token = await link(player);
    await database().query('update reset_links set expires_at = now() where account_id = $1', [player.accountId]);
    assert.deepEqual([(await useLink(token)).body.code, (await logIn(application, player)).status], ['wrong-credentials', 201]);
  });

  test('a bad new password uses no link up', async () => {
    const token = await link(await newPlayer(application));
    assert.deepEqual([(await useLink(token, 'short')).status, (await useLink(token)).status], [422, 204]);
  });

  test('a reset link for no account is refused', async () => {
    await assert.rejects(makeResetLink(broker, '00000000-0000-4000-8000-000000000000'), { code: 'not-found' });
  });

  test('without mail nobody can ask for a link', async () => {
    const { body } = await send(application, 'POST', '/v1/password-resets/requests', { body: { name: freshName() } });
    assert.equal(body.code, 'not-found');
  });

  /** A player whose address is confirmed by the mail that was sent there. */
  const confirmed = async () => {
    const player = await newPlayer(withMail);
    const email = `${player.name.toLowerCase()}@example.org`;
    const mail = server.next();
    await send(withMail, 'PUT', '/v1/account/email', { token: player.token, body: { email, password: player.password } });
    const { status } = await send(withMail, 'POST', '/v1/email-confirmations', { body: { token: tokenOf(await mail, 'confirm-email') } });
    assert.equal(status, 204);
    return { player, email };
  };
  const ask = (body: object) => send(withMail, 'POST', '/v1/password-resets/requests', { body });

  test('an address is confirmed by the link that is mailed there', async () => {
    const { player, email } = await confirmed();
    const { body } = await send(withMail, 'GET', '/v1/account', { token: player.token });
    assert.deepEqual([body.email, body.emailConfirmed], [email, true]);
  });

  test('an address that was changed since is not confirmed by the old link', async () => {
    const player = await newPlayer(withMail);
    const mail = server.next();
    const store = (email: string) => send(withMail, 'PUT', '/v1/account/email', { token: player.token, body: { email } });
    await store('first@example.org');
    const token = tokenOf(await mail, 'confirm-email');
    const second = server.next();
    await store('second@example.org');
    await second;
    assert.equal((await send(withMail, 'POST', '/v1/email-confirmations', { body: { token } })).status, 401);
  });

  test('a mailed link sets a new password', async () => {
    const { player } = await confirmed();
    const mail = server.next();
    await ask({ name: player.name });
    await useLink(tokenOf(await mail, 'reset'));
    assert.equal((await logIn(application, { name: player.name, password: NEW })).status, 201);
  });

  test('a link can be asked for by the address', async () => {
    const { email } = await confirmed();
    const mail = server.next();
    await ask({ email: email.toUpperCase() });
    assert.equal(tokenOf(await mail, 'reset').length, 43);
  });

  test('whoever asks learns nothing', async () => {
    const { player } = await confirmed();
    const mail = server.next();
    const answers = [await ask({ name: player.name }), await ask({ name: freshName() }), await ask({ email: 'nobody@example.org' })];
    await mail;
    assert.equal(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size, 1);
  });

  test('a second link within five minutes is not mailed', async () => {
    const { player } = await confirmed();
    const mail = server.next();
    await ask({ name: player.name });
    await mail;
    const before = server.mails.length;
    await ask({ name: player.name });
    // A mail to another account, so that there is something to wait for that comes after it.
    const { player: other } = await confirmed();
    assert.deepEqual(
      server.mails.slice(before).filter((text) => text.includes(player.name)),
      [],
      other.name,
    );
  });

  test('an address that nobody confirmed gets no link', async () => {
    const player = await newPlayer(withMail);
    const mail = server.next();
    await send(withMail, 'PUT', '/v1/account/email', { token: player.token, body: { email: 'unconfirmed@example.org' } });
    await mail;
    const before = server.mails.length;
    await ask({ name: player.name });
    await confirmed();
    assert.deepEqual(
      server.mails.slice(before).filter((text) => text.includes('unconfirmed@example.org')),
      [],
    );
  });

  test('a mail that is refused is logged without its address', async () => {
    const player = await newPlayer(withMail);
    server.refuse(true);
    await send(withMail, 'PUT', '/v1/account/email', { token: player.token, body: { email: 'refused@example.org' } });
    const told = () => mailing.logged.some(({ message }) => message === 'a mail could not be sent');
    for (let tries = 0; tries < 500 && !told(); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    server.refuse(false);
    assert.ok(told() && !JSON.stringify(mailing.logged).includes('refused@example.org'));
  });

  for (const email of [
    'a@example.org\r\nBcc: all@example.org',
    'a@example.org, b@example.org',
    '<a@example.org>',
    'a@',
    `${'x'.repeat(250)}@example.org`,
  ]) {
    test(`${JSON.stringify(email.slice(0, 30))} is no e-mail address`, async () => {
      const player = await newPlayer(application);
      assert.equal((await send(application, 'PUT', '/v1/account/email', { token: player.token, body: { email } })).status, 422);
    });
  }
});
