/**
 * Allocation through the aggregation layer of a real API server, as the broker's ServiceAccount with the rights of dist/: behind it is an extension server that answers as
 * Agones does (pkg/gameserverallocations of 1.59): 201 with Allocated, UnAllocated and Contention, a Status of 422, plain text of 500; and answers that are lost.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type ApiClient, apiClient } from '../../src/discovery/api-client.ts';
import { kubeconfigCredentials } from '../../src/discovery/api-credentials.ts';
import { agonesAllocator } from '../../src/instances/agones-allocator.ts';
import type { Allocator } from '../../src/instances/allocator.ts';
import { type ApiServer, apiServerFolders, startApiServer } from '../discovery/control-plane.ts';

const DIST = path.join(import.meta.dirname, '../../../../dist/homelab');
const manifest = (file: string) => readFileSync(path.join(DIST, file), 'utf8');
const GROUP = 'allocation.agones.dev';
const REQUEST = { instanceId: '6f1c6f0e-8e0b-4a1d-9a59-0c3c6f0e8e0b', contentType: 'dungeon', build: '0.4.2' };

interface Selector {
  readonly gameServerState?: string;
  readonly matchLabels?: Readonly<Record<string, string>>;
}
interface Allocation {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: object;
  readonly spec?: {
    readonly scheduling?: string;
    readonly selectors?: readonly Selector[];
    readonly metadata?: { readonly labels?: Record<string, string> };
  };
}

/** An Agones with game servers in memory. */
interface Extension {
  readonly port: number;
  /** Labels and state of each server, by name. */
  readonly servers: Map<string, { state: string; labels: Record<string, string> }>;
  /** What happens to the next requests, in order; then they are answered. */
  readonly troubles: ('contention' | 'refuse' | 'fail' | 'lose-request' | 'lose-answer')[];
  /** Users that the API server says the requests are of. */
  readonly users: string[];
  close(): Promise<void>;
}

