/** Pi-hole: what the image really needs, said as exceptions, and nothing that would make its records read-only or its pod ask itself. */
import { externalDns } from '../../argocd/catalog/external-dns';
import { EXTERNAL_DNS_PASSWORD, pihole } from '../../charts/pihole';
import { EXCEPTIONS_ANNOTATION } from '../../lib/emit/manifest';
import { resolveCluster } from '../../lib/model/cluster';
import { validateObject } from '../../lib/schemas';
import { exampleHomelab as homelab, exampleLocal as local } from '../examples';
import { built, homelabWith, masked, podOf } from './game-harness';

const { objects, secrets, get, cluster } = built(pihole, homelab);
const statefulSet = get('StatefulSet', 'pihole/pihole');
const pod = podOf(statefulSet).spec;
const [container] = pod.containers;
const env = new Map<string, { value?: string; valueFrom?: object }>(container.env.map((each: { name: string }) => [each.name, each]));

/** Capabilities that the level baseline lets a container add (Kubernetes' Pod Security Standards). */
const BASELINE = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

test('the StatefulSet of the example', () => {
  expect(masked(statefulSet.spec)).toMatchSnapshot();
});

test('the Services of the example', () => {
  expect(objects.filter(({ kind }) => kind === 'Service')).toMatchSnapshot();
});

test('every object is valid against the schemas', () => {
  expect(objects.flatMap(validateObject)).toEqual([]);
});

test('DNS is served over TCP and UDP on one pinned address', () => {
  const { metadata, spec } = get('Service', 'pihole/pihole');
  expect(metadata.annotations).toEqual({ 'metallb.io/address-pool': 'ingress', 'metallb.io/loadBalancerIPs': '192.168.1.241' });
  expect(spec.ports.map(({ port, protocol }: { port: number; protocol?: string }) => [port, protocol ?? 'TCP'])).toEqual([
    [53, 'TCP'],
    [53, 'UDP'],
  ]);
});

test('DNS keeps the addresses of clients and opens no port on every node', () => {
  expect(get('Service', 'pihole/pihole').spec).toMatchObject({ externalTrafficPolicy: 'Local', allocateLoadBalancerNodePorts: false });
});

test('it answers clients outside of its own subnet', () => {
  expect(env.get('FTLCONF_dns_listeningMode')?.value).toBe('ALL');
});

test('no record is set by environment, which would make records read-only to ExternalDNS', () => {
  expect([...env.keys()].filter((name) => /^FTLCONF_(dns_hosts|dns_cnameRecords|misc_readOnly)/i.test(name))).toEqual([]);
});

test('several upstreams are separated by semicolons', () => {
  expect(env.get('FTLCONF_dns_upstreams')?.value).toBe('9.9.9.9;149.112.112.112');
});

test('the pod asks the upstreams and never itself', () => {
  expect([pod.dnsPolicy, pod.dnsConfig]).toEqual(['None', { nameservers: ['9.9.9.9', '149.112.112.112'] }]);
});

test('it neither serves nor sets the time, which would need more rights', () => {
  expect(['ipv4', 'ipv6', 'sync'].map((part) => env.get(`FTLCONF_ntp_${part}_active`)?.value)).toEqual(['false', 'false', 'false']);
});

test('a missing password stops the start instead of being made up', () => {
  expect(env.get('FTLCONF_webserver_api_password')?.valueFrom).toEqual({ secretKeyRef: { name: 'pihole-password', key: 'password' } });
});

test('ExternalDNS has the same password, under the name that its chart is told', () => {
  const [password] = secrets;
  expect(Object.values(EXTERNAL_DNS_PASSWORD.keys).map(({ value }) => value)).toEqual(
    Object.values(password?.keys ?? {}).map(({ value }) => value),
  );
  expect(externalDns.secrets?.(cluster)).toEqual({
    [`${EXTERNAL_DNS_PASSWORD.namespace}/${EXTERNAL_DNS_PASSWORD.name}`]: Object.keys(EXTERNAL_DNS_PASSWORD.keys),
  });
});

test('ExternalDNS finds the Service and the port that its chart is told', () => {
  const { extraArgs } = externalDns.values(cluster) as { extraArgs: Record<string, string> };
  expect(extraArgs['pihole-server']).toBe('http://pihole-web.pihole.svc.cluster.local');
  expect(get('Service', 'pihole/pihole-web').spec.ports).toEqual([{ name: 'http', port: 80 }]);
});

