/**
 * Workloads run with as little as they can: as a user that is not root, with a read-only root file system, no capabilities, no escalation, nothing of the host, an
 * identity of their own, a token of the API only where rights come with it, and every mount with its volume.
 * It deliberately asks for more than any level of Pod Security does, whatever the namespace enforces (that is `namespace-security`). Agones gives a Fleet's pods their
 * ServiceAccount and K8up those of a PodConfig; what Agones and the kubelet add by themselves is not looked at.
 */
import type { BuiltObject } from '../build';
import { boundServiceAccounts, containersOf, operatorTemplates, type PodContainer, serviceAccountOf } from './pods';
import { Report } from './report';
import type { Check, CheckInput, PodTemplate } from './types';

export const podSecurity: Check = {
  id: 'pod-security',
  why: 'Whoever breaks into a process (a game server parses packets of strangers) has what the process has: as root, with a writable image, a capability or a token of the API, the next step is the node or the cluster.',
  run: (input) => {
    const report = new Report(input, podSecurity);
    const bound = boundServiceAccounts(input);
    for (const template of input.podTemplates) {
      contexts(report, template);
      host(report, input, template);
      volumes(report, template);
      if (template.object.manifest.kind !== 'Fleet') identity(report, template, bound);
    }
    for (const template of operatorTemplates(input)) {
      contexts(report, template);
      host(report, input, template);
      volumes(report, template);
    }
    return report.violations;
  },
};

const RESTRICT = 'lib/constructs/world.ts shows the whole of it; a departure is an exception beside the workload, with its reason.';

function contexts(report: Report, template: PodTemplate): void {
  const { object, path, spec } = template;
  const pod = spec.securityContext ?? {};
  const at = `${path}.securityContext`;
  if (pod.runAsNonRoot !== true) {
    report.say(
      object,
      `${at}.runAsNonRoot`,
      `The pod's runAsNonRoot is ${show(pod.runAsNonRoot)}, so an image may start as root.`,
      `Set runAsNonRoot: true; ${RESTRICT}`,
    );
  }
  if (!Number.isInteger(pod.runAsUser) || pod.runAsUser === 0) {
    report.say(
      object,
      `${at}.runAsUser`,
      pod.runAsUser === 0
        ? 'The pod runs as user 0, which is root.'
        : `The pod's runAsUser is ${show(pod.runAsUser)}: the image decides, and an image that names its user cannot be proven not to be root.`,
      `Set runAsUser to the number of the image's user; ${RESTRICT}`,
    );
  }
  for (const field of ['runAsGroup', 'fsGroup']) {
    if (pod[field] !== 0) continue;
    report.say(
      object,
      `${at}.${field}`,
      `The pod's ${field} is 0, the group of root: files of images and volumes that root shares with its group are open to it.`,
      `Set ${field} to the number of the image's group; ${RESTRICT}`,
    );
  }
  if (pod.seccompProfile?.type !== 'RuntimeDefault') {
    report.say(
      object,
      `${at}.seccompProfile.type`,
      `The pod's seccomp profile is ${show(pod.seccompProfile?.type)}, so every system call of the kernel is open to it.`,
      `Set seccompProfile: { type: 'RuntimeDefault' }; ${RESTRICT}`,
    );
  }
  for (const container of containersOf(template)) containerContext(report, object, container);
}

function containerContext(report: Report, object: BuiltObject, { path, spec }: PodContainer): void {
  const context = spec.securityContext ?? {};
  const at = `${path}.securityContext`;
  const say = (field: string, message: string, fix: string): void => report.say(object, `${at}.${field}`, message, `${fix}; ${RESTRICT}`);
  const name = `Container '${spec.name}'`;
  if (context.runAsNonRoot !== undefined && context.runAsNonRoot !== true)
    say('runAsNonRoot', `${name} sets runAsNonRoot to ${show(context.runAsNonRoot)} for itself.`, 'Leave it to the pod');
  if (context.runAsUser === 0) say('runAsUser', `${name} runs as user 0, which is root.`, 'Leave the user to the pod');
  if (context.runAsGroup === 0) say('runAsGroup', `${name} runs as group 0, the group of root.`, 'Leave the group to the pod');
  if (context.seccompProfile !== undefined && context.seccompProfile.type !== 'RuntimeDefault') {
    say(
      'seccompProfile.type',
      `${name} has the seccomp profile ${show(context.seccompProfile.type)} of its own.`,
      'Leave the profile to the pod',
    );
  }
  if (context.allowPrivilegeEscalation !== false) {
    say(
      'allowPrivilegeEscalation',
      `${name} may gain more rights than it starts with (allowPrivilegeEscalation is ${show(context.allowPrivilegeEscalation)}).`,
      'Set allowPrivilegeEscalation: false',
    );
  }
  if (context.readOnlyRootFilesystem !== true) {
    say(
      'readOnlyRootFilesystem',
      `${name} can write to its image (readOnlyRootFilesystem is ${show(context.readOnlyRootFilesystem)}).`,
      'Set readOnlyRootFilesystem: true and mount an emptyDir where it must write',
    );
  }
  const drop: readonly string[] = context.capabilities?.drop ?? [];
  if (drop.length !== 1 || drop[0] !== 'ALL') {
    say(
      'capabilities.drop',
      `${name} drops ${drop.length === 0 ? 'no capabilities' : `the capabilities ${drop.join(', ')}`} instead of exactly ALL.`,
      "Set capabilities: { drop: ['ALL'] }",
    );
  }
  const added: readonly string[] = context.capabilities?.add ?? [];
  if (added.length > 0) say('capabilities.add', `${name} adds the capabilities ${added.join(', ')}.`, 'Take them away');
  if (context.privileged === true) say('privileged', `${name} is privileged: it is root on the node.`, 'Remove privileged');
  if (context.procMount !== undefined && context.procMount !== 'Default')
    say('procMount', `${name} sees the kernel's /proc unmasked (procMount is ${show(context.procMount)}).`, 'Remove procMount');
}

