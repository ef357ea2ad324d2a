/** The list of realms on its short way, held against the route's answer to the same request. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, it } from 'node:test';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { boardOf } from '../../src/realms/board.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';

onDatabase('The short way to the realms', (database) => {
  let broker: TestBroker;
  let application: Application;
  let url: string;
  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    await boardOf(broker).refresh();
    await application.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(application.server.address() as AddressInfo).port}`;
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });
  /** Without a request id: the mark of the short way. */
  const isShort = (answer: Response) => answer.headers.get('x-request-id') === null;

  it('is taken', async () => {
    const answer = await fetch(`${url}/v1/realms`);
    await answer.text();
    assert.ok(isShort(answer));
  });

  it('gives the same bytes as the route', async () => {
    assert.equal(await (await fetch(`${url}/v1/realms`)).text(), (await application.inject('/v1/realms')).body);
  });

  it('gives the headers of the route, but for its policy and what is told of the request', async () => {
    const short = await fetch(`${url}/v1/realms`);
    await short.text();
    const { headers } = await application.inject('/v1/realms');
    const names = [
      'content-type',
      'content-length',
      'cache-control',
      'etag',
      'x-content-type-options',
      'referrer-policy',
      'strict-transport-security',
    ];
    assert.deepEqual(
      names.map((name) => [name, short.headers.get(name)]),
      names.map((name) => [name, headers[name] === undefined ? null : String(headers[name])]),
    );
  });

  it('gives a 304 as the route does', async () => {
    const { headers } = await application.inject('/v1/realms');
    const answer = await fetch(`${url}/v1/realms`, { headers: { 'if-none-match': String(headers.etag) } });
    assert.deepEqual([answer.status, answer.headers.get('etag'), isShort(answer)], [304, headers.etag, true]);
  });

  it('gives the new list when something has changed', async () => {
    const before = (await fetch(`${url}/v1/realms`)).headers.get('etag');
    const world = broker.view.world('umbra', 'nightfall');
    assert.ok(world);
    broker.view.setWorld({ ...world, phase: 'asleep' });
    boardOf(broker).look();
    const answer = await fetch(`${url}/v1/realms`);
    assert.ok(answer.headers.get('etag') !== before && (await answer.text()).includes('asleep'));
  });

  it('is counted', async () => {
    const count = async () =>
      (await broker.metrics.requests.get()).values.find(({ labels }) => labels.route === '/v1/realms' && labels.status === '200')?.value ??
      0;
    const before = await count();
    await (await fetch(`${url}/v1/realms`)).text();
    assert.equal(await count(), before + 1);
  });

  it('is not for other paths', async () => assert.ok(!isShort(await fetch(`${url}/v1/realms/aurora`))));
  it('is not for other methods', async () => assert.ok(!isShort(await fetch(`${url}/v1/realms`, { method: 'DELETE' }))));
  it('is not for a path with a query', async () => assert.ok(!isShort(await fetch(`${url}/v1/realms?x=1`))));

  it('is closed when the broker stops, so that clients go elsewhere', async () => {
    broker.stop();
    const answer = await fetch(`${url}/v1/realms`);
    assert.deepEqual([answer.status, isShort(answer), answer.headers.get('connection')], [200, false, 'close']);
  });
});
