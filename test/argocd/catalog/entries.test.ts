/**
 * What the values of each upstream chart must say for our own reasons: addresses, entry points, client addresses, what is off.
 * It deliberately renders nothing; that charts understand these values is for `npm run charts:verify`.
 */
import { agones, agonesCertificates } from '../../../argocd/catalog/agones';
import { argoCd, repositoryPorts, syncTimeoutSeconds } from '../../../argocd/catalog/argo-cd';
import { certManager } from '../../../argocd/catalog/cert-manager';
import { metallb } from '../../../argocd/catalog/metallb';
import { metricsServer } from '../../../argocd/catalog/metrics-server';
import { sealedSecrets } from '../../../argocd/catalog/sealed-secrets';
import { entryPointPorts, traefik } from '../../../argocd/catalog/traefik';
import { ownHealthKinds } from '../../../argocd/health';
import { exampleHomelab } from '../../examples';
import { homelab, homelabWith, local } from './clusters';

/** The value at a path; keys with dots are given as they are. */
function at(values: object, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((each, key) => (each as Record<string | number, unknown> | undefined)?.[key], values);
}

describe('Traefik', () => {
  const values = traefik.values(homelab);

  test("has the players' address on its Service, pinned", () => {
    expect(at(values, 'service', 'annotations', 'metallb.io/loadBalancerIPs')).toBe(homelab.network.ingress);
  });

  test("has the admins' address on a second Service, pinned", () => {
    expect(at(values, 'service', 'additionalServices', 'admin', 'annotations', 'metallb.io/loadBalancerIPs')).toBe(
      homelab.network.adminIngress,
    );
  });

  test('keeps the addresses of clients on both', () => {
    expect([
      at(values, 'service', 'spec', 'externalTrafficPolicy'),
      at(values, 'service', 'additionalServices', 'admin', 'spec', 'externalTrafficPolicy'),
    ]).toEqual(['Local', 'Local']);
  });

  test('exposes the admin entry point in the admin Service alone', () => {
    expect(at(values, 'ports', 'admin', 'expose')).toEqual({ admin: true });
  });

  test('lets private networks alone reach the admin entry point', () => {
    const sources = traefik
      .flows(homelab)
      .filter((flow) => flow.ports.some((port) => port.port === entryPointPorts.admin))
      .map((flow) => flow.from);
    expect(sources).toEqual(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map((cidr) => ({ outside: 'address', cidr })));
  });

  test('trusts no forwarded headers', () => {
    expect(JSON.stringify(values)).not.toMatch(/forwardedHeaders|trustedIPs|proxyProtocol/);
  });

  test('waits for the address pools where there is a load balancer', () => {
    expect(traefik.needs(homelab)).toContain('metallb-config');
  });

  test('waits for no address pools where there is none', () => {
    expect(traefik.needs(local)).not.toContain('metallb-config');
  });

  test('listens on ports of the node where there is no load balancer', () => {
    const ports = traefik.values(local);
    expect(['web', 'websecure', 'admin'].map((name) => at(ports, 'ports', name, 'hostPort'))).toEqual([80, 443, entryPointPorts.admin]);
  });

  test('opens no port of a node where there is a load balancer', () => {
    expect(JSON.stringify(values)).not.toContain('hostPort');
  });

  test('frees a port of the node before it starts the next pod', () => {
    expect(at(traefik.values(local), 'updateStrategy', 'rollingUpdate')).toEqual({ maxUnavailable: 1, maxSurge: 0 });
  });

  test('has one replica and no budget on a single node, which could never be drained otherwise', () => {
    const single = traefik.values({ ...homelab, nodes: homelab.nodes.slice(0, 1) });
    expect([at(single, 'deployment', 'replicas'), at(single, 'podDisruptionBudget')]).toEqual([1, undefined]);
  });

  test('has two replicas and a budget on several nodes', () => {
    const several = traefik.values({ ...homelab, nodes: homelab.nodes.slice(0, 2) });
    expect([at(several, 'deployment', 'replicas'), at(several, 'podDisruptionBudget', 'maxUnavailable')]).toEqual([2, 1]);
  });
});

describe('Agones', () => {
  const values = agones.values(homelab);

  test('serves the namespace of instances', () => {
    expect(at(values, 'gameservers', 'namespaces')).toEqual(['instances']);
  });

  test('hands out the ports that the router forwards', () => {
    expect([at(values, 'gameservers', 'minPort'), at(values, 'gameservers', 'maxPort')]).toEqual([
      homelab.network.instancePorts.first,
      homelab.network.instancePorts.last,
    ]);
  });

  test('is left out of a cluster without instanced content', () => {
    expect(agones.enabled?.(homelabWith({ instances: [] }))).toBe('the cluster has no instanced content (instances is empty)');
  });

  test('never deletes game servers when the chart goes', () => {
    expect(at(values, 'agones', 'crds', 'cleanupOnDelete')).toBe(false);
  });

  test.each(['controller', 'extensions'])('makes no certificate for the %s at render', (part) => {
    expect(['generateTLS', 'disableSecret'].map((key) => at(values, 'agones', part, key))).toEqual([false, true]);
  });

  test.each(['allocationApiService', 'validatingWebhook', 'mutatingWebhook'])(
    'has the CA of its certificate injected into the %s',
    (target) => {
      const [certificate] = agonesCertificates;
      expect(at(values, 'agones', 'controller', target)).toEqual({
        annotations: { 'cert-manager.io/inject-ca-from': `${certificate.namespace}/${certificate.name}` },
        disableCaBundle: true,
      });
    },
  );

  test('has a certificate for the name that the API server calls', () => {
    const [service] = agones.provides(homelab).services;
    expect(agonesCertificates[0].dnsNames).toContain(`${service?.name}.${agones.namespace}.svc`);
  });

  test('has a budget for its single replica that lets a node be drained', () => {
    expect([at(values, 'agones', 'extensions', 'replicas'), at(values, 'agones', 'extensions', 'pdb', 'minAvailable')]).toEqual([1, '0%']);
  });
});

