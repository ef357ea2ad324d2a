/** Requests and watches when the other side misbehaves, and where credentials come from. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { type ApiClient, type ApiWatch, apiClient } from '../../src/discovery/api-client.ts';
import { podCredentials } from '../../src/discovery/api-credentials.ts';

let server: http.Server;
let answer: (request: http.IncomingMessage, response: http.ServerResponse) => void;
let client: ApiClient;
before(async () => {
  server = http.createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => client.close());

function connect(prefix = ''): ApiClient {
  const { port } = server.address() as AddressInfo;
  client = apiClient(async () => ({ server: `http://127.0.0.1:${port}${prefix}`, tls: {}, authorization: async () => 'Bearer mine' }));
  return client;
}
const watch = (changes: Partial<ApiWatch> = {}) =>
  connect().watch({
    path: '/w',
    onEvent: () => undefined,
    onHeard: () => undefined,
    silenceMs: 5_000,
    signal: new AbortController().signal,
    ...changes,
  });

describe('a request to the Kubernetes API', () => {
  test('carries the token', async () => {
    answer = ({ headers }, response) => response.end(JSON.stringify({ seen: headers.authorization }));
    assert.deepEqual(await connect().request({ path: '/x' }), { seen: 'Bearer mine' });
  });

  test('goes below the path of the server’s address', async () => {
    answer = ({ url }, response) => response.end(JSON.stringify({ url }));
    assert.deepEqual(await connect('/proxy/').request({ path: '/api/v1/pods?limit=1' }), { url: '/proxy/api/v1/pods?limit=1' });
  });

  test('that is never answered ends when its time is over', async () => {
    answer = () => undefined;
    await assert.rejects(connect().request({ path: '/x', timeoutMs: 50 }), { name: 'ApiUnreachable', message: /did not answer in time/ });
  });

  test('whose answer drips ends when its time is over', async () => {
    answer = (_request, response) => {
      const timer = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(timer));
    };
    await assert.rejects(connect().request({ path: '/x', timeoutMs: 100 }), { name: 'ApiUnreachable' });
  });

  test('that is refused says why, in the API’s words', async () => {
    answer = (_request, response) => response.writeHead(403).end(JSON.stringify({ kind: 'Status', reason: 'Forbidden', message: 'no' }));
    await assert.rejects(connect().request({ path: '/x' }), { name: 'ApiRefusal', status: 403, reason: 'Forbidden' });
  });

  test('that a proxy refuses in text is refused all the same', async () => {
    answer = (_request, response) => response.writeHead(502).end('<html>bad gateway</html>');
    await assert.rejects(connect().request({ path: '/x' }), { name: 'ApiRefusal', status: 502 });
  });

  test('that is answered with something else than JSON fails', async () => {
    answer = (_request, response) => response.end('<html>hello</html>');
    await assert.rejects(connect().request({ path: '/x' }), { name: 'ApiUnreachable', message: /not JSON/ });
  });

  test('fails without credentials, and asks for them again', async () => {
    answer = (_request, response) => response.end('{}');
    const { port } = server.address() as AddressInfo;
    let asked = 0;
    client = apiClient(async () => {
      if (asked++ === 0) throw new Error('not mounted yet');
      return { server: `http://127.0.0.1:${port}`, tls: {}, authorization: async () => undefined };
    });
    await assert.rejects(client.request({ path: '/x' }), /not mounted yet/);
    assert.deepEqual(await client.request({ path: '/x' }), {});
  });

  test('ends when the client is closed', async () => {
    answer = () => client.close();
    await assert.rejects(connect().request({ path: '/x' }), { name: 'ApiUnreachable' });
  });
});

describe('a watch', () => {
  test('puts lines together that come in pieces, within a character too', async () => {
    const text = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: { name: 'Größe 🐉' } })}\n`);
    answer = async (_request, response) => {
      for (const byte of text) {
        response.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    };
    const seen: unknown[] = [];
    await watch({ onEvent: ({ object }) => seen.push(object) });
    assert.deepEqual(seen, [{ name: 'Größe 🐉' }]);
  });

  test('takes many lines of one piece', async () => {
    answer = (_request, response) => response.end('{"type":"A","object":1}\n{"type":"B","object":2}\n');
    const seen: string[] = [];
    await watch({ onEvent: ({ type }) => seen.push(type) });
    assert.deepEqual(seen, ['A', 'B']);
  });

  test('that begins late ends', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    answer = () => context.mock.timers.tick(10_000);
    await assert.rejects(watch(), { name: 'ApiUnreachable' });
  });

  test('that is silent for too long ends', async () => {
    answer = (_request, response) => response.flushHeaders();
    await assert.rejects(watch({ silenceMs: 50 }), { name: 'ApiUnreachable', message: /did not answer in time/ });
  });

  test('that is refused says with which status', async () => {
    answer = (_request, response) => response.writeHead(410).end('{}');
    await assert.rejects(watch(), { name: 'ApiRefusal', status: 410 });
  });

  test('with a line that is not JSON fails', async () => {
    answer = (_request, response) => response.end('what?\n');
    await assert.rejects(watch(), { name: 'ApiUnreachable' });
  });

  test('with a line without end fails', async () => {
    answer = (_request, response) => {
      const piece = 'x'.repeat(1024 * 1024);
      const more = () => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    await assert.rejects(watch(), /longer than/);
  });

  test('that breaks off fails', async () => {
    answer = ({ socket }, response) => {
      response.write('{"type":"A","object":1}\n', () => socket.destroy());
    };
    await assert.rejects(watch(), { name: 'ApiUnreachable' });
  });

  test('ends in order when whoever asked gives it up', async () => {
    const given = new AbortController();
    answer = (_request, response) => response.write('{"type":"A","object":1}\n');
    await assert.doesNotReject(watch({ signal: given.signal, onEvent: () => given.abort() }));
  });
});

describe('the credentials of a pod', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'service-account-'));
  const environment = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
  before(() => {
    writeFileSync(path.join(directory, 'ca.crt'), 'the authority');
    writeFileSync(path.join(directory, 'token'), 'first\n');
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test('name the API server', () => {
    assert.equal(podCredentials(environment, directory).server, 'https://10.96.0.1:443');
  });

  test('name an API server with an IPv6 address', () => {
    assert.equal(podCredentials({ ...environment, KUBERNETES_SERVICE_HOST: 'fd00::1' }, directory).server, 'https://[fd00::1]:443');
  });

  test('trust the cluster’s authority alone', () => {
    assert.equal(podCredentials(environment, directory).tls.ca, 'the authority');
  });

  test('follow the token that the kubelet exchanges', async () => {
    const credentials = podCredentials(environment, directory, 0);
    writeFileSync(path.join(directory, 'token'), 'second\n');
    assert.equal(await credentials.authorization(), 'Bearer second');
  });

  test('are missing outside of a pod, and say what would be there', () => {
    assert.throws(() => podCredentials({}, directory), /KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT .* nor KUBECONFIG/);
  });

  test('are missing without a mount, and say which setting it needs', () => {
    assert.throws(() => podCredentials(environment, path.join(directory, 'none')), /automountServiceAccountToken/);
  });
});
