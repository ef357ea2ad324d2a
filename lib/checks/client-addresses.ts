/**
 * Traefik's Services keep the addresses of players: bans, lockouts and rate limits of the broker stand on them.
 * It deliberately looks at the values of Traefik's chart, because the chart makes the Services; game Services have a choice of their own (exposure).
 */
import { Report } from './report';
import type { Check } from './types';

interface ServiceValues {
  readonly spec?: { readonly type?: string; readonly externalTrafficPolicy?: string };
  readonly additionalServices?: Readonly<Record<string, ServiceValues>>;
}

export const clientAddresses: Check = {
  id: 'client-addresses',
  why: "The broker counts failed logins, requests and bans by the player's address; behind a Service that replaces it everybody has the address of a node, and one attacker locks all players out.",
  run: (input) => {
    const report = new Report(input, clientAddresses);
    for (const object of input.ofKind('Application')) {
      const { source } = object.manifest.spec ?? {};
      if (source?.chart !== 'traefik') continue;
      const service: ServiceValues = source.helm?.valuesObject?.service ?? {};
      const services = [['service', service], ...Object.entries(service.additionalServices ?? {})] as [string, ServiceValues][];
      for (const [name, { spec }] of services) {
        // The chart's default.
        const type = spec?.type ?? 'LoadBalancer';
        const policy = spec?.externalTrafficPolicy ?? 'Cluster';
        if (type === 'ClusterIP' || policy === 'Local') continue;
        const at = name === 'service' ? 'service' : `service.additionalServices.${name}`;
        report.say(
          object,
          `spec.source.helm.valuesObject.${at}.spec.externalTrafficPolicy`,
          `The Service of type ${type} has the traffic policy ${policy}, which replaces players' addresses by a node's.`,
          "Write externalTrafficPolicy: 'Local'.",
        );
      }
    }
    return report.violations;
  },
};
