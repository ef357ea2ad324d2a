/**
 * Where the containers of a chart fall short of what the project asks of its own: user, root file system, capabilities, seccomp, memory limit, the node's namespaces.
 * It deliberately only finds; whether a shortfall may stay is an entry's exception, with the reason beside it.
 */
import type { HardeningRule } from '../../argocd/catalog/types';
import { dig, type Manifest, POD_TEMPLATES } from './rendered';

/** One rule that one container does not keep. */
export interface Shortfall {
  /** `<workload>/<container>`. */
  readonly container: string;
  readonly rule: HardeningRule;
}

interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly privileged?: boolean;
  readonly seccompProfile?: { readonly type?: string };
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
}

interface Container {
  readonly name: string;
  readonly securityContext?: SecurityContext | null;
  readonly resources?: {
    readonly requests?: Readonly<Record<string, unknown>>;
    readonly limits?: Readonly<Record<string, unknown>>;
  } | null;
  readonly ports?: readonly { readonly hostPort?: number }[] | null;
}

interface PodSpec {
  readonly securityContext?: SecurityContext | null;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly volumes?: readonly { readonly hostPath?: unknown }[] | null;
  readonly initContainers?: readonly Container[];
  readonly containers?: readonly Container[];
}

/** Every shortfall of every container that the manifests would start, in the order of the manifests. */
export function findShortfalls(manifests: readonly Manifest[]): readonly Shortfall[] {
  return manifests.flatMap((manifest) => {
    const path = POD_TEMPLATES[manifest.kind];
    if (!path || dig(manifest, 'spec', 'replicas') === 0) return [];
    const spec = dig(manifest, ...path, 'spec') as PodSpec;
    return [...(spec.initContainers ?? []), ...(spec.containers ?? [])].flatMap((container) =>
      rulesBroken(spec, container).map((rule) => ({ container: `${manifest.metadata.name}/${container.name}`, rule })),
    );
  });
}

function rulesBroken(spec: PodSpec, container: Container): readonly HardeningRule[] {
  const pod = spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  const drop = own.capabilities?.drop ?? [];
  const resources = container.resources ?? {};
  const broken: Record<HardeningRule, boolean> = {
    'non-root': !(own.runAsNonRoot ?? pod.runAsNonRoot),
    'read-only-root': !own.readOnlyRootFilesystem,
    'no-escalation': own.allowPrivilegeEscalation !== false || own.privileged === true,
    'no-capabilities': !drop.includes('ALL') || (own.capabilities?.add ?? []).length > 0,
    seccomp: (own.seccompProfile ?? pod.seccompProfile)?.type !== 'RuntimeDefault',
    requests: resources.requests?.cpu === undefined || resources.requests.memory === undefined,
    'memory-limit': resources.limits?.memory === undefined,
    'no-host-namespaces': spec.hostNetwork === true || spec.hostPID === true || spec.hostIPC === true,
    'no-host-paths': (spec.volumes ?? []).some((volume) => volume.hostPath !== undefined),
    'no-host-ports': !spec.hostNetwork && (container.ports ?? []).some((port) => port.hostPort !== undefined),
  };
  return (Object.keys(broken) as HardeningRule[]).filter((rule) => broken[rule]);
}
