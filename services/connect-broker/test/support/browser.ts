/**
 * A real browser for tests of the page, against a real broker on loopback.
 * It deliberately fails a test for whatever no page of ours may do: an error on the console, or a request to another host.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { type RunningLaptop, startLaptop } from '../../src/commands/laptop.ts';
import { type LaptopRealms, laptopRealms } from '../../src/laptop/realms.ts';
import { freePort } from './postgres.ts';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];

/** The browser's program: BROKER_TEST_BROWSER, or where Debian and Google have it. */
export const browserProgram = (): string | undefined =>
  [process.env.BROKER_TEST_BROWSER ?? '', ...PLACES].find((file) => file !== '' && existsSync(file));

const required = (process.env.BROKER_TESTS_REQUIRE ?? '').split(',').includes('browser');
/** Why tests in a browser are skipped; false when they run, or when they must. */
export const NO_BROWSER: string | false =
  browserProgram() !== undefined || required ? false : 'no browser was found (Debian: apt install chromium; or set BROKER_TEST_BROWSER)';

export async function openBrowser(): Promise<Browser> {
  const executablePath = browserProgram();
  if (executablePath === undefined) {
    throw new Error('BROKER_TESTS_REQUIRE names the browser, and none was found. Install chromium, or set BROKER_TEST_BROWSER.');
  }
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface PageBroker {
  readonly url: string;
  readonly running: RunningLaptop;
  close(): Promise<void>;
}

/** A laptop's broker with a folder of its own. */
export async function startPageBroker(realms: LaptopRealms = laptopRealms()): Promise<PageBroker> {
  const home = mkdtempSync(path.join(os.tmpdir(), 'broker-page-'));
  const running = await startLaptop({
    home,
    ports: { http: await freePort(), internal: 0, metrics: 0 },
    realms,
    logLevel: 'error',
  });
  return {
    url: `http://localhost:${running.ports.http}`,
    running,
    close: async () => {
      await running.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export interface WatchedPage {
  readonly page: Page;
  /** @throws when the page has done what no page may do; closes it */
  finish(): Promise<void>;
}

/** A new page in a context of its own, watched from its first request on. */
export async function newPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  /** Hosts that the page may go to, such as a provider's for a log-in. */
  visited: readonly string[] = [],
): Promise<WatchedPage> {
  const context = await browser.newContext({ baseURL: url, locale: 'en-GB', ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`an error of the script: ${error.message}`));
  page.on('console', (message) => {
    // A browser writes every refused request to the console; those are expected where a test expects them.
    if (
      ['error', 'warning'].includes(message.type()) &&
      !/^Failed to load resource: the server responded with a status of 4/.test(message.text())
    ) {
      faults.push(`on the console: ${message.text()}`);
    }
  });
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== 'data:' && protocol !== 'blob:' && host !== new URL(url).host && !visited.includes(host))
      faults.push(`a request to ${host}`);
  });
  return {
    page,
    finish: async () => {
      await context.close();
      assert.deepEqual(faults, []);
    },
  };
}
