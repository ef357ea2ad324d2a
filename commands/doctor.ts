/** `npm run doctor`: parses its options and prints what lib/doctor found, one line a check. */

import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { clusters } from '../apps';
import { type Diagnosis, type DoctorRequest, diagnose } from '../lib/doctor';
import { makeKubectl } from '../lib/kubectl';
import { isIPv4 } from '../lib/model/addresses';
import { runProgram } from '../lib/programs';
import { readOptions, runCommand, UsageError } from './options';

const HELP = `
npm run doctor [-- --cluster NAME] [--kubeconfig FILE | --live] [--context NAME] [--probe] [--router-address ADDRESS] [--json]

Looks at the machine, the files, the sealing key, Git, dist, the sealed secrets and the network, and, when told how to reach it,
at the cluster: one line for each check, with what to do. Changes nothing.

  --cluster NAME           only this cluster of apps/; needed with a kubeconfig when there are several
  --kubeconfig FILE        ask the cluster too, with this kubeconfig
  --live                   ask the cluster too, with kubectl's own kubeconfig (KUBECONFIG, or ~/.kube/config)
  --context NAME           a context of the kubeconfig other than the current one
  --probe                  ask the LAN, by ping and ARP, whether somebody has an address that the cluster will take
  --router-address ADDRESS what the router's status page says is its address on the Internet: finds carrier-grade NAT
  --json                   print { "ok": boolean, "checks": [{ "group", "cluster", "check", "outcome", "text", "fix" }] }
  -h, --help               this text

Exit code: 0 when no check failed (warnings do not count), 1 when one did, 2 for wrong usage.
`;

/** What the command has from outside; tests give their own. */
export type DoctorEnvironment = Pick<DoctorRequest, 'root' | 'now' | 'run' | 'resolve' | 'descriptions'>;

/** @returns the exit code. */
export const main = (args: readonly string[], environment: DoctorEnvironment = ownEnvironment()): Promise<number> =>
  runCommand(async () => {
    const options = readOptions(args, HELP, {
      cluster: { type: 'string' },
      kubeconfig: { type: 'string' },
      live: { type: 'boolean' },
      context: { type: 'string' },
      probe: { type: 'boolean' },
      'router-address': { type: 'string' },
      json: { type: 'boolean' },
    });
    if (!options) return 0;
    const { cluster, kubeconfig, live, context, probe, 'router-address': routerAddress, json } = options.values;
    const names = environment.descriptions.map(({ name }) => name);
    if (cluster !== undefined && !names.includes(cluster))
      throw new UsageError(`There is no cluster '${cluster}'; apps/ has ${names.join(', ')}.`);
    if (routerAddress !== undefined && !isIPv4(routerAddress))
      throw new UsageError(`--router-address takes an IPv4 address such as 203.0.113.7, not '${routerAddress}'.`);
    if (kubeconfig !== undefined && !existsSync(kubeconfig)) throw new UsageError(`There is no kubeconfig '${kubeconfig}'.`);
    const asksCluster = kubeconfig !== undefined || live === true || context !== undefined;
    if (asksCluster && cluster === undefined && names.length > 1)
      throw new UsageError(`Say which cluster the kubeconfig leads to: --cluster NAME, one of ${names.join(', ')}.`);
    const found = await diagnose({
      ...environment,
      clusters: cluster === undefined ? names : [cluster],
      options: { probe: probe ?? false, ...(routerAddress === undefined ? {} : { routerAddress }) },
      ...(asksCluster
        ? {
            kubectl: makeKubectl(environment.run, {
              ...(kubeconfig === undefined ? {} : { kubeconfig }),
              ...(context === undefined ? {} : { context }),
            }),
          }
        : {}),
    });
    const healthy = found.every(({ outcome }) => outcome !== 'failed');
    if (json) console.log(JSON.stringify({ ok: healthy, checks: found }, null, 2));
    else for (const line of describe(found, asksCluster)) console.log(line);
    return healthy ? 0 : 1;
  });

function ownEnvironment(): DoctorEnvironment {
  return { root: process.cwd(), now: new Date(), run: runProgram, resolve: addressesOf, descriptions: clusters };
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true, family: 4 })).map(({ address }) => address);
  } catch {
    return [];
  }
}

const MARKS = { ok: 'ok', warning: 'WARNING', failed: 'FAILED', skipped: '-' } as const;

function describe(found: readonly Diagnosis[], asksCluster: boolean): string[] {
  const several = new Set(found.flatMap(({ cluster }) => cluster ?? [])).size > 1;
  const places = found.map(({ group, cluster }) => (several && cluster !== undefined ? `${group} (${cluster})` : group));
  const width = Math.max(...places.map((place) => place.length));
  const count = (outcome: Diagnosis['outcome']): number => found.filter((each) => each.outcome === outcome).length;
  return [
    ...found.map(
      ({ outcome, text, fix }, index) =>
        `${MARKS[outcome].padEnd(7)}  ${(places[index] ?? '').padEnd(width)}  ${text}${fix === undefined ? '' : ` Fix: ${fix}`}`,
    ),
    '',
    `${found.length} checks: ${count('ok')} ok, ${count('warning')} warnings, ${count('failed')} failed, ${count('skipped')} not looked at.${
      asksCluster ? '' : ' The cluster itself was not asked: --kubeconfig FILE, or --live, does.'
    }`,
  ];
}