describe('Argo CD', () => {
  const values = argoCd.values(homelab);

  test('knows every health check of ours', () => {
    const keys = Object.keys(at(values, 'configs', 'cm') as object);
    expect(
      ownHealthKinds.map((kind) => `resource.customizations.health.${kind.replace('/', '_')}`).filter((key) => !keys.includes(key)),
    ).toEqual([]);
  });

  test('is reached at its admin host', () => {
    expect(at(values, 'global', 'domain')).toBe(homelab.hosts.argocd);
  });

  test('gives its renderer no token for the API server', () => {
    expect(at(values, 'repoServer', 'automountServiceAccountToken')).toBe(false);
  });

  test('accepts exactly the hooks that make the password of Redis', () => {
    expect(Object.keys(argoCd.acceptedHooks ?? {})).toEqual(
      ['ServiceAccount', 'Role', 'RoleBinding', 'Job'].map((kind) => `${kind}/argocd-redis-secret-init`),
    );
  });

  test.each([
    ['https://github.com/you/mmo.git', [443]],
    ['https://git.home.example:8443/you/mmo.git', [443, 8443]],
    ['ssh://git@git.home.example:2222/you/mmo.git', [443, 2222]],
    ['ssh://git@git.home.example/you/mmo.git', [443, 22]],
    ['git@github.com:you/mmo.git', [443, 22]],
  ])('fetches %s over the ports %j', (repository, ports) => {
    expect(repositoryPorts({ git: { repository, revision: 'main' } }).map((port) => port.port)).toEqual(ports);
  });
});

describe('cert-manager', () => {
  test('keeps its leases out of kube-system', () => {
    expect(at(certManager.values(homelab), 'global', 'leaderElection', 'namespace')).toBe('cert-manager');
  });

  test('asks public resolvers about DNS-01 challenges', () => {
    const certificates = { issuer: 'letsencrypt' as const, email: 'you@example.org', dns01: { cloudflare: { zone: 'homelab.io' } } };
    const cluster = homelabWith({ certificates });
    expect(at(certManager.values(cluster), 'dns01RecursiveNameservers')).toBe(
      cluster.dns.upstreams.map((address) => `${address}:53`).join(','),
    );
  });

  test('reaches those resolvers', () => {
    const certificates = { issuer: 'letsencrypt' as const, email: 'you@example.org', dns01: { cloudflare: { zone: 'homelab.io' } } };
    const cluster = homelabWith({ certificates });
    const addresses = certManager
      .flows(cluster)
      .flatMap((flow) => ('outside' in flow.to && flow.to.outside === 'address' ? [flow.to.cidr] : []));
    expect(addresses).toEqual(cluster.dns.upstreams.map((address) => `${address}/32`));
  });

  test('needs no way to the Internet where the cluster signs for itself', () => {
    expect(certManager.flows(local).filter((flow) => 'outside' in flow.to && flow.to.outside === 'internet')).toEqual([]);
  });
});

test('MetalLB runs no FRR', () => {
  expect(at(metallb.values(homelab), 'frrk8s')).toEqual({ enabled: false });
});

test('Sealed Secrets never makes a new key by itself', () => {
  expect(at(sealedSecrets.values(homelab), 'keyrenewperiod')).toBe('0');
});

test('metrics-server is left out where the distribution brings it', () => {
  const kubernetes = { ...homelab.kubernetes, metricsServer: 'provided' as const };
  expect(metricsServer.enabled?.(homelabWith({ kubernetes }))).toBe(
    'the distribution brings metrics-server (kubernetes.metricsServer is "provided")',
  );
});

describe('the time that a sync may take', () => {
  const [aurora, ...others] = exampleHomelab.realms ?? [];
  const inTurns = (continents: number, updates: object) =>
    homelabWith({
      game: { ...exampleHomelab.game, announceSeconds: 600 },
      realms: [
        {
          ...aurora,
          updates,
          exposure: { type: 'shared-address', address: '192.168.1.245' },
          continents: Array.from({ length: continents }, (_, index) => ({ name: `land-${index}`, port: 41_000 + index, order: index + 1 })),
        },
        ...others,
      ],
    } as never);

  test('is an hour', () => {
    expect(syncTimeoutSeconds(homelab)).toBe(3600);
  });

  test('is longer where the worlds of a realm may need longer for their turns', () => {
    // Each turn is 690 s to stop and 600 s to load.
    expect([
      syncTimeoutSeconds(inTurns(2, { strategy: 'one-continent-at-a-time' })),
      syncTimeoutSeconds(inTurns(3, { strategy: 'one-continent-at-a-time' })),
      syncTimeoutSeconds(inTurns(2, { strategy: 'canary-first', soakMinutes: 30 })),
    ]).toEqual([3600, 7200, 7200]);
  });
});
