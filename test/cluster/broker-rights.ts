/**
 * The claims about the connect broker's rights: with the token of its ServiceAccount it may do what it needs, and nothing else.
 * It deliberately does not read dist's Roles: the tables below are what the broker's program needs, written down a second time.
 */
import type { PlainObject } from '../../lib/emit/manifest';
import { LABELS, NAMESPACES } from '../../lib/platform';
import type { Client } from './client';
import { realmNamespaces } from './dist';
import type { Judge } from './judge';

/** One right: `verb resource[/subresource][.group]`, in a namespace or (`''`) in the whole cluster. */
interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace: string;
  /** For this object alone. @default every object */
  readonly name?: string;
}

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const ALL = [...READ, ...WRITE];

/** In each realm's namespace: who serves, and where. */
const IN_REALMS: readonly [group: string, resource: string, verbs: readonly string[]][] = [
  ['', 'pods', READ],
  ['', 'services', READ],
  ['apps', 'statefulsets', READ],
  ['discovery.k8s.io', 'endpointslices', READ],
];
/** In the instances' namespace: allocate, watch, and remove what nobody claimed. */
const IN_INSTANCES: typeof IN_REALMS = [
  ['', 'pods', READ],
  ['agones.dev', 'fleets', READ],
  ['agones.dev', 'gameservers', [...READ, 'delete']],
  ['allocation.agones.dev', 'gameserverallocations', ['create']],
];
/** In no namespace: whose token a game server shows. */
const IN_CLUSTER: typeof IN_REALMS = [['authentication.k8s.io', 'tokenreviews', ['create']]];

/** What a stolen token of the broker must be useless for, everywhere unless a table above says otherwise. */
const FORBIDDEN: readonly [group: string, resource: string, verbs: readonly string[]][] = [
  ['', 'secrets', ALL],
  ['', 'configmaps', ALL],
  ['', 'pods', ALL],
  ['', 'pods/exec', ['get', 'create']],
  ['', 'pods/attach', ['get', 'create']],
  ['', 'pods/portforward', ['get', 'create']],
  ['', 'pods/proxy', ['get', 'create']],
  ['', 'pods/log', ['get']],
  ['', 'pods/eviction', ['create']],
  ['', 'pods/ephemeralcontainers', ['update', 'patch']],
  ['', 'services', ALL],
  ['', 'services/proxy', ['get', 'create']],
  ['', 'serviceaccounts', [...ALL, 'impersonate']],
  ['', 'serviceaccounts/token', ['create']],
  ['', 'persistentvolumeclaims', ALL],
  ['', 'namespaces', ALL],
  ['', 'nodes', ALL],
  ['', 'nodes/proxy', ['get', 'create']],
  ['', 'events', ALL],
  ['', 'users', ['impersonate']],
  ['', 'groups', ['impersonate']],
  ['apps', 'statefulsets', ALL],
  ['apps', 'statefulsets/scale', ['get', 'update', 'patch']],
  ['apps', 'deployments', ALL],
  ['apps', 'deployments/scale', ['update', 'patch']],
  ['apps', 'daemonsets', ALL],
  ['batch', 'jobs', ALL],
  ['batch', 'cronjobs', ALL],
  ['discovery.k8s.io', 'endpointslices', ALL],
  ['networking.k8s.io', 'networkpolicies', ALL],
  ['policy', 'poddisruptionbudgets', ALL],
  ['rbac.authorization.k8s.io', 'roles', [...ALL, 'bind', 'escalate']],
  ['rbac.authorization.k8s.io', 'rolebindings', ALL],
  ['rbac.authorization.k8s.io', 'clusterroles', [...ALL, 'bind', 'escalate']],
  ['rbac.authorization.k8s.io', 'clusterrolebindings', ALL],
  ['authentication.k8s.io', 'tokenreviews', ['create']],
  ['certificates.k8s.io', 'certificatesigningrequests', ALL],
  ['admissionregistration.k8s.io', 'validatingwebhookconfigurations', ALL],
  ['apiextensions.k8s.io', 'customresourcedefinitions', ALL],
  ['coordination.k8s.io', 'leases', ALL],
  ['agones.dev', 'fleets', ALL],
  ['agones.dev', 'fleets/scale', ['update', 'patch']],
  ['agones.dev', 'gameservers', ALL],
  ['agones.dev', 'gameserversets', ALL],
  ['allocation.agones.dev', 'gameserverallocations', ALL],
  ['autoscaling.agones.dev', 'fleetautoscalers', ALL],
  ['bitnami.com', 'sealedsecrets', ALL],
  ['postgresql.cnpg.io', 'clusters', ALL],
  ['argoproj.io', 'applications', ALL],
];