async function startExtension(tls: { readonly cert: string; readonly key: string }): Promise<Extension> {
  const sockets = new Set<Duplex>();
  const extension: Omit<Extension, 'port' | 'close'> = { servers: new Map(), troubles: [], users: [] };
  const allocate = (asked: Allocation, isRefused: boolean): { status: number; body: object } => {
    const invalid = (asked.spec?.selectors ?? []).find(
      ({ gameServerState = 'Ready' }) => gameServerState !== 'Ready' && gameServerState !== 'Allocated',
    );
    if (isRefused || invalid || (asked.spec?.scheduling !== 'Packed' && asked.spec?.scheduling !== 'Distributed')) {
      const message = 'GameServerAllocation.allocation.agones.dev "" is invalid';
      return {
        status: 422,
        body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: 'Invalid', code: 422 },
      };
    }
    const answer = (status: object) => ({
      status: 201,
      body: { ...asked, metadata: { ...asked.metadata, namespace: 'instances' }, status },
    });
    for (const { gameServerState = 'Ready', matchLabels = {} } of asked.spec.selectors ?? []) {
      for (const [name, server] of extension.servers) {
        if (server.state !== gameServerState || Object.entries(matchLabels).some(([key, value]) => server.labels[key] !== value)) continue;
        server.state = 'Allocated';
        Object.assign(server.labels, asked.spec.metadata?.labels);
        return answer({
          state: 'Allocated',
          gameServerName: name,
          ports: [{ name: 'game', port: 7001 }],
          address: '192.168.1.11',
          nodeName: 'node-1',
          source: 'local',
          metadata: { labels: server.labels },
        });
      }
    }
    return answer({ state: 'UnAllocated', gameServerName: '' });
  };
  const server = https.createServer(tls, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const send = (status: number, body: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      const { pathname } = new URL(request.url ?? '/', 'https://agones');
      if (pathname === `/apis/${GROUP}/v1`) {
        const resources = [
          {
            name: 'gameserverallocations',
            singularName: 'gameserverallocation',
            namespaced: true,
            kind: 'GameServerAllocation',
            verbs: ['create'],
          },
        ];
        send(200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${GROUP}/v1`, resources });
        return;
      }
      if (request.method !== 'POST' || !pathname.endsWith('/gameserverallocations')) {
        send(404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 });
        return;
      }
      extension.users.push(String(request.headers['x-remote-user']));
      const trouble = extension.troubles.shift();
      if (trouble === 'lose-request') {
        request.socket.destroy();
        return;
      }
      const asked = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Allocation;
      // What net/http says of an error that a handler returns.
      if (trouble === 'fail') {
        response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end('Internal Server Error\n');
        return;
      }
      if (trouble === 'contention') {
        send(201, { ...asked, status: { state: 'Contention', gameServerName: '' } });
        return;
      }
      const { status, body } = allocate(asked, trouble === 'refuse');
      if (trouble === 'lose-answer') request.socket.destroy();
      else send(status, body);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...extension,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

const folders = apiServerFolders();
if (folders.length === 0 && (process.env.BROKER_TESTS_REQUIRE ?? '').split(',').includes('kubernetes')) {
  throw new Error('BROKER_TESTS_REQUIRE names kubernetes, but KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver.');
}

for (const folder of folders.length > 0 ? folders : ['(none)']) {
  const skip = folders.length > 0 ? false : 'KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver';
  describe(`allocation through the aggregation layer (${path.basename(folder)})`, { skip }, () => {
    let api: ApiServer;
    let agones: Extension;
    let client: ApiClient;
    let allocator: Allocator;

    const patiently = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      for (const deadline = Date.now() + 30_000; ; ) {
        try {
          await work();
          return;
        } catch (error) {
          if (Date.now() > deadline) assert.fail(`not within 30 s: ${what}: ${(error as Error).message}`);
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
      }
    };
    const clientOf = async (serviceAccount: string): Promise<ApiClient> => {
      const { status } = await api.administer<{ status: { token: string } }>(
        'POST',
        `/api/v1/namespaces/connect-broker/serviceaccounts/${serviceAccount}/token`,
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3_600 } },
      );
      const file = api.kubeconfig(status.token);
      return apiClient(() => kubeconfigCredentials(file));
    };

    before(async () => {
      api = await startApiServer(folder);
      agones = await startExtension(api.serving);
      for (const name of ['connect-broker', 'instances', 'agones-system'])
        await api.administer('POST', '/api/v1/namespaces', { metadata: { name } });
      const accounts = '/api/v1/namespaces/connect-broker/serviceaccounts';
      await api.administer('POST', accounts, manifest('connect-broker/connect-broker/ServiceAccount.connect-broker.yaml'));
      await api.administer('POST', accounts, { metadata: { name: 'stranger' } });
      const rights = '/apis/rbac.authorization.k8s.io/v1/namespaces/instances';
      await api.administer('POST', `${rights}/roles`, manifest('instances/instances/Role.connect-broker.yaml'));
      await api.administer('POST', `${rights}/rolebindings`, manifest('instances/instances/RoleBinding.connect-broker.yaml'));
      // Without a network between the API server and a Service, the Service is a name for loopback.
      await api.administer('POST', '/api/v1/namespaces/agones-system/services', {
        metadata: { name: 'agones-controller-service' },
        spec: { type: 'ExternalName', externalName: 'localhost' },
      });
      await api.administer('POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
        metadata: { name: `v1.${GROUP}` },
        spec: {
          group: GROUP,
          version: 'v1',
          groupPriorityMinimum: 1_000,
          versionPriority: 15,
          // Its certificate is the API server's own, which is for other names.
          insecureSkipTLSVerify: true,
          service: { name: 'agones-controller-service', namespace: 'agones-system', port: agones.port },
        },
      });
      client = await clientOf('connect-broker');
      allocator = agonesAllocator(client, 'instances');
      await patiently('the API of Agones is there', () => allocator.allocate(REQUEST));
    });
    beforeEach(() => {
      agones.users.length = 0;
    });
    afterEach(() => {
      agones.servers.clear();
      agones.troubles.length = 0;
    });
    after(async () => {
      client?.close();
      await agones?.close();
      await api?.stop();
    });

    const start = (name: string, build = '0.4.2') =>
      agones.servers.set(name, { state: 'Ready', labels: { 'mmo/content-type': 'dungeon', 'mmo/build': build } });
    const allocated = () => [...agones.servers].filter(([, { state }]) => state === 'Allocated').map(([name]) => name);

    test('gives the server that Agones allocated', async () => {
      start('dungeon-a');
      assert.deepEqual(await allocator.allocate(REQUEST), { state: 'allocated', gameServer: 'dungeon-a' });
    });

    test('reaches Agones as the broker’s ServiceAccount', async () => {
      await allocator.allocate(REQUEST);
      assert.deepEqual(agones.users, ['system:serviceaccount:connect-broker:connect-broker']);
    });

    test('tells the server its instance and its difficulty', async () => {
      start('dungeon-a');
      await allocator.allocate({ ...REQUEST, difficulty: 'heroic' });
      const labels = agones.servers.get('dungeon-a')?.labels;
      assert.deepEqual([labels?.['mmo/instance'], labels?.['mmo/difficulty']], [REQUEST.instanceId, 'heroic']);
    });

    test('takes no server of another build', async () => {
      start('dungeon-old', '0.4.1');
      assert.deepEqual(await allocator.allocate(REQUEST), { state: 'unallocated' });
    });

    test('says when there is none: 201 with UnAllocated', async () => {
      assert.deepEqual(await allocator.allocate(REQUEST), { state: 'unallocated' });
    });

    test('says when somebody was faster: 201 with Contention', async () => {
      agones.troubles.push('contention');
      assert.deepEqual(await allocator.allocate(REQUEST), { state: 'contention' });
    });

    test('finds the same server again for the same instance', async () => {
      start('dungeon-a');
      start('dungeon-b');
      const first = await allocator.allocate(REQUEST);
      assert.deepEqual(await allocator.allocate(REQUEST), first);
    });

    test('gives another instance another server', async () => {
      start('dungeon-a');
      start('dungeon-b');
      await allocator.allocate(REQUEST);
      await allocator.allocate({ ...REQUEST, instanceId: '0b9f4a4e-0d1d-4b5c-8a59-1c3c6f0e8e0b' });
      assert.deepEqual(allocated(), ['dungeon-a', 'dungeon-b']);
    });

    test('allocates once when the answer is lost: the next attempt finds what the first one got', async () => {
      start('dungeon-a');
      start('dungeon-b');
      agones.troubles.push('lose-answer');
      await assert.rejects(allocator.allocate(REQUEST));
      assert.deepEqual([(await allocator.allocate(REQUEST)).state, allocated()], ['allocated', ['dungeon-a']]);
    });

    test('fails when the request is lost, and the next attempt is an ordinary one', async () => {
      start('dungeon-a');
      agones.troubles.push('lose-request');
      await assert.rejects(allocator.allocate(REQUEST));
      assert.deepEqual(await allocator.allocate(REQUEST), { state: 'allocated', gameServer: 'dungeon-a' });
    });

    test('fails when Agones refuses: a Status of 422, with its reason', async () => {
      agones.troubles.push('refuse');
      await assert.rejects(allocator.allocate(REQUEST), { name: 'ApiRefusal', status: 422, reason: 'Invalid' });
    });

    test('asks for nothing that Agones refuses', async () => {
      assert.notEqual((await allocator.allocate({ ...REQUEST, difficulty: 'heroic' })).state, undefined);
    });

    test('is not for another ServiceAccount', async () => {
      const stranger = await clientOf('stranger');
      await assert.rejects(agonesAllocator(stranger, 'instances').allocate(REQUEST), { name: 'ApiRefusal', status: 403 });
      stranger.close();
    });

    test('fails when Agones fails: 500 without a Status', async () => {
      agones.troubles.push('fail');
      await assert.rejects(allocator.allocate(REQUEST), { name: 'ApiRefusal', status: 500 });
    });

    test('fails when Agones is away', async () => {
      // The last test: it stays away.
      await agones.close();
      await assert.rejects(allocator.allocate(REQUEST), { name: 'ApiRefusal', status: 503 });
    });
  });
}
