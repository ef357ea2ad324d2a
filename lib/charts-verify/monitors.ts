/**
 * Whether the monitors that a chart renders find what they are meant to scrape: a monitor whose selector or port fits nothing is silent, and its alerts never fire.
 * It deliberately skips monitors of other namespaces (kubelets, the API server), whose Services no chart renders.
 */
import type { Difference } from './record';
import { dig, identityOf, type Manifest, namespaceOf, servicesOf, workloadsOf } from './rendered';

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

interface Endpoint {
  readonly port?: string;
  readonly targetPort?: string | number;
}

/** One difference for each monitor without a target, and for each endpoint without a port. */
export function findBlindMonitors(manifests: readonly Manifest[], releaseNamespace: string): readonly Difference[] {
  const services = servicesOf(manifests, releaseNamespace);
  const workloads = workloadsOf(manifests, releaseNamespace);
  return manifests.flatMap((monitor) => {
    if (monitor.kind !== 'ServiceMonitor' && monitor.kind !== 'PodMonitor') return [];
    const namespaces = (dig(monitor, 'spec', 'namespaceSelector', 'matchNames') as readonly string[] | undefined) ?? [
      namespaceOf(monitor, releaseNamespace),
    ];
    if (!namespaces.includes(releaseNamespace)) return [];
    const selector = (dig(monitor, 'spec', 'selector') as Selector | undefined) ?? {};
    const found = (monitor.kind === 'ServiceMonitor' ? services : workloads).filter(
      (each) => namespaces.includes(each.namespace) && matches(selector, each.labels),
    );
    const place = identityOf(monitor, releaseNamespace);
    if (found.length === 0)
      return [
        {
          rule: 'blind-monitor',
          place,
          message: 'Its selector fits no Service or pods that the chart renders, so that nothing is scraped.',
        },
      ];
    // A target port names a container's port, also in a ServiceMonitor.
    const ports = new Set(found.flatMap((each) => each.ports.flatMap((port) => [port.name, port.port])));
    const targets = new Set(workloads.flatMap((each) => each.ports.flatMap((port) => [port.name, port.port])));
    const endpoints =
      ((monitor.kind === 'ServiceMonitor' ? dig(monitor, 'spec', 'endpoints') : dig(monitor, 'spec', 'podMetricsEndpoints')) as
        | readonly Endpoint[]
        | undefined) ?? [];
    return endpoints
      .filter(
        (endpoint) =>
          !(endpoint.port !== undefined ? ports.has(endpoint.port) : endpoint.targetPort !== undefined && targets.has(endpoint.targetPort)),
      )
      .map((endpoint) => ({
        rule: 'blind-monitor',
        place,
        message: `No port is called ${endpoint.port ?? endpoint.targetPort}; ${found.map((each) => each.name).join(', ')} ha${found.length === 1 ? 's' : 've'} ${[...ports].filter((port) => port !== undefined).join(', ') || 'none'}.`,
      }));
  });
}

function matches(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([label, value]) => labels[label] === value);
  return (
    equal &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const among = value !== undefined && values.includes(value);
      return operator === 'In' ? among : !among;
    })
  );
}