const HOST_FIELDS: Readonly<Record<string, string>> = {
  hostNetwork: "shares the node's network: no NetworkPolicy holds for it",
  hostPID: "sees the node's processes",
  hostIPC: "shares the node's memory segments",
};

function host(report: Report, input: CheckInput, template: PodTemplate): void {
  const { object, path, spec } = template;
  for (const [field, consequence] of Object.entries(HOST_FIELDS)) {
    if (spec[field] === true) report.say(object, `${path}.${field}`, `The pod ${consequence}.`, `Remove ${field}.`);
  }
  for (const volume of (spec.volumes ?? []) as { name: string; hostPath?: { path?: string } }[]) {
    if (volume.hostPath === undefined) continue;
    report.say(
      object,
      `${path}.volumes[${volume.name}].hostPath`,
      `Volume '${volume.name}' is the folder '${volume.hostPath.path}' of the node.`,
      'Use a claim, an emptyDir or a ConfigMap.',
    );
  }
  for (const container of containersOf(template)) {
    ((container.spec.ports ?? []) as { name?: string; hostPort?: number }[]).forEach((port, index) => {
      if (port.hostPort === undefined || port.hostPort === 0 || isDeclaredWorldPort(input, object, port.hostPort)) return;
      report.say(
        object,
        `${container.path}.ports[${port.name ?? index}].hostPort`,
        `It takes port ${port.hostPort} of the node that it runs on, past every Service and load balancer.`,
        "Publish it by a Service. A world's host port is declared in the description (exposure: { type: 'host-port' }).",
      );
    });
  }
}

/** The typed choice of the description is the reviewed exception: a host port of a world is exactly the one that it names. */
function isDeclaredWorldPort(input: CheckInput, { manifest }: BuiltObject, hostPort: number): boolean {
  const { name, namespace } = manifest.metadata;
  if (manifest.kind !== 'StatefulSet') return false;
  return worldPorts(input).get(`${namespace}/${name}`) === hostPort;
}

const ports = new WeakMap<CheckInput, Map<string, number>>();

function worldPorts(input: CheckInput): Map<string, number> {
  let known = ports.get(input);
  if (!known) {
    const realms = input.built.cluster.realms.filter(({ exposure }) => exposure.type === 'host-port');
    known = new Map(
      realms.flatMap(({ namespace, continents }) => continents.map(({ name, port }): [string, number] => [`${namespace}/${name}`, port])),
    );
    ports.set(input, known);
  }
  return known;
}

function identity(report: Report, template: PodTemplate, bound: ReadonlySet<string>): void {
  const { object, path, spec } = template;
  const account = spec.serviceAccountName;
  if (account === undefined || account === '' || account === 'default') {
    report.say(
      object,
      `${path}.serviceAccountName`,
      "It runs as the ServiceAccount 'default', which every pod of the namespace that names none shares.",
      'Add a ServiceAccount of its own and name it.',
    );
  }
  // A token that is asked for (true) and opens nothing is least-privilege's.
  if (spec.automountServiceAccountToken === undefined && !bound.has(serviceAccountOf(template))) {
    report.say(
      object,
      `${path}.automountServiceAccountToken`,
      `It does not say that it needs no token of the API, although nothing gives its ServiceAccount '${account ?? 'default'}' any right.`,
      'Set automountServiceAccountToken: false in the pod.',
    );
  }
}

function volumes(report: Report, template: PodTemplate): void {
  const { object, path, spec } = template;
  const own = new Set(((spec.volumes ?? []) as { name: string }[]).map(({ name }) => name));
  const claims = new Set<string>();
  for (const { metadata } of (object.manifest.spec?.volumeClaimTemplates ?? []) as { metadata?: { name?: string } }[]) {
    if (metadata?.name !== undefined) claims.add(metadata.name);
  }
  const used = new Set<string>();
  for (const container of containersOf(template)) {
    for (const list of ['volumeMounts', 'volumeDevices'] as const) {
      for (const mount of (container.spec[list] ?? []) as { name: string; mountPath?: string; devicePath?: string }[]) {
        used.add(mount.name);
        if (own.has(mount.name) || claims.has(mount.name)) continue;
        report.say(
          object,
          `${container.path}.${list}[${mount.name}]`,
          `Container '${container.spec.name}' mounts '${mount.name}' at '${mount.mountPath ?? mount.devicePath}', but there is no volume and no claim template of that name.`,
          `Add the volume '${mount.name}', or correct the name; volumes are: ${[...own, ...claims].join(', ') || 'none'}.`,
        );
      }
    }
  }
  for (const name of own) {
    if (used.has(name)) continue;
    report.say(object, `${path}.volumes[${name}]`, `No container mounts the volume '${name}'.`, 'Mount it, or remove it.');
  }
  for (const name of claims) {
    if (used.has(name)) continue;
    report.say(
      object,
      `spec.volumeClaimTemplates[${name}]`,
      `No container mounts the claim '${name}': what it is for is written elsewhere, and lost.`,
      'Mount it, or remove it.',
    );
  }
}

function show(value: unknown): string {
  return value === undefined ? 'not set' : typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
