/** The page in a real browser, against a laptop's broker: what a player does, with a mouse, with a keyboard, and with a screen reader's eyes (axe). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { NO_BROWSER, newPage, openBrowser, type PageBroker, startPageBroker } from '../support/browser.ts';

const PASSWORD = 'correct horse battery';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** What axe-core finds wrong with the page as it is, as text; runs outside of the page's own policy. */
async function violations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const evaluate = async (expression: string) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value as unknown;
  };
  await evaluate(`${AXE};0`);
  const { violations: found } = (await evaluate('axe.run()')) as AxeResult;
  await session.detach();
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

async function register(page: Page, name: string): Promise<void> {
  await page.goto('/register');
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByLabel('Password again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByRole('heading', { name: 'Play', exact: true }).waitFor();
}

async function createCharacter(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: 'Characters' }).click();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByRole('button', { name: 'Create character' }).click();
  await page.getByRole('heading', { name }).waitFor();
}

async function enter(page: Page, place: string): Promise<void> {
  await page.getByRole('link', { name: 'Play', exact: true }).click();
  await page.getByRole('button', { name: place }).click();
}

const tokenField = (page: Page) => page.getByLabel('Connect token');

describe('The page', { skip: NO_BROWSER }, () => {
  let broker: PageBroker;
  let browser: Browser;
  before(async () => {
    broker = await startPageBroker([
      {
        name: 'aurora',
        title: 'Aurora',
        continents: [{ name: 'eldermoor', title: 'Eldermoor', capacity: 100, address: '127.0.0.1', port: 40_000 }],
      },
      {
        name: 'umbra',
        title: 'Umbra',
        continents: [{ name: 'nightfall', title: 'Nightfall', capacity: 1, address: '127.0.0.1', port: 40_010 }],
      },
    ]);
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await broker?.close();
  });

  it('leads from registration over a log-in to a token', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await register(page, 'Walker');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('You are logged out.').first().waitFor();
    await page.getByRole('link', { name: 'Log in' }).click();
    await page.getByLabel('Name').fill('walker');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: 'Create your first character' }).click();
    await createCharacter(page, 'Wanderer');
    await enter(page, 'Enter Eldermoor, Aurora');
    const token = Buffer.from(await tokenField(page).inputValue(), 'base64');
    await finish();
    assert.deepEqual([token.length, token.subarray(0, 12).toString()], [2048, 'NETCODE 1.02']);
  });

  it('shows the mistakes of a registration at their fields', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await page.goto('/register');
    await page.getByLabel('Name', { exact: true }).fill('x y');
    await page.getByLabel('Password', { exact: true }).fill('password');
    await page.getByLabel('Password again').fill('password');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.locator('[aria-invalid]').first().waitFor();
    const described = await page.locator('[aria-invalid]').evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).name));
    await finish();
    assert.deepEqual(described, ['name', 'password']);
  });

  it('says that a log-in is wrong without saying what', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await page.goto('/log-in');
    await page.getByLabel('Name').fill('nobody');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    const text = await page.getByRole('alert').textContent();
    await finish();
    assert.match(text ?? '', /name or the password is wrong/);
  });

  it('shows a change of a realm as it happens', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await page.goto('/');
    const realm = page.getByRole('region', { name: 'Aurora' });
    await realm.getByText('Online').first().waitFor();
    const database = broker.running.broker.database;
    await database.query(`insert into realm_maintenance (realm, message) values ('aurora', 'New roofs.')`);
    await realm.getByText('New roofs.').waitFor();
    await database.query('delete from realm_maintenance');
    await realm.getByText('Online').first().waitFor();
    await finish();
  });

  it('shows realms also where streams are refused', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await page.route('**/v1/events/realms', (route) => route.fulfill({ status: 429 }));
    await page.goto('/');
    await page.getByText('Updated every few seconds').waitFor();
    assert.equal(await page.getByRole('heading', { name: 'Aurora' }).count(), 1);
    await finish();
  });

  it('lets the second player wait for the first, and enter when it is his turn', async () => {
    const first = await newPage(browser, broker.url);
    const second = await newPage(browser, broker.url);
    await register(first.page, 'First');
    await createCharacter(first.page, 'Firstborn');
    await enter(first.page, 'Enter Nightfall, Umbra');
    await tokenField(first.page).waitFor();
    await register(second.page, 'Second');
    await createCharacter(second.page, 'Secondborn');
    await enter(second.page, 'queue for Nightfall, Umbra');
    await second.page.getByText('of 1 player waiting').waitFor();
    // The first one's token was never used: its place ends.
    const database = broker.running.broker.database;
    await database.query(
      `update play_sessions set state = 'ended', ended_because = 'expired', ended_at = now() where state = 'reserved' and server_id = 'world:umbra/nightfall'`,
    );
    await database.query("select pg_notify('broker', 'queue')");
    await second.page.getByRole('heading', { name: 'It is your turn!' }).waitFor();
    await second.page.getByRole('button', { name: 'Get the token' }).click();
    const token = await tokenField(second.page).inputValue();
    await first.finish();
    await second.finish();
    assert.equal(Buffer.from(token, 'base64').length, 2048);
  });

  it('lets a player who waits leave the queue', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await register(page, 'Third');
    await createCharacter(page, 'Thirdborn');
    await enter(page, 'queue for Nightfall, Umbra');
    await page.getByRole('button', { name: 'Leave the queue' }).click();
    await page.getByText('You have left the queue.').first().waitFor();
    const waiting = await broker.running.broker.database.query('select 1 from queue_entries');
    await finish();
    assert.equal(waiting.length, 0);
  });

  it('goes on waiting after a reload', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await register(page, 'Fourth');
    await createCharacter(page, 'Fourthborn');
    await enter(page, 'queue for Nightfall, Umbra');
    await page.getByText('waiting').first().waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'You are in the queue' }).waitFor();
    await page.getByRole('button', { name: 'Leave the queue' }).click();
    await page.getByText('You have left the queue.').first().waitFor();
    await finish();
  });

  it('deletes a character only after a question', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await register(page, 'Deleter');
    await createCharacter(page, 'Shortlived');
    await page.getByRole('button', { name: 'Delete Shortlived' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    const kept = await page.getByRole('heading', { name: 'Shortlived' }).count();
    await page.getByRole('button', { name: 'Delete Shortlived' }).click();
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('You have no character yet.').waitFor();
    await finish();
    assert.equal(kept, 1);
  });

  it('sets a new password with a recovery code', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await page.goto('/register');
    await page.getByLabel('Name', { exact: true }).fill('Forgetful');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('Password again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    const code = (await page.locator('.codes li').first().textContent()) ?? '';
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('link', { name: 'Log in' }).click();
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await page.getByLabel('Name').fill('Forgetful');
    await page.getByLabel('Recovery code').fill(code);
    await page.getByLabel('New password').fill('another horse battery');
    await page.getByLabel('Password again').fill('another horse battery');
    await page.getByRole('button', { name: 'Set new password' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.getByLabel('Name').fill('Forgetful');
    await page.getByLabel('Password').fill('another horse battery');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Welcome back, Forgetful.').waitFor();
    await finish();
  });

  it('takes the token of a reset link out of the address bar', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await page.goto('/#reset=secret');
    await page.getByLabel('New password').waitFor();
    const url = page.url();
    await finish();
    assert.equal(url, `${broker.url}/reset`);
  });

  it('logs out everywhere, and tells the other browser', async () => {
    const one = await newPage(browser, broker.url);
    const other = await newPage(browser, broker.url);
    await register(one.page, 'Everywhere');
    await other.page.goto('/log-in');
    await other.page.getByLabel('Name').fill('Everywhere');
    await other.page.getByLabel('Password').fill(PASSWORD);
    await other.page.getByRole('button', { name: 'Log in' }).click();
    await other.page.getByText('Welcome back').waitFor();
    await one.page.getByRole('link', { name: 'Account' }).click();
    await one.page.getByRole('button', { name: 'Log out everywhere' }).click();
    await one.page.getByText('You are logged out.').first().waitFor();
    await other.page.getByRole('link', { name: 'Characters' }).click();
    await other.page.getByText('Your session has ended.').first().waitFor();
    await one.finish();
    await other.finish();
  });

  it('deletes an account with its password', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    await register(page, 'Leaver');
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Delete account' }).click();
    await page.getByRole('dialog').getByLabel('Current password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Delete my account' }).click();
    await page.getByText('Your account is deleted.').first().waitFor();
    const left = await broker.running.broker.database.query(`select 1 from accounts where name = 'Leaver'`);
    await finish();
    assert.equal(left.length, 0);
  });

  it('can be walked through with the keyboard alone, from the skip link to a token', async () => {
    const { page, finish } = await newPage(browser, broker.url);
    const focused = () =>
      page.evaluate(() => {
        const element = document.activeElement as HTMLElement | null;
        const label = element?.id ? document.querySelector(`label[for="${CSS.escape(element.id)}"]`)?.textContent : null;
        return element?.getAttribute('aria-label') ?? label ?? element?.textContent ?? '';
      });
    /** Presses Tab until something with this label has the focus. */
    const tabTo = async (label: string) => {
      const passed: string[] = [];
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab');
        const at = await focused();
        if (at === label) return;
        passed.push(at);
      }
      throw new Error(`Tab does not reach '${label}'; it passed ${passed.join(' | ')}`);
    };
    const type = async (label: string, text: string) => {
      await tabTo(label);
      await page.keyboard.type(text);
    };
    const press = async (label: string) => {
      await tabTo(label);
      await page.keyboard.press('Enter');
    };
    const headingFocused = (name: string) =>
      page.waitForFunction(
        (expected) => document.activeElement?.textContent === expected && /^H[12]$/.test(document.activeElement.tagName),
        name,
      );
    await page.goto('/');
    await page.getByRole('heading', { name: 'Aurora' }).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to content');
    await press('Create account');
    await headingFocused('Create account');
    await type('Name', 'Keyboard');
    await type('Password', PASSWORD);
    await type('Password again', PASSWORD);
    await page.keyboard.press('Enter');
    await headingFocused('Your recovery codes');
    await press('I have kept them');
    await headingFocused('Play');
    await press('Create your first character');
    await headingFocused('Characters');
    await page.getByLabel('Home').waitFor();
    await type('Name', 'Keys');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    await page.getByRole('link', { name: 'Player portal' }).focus();
    await press('Play');
    await headingFocused('Play');
    await page.getByRole('button', { name: 'Enter Eldermoor, Aurora' }).waitFor();
    await press('Enter Eldermoor, Aurora');
    await headingFocused('Your place is reserved');
    await tabTo('Connect token (netcode standard)');
    await finish();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has no violation that axe-core knows, in ${colorScheme}`, async () => {
      const { page, finish } = await newPage(browser, broker.url, { colorScheme, viewport: { width: 1000, height: 800 } });
      const found: string[] = [];
      const look = async (where: string) => found.push(...(await violations(page)).map((text) => `${where}: ${text}`));
      await page.goto('/');
      await page.getByRole('heading', { name: 'Aurora' }).waitFor();
      await look('realms');
      await page.goto('/log-in');
      await page.getByLabel('Password').waitFor();
      await look('log in');
      await page.goto('/recover');
      await page.getByLabel('Recovery code').waitFor();
      await look('recover');
      await page.goto('/register');
      await page.getByLabel('Name', { exact: true }).fill('x');
      await page.getByLabel('Password', { exact: true }).fill('a');
      await page.getByLabel('Password again').fill('a');
      await page.getByRole('button', { name: 'Create account' }).click();
      await page.locator('[aria-invalid]').first().waitFor();
      await look('register');
      await register(page, `Axe-${colorScheme}`);
      await createCharacter(page, `Hewer-${colorScheme}`);
      await look('characters');
      await page.getByRole('button', { name: /^Delete / }).click();
      await look('delete');
      await page.getByRole('button', { name: 'Cancel' }).click();
      await enter(page, 'Enter Eldermoor, Aurora');
      await tokenField(page).waitFor();
      await look('token');
      await page.getByRole('link', { name: 'Account' }).click();
      await page.getByText('this browser').waitFor();
      await look('account');
      await finish();
      assert.deepEqual(found, []);
    });
  }

  it('needs no scrolling to the side at 320 pixels', async () => {
    const { page, finish } = await newPage(browser, broker.url, { viewport: { width: 320, height: 640 } });
    const wide: string[] = [];
    const look = async (where: string) => {
      if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)) wide.push(where);
    };
    await page.goto('/');
    await page.getByRole('heading', { name: 'Aurora' }).waitFor();
    await look('realms');
    await register(page, 'Abcdefghijklmnopqrstuvwx');
    await createCharacter(page, 'Wwwwwwwwwwwwwwwwwwwwwwww');
    await look('characters');
    await enter(page, 'Enter Eldermoor, Aurora');
    await tokenField(page).waitFor();
    await look('token');
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByText('this browser').waitFor();
    await look('account');
    await finish();
    assert.deepEqual(wide, []);
  });
});
