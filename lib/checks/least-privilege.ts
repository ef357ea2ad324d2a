/**
 * Rights are exactly those that somebody uses: no wildcards, no Secrets, no way to more rights, one right in the whole cluster, and bindings and tokens only in pairs.
 * It deliberately judges the rights of ours; what upstream charts give their operators is reviewed with the chart's version.
 */
import type { BuiltObject } from '../build';
import { inventoryOf } from './inventory';
import { boundServiceAccounts, serviceAccountOf } from './pods';
import { Report } from './report';
import type { Check, CheckInput } from './types';

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** The only rights that go beyond one namespace, `<group>/<resource>`: verbs. TokenReviews have no namespace. */
const CLUSTER_WIDE: Readonly<Record<string, readonly string[]>> = { 'authentication.k8s.io/tokenreviews': ['create'] };

/** Resources that are rights in themselves: whoever has them has, in the end, everything in the namespace. */
const REFUSED_RESOURCES: Readonly<Record<string, string>> = {
  secrets: 'reads every password and key of the namespace; mount the one that is needed',
  'pods/exec': 'runs commands in every pod of the namespace',
  'pods/attach': 'types into every pod of the namespace',
  'pods/portforward': 'reaches every port of every pod, past all NetworkPolicies',
  'pods/ephemeralcontainers': 'runs commands in every pod of the namespace',
  'serviceaccounts/token': 'makes tokens for every ServiceAccount of the namespace',
  'nodes/proxy': 'runs commands in every pod of the node',
};

const REFUSED_VERBS: Readonly<Record<string, string>> = {
  escalate: 'may give itself rights that it does not have',
  bind: 'may give itself every Role that exists',
  impersonate: 'may act as anybody',
};

export const leastPrivilege: Check = {
  id: 'least-privilege',
  why: 'Whoever takes over a pod has its token: every right that nobody uses is one that only an attacker will.',
  run: (input) => {
    const report = new Report(input, leastPrivilege);
    for (const kind of ['Role', 'ClusterRole']) for (const object of input.ofKind(kind)) role(report, object);
    for (const object of input.ofKind('ClusterRoleBinding')) clusterBinding(report, input, object);
    for (const object of input.ofKind('RoleBinding')) binding(report, input, object);
    const bound = boundServiceAccounts(input);
    for (const template of input.podTemplates) {
      // Agones' pods get Agones' ServiceAccount. A pod that does not say whether it wants a token is pod-security's.
      if (template.object.manifest.kind === 'Fleet' || template.spec.automountServiceAccountToken !== true) continue;
      const account = serviceAccountOf(template);
      if (bound.has(account)) continue;
      report.say(
        template.object,
        `${template.path}.automountServiceAccountToken`,
        `It mounts a token of ServiceAccount '${account}', which no binding gives any right.`,
        'Set automountServiceAccountToken: false, or bind the ServiceAccount to the Role that it needs.',
      );
    }
    return report.violations;
  },
};

function role(report: Report, object: BuiltObject): void {
  const { kind, rules, aggregationRule } = object.manifest;
  if (aggregationRule !== undefined) {
    report.say(
      object,
      'aggregationRule',
      'It takes in the rules of every ClusterRole with a label: anybody who makes one adds to it.',
      'Write the rules into the ClusterRole.',
    );
  }
  ((rules ?? []) as Rule[]).forEach((rule, index) => {
    const at = `rules[${index}]`;
    for (const list of ['apiGroups', 'resources', 'verbs', 'nonResourceURLs'] as const) {
      for (const entry of rule[list] ?? []) {
        if (entry === '*' || entry.endsWith('/*') || entry.startsWith('*/')) {
          report.say(
            object,
            `${at}.${list}`,
            `'${entry}' in ${list} gives everything there is, and whatever a later version adds.`,
            `Name the ${list} that are used.`,
          );
        }
      }
    }
    for (const resource of rule.resources ?? []) {
      const consequence = REFUSED_RESOURCES[resource];
      if (consequence)
        report.say(object, `${at}.resources`, `The right to '${resource}' ${consequence}.`, `Remove '${resource}' from the rule.`);
    }
    for (const verb of rule.verbs ?? []) {
      const consequence = REFUSED_VERBS[verb];
      if (consequence)
        report.say(object, `${at}.verbs`, `Whoever has the verb '${verb}' ${consequence}.`, `Remove '${verb}' from the rule.`);
    }
    if (kind === 'ClusterRole') clusterWide(report, object, rule, at);
  });
}

function clusterWide(report: Report, object: BuiltObject, rule: Rule, at: string): void {
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      const allowed = CLUSTER_WIDE[`${group}/${resource}`] ?? [];
      const more = (rule.verbs ?? []).filter((verb) => !allowed.includes(verb));
      if (more.length === 0) continue;
      report.say(
        object,
        at,
        `It gives ${more.join(', ')} on '${resource}'${group ? ` of ${group}` : ''} in the whole cluster.`,
        'Make it a Role in each namespace where it is used; a right that has no namespace is added to CLUSTER_WIDE in lib/checks/least-privilege.ts, in review.',
      );
    }
  }
  if ((rule.nonResourceURLs ?? []).length > 0)
    report.say(object, `${at}.nonResourceURLs`, `It gives ${rule.nonResourceURLs?.join(', ')} of the API server.`, 'Remove the rule.');
}

/** Only to a ClusterRole of ours, whose rules are judged above. */
function clusterBinding(report: Report, input: CheckInput, object: BuiltObject): void {
  const { roleRef } = object.manifest;
  if (roleRef && input.find('ClusterRole', undefined, roleRef.name) === undefined) {
    report.say(
      object,
      'roleRef.name',
      `It gives the ClusterRole '${roleRef.name}', which is none of ours, in the whole cluster.`,
      'Bind a Role in the namespace where the right is used.',
    );
  }
  subjects(report, input, object);
}

function binding(report: Report, input: CheckInput, object: BuiltObject): void {
  const { roleRef } = object.manifest;
  if (roleRef?.kind === 'ClusterRole' && input.find('ClusterRole', undefined, roleRef.name) === undefined) {
    report.say(
      object,
      'roleRef.name',
      `It gives the ClusterRole '${roleRef.name}', which is none of ours and may change with the cluster's version.`,
      'Write a Role with the rules that are used, and bind that.',
    );
  }
  subjects(report, input, object);
}

function subjects(report: Report, input: CheckInput, object: BuiltObject): void {
  const inventory = inventoryOf(input);
  const list = (object.manifest.subjects ?? []) as { kind: string; name: string; namespace?: string }[];
  if (list.length === 0)
    report.say(object, 'subjects', 'It gives its rights to nobody.', 'Name the ServiceAccount, or remove the binding.');
  list.forEach((subject, index) => {
    const field = `subjects[${subject.name ?? index}]`;
    if (subject.kind !== 'ServiceAccount') {
      report.say(
        object,
        field,
        `It gives rights to the ${subject.kind} '${subject.name}'; people and groups are not this repository's.`,
        'Bind a ServiceAccount.',
      );
      return;
    }
    const namespace = subject.namespace ?? object.manifest.metadata.namespace ?? '';
    if (inventory.hasServiceAccount(namespace, subject.name)) return;
    report.say(
      object,
      field,
      `The ServiceAccount '${namespace}/${subject.name}' does not exist: whoever may make it has the rights.`,
      'Correct the name or the namespace, or add the ServiceAccount.',
    );
  });
}