export function keepsBrokerRights(judge: () => Judge): void {
  let broker: Client;
  let nobody: Client;
  beforeAll(async () => {
    const { client } = judge();
    broker = client.as({ token: await tokenOf(client, NAMESPACES.broker, 'connect-broker') });
    await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'nobody', namespace: 'default' } });
    nobody = client.as({ token: await tokenOf(client, 'default', 'nobody') });
  });
  afterAll(() => {
    broker?.close();
    nobody?.close();
  });

  test('it may do each thing that it needs', async () => {
    const needed = allowed(judge());
    const denied = (await Promise.all(needed.map(async (right) => ((await may(broker, right)) ? [] : [nameOf(right)])))).flat();
    expect(needed.length).toBeGreaterThan(IN_CLUSTER.length);
    expect(denied).toEqual([]);
  });

  test('it may do nothing of the forbidden table, where it has rights, where the valuables are, and in the whole cluster', async () => {
    const needed = new Set(allowed(judge()).map(nameOf));
    // A right in the whole cluster is one in each of its namespaces.
    const covered = (right: Right): boolean => needed.has(nameOf(right)) || needed.has(nameOf({ ...right, namespace: '' }));
    const forbidden = ['', ...telling(judge())].flatMap((namespace) => rights(FORBIDDEN, namespace)).filter((right) => !covered(right));
    const granted = (await Promise.all(forbidden.map(async (right) => ((await may(broker, right)) ? [nameOf(right)] : [])))).flat();
    expect(granted).toEqual([]);
  });

  test('all the rules that the server knows for it, in every namespace, are those of the tables', async () => {
    const surprises: string[] = [];
    for (const namespace of namespacesOf(judge())) {
      const everybodys = new Set(await rulesOf(nobody, namespace));
      const own = (await rulesOf(broker, namespace)).filter((rule) => !everybodys.has(rule));
      const expected = allowed(judge())
        .filter((right) => right.namespace === namespace || right.namespace === '')
        .map(ruleOf);
      surprises.push(...own.filter((rule) => !expected.includes(rule)).map((rule) => `${rule} in ${namespace}`));
    }
    expect(surprises).toEqual([]);
  });
}

function allowed(judge: Judge): Right[] {
  const realms = realmNamespaces(judge.objects('Namespace'));
  return [
    ...rights(IN_CLUSTER, ''),
    ...realms.flatMap((namespace) => rights(IN_REALMS, namespace)),
    ...(judge.objects('Fleet').length > 0 ? rights(IN_INSTANCES, NAMESPACES.instances) : []),
    // Worlds that may sleep: the broker stops and starts each of them, and no other.
    ...judge
      .objects('StatefulSet')
      .filter((set) => maySleep(judge, set.metadata.labels?.[LABELS.realm]))
      .map(({ metadata: { namespace = '', name } }) => ({
        verb: 'patch',
        group: 'apps',
        resource: 'statefulsets',
        subresource: 'scale',
        namespace,
        name,
      })),
  ];
}

/** As the broker's own configuration has it. */
function maySleep(judge: Judge, realm: string | undefined): boolean {
  const [configuration = '{}'] = judge
    .objects('ConfigMap')
    .flatMap(({ metadata, data }) =>
      metadata.namespace === NAMESPACES.broker
        ? Object.values(data as Record<string, string>).filter((text) => text.includes('"realms"'))
        : [],
    );
  const { realms = [] } = JSON.parse(configuration) as { realms?: { name: string; sleepAfterMinutes?: number }[] };
  return realms.some(({ name, sleepAfterMinutes }) => name === realm && sleepAfterMinutes !== undefined);
}

/**
 * Namespaces that stand for all: where it has rights, where the most valuable things are, and one that is not ours. Each right and namespace is a request, and the rules
 * of every namespace are asked for as a whole besides.
 */
function telling(judge: Judge): string[] {
  const wanted = [NAMESPACES.broker, NAMESPACES.instances, NAMESPACES.database, 'argocd', ...realmNamespaces(judge.objects('Namespace'))];
  return [...wanted.filter((name) => namespacesOf(judge).includes(name)), 'kube-system'];
}

function namespacesOf(judge: Judge): string[] {
  return [...judge.objects('Namespace').map((namespace) => namespace.metadata.name), 'default', 'kube-system'];
}

function rights(table: typeof FORBIDDEN, namespace: string): Right[] {
  return table.flatMap(([group, path, verbs]) => {
    const [resource = '', subresource] = path.split('/');
    return verbs.map((verb) => ({ verb, group, resource, subresource, namespace }));
  });
}

async function may(client: Client, { verb, group, resource, subresource, namespace, name }: Right): Promise<boolean> {
  const { body } = await client.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb, group, resource, subresource, namespace, name } },
  });
  return body.status.allowed === true;
}

/** Every rule, one right each. */
async function rulesOf(client: Client, namespace: string): Promise<string[]> {
  const { body } = await client.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    spec: { namespace },
  });
  interface Rule {
    readonly verbs: readonly string[];
    readonly apiGroups?: readonly string[];
    readonly resources?: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly nonResourceURLs?: readonly string[];
  }
  const resources = (body.status.resourceRules as Rule[]).flatMap(({ verbs, apiGroups = [], resources: names = [], resourceNames = [] }) =>
    verbs.flatMap((verb) =>
      apiGroups.flatMap((group) =>
        names.flatMap((name) => {
          const rule = ruleName(verb, group, name);
          return resourceNames.length === 0 ? [rule] : resourceNames.map((each) => `${rule} named ${each}`);
        }),
      ),
    ),
  );
  const urls = (body.status.nonResourceRules as Rule[]).flatMap(({ verbs, nonResourceURLs = [] }) =>
    verbs.flatMap((verb) => nonResourceURLs.map((url) => `${verb} ${url}`)),
  );
  return [...resources, ...urls];
}

async function tokenOf(client: Client, namespace: string, name: string): Promise<string> {
  const request: PlainObject = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: { name }, spec: {} };
  const { body } = await client.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, request);
  return body.status.token;
}

function nameOf(right: Right): string {
  return `${ruleOf(right)} in ${right.namespace === '' ? 'the whole cluster' : right.namespace}`;
}

/** A right as the server's own list of rules says it, without the namespace. */
function ruleOf({ verb, group, resource, subresource, name }: Right): string {
  const rule = ruleName(verb, group, subresource === undefined ? resource : `${resource}/${subresource}`);
  return name === undefined ? rule : `${rule} named ${name}`;
}

function ruleName(verb: string, group: string, resource: string): string {
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}`;
}
