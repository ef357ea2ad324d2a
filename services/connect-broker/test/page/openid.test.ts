/** The page's buttons for logging in elsewhere, in a real browser, with a real issuer on loopback. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Database } from '../../src/database/database.ts';
import { type Server, startServer } from '../../src/server.ts';
import { quickPasswords } from '../accounts/support.ts';
import { type Issuer, startIssuer } from '../openid/issuer.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { NO_BROWSER, newPage, openBrowser, type WatchedPage } from '../support/browser.ts';
import { embeddedDatabase } from '../support/databases.ts';
import { freePort } from '../support/postgres.ts';

const PASSWORD = 'correct horse battery';

describe('The page with a provider', { skip: NO_BROWSER }, () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'broker-page-openid-'));
  let url: string;
  let issuer: Issuer;
  let database: Database;
  let broker: TestBroker;
  let server: Server;
  let browser: Browser;
  before(async () => {
    const http = await freePort();
    url = `http://localhost:${http}`;
    issuer = await startIssuer(`${url}/v1/openid/callback`);
    const clientSecretFile = path.join(directory, 'client-secret');
    writeFileSync(clientSecretFile, issuer.clientSecret);
    database = await embeddedDatabase();
    broker = testBroker(
      database,
      testSettings({
        publicUrl: url,
        trustedProxyHops: 0,
        openId: [{ name: 'home', title: 'Home', issuer: issuer.url, clientId: issuer.clientId, clientSecretFile }],
      }),
      { passwords: quickPasswords() },
    );
    server = await startServer(broker, { host: '127.0.0.1', ports: { http, internal: 0, metrics: 0 }, longestRequestMs: 100 });
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    broker?.stop();
    await server?.close();
    broker?.dispose();
    await database?.close();
    await issuer?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Somebody whom the provider knows; an empty subject refuses. */
  const somebody = (username: string, subject = randomBytes(8).toString('hex')) => {
    issuer.subject = subject;
    issuer.username = username;
  };
  const open = (): Promise<WatchedPage> => newPage(browser, url, {}, [new URL(issuer.url).host]);
  const proceed = async (page: Page) => {
    await page.goto('/log-in');
    await page.getByRole('button', { name: 'Continue with Home' }).click();
  };
  const playing = (page: Page) => page.getByRole('heading', { name: 'Play', exact: true }).waitFor();

  it('makes an account of somebody who comes from there, under a name that he chooses', async () => {
    somebody('Newcomer');
    const { page, finish } = await open();
    await proceed(page);
    await page.getByText('You come from Home.').waitFor();
    const suggested = await page.getByLabel('Name', { exact: true }).inputValue();
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await playing(page);
    await finish();
    const [row] = await database.query<{ name: string }>(
      'select accounts.name from accounts join identities on identities.account_id = accounts.id',
    );
    assert.deepEqual([suggested, row?.name], ['Newcomer', 'Newcomer']);
  });

  it('logs the same one in when he comes again', async () => {
    const { page, finish } = await open();
    await proceed(page);
    await playing(page);
    await finish();
    assert.equal((await database.query('select 1 from accounts')).length, 1);
  });

  it('says that a log-in was cancelled', async () => {
    somebody('Nobody', '');
    const { page, finish } = await open();
    await proceed(page);
    await page.getByText('The log-in was cancelled.').first().waitFor();
    await finish();
  });

  it('links an account with a password, which then logs in without it', async () => {
    somebody('Linker');
    const { page, finish } = await open();
    await page.goto('/register');
    await page.getByLabel('Name', { exact: true }).fill('Linker');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('Password again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Link Home' }).click();
    await page.getByRole('button', { name: 'Unlink Home' }).waitFor();
    await page.getByRole('button', { name: 'Log out', exact: true }).first().click();
    await page.getByText('You are logged out.').first().waitFor();
    await proceed(page);
    await playing(page);
    await finish();
    const rows = await database.query(
      "select 1 from accounts join identities on identities.account_id = accounts.id where accounts.name = 'Linker'",
    );
    assert.equal(rows.length, 1);
  });
});
