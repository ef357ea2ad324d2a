/**
 * Every Namespace enforces a Pod Security level, says why where it is not `restricted`, and every pod template fits the level of its namespace.
 * It deliberately implements the Pod Security Standards only as far as Linux pods go, and does not know what an operator's webhook adds later, except the host ports of Agones.
 */
import { POD_SECURITY_REASON } from '../../charts/namespaces';
import { containersOf, operatorTemplates } from './pods';
import { type Check, type CheckInput, type PodTemplate, type Violation, violation } from './types';

const ENFORCE = 'pod-security.kubernetes.io/enforce';
const ENFORCE_FIELD = `metadata.labels["${ENFORCE}"]`;
const LEVELS = ['restricted', 'baseline', 'privileged'] as const;
type Level = (typeof LEVELS)[number];

export const namespaceSecurity: Check = {
  id: 'namespace-security',
  why: 'A namespace without a level takes any pod, a privileged one too; a pod that its namespace refuses is never made, and the workload stands still without an error at its own object.',
  run: (input) => [...labels(input), ...templates(input)],
};

function labels(input: CheckInput): Violation[] {
  const violations: Violation[] = [];
  for (const object of input.ofKind('Namespace')) {
    const { metadata } = object.manifest;
    const level = metadata.labels?.[ENFORCE];
    if (!isLevel(level)) {
      violations.push(
        violation(
          namespaceSecurity,
          object,
          level === undefined ? 'It enforces no Pod Security level.' : `'${level}' is no Pod Security level.`,
          `Set the label ${ENFORCE} to 'restricted', or to 'baseline' or 'privileged' with the reason (podSecurity and because of the component's namespaces).`,
          ENFORCE_FIELD,
        ),
      );
    } else if (level !== 'restricted' && !metadata.annotations?.[POD_SECURITY_REASON]?.trim()) {
      violations.push(
        violation(
          namespaceSecurity,
          object,
          `It enforces only '${level}' and does not say why.`,
          `Say in 'because' of the component's namespaces what forces it; it becomes the annotation ${POD_SECURITY_REASON}.`,
          `metadata.annotations["${POD_SECURITY_REASON}"]`,
        ),
      );
    }
  }
  return violations;
}

function isLevel(level: string | undefined): level is Level {
  return (LEVELS as readonly (string | undefined)[]).includes(level);
}

/** What a pod template does that a level forbids. */
interface Breach {
  readonly field: string;
  readonly what: string;
}

function templates(input: CheckInput): Violation[] {
  const violations: Violation[] = [];
  for (const template of [...input.podTemplates, ...operatorTemplates(input)]) {
    const { namespace = '' } = template.object.manifest.metadata;
    const level = input.find('Namespace', undefined, namespace)?.manifest.metadata.labels?.[ENFORCE];
    if (level !== 'baseline' && level !== 'restricted') continue;
    for (const { field, what } of [...baseline(template), ...(level === 'restricted' ? restricted(template) : [])]) {
      violations.push(
        violation(
          namespaceSecurity,
          template.object,
          `Namespace '${namespace}' enforces '${level}', but ${what}: the API server would refuse every pod of it.`,
          `Change the field so that it fits '${level}'; if the workload cannot run so, give the namespace a wider level, with the reason.`,
          field,
        ),
      );
    }
  }
  return violations;
}

const BASELINE_CAPABILITIES = new Set([
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
]);

/** Sysctls that are namespaced and cannot hurt others (Pod Security Standards, Kubernetes 1.32). */
const SAFE_SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

const SELINUX_TYPES = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']);