test('its capabilities are within what the namespace admits', () => {
  expect(container.securityContext.capabilities.add.filter((each: string) => !BASELINE.includes(each))).toEqual([]);
  expect(container.securityContext.capabilities.drop).toEqual(['ALL']);
});

test.each([
  'spec.template.spec.securityContext.runAsNonRoot',
  'spec.template.spec.securityContext.runAsUser',
  'spec.template.spec.containers[pihole].securityContext.allowPrivilegeEscalation',
  'spec.template.spec.containers[pihole].securityContext.capabilities.add',
  'spec.template.spec.containers[pihole].securityContext.readOnlyRootFilesystem',
])('the departure %s is shown with its reason', (field) => {
  expect(statefulSet.metadata.annotations?.[EXCEPTIONS_ANNOTATION]).toContain(`pod-security ${field}: `);
});

test('every capability has its reason', () => {
  const shown = statefulSet.metadata.annotations?.[EXCEPTIONS_ANNOTATION] ?? '';
  expect(container.securityContext.capabilities.add.filter((each: string) => !shown.includes(`${each}: `))).toEqual([]);
});

test('it runs under seccomp and without a token of the API', () => {
  expect([pod.securityContext.seccompProfile, pod.automountServiceAccountToken]).toEqual([{ type: 'RuntimeDefault' }, false]);
});

test('its probes ask for a name that it answers itself, so that an upstream that is down restarts nothing', () => {
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
    expect(container[probe].exec.command).toEqual(expect.arrayContaining(['+norecurse', '@127.0.0.1', 'pi.hole']));
  }
});

test('the first start has time to download the block lists', () => {
  expect(container.startupProbe.failureThreshold * 10).toBeGreaterThanOrEqual(600);
});

test('its volume survives pruning, deletion and scaling', () => {
  expect(statefulSet.metadata.annotations?.['argocd.argoproj.io/sync-options']).toBe('Prune=false,Delete=false');
  expect(statefulSet.spec.persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted: 'Retain', whenScaled: 'Retain' });
});

test('its claim template is complete, so that Argo CD sees no drift', () => {
  expect(statefulSet.spec.volumeClaimTemplates[0]).toMatchObject({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    spec: { volumeMode: 'Filesystem' },
  });
});

test('every mount has a volume or a claim', () => {
  const have = [...pod.volumes, ...statefulSet.spec.volumeClaimTemplates.map(({ metadata }: { metadata: object }) => metadata)].map(
    ({ name }) => name,
  );
  expect(container.volumeMounts.map(({ name }: { name: string }) => name).filter((name: string) => !have.includes(name))).toEqual([]);
});

test('the web page is for admins alone', () => {
  expect(get('IngressRoute', 'pihole/pihole').spec.entryPoints).toEqual(['admin']);
});

test('anybody in the LAN may ask, only Traefik and ExternalDNS may open the web page', () => {
  const into = (port: number) =>
    pihole
      .flows?.(cluster)
      .filter(({ to, ports }) => 'name' in to && to.name === 'pihole' && ports.some((each) => each.port === port))
      .map(({ from }) => ('outside' in from ? from.outside : 'namespace' in from ? from.namespace : 'group'));
  expect(into(53)).toEqual(['anywhere']);
  expect(into(80)).toEqual(['traefik', 'external-dns']);
});

test('it asks exactly the upstreams of the description', () => {
  const asked = pihole
    .flows?.(resolveCluster(homelabWith({ dns: { upstreams: ['1.1.1.1'] } })))
    .flatMap(({ to, ports }) => ('outside' in to && to.outside === 'address' ? [[to.cidr, ports.map(({ port }) => port)]] : []));
  expect(asked).toEqual([['1.1.1.1/32', [53, 53]]]);
});

test('a cluster without an address for it has none, and says why', () => {
  expect(pihole.enabled?.(resolveCluster(local))).toBe('network.dns is not set: Pi-hole needs an address of its own in the LAN');
});

test('the namespaces of Pi-hole and ExternalDNS are as strict as each can be', () => {
  expect(pihole.namespaces?.(cluster)).toEqual([
    { name: 'pihole', podSecurity: 'baseline', because: expect.stringContaining('root') },
    { name: 'external-dns', podSecurity: 'restricted' },
  ]);
});
