/** The broker's Kubernetes side on a real API server, as its own ServiceAccount with exactly the rights of dist/: what it sees, what it proves, what it may not do. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { type ApiClient, apiClient } from '../../src/discovery/api-client.ts';
import { type ApiCredentials, kubeconfigCredentials } from '../../src/discovery/api-credentials.ts';
import { connectToKubernetes, type KubernetesConnection } from '../../src/discovery/kubernetes.ts';
import { agonesAllocator } from '../../src/instances/agones-allocator.ts';
import { makeLog } from '../../src/log.ts';
import { Problem } from '../../src/problem.ts';
import { testSettings } from '../support/broker.ts';
import { type ApiServer, apiServerFolders, startApiServer } from './control-plane.ts';
import type { FakeObject } from './fake-api.ts';
import { endpoints, fleet, gameServer, instancePod, PATHS, publicService, worldPod } from './objects.ts';

const DIST = path.join(import.meta.dirname, '../../../../dist/homelab');
const manifest = (file: string) => readFileSync(path.join(DIST, file), 'utf8');
const settings = { ...testSettings(), realms: testSettings().realms.slice(0, 1) };
const log = makeLog('silent');

const folders = apiServerFolders();
if (folders.length === 0 && (process.env.BROKER_TESTS_REQUIRE ?? '').split(',').includes('kubernetes')) {
  throw new Error('BROKER_TESTS_REQUIRE names kubernetes, but KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver.');
}

const until = async (what: string, holds: () => boolean): Promise<void> => {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) assert.fail(`not within 20 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** A definition with the group, the kind and no rules: what Agones' own says about fields is tested with the manifests. */
const definition = (kind: string, plural: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.agones.dev` },
  spec: {
    group: 'agones.dev',
    scope: 'Namespaced',
    names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});

for (const folder of folders.length > 0 ? folders : ['(none)']) {
  const skip = folders.length > 0 ? false : 'KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver';
  describe(`a real API server (${path.basename(folder)})`, { skip }, () => {
    let api: ApiServer;
    let credentials: () => Promise<ApiCredentials>;
    let client: ApiClient;
    let connection: KubernetesConnection | undefined;
    let podUid = '';

    /** Makes an object with its status, as its controllers would. */
    const make = async (collection: string, object: FakeObject): Promise<string> => {
      const apiVersion = collection.startsWith('/api/') ? 'v1' : collection.split('/').slice(2, 4).join('/');
      const { uid: _uid, creationTimestamp: _made, ...metadata } = object.metadata;
      const made = await api.administer<{ metadata: { uid: string } }>('POST', collection, { apiVersion, ...object, metadata });
      if (object.status && apiVersion !== 'agones.dev/v1') {
        const status = { status: object.status };
        await api.administer('PATCH', `${collection}/${object.metadata.name}/status`, status, 'application/merge-patch+json');
      }
      return made.metadata.uid;
    };
    const pod = (object: FakeObject, serviceAccount: string): FakeObject => {
      const spec = object.spec as { containers: { ports: object[] }[] };
      return {
        ...object,
        spec: {
          serviceAccountName: serviceAccount,
          automountServiceAccountToken: false,
          containers: [{ name: 'game', image: 'game', ports: spec.containers[0]?.ports }],
        },
      };
    };
    const tokenOf = async (namespace: string, serviceAccount: string, spec: object): Promise<string> => {
      const made = await api.administer<{ status: { token: string } }>(
        'POST',
        `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`,
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
      );
      return made.status.token;
    };
    const boundTo = (name: string, uid: string) => ({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid } });
    const connect = (): KubernetesConnection => {
      // Rights that were granted a moment ago are not everywhere at once.
      connection = connectToKubernetes(settings, log, { credentials, timing: { refusedMs: 200 } });
      return connection;
    };
    const code = (bearer: string) =>
      (connection as KubernetesConnection).gameServers.authenticate(bearer).then(
        ({ serverId }) => serverId,
        (error: unknown) => (error instanceof Problem ? error.code : String(error)),
      );

    before(async () => {
      api = await startApiServer(folder);
      for (const each of ['connect-broker', 'realm-aurora', 'instances'])
        await api.administer('POST', '/api/v1/namespaces', { metadata: { name: each } });
      for (const [kind, plural] of [
        ['Fleet', 'fleets'],
        ['GameServer', 'gameservers'],
      ] as const)
        await api.administer('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition(kind, plural));
      const rights = '/apis/rbac.authorization.k8s.io/v1';
      const of = (namespace: string) => `${rights}/namespaces/${namespace}`;
      const broker = '/api/v1/namespaces/connect-broker/serviceaccounts';
      await api.administer('POST', broker, manifest('connect-broker/connect-broker/ServiceAccount.connect-broker.yaml'));
      await api.administer(
        'POST',
        `${rights}/clusterroles`,
        manifest('connect-broker/_cluster/ClusterRole.connect-broker-token-review.yaml'),
      );
      await api.administer(
        'POST',
        `${rights}/clusterrolebindings`,
        manifest('connect-broker/_cluster/ClusterRoleBinding.connect-broker-token-review.yaml'),
      );
      await api.administer('POST', `${of('realm-aurora')}/roles`, manifest('realms/realm-aurora/Role.connect-broker.yaml'));
      await api.administer('POST', `${of('realm-aurora')}/rolebindings`, manifest('realms/realm-aurora/RoleBinding.connect-broker.yaml'));
      await api.administer('POST', `${of('instances')}/roles`, manifest('instances/instances/Role.connect-broker.yaml'));
      await api.administer('POST', `${of('instances')}/rolebindings`, manifest('instances/instances/RoleBinding.connect-broker.yaml'));
      await api.administer(
        'POST',
        '/api/v1/namespaces/realm-aurora/serviceaccounts',
        manifest('realms/realm-aurora/ServiceAccount.eldermoor.yaml'),
      );
      await api.administer('POST', '/api/v1/namespaces/instances/serviceaccounts', { metadata: { name: 'agones-sdk' } });

      await api.administer('POST', PATHS.statefulSets, manifest('realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml'));
      await api.administer('POST', PATHS.services, manifest('realms/realm-aurora/Service.eldermoor.yaml'));
      await api.administer('POST', PATHS.services, manifest('realms/realm-aurora/Service.eldermoor-public.yaml'));
      const { status } = publicService('eldermoor');
      await api.administer('PATCH', `${PATHS.services}/eldermoor-public/status`, { status }, 'application/merge-patch+json');
      await make(PATHS.endpoints, { ...endpoints('eldermoor-public', ['10.42.0.7']), addressType: 'IPv4' });
      podUid = await make(PATHS.pods, pod(worldPod('eldermoor'), 'eldermoor'));
      await make(PATHS.gameServers, gameServer('dungeon-a'));
      await make(PATHS.instancePods, pod(instancePod('dungeon-a'), 'agones-sdk'));
      await make(PATHS.fleets, fleet('dungeon', 1, 1, 0));

      const file = api.kubeconfig(await tokenOf('connect-broker', 'connect-broker', { expirationSeconds: 3_600 }));
      credentials = () => kubeconfigCredentials(file);
      client = apiClient(credentials);
    });
    afterEach(async () => {
      await connection?.close();
      connection = undefined;
    });
    after(async () => {
      client?.close();
      await api?.stop();
    });

    test('shows a world and an instance, as the manifests and their controllers make them', async () => {
      const { view } = connect();
      await until('synced', () => view.synced);
      const world = view.world('aurora', 'eldermoor');
      assert.deepEqual(
        [world?.phase, world?.identity?.podUid, world?.identity?.lan, view.instance('dungeon-a')?.identity?.lan],
        ['ready', podUid, [{ address: '192.168.1.245', port: 40_000 }], [{ address: '192.168.1.11', port: 7_001 }]],
      );
    });

    test('tells of a change', async () => {
      const { view } = connect();
      await until('synced', () => view.synced);
      const scale = (replicas: number) =>
        api.administer('PATCH', `${PATHS.statefulSets}/eldermoor`, { spec: { replicas } }, 'application/merge-patch+json');
      await scale(0);
      await until('it stops', () => view.world('aurora', 'eldermoor')?.phase === 'stopping');
      await scale(1);
      await until('it is ready', () => view.world('aurora', 'eldermoor')?.phase === 'ready');
    });

    test('tells of a server that appears and goes', async () => {
      const { view } = connect();
      await until('synced', () => view.synced);
      await make(PATHS.gameServers, gameServer('dungeon-short'));
      await until('it is there', () => view.instance('dungeon-short') !== undefined);
      await api.administer('DELETE', `${PATHS.gameServers}/dungeon-short`);
      await until('it is gone', () => view.instance('dungeon-short') === undefined);
    });

    test('ends an idle watch in order, so that the view stays young', async () => {
      const slow = connectToKubernetes(settings, log, { credentials, timing: { watchSeconds: 2, graceSeconds: 1 } });
      connection = slow;
      await until('synced', () => slow.view.synced);
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      assert.ok(slow.view.ageSeconds() < 3.5, `it is ${slow.view.ageSeconds()} s old`);
    });

    test('proves the token that the kubelet projects into a world', async () => {
      const { view } = connect();
      await until('synced', () => view.synced);
      const token = await tokenOf('realm-aurora', 'eldermoor', { audiences: ['connect-broker'], ...boundTo('eldermoor-0', podUid) });
      assert.equal(await code(token), 'world:aurora/eldermoor');
    });

    test('does not prove a token for the API itself', async () => {
      const { view } = connect();
      await until('synced', () => view.synced);
      assert.equal(await code(await tokenOf('realm-aurora', 'eldermoor', boundTo('eldermoor-0', podUid))), 'not-logged-in');
    });

    test('does not prove a token that is bound to no pod', async () => {
      const { view } = connect();
      await until('synced', () => view.synced);
      assert.equal(await code(await tokenOf('realm-aurora', 'eldermoor', { audiences: ['connect-broker'] })), 'not-logged-in');
    });

    test('does not prove a token that somebody made up', async () => {
      const { view } = connect();
      await until('synced', () => view.synced);
      const token = await tokenOf('realm-aurora', 'eldermoor', { audiences: ['connect-broker'], ...boundTo('eldermoor-0', podUid) });
      assert.equal(await code(`${token.slice(0, -6)}AAAAAA`), 'not-logged-in');
    });

    test('stops to prove the server of a pod when the pod is deleted', async () => {
      const { view } = connect();
      await make(PATHS.gameServers, gameServer('dungeon-gone'));
      const uid = await make(PATHS.instancePods, pod(instancePod('dungeon-gone'), 'agones-sdk'));
      const token = await tokenOf('instances', 'agones-sdk', { audiences: ['connect-broker'], ...boundTo('dungeon-gone', uid) });
      const known = () => view.serverOfPod('instances', 'dungeon-gone', uid) !== undefined;
      await until('the pod is known', known);
      const before = await code(token);
      await api.administer('DELETE', `${PATHS.instancePods}/dungeon-gone?gracePeriodSeconds=0`);
      await until('the pod is gone', () => !known());
      // The API server itself believes a token for some seconds more; the view does not.
      assert.deepEqual([before, await code(token)], ['instance:dungeon-gone', 'not-allowed']);
    });

    test('does not take another pod of the realm for a world', async () => {
      const { view } = connect();
      await until('synced', () => view.synced);
      const stranger = worldPod('eldermoor');
      const uid = await make(PATHS.pods, pod({ ...stranger, metadata: { ...stranger.metadata, name: 'stranger-0' } }, 'eldermoor'));
      const token = await tokenOf('realm-aurora', 'eldermoor', { audiences: ['connect-broker'], ...boundTo('stranger-0', uid) });
      const outcome = await code(token);
      await api.administer('DELETE', `${PATHS.pods}/stranger-0?gracePeriodSeconds=0`);
      assert.equal(outcome, 'not-allowed');
    });

    test('lets the broker delete a server of an instance with its UID', async () => {
      const uid = await make(PATHS.gameServers, gameServer('dungeon-reaped'));
      await agonesAllocator(client, 'instances').remove('dungeon-reaped', uid);
      await assert.rejects(api.administer('GET', `${PATHS.gameServers}/dungeon-reaped`), /404/);
    });

    test('spares a server of the same name with another UID', async () => {
      await agonesAllocator(client, 'instances').remove('dungeon-a', '00000000-0000-4000-8000-000000000000');
      await assert.doesNotReject(api.administer('GET', `${PATHS.gameServers}/dungeon-a`));
    });

    test('would let the broker allocate, if Agones were there', async () => {
      const review = await client.request<{ status: { allowed: boolean } }>({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: {
            resourceAttributes: {
              namespace: 'instances',
              group: 'allocation.agones.dev',
              resource: 'gameserverallocations',
              verb: 'create',
            },
          },
        },
      });
      assert.equal(review.status.allowed, true);
    });

    for (const [what, method, forbidden] of [
      ['read Secrets of a realm', 'GET', '/api/v1/namespaces/realm-aurora/secrets'],
      ['read its own namespace’s Secrets', 'GET', '/api/v1/namespaces/connect-broker/secrets'],
      ['read pods of all namespaces', 'GET', '/api/v1/pods'],
      ['read nodes', 'GET', '/api/v1/nodes'],
      ['delete the pod of a world', 'DELETE', `${PATHS.pods}/eldermoor-0`],
      ['delete a world', 'DELETE', `${PATHS.statefulSets}/eldermoor`],
      ['delete a Fleet', 'DELETE', `${PATHS.fleets}/dungeon`],
      ['delete the pod of an instance', 'DELETE', `${PATHS.instancePods}/dungeon-a`],
      ['make tokens for game servers', 'POST', '/api/v1/namespaces/realm-aurora/serviceaccounts/eldermoor/token'],
    ] as const) {
      test(`does not let the broker ${what}`, async () => {
        await assert.rejects(client.request({ method, path: forbidden, ...(method === 'POST' ? { body: {} } : {}) }), { status: 403 });
      });
    }
  });
}