function baseline(template: PodTemplate): Breach[] {
  const { object, path, spec } = template;
  const breaches: Breach[] = [];
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) {
    if (spec[field] === true) breaches.push({ field: `${path}.${field}`, what: `${field} is true` });
  }
  for (const volume of (spec.volumes ?? []) as { name: string; hostPath?: object }[]) {
    if (volume.hostPath !== undefined)
      breaches.push({ field: `${path}.volumes[${volume.name}].hostPath`, what: `volume '${volume.name}' is a folder of the node` });
  }
  for (const { name } of (spec.securityContext?.sysctls ?? []) as { name: string }[]) {
    if (!SAFE_SYSCTLS.has(name))
      breaches.push({ field: `${path}.securityContext.sysctls[${name}]`, what: `the sysctl '${name}' is not among the safe ones` });
  }
  const containers = containersOf(template);
  for (const { at, context } of [
    { at: path, context: spec.securityContext },
    ...containers.map((each) => ({ at: each.path, context: each.spec.securityContext })),
  ]) {
    if (context === undefined) continue;
    if (context.seccompProfile?.type === 'Unconfined')
      breaches.push({ field: `${at}.securityContext.seccompProfile.type`, what: "the seccomp profile is 'Unconfined'" });
    if (context.appArmorProfile?.type === 'Unconfined')
      breaches.push({ field: `${at}.securityContext.appArmorProfile.type`, what: "the AppArmor profile is 'Unconfined'" });
    if (context.windowsOptions?.hostProcess === true)
      breaches.push({ field: `${at}.securityContext.windowsOptions.hostProcess`, what: 'it is a process of the host' });
    const { type = '', user, role } = context.seLinuxOptions ?? {};
    if (!SELINUX_TYPES.has(type))
      breaches.push({ field: `${at}.securityContext.seLinuxOptions.type`, what: `the SELinux type is '${type}'` });
    if (user || role) breaches.push({ field: `${at}.securityContext.seLinuxOptions`, what: 'it sets a SELinux user or role' });
  }
  for (const { path: at, spec: container } of containers) {
    const context = container.securityContext ?? {};
    if (context.privileged === true)
      breaches.push({ field: `${at}.securityContext.privileged`, what: `container '${container.name}' is privileged` });
    if (context.procMount !== undefined && context.procMount !== 'Default') {
      breaches.push({ field: `${at}.securityContext.procMount`, what: `container '${container.name}' unmasks /proc` });
    }
    const added = ((context.capabilities?.add ?? []) as string[]).filter((capability) => !BASELINE_CAPABILITIES.has(capability));
    if (added.length > 0)
      breaches.push({ field: `${at}.securityContext.capabilities.add`, what: `container '${container.name}' adds ${added.join(', ')}` });
    ((container.ports ?? []) as { name?: string; hostPort?: number }[]).forEach(({ name, hostPort }, index) => {
      if (hostPort)
        breaches.push({
          field: `${at}.ports[${name ?? index}].hostPort`,
          what: `container '${container.name}' takes port ${hostPort} of the node`,
        });
    });
  }
  if (object.manifest.kind === 'Fleet') {
    ((object.manifest.spec?.template?.spec?.ports ?? []) as { name?: string; portPolicy?: string }[]).forEach(
      ({ name, portPolicy = 'Dynamic' }, index) => {
        if (portPolicy !== 'None') {
          breaches.push({
            field: `spec.template.spec.ports[${name ?? index}].portPolicy`,
            what: `Agones gives port '${name ?? index}' a port of the node (portPolicy ${portPolicy})`,
          });
        }
      },
    );
  }
  return breaches;
}

const RESTRICTED_VOLUMES = new Set([
  'name',
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
  'image',
]);

function restricted(template: PodTemplate): Breach[] {
  const { path, spec } = template;
  const breaches: Breach[] = [];
  const pod = spec.securityContext ?? {};
  for (const volume of (spec.volumes ?? []) as { name: string }[]) {
    // A folder of the node is already a breach of baseline.
    const type = Object.keys(volume).find((key) => !RESTRICTED_VOLUMES.has(key) && key !== 'hostPath');
    if (type) breaches.push({ field: `${path}.volumes[${volume.name}].${type}`, what: `volume '${volume.name}' is of the kind ${type}` });
  }
  if (pod.runAsUser === 0) breaches.push({ field: `${path}.securityContext.runAsUser`, what: 'the pod runs as root' });
  for (const { path: at, spec: container } of containersOf(template)) {
    const context = container.securityContext ?? {};
    const name = `container '${container.name}'`;
    if ((context.runAsNonRoot ?? pod.runAsNonRoot) !== true)
      breaches.push({ field: `${at}.securityContext.runAsNonRoot`, what: `neither ${name} nor the pod sets runAsNonRoot: true` });
    if (context.runAsUser === 0) breaches.push({ field: `${at}.securityContext.runAsUser`, what: `${name} runs as root` });
    if (context.allowPrivilegeEscalation !== false)
      breaches.push({
        field: `${at}.securityContext.allowPrivilegeEscalation`,
        what: `${name} does not set allowPrivilegeEscalation: false`,
      });
    const seccomp = (context.seccompProfile ?? pod.seccompProfile)?.type;
    // Unconfined is already a breach of baseline.
    if (seccomp === undefined)
      breaches.push({ field: `${at}.securityContext.seccompProfile`, what: `neither ${name} nor the pod sets a seccomp profile` });
    const { drop = [], add = [] } = (context.capabilities ?? {}) as { drop?: string[]; add?: string[] };
    if (!drop.includes('ALL'))
      breaches.push({ field: `${at}.securityContext.capabilities.drop`, what: `${name} does not drop ALL capabilities` });
    // Capabilities beyond baseline's are already its breach.
    const added = add.filter((capability) => capability !== 'NET_BIND_SERVICE' && BASELINE_CAPABILITIES.has(capability));
    if (added.length > 0) breaches.push({ field: `${at}.securityContext.capabilities.add`, what: `${name} adds ${added.join(', ')}` });
  }
  return breaches;
}
