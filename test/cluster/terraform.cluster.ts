/**
 * terraform/ for real: plan and apply of the example's home on a real API server, by Terraform and by OpenTofu, again and again until nothing is left to do.
 * The charts are stand-ins from a repository on loopback (test/terraform/charts.ts); everything else is what a user runs.
 */
import { readFileSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { parse } from 'yaml';
import type { BuiltCluster } from '../../lib/build';
import type { PlainObject } from '../../lib/emit/manifest';
import { makeCertificate } from '../../lib/secrets/sealing';
import { memoryStore } from '../../lib/secrets/store';
import { synthesize } from '../../lib/synth';
import { terraformVariables } from '../../lib/terraform/variables';
import { exampleHomelab } from '../examples';
import { type ChartRepository, serveCharts } from '../terraform/charts';
import { answers, flat, helm, missingForTerraform, type Result, type Tool, tools, Workspace } from '../terraform/tools';
import { type Binaries, findBinaries } from './binaries';
import { ApiError, Client } from './client';
import { type ControlPlane, kubeconfigText, startControlPlane } from './control-plane';
import { withDefinitions } from './definitions';
import { eventually } from './judge';

const versions = findBinaries();
const missing =
  missingForTerraform() ??
  (versions.every(({ kubectl }) => kubectl) ? undefined : 'there is no kubectl in KUBEBUILDER_ASSETS') ??
  (versions.every(({ controllers }) => controllers) ? undefined : 'there are no controllers in KUBEBUILDER_ASSETS') ??
  (answers(helm(), ['version']) ? undefined : 'helm is not installed');
const LONG = 240_000;
const HOME = 'terraform/clusters/homelab';
const ARGO = 'argocd-controller';

if (missing) test.skip(`terraform/ is not applied: ${missing}`, () => undefined);
// Each tool on another Kubernetes, where there are several.
else
  describe.each(
    tools().flatMap((tool, index) => {
      const binaries = versions[index % versions.length];
      return binaries ? [{ tool, binaries, name: tool.name, version: binaries.version }] : [];
    }),
  )('$name on Kubernetes $version', ({ tool, binaries }) => judge(tool, binaries));

function judge(tool: Tool, binaries: Binaries): void {
  let plane: ControlPlane;
  let client: Client;
  let charts: ChartRepository;
  let workspace: Workspace;
  let key: string;
  let built: BuiltCluster;
  let firstApply: string;
  const token = 'a-token-that-must-show-nowhere';
  const environment = (): Record<string, string> => ({
    PATH: `${dirname(binaries.kubectl ?? '')}${delimiter}${dirname(helm())}${delimiter}${process.env.PATH}`,
    TF_VAR_kubeconfig: workspace.path('kubeconfig'),
    TF_VAR_sealing_key_file: workspace.path('homelab.key'),
    TF_VAR_repository_credentials: JSON.stringify({ username: 'reader', token_file: workspace.path('token') }),
    HELM_CACHE_HOME: workspace.path('helm', 'cache'),
    HELM_CONFIG_HOME: workspace.path('helm', 'config'),
    HELM_DATA_HOME: workspace.path('helm', 'data'),
  });
  const run = (...args: readonly string[]): Promise<Result> => workspace.run(HOME, args, environment());
  const apply = (...args: readonly string[]): Promise<string> =>
    workspace.must(HOME, ['apply', '-auto-approve', '-input=false', '-no-color', ...args], environment());
  /** 0: nothing to do, 2: something. */
  const planned = (): Promise<Result> => run('plan', '-detailed-exitcode', '-input=false', '-no-color');
  const get = (path: string): Promise<PlainObject> => client.get(path);
  const exists = (path: string): Promise<boolean> =>
    client.get(path).then(
      () => true,
      (error) => {
        if (error instanceof ApiError && error.status === 404) return false;
        throw error;
      },
    );
  const patch = (path: string, body: object): Promise<unknown> => client.request('PATCH', path, body, 'application/merge-patch+json');
  const keys = async (): Promise<PlainObject[]> =>
    client.list('/api/v1/namespaces/sealed-secrets/secrets?labelSelector=sealedsecrets.bitnami.com/sealed-secrets-key');

  beforeAll(async () => {
    plane = await startControlPlane({ binaries, nodes: exampleHomelab.nodes.map(({ name }) => name) });
    client = new Client(plane.address);
    workspace = new Workspace(tool);
    charts = await withDefinitions((definitions) => serveCharts(definitions, workspace.path()));
    const synthesis = synthesize([exampleHomelab], { store: () => memoryStore('everything') });
    built = synthesis.clusters[0]?.built as BuiltCluster;
    for (const [file, text] of synthesis.files) if (/^homelab\/(?:root|namespaces)\//.test(file)) workspace.write(`dist/${file}`, text);
    const made = await makeCertificate({ organization: 'test', commonName: 'test', bits: 2048 });
    workspace.write('secrets/homelab/sealing.crt', made.certificate);
    key = made.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    workspace.write('homelab.key', key, 0o600);
    workspace.write('token', `${token}\n`, 0o600);
    workspace.write('kubeconfig', kubeconfigText(plane.address), 0o600);
    writeVariables();
    await workspace.must(HOME, ['init', '-input=false'], environment());
    await client.discover();
  }, LONG);
  afterAll(async () => {
    workspace?.remove();
    await charts?.close();
    client?.close();
    await plane?.stop();
  });

  function writeVariables(change: (variables: Record<string, Record<string, unknown>>) => void = () => undefined): void {
    const variables = JSON.parse(terraformVariables(built, { secretsDirectory: workspace.path('secrets') }));
    variables.charts.argo_cd.repository = charts.url;
    variables.charts.sealed_secrets.repository = charts.url;
    change(variables);
    workspace.write(`${HOME}/cluster.auto.tfvars.json`, JSON.stringify(variables));
  }

  describe('before anything is there, it refuses', () => {
    afterEach(() => {
      writeVariables();
      workspace.write('homelab.key', key, 0o600);
    });

    test("the example's certificate, at the plan", async () => {
      writeVariables(({ sealing }) => {
        if (sealing) sealing.example = true;
      });
      const { code, stderr } = await planned();
      expect(code).toBe(1);
      expect(flat(stderr)).toContain("is the example's certificate, whose private key was thrown away");
    });

    test('a certificate that is another than at the last synth, at the plan', async () => {
      writeVariables(({ sealing }) => {
        if (sealing) sealing.certificate_sha256 = '0'.repeat(64);
      });
      expect(flat((await planned()).stderr)).toContain("run 'npm run synth' and commit the result");
    });

    test('a cluster whose nodes are not those of the description, and touches nothing', async () => {
      writeVariables(({ cluster }) => {
        if (cluster) cluster.nodes = ['node-1', 'somebody-elses'];
      });
      const { code, stdout, stderr } = await run('apply', '-auto-approve', '-input=false', '-no-color');
      expect(code).toBe(1);
      expect(flat(stdout + stderr)).toContain('it describes the node(s) somebody-elses, and this cluster has: node-1 node-2 node-3');
      expect(await exists('/api/v1/namespaces/argocd')).toBe(false);
    });

    test('an API server that is elsewhere than described, because network policies would cut everything off from it', async () => {
      const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
      await client.request('POST', slices, {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'elsewhere', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['192.168.1.11'] }, { addresses: ['192.168.1.99'] }],
        ports: [{ name: 'https', port: 6443 }],
      });
      const { code, stdout, stderr } = await run('apply', '-auto-approve', '-input=false', '-no-color');
      await client.request('DELETE', `${slices}/elsewhere`);
      expect(code).toBe(1);
      expect(flat(stdout + stderr)).toContain(
        'listens at 192.168.1.99:6443, and apps/homelab.ts (kubernetes.apiServer) says 192.168.1.11:6443',
      );
    });

    test("a private key that is not the certificate's, before the controller is there", async () => {
      const other = await makeCertificate({ organization: 'test', commonName: 'other', bits: 2048 });
      workspace.write('homelab.key', other.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
      const { code, stdout, stderr } = await run('apply', '-auto-approve', '-input=false', '-no-color');
      expect(code).toBe(1);
      expect(flat(stdout + stderr)).toContain('is not the private key of');
      expect(await exists('/apis/apps/v1/namespaces/sealed-secrets/deployments/sealed-secrets-controller')).toBe(false);
    });
  });

  describe('the first apply', () => {
    beforeAll(async () => {
      await workspace.must(HOME, ['plan', '-input=false', '-out=first.plan'], environment());
      workspace.write('plan.json', await workspace.must(HOME, ['show', '-json', 'first.plan'], environment()));
      firstApply = await apply('first.plan');
    }, LONG);

    test.each(['argocd', 'sealed-secrets'])('makes the namespace %s as dist describes it', async (name) => {
      const { metadata } = await get(`/api/v1/namespaces/${name}`);
      const file = parse(readFileSync(workspace.path(`dist/homelab/namespaces/_cluster/Namespace.${name}.yaml`), 'utf8'));
      expect(metadata).toMatchObject(file.metadata);
    });

    test('gives Sealed Secrets the key, with the label by which it finds its keys', async () => {
      const [secret, ...others] = await keys();
      expect(others).toEqual([]);
      expect(Buffer.from(secret?.data['tls.key'], 'base64').toString()).toBe(key);
      expect(secret?.metadata.labels?.['sealedsecrets.bitnami.com/sealed-secrets-key']).toBe('active');
    });

    test('brings the key before anything of its controller', async () => {
      // Versions of one server's objects count up, and nobody has changed these two since.
      const version = ({ metadata }: PlainObject): number => Number((metadata as { resourceVersion?: string }).resourceVersion);
      const controller = await get('/api/v1/namespaces/sealed-secrets/configmaps/sealed-secrets-arrived');
      const [secret] = await keys();
      expect(version(secret as PlainObject)).toBeLessThan(version(controller));
    });

    test('switches the renewal of the key off', async () => {
      const { spec } = await get('/apis/apps/v1/namespaces/sealed-secrets/deployments/sealed-secrets-controller');
      expect(spec.template.spec.containers[0].args).toEqual(['--key-renew-period', '0']);
    });

    test.each([
      ['argo-cd', 'argocd'],
      ['sealed-secrets', 'sealed-secrets'],
    ])('installs %s with the version and values of its Application, but for what is monitored', async (release, namespace) => {
      const { data } = await get(`/api/v1/namespaces/${namespace}/configmaps/${release}-arrived`);
      const { source } = parse(readFileSync(workspace.path(`dist/homelab/root/argocd/Application.${release}.yaml`), 'utf8')).spec;
      expect(data.version).toBe(source.targetRevision);
      expect(JSON.parse(data.values)).toEqual(withoutMonitors(source.helm.valuesObject));
    });

    test('renders the charts for the Kubernetes that is there', async () => {
      const { data } = await get('/api/v1/namespaces/argocd/configmaps/argo-cd-arrived');
      expect(data.kubernetes).toBe(plane.address.version);
    });

    test('gives Argo CD the credentials of the repository, without the line feed of an editor', async () => {
      const { data, metadata } = await get('/api/v1/namespaces/argocd/secrets/repository');
      const text = Object.fromEntries(Object.entries(data).map(([name, value]) => [name, Buffer.from(String(value), 'base64').toString()]));
      expect(text).toEqual({ type: 'git', url: exampleHomelab.git.repository, username: 'reader', password: token });
      expect(metadata.labels?.['argocd.argoproj.io/secret-type']).toBe('repository');
    });

    test.each([
      ['AppProject', 'appprojects'],
      ['Application', 'applications'],
    ])("applies the root's %s as dist has it", async (kind, plural) => {
      const { spec } = await get(`/apis/argoproj.io/v1alpha1/namespaces/argocd/${plural}/root`);
      expect(spec).toEqual(parse(readFileSync(workspace.path(`dist/homelab/root/argocd/${kind}.root.yaml`), 'utf8')).spec);
    });

    test.each([
      '/api/v1/namespaces/argocd',
      '/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/root',
      '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/root',
      '/apis/apps/v1/namespaces/argocd/deployments/argocd-repo-server',
    ])("leaves %s to Argo CD's name, so that Argo CD can remove fields too", async (path) => {
      const { metadata } = await get(path);
      const managers = (metadata as { managedFields?: { manager: string; subresource?: string }[] }).managedFields ?? [];
      const ours = managers.filter(({ manager, subresource }) => subresource === undefined && !manager.startsWith('kube-controller'));
      expect(ours.map(({ manager }) => manager)).toEqual([ARGO]);
    });

    test('prints what the router must forward', () => {
      expect(firstApply).toContain('"UDP 7000-7063 → 192.168.1.13  (instances on node-3)"');
    });

    test.each([
      ['state', () => `${HOME}/terraform.tfstate`],
      ['plan', () => 'plan.json'],
    ])('keeps the private key and the token out of the %s', (_, file) => {
      const text = readFileSync(workspace.path(file()), 'utf8');
      const secrets = [...key.split('\n').filter((line) => line.length > 40), Buffer.from(key).toString('base64').slice(0, 64), token];
      expect(text).toContain('root_project');
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    });

    test('keeps the private key and the token out of its output', () => {
      expect(firstApply).not.toContain(key.split('\n')[1]);
      expect(firstApply).not.toContain(token);
    });
  });

  describe('afterwards', () => {
    test('a plan has nothing to do, and a second apply changes nothing', async () => {
      expect((await planned()).code).toBe(0);
      expect(await apply()).toContain('0 added, 0 changed, 0 destroyed');
    });

    test('a plan has nothing to do when Argo CD changed what it took over', async () => {
      await patch('/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/root', { spec: { source: { targetRevision: 'later' } } });
      await patch('/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/root', { spec: { description: 'Later.' } });
      await patch('/api/v1/namespaces/argocd', { metadata: { labels: { 'pod-security.kubernetes.io/audit': 'restricted' } } });
      await patch('/apis/apps/v1/namespaces/argocd/deployments/argocd-repo-server', { spec: { replicas: 2 } });
      const { code, stdout } = await planned();
      expect({ code, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stdout: '' });
    });

    test('a new version in Git is nothing to do for it', async () => {
      writeVariables(({ charts: entries }) => {
        if (entries) (entries.argo_cd as { version: string }).version = '99.0.0';
      });
      expect((await planned()).code).toBe(0);
      writeVariables();
    });

    test('with the state lost, it leaves what Argo CD keeps as it is, and the key too', async () => {
      await keptByArgoCd();
      const [before] = await keys();
      workspace.write(`${HOME}/terraform.tfstate`, '');
      const said = await apply();
      expect(said).toContain('Argo CD keeps argo-cd already');
      expect(said).toContain('Argo CD keeps sealed-secrets already');
      expect(said).toContain('The cluster has this sealing key already');
      expect(await keys()).toEqual([before]);
      expect((await get('/apis/apps/v1/namespaces/argocd/deployments/argocd-repo-server')).spec.replicas).toBe(2);
    });

    test('what somebody deleted comes back: the root, and the key with its namespace and controller', async () => {
      await client.request('DELETE', '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/root');
      await client.request('DELETE', '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/sealed-secrets');
      await client.request('DELETE', '/api/v1/namespaces/sealed-secrets');
      await eventually(
        () => exists('/api/v1/namespaces/sealed-secrets'),
        (there) => !there,
      );
      await apply();
      expect(await exists('/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/root')).toBe(true);
      expect(await keys()).toHaveLength(1);
      expect(await exists('/apis/apps/v1/namespaces/sealed-secrets/deployments/sealed-secrets-controller')).toBe(true);
      expect((await planned()).code).toBe(0);
    });
  });

  test('a new sealing key is added beside the old one, and the controller starts again to read it', async () => {
    const made = await makeCertificate({ organization: 'test', commonName: 'next', bits: 2048 });
    workspace.write('secrets/homelab/sealing.crt', made.certificate);
    workspace.write('homelab.key', made.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
    writeVariables();
    await apply();
    expect(await keys()).toHaveLength(2);
    const { spec } = await get('/apis/apps/v1/namespaces/sealed-secrets/deployments/sealed-secrets-controller');
    expect(Object.keys(spec.template.metadata.annotations ?? {})).toEqual(['kubectl.kubernetes.io/restartedAt']);
    expect((await planned()).code).toBe(0);
  });

  test('destroy deletes nothing: no world, no database, no namespace, no key, not even Argo CD', async () => {
    await client.request('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'realm-aurora' } });
    const world = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'world-eldermoor-0', namespace: 'realm-aurora' } };
    await client.request('POST', '/api/v1/namespaces/realm-aurora/persistentvolumeclaims', {
      ...world,
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    const inventory = async (): Promise<string[]> => {
      const kinds = [
        '/api/v1/namespaces',
        '/api/v1/secrets',
        '/api/v1/configmaps',
        '/api/v1/persistentvolumeclaims',
        '/apis/apps/v1/deployments',
      ];
      const argo = ['/apis/argoproj.io/v1alpha1/applications', '/apis/argoproj.io/v1alpha1/appprojects'];
      const lists = await Promise.all([...kinds, ...argo].map((path) => client.list(path)));
      return lists.flat().map(({ metadata }) => `${(metadata as { uid?: string }).uid} ${metadata.namespace}/${metadata.name}`);
    };
    const before = await inventory();
    expect(before.join('\n')).toContain('realm-aurora/world-eldermoor-0');
    await workspace.must(HOME, ['destroy', '-auto-approve', '-input=false', '-no-color'], environment());
    expect(await inventory()).toEqual(before);
    expect(JSON.parse(readFileSync(workspace.path(HOME, 'terraform.tfstate'), 'utf8')).resources).toEqual([]);
  });

  /** As after Argo CD's first sync: Applications for both charts, compared. */
  async function keptByArgoCd(): Promise<void> {
    for (const name of ['argo-cd', 'sealed-secrets']) {
      const application = parse(readFileSync(workspace.path(`dist/homelab/root/argocd/Application.${name}.yaml`), 'utf8'));
      const path = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications';
      await client.request('POST', path, { ...application, status: { sync: { status: 'Synced' } } });
    }
    await eventually(
      async () => (await get('/apis/apps/v1/namespaces/argocd/statefulsets/argocd-application-controller')).status?.readyReplicas,
      (ready) => ready === 1,
    );
  }
}

/** The values as the bootstrap gives them: ServiceMonitors off, because their definition comes with a later chart. */
function withoutMonitors(value: unknown): unknown {
  if (Array.isArray(value) || value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      name === 'serviceMonitor' ? { ...(each as object), enabled: false } : withoutMonitors(each),
    ]),
  );
}
