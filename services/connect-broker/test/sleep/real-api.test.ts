/** Sleep and wake on a real API server, with the worlds and exactly the rights of dist/, and with Argo CD's applies of what is in Git. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ApiClient, apiClient } from '../../src/discovery/api-client.ts';
import { kubeconfigCredentials } from '../../src/discovery/api-credentials.ts';
import { kubernetesScaler, type WorldScaler } from '../../src/sleep/scaler.ts';
import { type ApiServer, apiServerFolders, startApiServer } from '../discovery/control-plane.ts';

const DIST = path.join(import.meta.dirname, '../../../../dist/homelab');
const manifest = (file: string) => readFileSync(path.join(DIST, file), 'utf8');
const RIGHTS = '/apis/rbac.authorization.k8s.io/v1';
/** Of the example: borealis may sleep, aurora never does. */
const SLEEPER = { namespace: 'realm-borealis', world: 'frosthold' };
const WATCHFUL = { namespace: 'realm-aurora', world: 'eldermoor' };
const pathOf = ({ namespace, world }: typeof SLEEPER) => `/apis/apps/v1/namespaces/${namespace}/statefulsets/${world}`;

const folders = apiServerFolders();
if (folders.length === 0 && (process.env.BROKER_TESTS_REQUIRE ?? '').split(',').includes('kubernetes')) {
  throw new Error('BROKER_TESTS_REQUIRE names kubernetes, but KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver.');
}

for (const folder of folders.length > 0 ? folders : ['(none)']) {
  const skip = folders.length > 0 ? false : 'KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver';
  describe(`worlds on a real API server (${path.basename(folder)})`, { skip }, () => {
    let api: ApiServer;
    let client: ApiClient;
    let scaler: WorldScaler;

    /** What Argo CD does with what is in Git: a server-side apply that takes every field it names. */
    const apply = (of: typeof SLEEPER, change: (text: string) => string = (text) => text) =>
      api.administer(
        'PATCH',
        `${pathOf(of)}?fieldManager=argocd-controller&force=true`,
        change(manifest(`${of.namespace}/${of.namespace}/StatefulSet.${of.world}.yaml`)),
        'application/apply-patch+yaml',
      );
    const replicas = async (of: typeof SLEEPER) => (await api.administer<{ spec: { replicas: number } }>('GET', pathOf(of))).spec.replicas;
    /** Rights that were granted a moment ago are not everywhere at once. */
    const scale = async (to: 0 | 1) => {
      for (const deadline = Date.now() + 20_000; ; ) {
        try {
          return await scaler.scale(SLEEPER.namespace, SLEEPER.world, to);
        } catch (error) {
          if (Date.now() > deadline) throw error;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    };

    before(async () => {
      api = await startApiServer(folder);
      for (const name of ['connect-broker', SLEEPER.namespace, WATCHFUL.namespace])
        await api.administer('POST', '/api/v1/namespaces', { metadata: { name } });
      await api.administer(
        'POST',
        '/api/v1/namespaces/connect-broker/serviceaccounts',
        manifest('connect-broker/connect-broker/ServiceAccount.connect-broker.yaml'),
      );
      for (const { namespace } of [SLEEPER, WATCHFUL]) {
        const of = `${RIGHTS}/namespaces/${namespace}`;
        await api.administer('POST', `${of}/roles`, manifest(`realms/${namespace}/Role.connect-broker.yaml`));
        await api.administer('POST', `${of}/rolebindings`, manifest(`realms/${namespace}/RoleBinding.connect-broker.yaml`));
      }
      for (const of of [SLEEPER, WATCHFUL]) await apply(of);
      const { status } = await api.administer<{ status: { token: string } }>(
        'POST',
        '/api/v1/namespaces/connect-broker/serviceaccounts/connect-broker/token',
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3_600 } },
      );
      const file = api.kubeconfig(status.token);
      client = apiClient(() => kubeconfigCredentials(file));
      scaler = kubernetesScaler(client);
    });
    after(async () => {
      client?.close();
      await api?.stop();
    });

    test('a world runs from its first apply on, although Git says no number', async () => {
      await apply(SLEEPER);
      assert.equal(await replicas(SLEEPER), 1);
    });

    test('the broker puts a world to sleep', async () => {
      await scale(0);
      assert.equal(await replicas(SLEEPER), 0);
    });

    test('Argo CD does not wake a sleeping world', async () => {
      await scale(0);
      await apply(SLEEPER);
      assert.equal(await replicas(SLEEPER), 0);
    });

    test('Argo CD does not wake a sleeping world with an update either', async () => {
      await scale(0);
      await apply(SLEEPER, (text) => text.replace(/mmo\/build: \S+/, 'mmo/build: "9.9.9"'));
      assert.equal(await replicas(SLEEPER), 0);
    });

    test('the broker wakes a world', async () => {
      await scale(0);
      await scale(1);
      assert.equal(await replicas(SLEEPER), 1);
    });

    test('a world that is retired stays stopped, whatever the broker of before does', async () => {
      const retired = (text: string) => text.replace('\nspec:\n', '\nspec:\n  replicas: 0\n');
      await apply(SLEEPER, retired);
      await scale(1);
      await apply(SLEEPER, retired);
      assert.equal(await replicas(SLEEPER), 0);
    });

    test('a world whose retirement is taken back can be woken', async () => {
      await apply(SLEEPER, (text) => text.replace('\nspec:\n', '\nspec:\n  replicas: 0\n'));
      await apply(SLEEPER);
      await scale(1);
      assert.equal(await replicas(SLEEPER), 1);
    });

    test('the broker may not scale a world of a realm that never sleeps', async () => {
      await assert.rejects(scaler.scale(WATCHFUL.namespace, WATCHFUL.world, 0), { name: 'ApiRefusal', status: 403 });
    });

    test('the broker may not change anything else of a world that sleeps', async () => {
      const body = { spec: { template: { metadata: { labels: { 'mmo/build': 'evil' } } } } };
      await assert.rejects(client.request({ method: 'PATCH', path: pathOf(SLEEPER), body }), { name: 'ApiRefusal', status: 403 });
    });

    test('the broker may not make a world that does not exist', async () => {
      await assert.rejects(scaler.scale(SLEEPER.namespace, 'nowhere', 1), { name: 'ApiRefusal', status: 403 });
    });
  });
}
