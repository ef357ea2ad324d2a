/**
 * Cases of the check `least-privilege`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { leastPrivilege } from '../../lib/checks/least-privilege';
import { changed, excepting, sentencesOf, withMore, without } from './fixture';

const sentences = (objects?: Parameters<typeof sentencesOf>[1]) => sentencesOf(leastPrivilege, objects);
const ROLE = 'Role realm-aurora/connect-broker';
const BINDING = 'RoleBinding realm-aurora/connect-broker';
const role = (rule: object) => changed(ROLE, ({ rules }) => void rules.push(rule));

describe('least-privilege', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it.each(['apiGroups', 'resources', 'verbs'])('refuses a wildcard in %s', (list) => {
    const rule = { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['get'], [list]: ['*'] };
    expect(sentences(role(rule)).map((sentence) => sentence.split(': ')[0])).toEqual([`${ROLE} rules[1].${list}`]);
  });

  it('says what a wildcard gives', () => {
    expect(sentences(role({ apiGroups: ['apps'], resources: ['*'], verbs: ['get'] }))).toEqual([
      "Role realm-aurora/connect-broker rules[1].resources: '*' in resources gives everything there is, and whatever a later version adds.",
    ]);
  });

  it('refuses a wildcard of subresources', () => {
    expect(sentences(role({ apiGroups: [''], resources: ['pods/*'], verbs: ['get'] }))).toHaveLength(1);
  });

  it.each(['secrets', 'pods/exec', 'pods/attach', 'pods/portforward', 'pods/ephemeralcontainers', 'serviceaccounts/token', 'nodes/proxy'])(
    'refuses the right to %s',
    (resource) => {
      expect(sentences(role({ apiGroups: [''], resources: [resource], verbs: ['get'] }))).toHaveLength(1);
    },
  );

  it('says what the right to Secrets gives', () => {
    expect(sentences(role({ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }))).toEqual([
      "Role realm-aurora/connect-broker rules[1].resources: The right to 'secrets' reads every password and key of the namespace; mount the one that is needed.",
    ]);
  });

  it.each(['escalate', 'bind', 'impersonate'])('refuses the verb %s', (verb) => {
    expect(sentences(role({ apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: [verb] }))).toHaveLength(1);
  });

  it('refuses a right in the whole cluster that is not declared', () => {
    const objects = changed(
      'ClusterRole connect-broker-token-review',
      ({ rules }) => void rules.push({ apiGroups: [''], resources: ['pods'], verbs: ['list'] }),
    );
    expect(sentences(objects)).toEqual(["ClusterRole connect-broker-token-review rules[1]: It gives list on 'pods' in the whole cluster."]);
  });

  it('refuses another verb on what is declared', () => {
    const objects = changed('ClusterRole connect-broker-token-review', ({ rules }) => void rules[0].verbs.push('delete'));
    expect(sentences(objects)).toEqual([
      "ClusterRole connect-broker-token-review rules[0]: It gives delete on 'tokenreviews' of authentication.k8s.io in the whole cluster.",
    ]);
  });

  it('refuses a ClusterRole that takes in others', () => {
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] };
    const objects = withMore('connect-broker', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'a' },
      aggregationRule,
    });
    expect(sentences(objects)).toEqual([
      'ClusterRole a aggregationRule: It takes in the rules of every ClusterRole with a label: anybody who makes one adds to it.',
    ]);
  });

  it('refuses to bind a ClusterRole that is not ours in the whole cluster', () => {
    const objects = changed('ClusterRoleBinding connect-broker-token-review', ({ roleRef }) => {
      roleRef.name = 'cluster-admin';
    });
    expect(sentences(objects)).toEqual([
      "ClusterRoleBinding connect-broker-token-review roleRef.name: It gives the ClusterRole 'cluster-admin', which is none of ours, in the whole cluster.",
    ]);
  });

  it("refuses to bind the cluster's own ClusterRoles in a namespace", () => {
    const objects = changed(BINDING, ({ roleRef }) => void Object.assign(roleRef, { kind: 'ClusterRole', name: 'edit' }));
    expect(sentences(objects)).toEqual([
      "RoleBinding realm-aurora/connect-broker roleRef.name: It gives the ClusterRole 'edit', which is none of ours and may change with the cluster's version.",
    ]);
  });

  it('refuses a binding to a ServiceAccount that does not exist', () => {
    expect(
      sentences(
        changed(BINDING, ({ subjects }) => {
          subjects[0].namespace = 'broker';
        }),
      ),
    ).toEqual([
      "RoleBinding realm-aurora/connect-broker subjects[connect-broker]: The ServiceAccount 'broker/connect-broker' does not exist: whoever may make it has the rights.",
    ]);
  });

  it('takes a ServiceAccount that a chart brings', () => {
    const objects = changed(BINDING, ({ subjects }) => void Object.assign(subjects[0], { name: 'agones-sdk', namespace: 'instances' }));
    expect(sentences(objects)).toEqual([]);
  });

  it('refuses a binding to a group', () => {
    const group = { kind: 'Group', name: 'system:authenticated', apiGroup: 'rbac.authorization.k8s.io' };
    expect(
      sentences(
        changed(BINDING, (manifest) => {
          manifest.subjects = [group];
        }),
      ),
    ).toEqual([
      "RoleBinding realm-aurora/connect-broker subjects[system:authenticated]: It gives rights to the Group 'system:authenticated'; people and groups are not this repository's.",
    ]);
  });

  it('refuses a binding to nobody', () => {
    expect(sentences(changed(BINDING, (manifest) => void delete manifest.subjects))).toEqual([
      'RoleBinding realm-aurora/connect-broker subjects: It gives its rights to nobody.',
    ]);
  });

  it('refuses a token that opens nothing', () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => {
      spec.template.spec.automountServiceAccountToken = true;
    });
    expect(sentences(objects)).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.automountServiceAccountToken: It mounts a token of ServiceAccount 'realm-aurora/eldermoor', which no binding gives any right.",
    ]);
  });

  it('takes a token that a binding in another namespace gives rights', () => {
    expect(sentences(without('ClusterRoleBinding connect-broker-token-review'))).toEqual([]);
  });

  it('lets a Role depart with an exception', () => {
    const objects = role({ apiGroups: [''], resources: ['secrets'], verbs: ['get'] });
    expect(sentences(excepting(objects, ROLE, { rule: 'least-privilege', field: 'rules[1].resources', reason: 'a test' }))).toEqual([]);
  });
});
