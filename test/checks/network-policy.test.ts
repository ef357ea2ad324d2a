/**
 * Cases of the check `network-policy`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { networkPolicy } from '../../lib/checks/network-policy';
import type { PlainObject } from '../../lib/emit/manifest';
import { changed, charts, excepting, flows, goodObjects, sentencesOf, violationsOf, withMore, without } from './fixture';

const check = networkPolicy;
const policy = 'NetworkPolicy connect-broker/connect-broker';
const traefik = 'pods(app=traefik) of namespace traefik';

describe('network policies', () => {
  it('are right in a whole cluster', () => {
    expect(sentencesOf(check)).toEqual([]);
  });

  it('deny by default in every namespace', () => {
    expect(sentencesOf(check, without('NetworkPolicy connect-broker/default-deny'))).toEqual([
      "Namespace connect-broker metadata.name: The namespace 'connect-broker' has no NetworkPolicy 'default-deny'.",
    ]);
  });

  it('allow the DNS in every namespace', () => {
    expect(sentencesOf(check, without('NetworkPolicy connect-broker/allow-dns'))).toEqual([
      "Namespace connect-broker metadata.name: The namespace 'connect-broker' has no NetworkPolicy 'allow-dns'.",
    ]);
  });

  it.each<[string, string, (spec: PlainObject['spec']) => void]>([
    [
      'default-deny with a rule',
      'default-deny',
      (spec) => {
        spec.ingress = [{}];
      },
    ],
    [
      'default-deny in one direction',
      'default-deny',
      (spec) => {
        spec.policyTypes = ['Ingress'];
      },
    ],
    [
      'default-deny of some pods',
      'default-deny',
      (spec) => {
        spec.podSelector = { matchLabels: { app: 'connect-broker' } };
      },
    ],
    [
      'allow-dns to everybody',
      'allow-dns',
      (spec) => {
        delete spec.egress[0].to;
      },
    ],
  ])('refuse %s', (_, name, change) => {
    const found = violationsOf(
      check,
      changed(`NetworkPolicy connect-broker/${name}`, ({ spec }) => change(spec)),
    );
    expect(found.map(({ object, field }) => `${object} ${field}`)).toEqual([`NetworkPolicy connect-broker/${name} spec`]);
  });

  it('select every pod of ours', () => {
    const objects = withMore('realms', {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'drill', namespace: 'realm-aurora' },
      spec: {
        schedule: '0 4 * * 0',
        jobTemplate: { spec: { template: { metadata: { labels: { app: 'drill' } }, spec: { containers: [] } } } },
      },
    });
    expect(sentencesOf(check, objects)).toEqual([
      'CronJob realm-aurora/drill spec.jobTemplate.spec.template.metadata.labels: No NetworkPolicy selects the pods of CronJob realm-aurora/drill (app=drill): they may ask the DNS and nothing else, and nobody may reach them.',
    ]);
  });

  it('select every pod of an upstream chart', () => {
    const more = charts.map((chart) =>
      chart.name === 'k8up'
        ? {
            ...chart,
            provides: () => ({
              ...chart.provides({} as never),
              pods: [{ name: 'cleanup', kind: 'Job' as const, labels: { app: 'cleanup' }, ports: [] }],
            }),
          }
        : chart,
    );
    expect(sentencesOf(check, goodObjects(), { charts: more })).toEqual([
      'Application argocd/k8up spec: No NetworkPolicy selects the pods of cleanup of chart k8up (app=cleanup): they may ask the DNS and nothing else, and nobody may reach them.',
    ]);
  });

  it('select every pod that an operator makes', () => {
    const objects = changed('NetworkPolicy realm-aurora/backup', ({ spec }) => {
      spec.podSelector.matchLabels = { 'k8up.io/type': 'backup' };
    });
    expect(sentencesOf(check, objects)[0]).toBe(
      'Schedule realm-aurora/worlds spec: No NetworkPolicy selects the pods of Jobs of Schedule realm-aurora/worlds (k8upjob=true): they may ask the DNS and nothing else, and nobody may reach them.',
    );
  });

  it('are not asked of pods in the host network, which no policy reaches', () => {
    const objects = withMore('metallb-config', {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'x', namespace: 'metallb-system' },
      spec: { selector: {}, template: { metadata: { labels: { app: 'x' } }, spec: { hostNetwork: true, containers: [] } } },
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('refuse a policy that no flow asks for', () => {
    const objects = withMore('realms', {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'debug', namespace: 'realm-aurora' },
      spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] },
    });
    expect(sentencesOf(check, objects)).toEqual([
      "NetworkPolicy realm-aurora/debug metadata.name: No flow of this cluster has an end 'debug' in namespace 'realm-aurora'; the policy allows what nobody declared.",
    ]);
  });

  it('refuse everybody where the flow names somebody', () => {
    const objects = changed(policy, ({ spec }) => {
      delete spec.ingress[0].from;
    });
    expect(sentencesOf(check, objects)).toEqual([
      `${policy} spec.ingress[0]: It allows traffic from anybody 8080/TCP, which no flow declares.`,
    ]);
  });

  it('refuse all addresses where the flow names the Internet', () => {
    const id = 'NetworkPolicy realm-aurora/backup';
    const objects = changed(id, ({ spec }) => {
      for (const { to } of spec.egress) for (const peer of to) delete peer.ipBlock.except;
    });
    expect(sentencesOf(check, objects)).toEqual([`${id} spec.egress[0]: It allows traffic to anybody 443/TCP, which no flow declares.`]);
  });

  it('refuse a port that no flow declares', () => {
    const objects = changed(policy, ({ spec }) => {
      spec.ingress[0].ports.push({ port: 9999, protocol: 'UDP' });
    });
    expect(sentencesOf(check, objects)).toEqual([
      `${policy} spec.ingress[0]: It allows traffic from ${traefik} 9999/UDP, which no flow declares.`,
    ]);
  });

  it('refuse a rule without ports, which means all of them', () => {
    const objects = changed(policy, ({ spec }) => {
      delete spec.ingress[0].ports;
    });
    expect(sentencesOf(check, objects)).toEqual([
      `${policy} spec.ingress[0]: It allows traffic from ${traefik} every port, which no flow declares.`,
      `${policy} spec.ingress: It does not allow traffic from ${traefik} 8080/TCP, which the flow from traefik/traefik to connect-broker/connect-broker (8080/TCP) declares.`,
    ]);
  });

  it('refuse a flow that one end does not allow', () => {
    const objects = changed(policy, ({ spec }) => {
      spec.ingress.shift();
    });
    expect(sentencesOf(check, objects)).toEqual([
      `${policy} spec.ingress: It does not allow traffic from ${traefik} 8080/TCP, which the flow from traefik/traefik to connect-broker/connect-broker (8080/TCP) declares.`,
    ]);
  });

  it('refuse a flow whose other end has no policy', () => {
    const here = { namespace: 'connect-broker', name: 'connect-broker', labels: { app: 'connect-broker' } };
    const there = { namespace: 'database', name: 'pooler', labels: { app: 'pooler' } };
    const objects = changed(policy, ({ spec }) => {
      spec.egress.push({
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'database' } },
            podSelector: { matchLabels: { app: 'pooler' } },
          },
        ],
        ports: [{ port: 6432 }],
      });
    });
    expect(sentencesOf(check, objects, { flows: [...flows, { from: here, to: there, ports: [{ port: 6432 }], because: '' }] })).toEqual([
      "Namespace database metadata.name: The declared flow from connect-broker/connect-broker to database/pooler (6432/TCP) has no NetworkPolicy 'pooler' in namespace 'database' that allows it.",
    ]);
  });

  it('refuse a policy that selects other pods than the flow says', () => {
    const objects = changed('NetworkPolicy realm-aurora/game-server', ({ spec }) => {
      spec.podSelector.matchLabels = { 'mmo/game-server': 'true' };
    });
    expect(sentencesOf(check, objects)).toEqual([
      "NetworkPolicy realm-aurora/game-server spec.podSelector: It selects mmo/game-server=true, but the flows say that 'game-server' is mmo/game-server=true, mmo/realm=aurora.",
    ]);
  });

  it('refuse rules of a direction that the policy does not speak of', () => {
    const objects = changed(policy, ({ spec }) => {
      spec.policyTypes = ['Ingress'];
    });
    expect(sentencesOf(check, objects)).toEqual([
      `${policy} spec.policyTypes: It has rules for egress, which 'policyTypes' does not name, so they mean nothing.`,
    ]);
  });

  it('accept the namespace of a peer said by its name, though it is their own', () => {
    const objects = changed('NetworkPolicy database/postgres', ({ spec }) => {
      for (const { from } of spec.ingress) {
        for (const peer of from) peer.namespaceSelector ??= { matchLabels: { 'kubernetes.io/metadata.name': 'database' } };
      }
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('may leave out a pod that says why', () => {
    const id = 'Job realm-aurora/x';
    const objects = withMore('realms', {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'x', namespace: 'realm-aurora' },
      spec: { template: { metadata: { labels: { app: 'x' } }, spec: { containers: [] } } },
    });
    const exception = { rule: check.id, field: 'spec.template.metadata.labels', reason: 'it computes and talks to nobody' };
    expect(sentencesOf(check, excepting(objects, id, exception))).toEqual([]);
  });
});
