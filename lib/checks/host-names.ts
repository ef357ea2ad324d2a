/**
 * Host names of routes and certificates are the cluster's own, each HTTPS host has a certificate that covers it, and each route tells the LAN's DNS which address it has.
 * It deliberately does not judge who may reach a host (admin-not-public does).
 */
import { entryPoints } from '../../argocd/catalog/traefik';
import type { BuiltObject } from '../build';
import { type Finding, list, reported } from './finding';
import { type Inventory, inventoryOf } from './inventory';
import { issuerOf } from './operator-pods';
import { hostsOf } from './traefik-rule';
import type { Check, CheckInput } from './types';

export const hostNames: Check = {
  id: 'host-names',
  why: 'A host outside of the domain has no DNS record and no certificate; a certificate that does not name the host makes browsers refuse the page; and a route without a target is unknown to the LAN.',
  run: (input) => reported(hostNames, input, [...routes(input), ...certificates(input, inventoryOf(input))]),
};

/** Annotation from which ExternalDNS takes the address of a route's hosts. */
const TARGET = 'external-dns.alpha.kubernetes.io/target';

function routes(input: CheckInput): Finding[] {
  const { cluster } = input.built;
  const findings: Finding[] = [];
  const bySecret = new Map<string, BuiltObject>();
  for (const certificate of input.ofKind('Certificate')) {
    bySecret.set(`${certificate.manifest.metadata.namespace}/${certificate.manifest.spec?.secretName}`, certificate);
  }
  for (const by of input.ofKind('IngressRoute')) {
    const { metadata, spec } = by.manifest;
    const hosts = new Set<string>();
    (spec?.routes ?? []).forEach(({ match = '' }: { match?: string }, index: number) => {
      const answered = hostsOf(match);
      const field = `spec.routes[${index}].match`;
      if (answered === 'any') {
        findings.push({
          by,
          field,
          message: `The rule '${match}' does not say which hosts it is for, so no certificate and no DNS record can be checked for it.`,
          fix: `Limit it to hosts that are written down: Host(\`…\`) && (…).`,
        });
        return;
      }
      for (const host of answered) {
        hosts.add(host);
        if (!isBelow(host, cluster.domain)) findings.push({ by, field, ...outside(host, cluster.domain) });
      }
    });
    const points: readonly string[] = spec?.entryPoints ?? [];
    const secure = points.some((point) => point !== entryPoints.web);
    if (secure) findings.push(...coverage(by, hosts, spec?.tls, bySecret.get(`${metadata.namespace}/${spec?.tls?.secretName}`)));
    else if (spec?.tls) {
      findings.push({
        by,
        field: 'spec.tls',
        message: `The entry point '${entryPoints.web}' speaks plain HTTP, but the route has 'tls', so it never matches.`,
        fix: `Remove 'tls', or name the entry point '${entryPoints.websecure}'.`,
      });
    }
    findings.push(...target(input, by, points));
  }
  return findings;
}

function coverage(
  by: BuiltObject,
  hosts: ReadonlySet<string>,
  tls: { secretName?: string; certResolver?: string } | undefined,
  certificate: BuiltObject | undefined,
): Finding[] {
  if (tls?.certResolver) {
    return [
      {
        by,
        field: 'spec.tls.certResolver',
        message: `Traefik's own resolver '${tls.certResolver}' is not set up; certificates come from cert-manager.`,
        fix: "Remove it and name a Certificate's Secret in 'secretName'.",
      },
    ];
  }
  if (!tls?.secretName) {
    return [
      {
        by,
        field: 'spec.tls.secretName',
        message: 'The route names no certificate; Traefik would answer with one that it makes itself.',
        fix: "Add a Certificate in the route's namespace and name its Secret.",
      },
    ];
  }
  if (!certificate) {
    return [
      {
        by,
        field: 'spec.tls.secretName',
        message: `No Certificate in the route's namespace makes the Secret '${tls.secretName}'.`,
        fix: "Add the Certificate in the route's namespace, or name the Secret of one that is there.",
      },
    ];
  }
  const names: readonly string[] = certificate.manifest.spec?.dnsNames ?? [];
  return [...hosts]
    .filter((host) => !names.some((name) => covers(name, host)))
    .map((host) => ({
      by,
      field: 'spec.tls.secretName',
      message: `Certificate '${certificate.manifest.metadata.name}' (${list(names)}) does not cover the host '${host}'.`,
      fix: `Add '${host}' to the Certificate's dnsNames.`,
    }));
}

/** A wildcard covers one label. */
function covers(name: string, host: string): boolean {
  return name === host || (name.startsWith('*.') && host.slice(host.indexOf('.') + 1) === name.slice(2));
}

function target(input: CheckInput, by: BuiltObject, points: readonly string[]): Finding[] {
  const { cluster } = input.built;
  if (!cluster.hasDns) return [];
  const isAdmin = points.includes(entryPoints.admin);
  const address = isAdmin ? cluster.network.adminIngress : cluster.network.ingress;
  const said = by.manifest.metadata.annotations?.[TARGET];
  if (address === undefined || said === address) return [];
  return [
    {
      by,
      field: `metadata.annotations[${TARGET}]`,
      message: said
        ? `The target '${said}' is not the address of the entry point ${list(points.map((point) => `'${point}'`))}, which is ${address}.`
        : `The route has no target, so ExternalDNS makes no record for its hosts; the entry point ${list(points.map((point) => `'${point}'`))} has the address ${address}.`,
      fix: `Set the annotation to '${address}' (network.${isAdmin ? 'adminIngress' : 'ingress'}).`,
    },
  ];
}

function certificates(input: CheckInput, inventory: Inventory): Finding[] {
  const { domain } = input.built.cluster;
  const findings: Finding[] = [];
  for (const by of input.ofKind('Certificate')) {
    const { metadata, spec } = by.manifest;
    const acme = issuerOf(by.manifest, input)?.manifest.spec?.acme !== undefined;
    (spec?.dnsNames ?? []).forEach((name: string, index: number) => {
      if (isBelow(name.replace(/^\*\./, ''), domain)) return;
      const internal = internalService(name, metadata.namespace ?? '');
      const field = `spec.dnsNames[${index}]`;
      if (internal === undefined) findings.push({ by, field, ...outside(name, domain) });
      else if (acme) {
        findings.push({
          by,
          field,
          message: `'${name}' is a name of the cluster's inside, which no public authority certifies.`,
          fix: "Use an issuer of the cluster's own authority for it.",
        });
      } else if (!inventory.service(metadata.namespace ?? '', internal)) {
        findings.push({
          by,
          field,
          message: `'${name}' is the name of a Service '${internal}' in namespace '${metadata.namespace}', which does not exist.`,
          fix: 'Correct the name, or leave it out.',
        });
      }
    });
  }
  return findings;
}

/** The Service that a name inside of the cluster means: `x`, `x.namespace`, `x.namespace.svc`, `x.namespace.svc.cluster.local`. */
function internalService(name: string, namespace: string): string | undefined {
  const [service = '', ...rest] = name.split('.');
  return ['', namespace, `${namespace}.svc`, `${namespace}.svc.cluster.local`].includes(rest.join('.')) && service !== '*'
    ? service
    : undefined;
}

function isBelow(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

function outside(host: string, domain: string): { message: string; fix: string } {
  return {
    message: `The host '${host}' is outside of the domain '${domain}'.`,
    fix: `Use the domain or a name below it, such as '${host.split('.')[0]}.${domain}'.`,
  };
}
