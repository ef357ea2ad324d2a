/** How the page is served: its document, its files, their names and headers; and that the server and the script agree on its paths. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { PATHS } from '../../page/router.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { buildPage, type PageBundle, readPage, writePage } from '../../src/page/build.ts';
import { PAGE_PATHS, pageShell } from '../../src/page/shell.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';

onDatabase('The page is served', (database) => {
  let broker: TestBroker;
  let application: Application;
  let bundle: PageBundle;
  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    bundle = await buildPage();
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });

  it('under each of its paths', async () => {
    const answers = await Promise.all(PAGE_PATHS.map((url) => application.inject(url)));
    assert.deepEqual(
      answers.map(({ statusCode, headers }) => [statusCode, headers['content-type']]),
      PAGE_PATHS.map(() => [200, 'text/html; charset=utf-8']),
    );
  });

  it('under the paths that its script knows', () => assert.deepEqual([...PATHS], [...PAGE_PATHS]));

  it('under no other path', async () => assert.equal((await application.inject('/characters/1')).statusCode, 404));

  it('with a policy that allows nothing from elsewhere and nothing inline', async () => {
    const { headers } = await application.inject('/');
    assert.equal(
      headers['content-security-policy'],
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
  });

  it('without an inline script or style', async () => {
    const { body } = await application.inject('/');
    assert.doesNotMatch(body, /<style|style=|<script(?![^>]* src=)|\son[a-z]+=/);
  });

  it('to be asked about each time', async () => {
    const { headers } = await application.inject('/');
    const again = await application.inject({ url: '/', headers: { 'if-none-match': String(headers.etag) } });
    assert.deepEqual([headers['cache-control'], again.statusCode], ['no-cache', 304]);
  });

  it('with files that may be kept for ever', async () => {
    const { headers } = await application.inject(`/assets/${bundle.script.file}`);
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
  });

  it('with a script that is compressed as the browser likes it', async () => {
    const url = `/assets/${bundle.script.file}`;
    const [br, gzip, plain] = await Promise.all(
      ['gzip, deflate, br', 'gzip, br;q=0', ''].map((encoding) => application.inject({ url, headers: { 'accept-encoding': encoding } })),
    );
    const bodies = [br && brotliDecompressSync(br.rawPayload), gzip && gunzipSync(gzip.rawPayload), plain?.rawPayload];
    assert.ok(bodies.every((body) => body?.equals(bundle.script.body)));
  });

  it('with a script also under the name that another replica gave it, but not for ever', async () => {
    const { statusCode, headers } = await application.inject('/assets/page-0123456789ab.js');
    assert.deepEqual([statusCode, headers['cache-control'], headers['content-type']], [200, 'no-store', 'text/javascript; charset=utf-8']);
  });

  it('without anything else in its folder', async () => assert.equal((await application.inject('/assets/main.tsx')).statusCode, 404));

  it('with settings that cannot break out of the document', () => {
    const settings = testSettings({ instances: [{ name: 'dungeon', title: '"><script>alert(1)</script>', capacity: 5, rooms: 1 }] });
    assert.doesNotMatch(pageShell(settings, bundle).body.toString(), /<script>/);
  });

  it('from files that were built before, the same as those built now', async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'broker-bundle-'));
    await writePage(directory);
    const read = readPage(directory);
    rmSync(directory, { recursive: true });
    assert.deepEqual([read?.script.file, read?.style.file], [bundle.script.file, bundle.style.file]);
  });

  it('in less than 25 kB of compressed script and style', () =>
    assert.ok(bundle.script.gzip.length + bundle.style.gzip.length < 25_000, `${bundle.script.gzip.length} + ${bundle.style.gzip.length}`));
});
