/**
 * The objects of worlds' backups in the examples: schedules, repositories, rights and keys.
 * It deliberately restores nothing; that is test/restore.
 */
import { worldBackups } from '../../charts/world-backups';
import { resolveCluster } from '../../lib/model/cluster';
import { validateObject } from '../../lib/schemas';
import { type Built, built, homelab, homelabWith, local, masked } from './game-harness';

describe('backups of worlds', () => {
  let example: Built;
  beforeAll(() => {
    example = built(worldBackups, homelab);
  });

  test('every object of the example is valid against its schema', () => {
    expect(
      example.objects.flatMap((object) =>
        validateObject(object).map((v) => `${object.kind} ${object.metadata.name} ${v.path}: ${v.message}`),
      ),
    ).toEqual([]);
  });

  test('a Schedule looks like this', () => {
    expect(masked(example.get('Schedule', 'realm-aurora/world-backup'))).toMatchSnapshot();
  });

  test('the pods of backups look like this', () => {
    expect(masked(example.get('PodConfig', 'realm-aurora/world-backup'))).toMatchSnapshot();
  });

  test('backups run as the user of the worlds, who alone may read their files', () => {
    const { securityContext } = example.get('PodConfig', 'realm-aurora/world-backup').spec.template.spec;
    const { user } = example.cluster.game;
    expect([securityContext.runAsUser, securityContext.fsGroup]).toEqual([user, user]);
  });

  test('resources are in the pod template, because K8up’s merge drops those of the Schedule', () => {
    const [container] = example.get('PodConfig', 'realm-aurora/world-backup').spec.template.spec.containers;
    expect(container.resources).toEqual({ requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '1Gi' } });
  });

  test('backups may not execute commands in pods', () => {
    const resources = example.get('Role', 'realm-aurora/world-backup').rules.flatMap((rule: { resources: string[] }) => rule.resources);
    expect(resources).toEqual(['pods', 'snapshots']);
  });

  test('each realm has a repository of its own', () => {
    expect(['aurora', 'borealis'].map((name) => example.get('Schedule', `realm-${name}/world-backup`).spec.backend.s3.bucket)).toEqual([
      'worlds-of-mine/worlds/aurora',
      'worlds-of-mine/worlds/borealis',
    ]);
  });

  test('each realm has a password of its own, which is never lost to a sync', () => {
    const passwords = example.secrets.filter((spec) => spec.name === 'world-backup-encryption');
    expect(passwords.map((spec) => [spec.keys.password?.value, spec.protected])).toEqual([
      ['backups/world/restic-password/aurora', true],
      ['backups/world/restic-password/borealis', true],
    ]);
  });

  test('what a restore needs is never lost to a sync', () => {
    expect(example.secrets.filter((spec) => !spec.protected)).toEqual([]);
  });

  test('the credentials of the store are asked for once for all realms', () => {
    const values = example.secrets
      .filter((spec) => spec.name === 'world-backup-store')
      .map((spec) => Object.values(spec.keys).map((key) => key.value));
    expect(values).toEqual([
      ['backups/s3/access-key-id', 'backups/s3/secret-access-key'],
      ['backups/s3/access-key-id', 'backups/s3/secret-access-key'],
    ]);
  });

  test('the Schedule names only Secrets that are sealed with it', () => {
    const { backend } = example.get('Schedule', 'realm-aurora/world-backup').spec;
    const references = [backend.repoPasswordSecretRef, backend.s3.accessKeyIDSecretRef, backend.s3.secretAccessKeySecretRef];
    const keys = example.secrets
      .filter((spec) => spec.namespace === 'realm-aurora')
      .flatMap((spec) => Object.keys(spec.keys).map((key) => `${spec.name}/${key}`));
    expect(references.map((each) => `${each.name}/${each.key}`).sort()).toEqual(keys.sort());
  });

  test('a retention of zero is left out, since restic would read it as a rule', () => {
    const plain = built(
      worldBackups,
      homelabWith({ backups: { endpoint: 'https://s3.example.com', bucket: 'mine', worldRetention: { daily: 3, weekly: 0, monthly: 0 } } }),
    );
    expect(plain.get('Schedule', 'realm-aurora/world-backup').spec.prune.retention).toEqual({ keepLast: 12, keepDaily: 3 });
  });

  test('a retired realm is backed up as long as its volume is there', () => {
    const [aurora] = homelab.realms ?? [];
    const retired = built(worldBackups, homelabWith({ realms: aurora ? [{ ...aurora, state: 'retired' }] : [] }));
    expect(retired.find('Schedule', 'realm-aurora/world-backup')).toBeDefined();
  });

  test('backup pods reach the store and the API server, and nothing reaches them', () => {
    const flows = (worldBackups.flows?.(example.cluster) ?? []).filter(
      (flow) => 'namespace' in flow.from && flow.from.namespace === 'realm-aurora',
    );
    expect(flows.map((flow) => [flow.to, flow.ports])).toEqual([
      [{ outside: 'internet' }, [{ port: 443 }]],
      [{ outside: 'api-server' }, [{ port: 6443 }]],
    ]);
  });

  test('a store on a port of its own is reached on that port', () => {
    const cluster = resolveCluster(homelabWith({ backups: { endpoint: 'https://s3.example.com:9000', bucket: 'mine' } }));
    expect(worldBackups.flows?.(cluster)[0]?.ports).toEqual([{ port: 9000 }]);
  });

  test('without a store the component says what that means', () => {
    expect(worldBackups.enabled?.(resolveCluster(local))).toBe(
      'the cluster has no backup store (backups is not set): a lost disk loses its worlds',
    );
  });

  test('the alerts look like this', () => {
    const rules = example.get('PrometheusRule', 'monitoring/world-backups').spec.groups[0].rules;
    expect(rules.map((rule: { alert: string; expr: string; for?: string }) => [rule.alert, rule.expr, rule.for])).toMatchSnapshot();
  });
});
