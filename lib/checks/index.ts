/**
 * Every rule that every emitted object keeps, one file each, and the function that runs them all.
 * It deliberately stops at nothing: all violations are collected, so that one run shows them all.
 */
import type { BuiltCluster } from '../build';
import { adminNotPublic } from './admin-not-public';
import { agonesRules } from './agones-rules';
import { applicationSafety } from './application-safety';
import { autoscaledReplicas } from './autoscaled-replicas';
import { backupsOutside } from './backups-outside';
import { canonicalQuantities } from './canonical-quantities';
import { claimTemplates } from './claim-templates';
import { clientAddresses } from './client-addresses';
import { disruptionBudget } from './disruption-budget';
import { earlierWave } from './earlier-wave';
import { eventStreams } from './event-streams';
import { hostNames } from './host-names';
import { leastPrivilege } from './least-privilege';
import { loadBalancerAddresses } from './load-balancer-addresses';
import { namespaceSecurity } from './namespace-security';
import { neededExceptions } from './needed-exceptions';
import { neededFlows } from './needed-flows';
import { networkPolicy } from './network-policy';
import { noDefaults } from './no-defaults';
import { noNoise } from './no-noise';
import { noPlainSecrets } from './no-plain-secrets';
import { pinnedImages } from './pinned-images';
import { podSecurity } from './pod-security';
import { probesAndResources } from './probes-and-resources';
import { protectedData } from './protected-data';
import { resolvedReferences } from './resolved-references';
import { resolvedSelectors } from './resolved-selectors';
import { type Check, CheckInput, type Violation } from './types';
import { validSchema } from './valid-schema';

/** One line each, in the order in which violations are listed. */
export const checks: readonly Check[] = [
  validSchema,
  resolvedReferences,
  resolvedSelectors,
  earlierWave,
  protectedData,
  backupsOutside,
  noPlainSecrets,
  podSecurity,
  probesAndResources,
  pinnedImages,
  namespaceSecurity,
  disruptionBudget,
  networkPolicy,
  neededFlows,
  adminNotPublic,
  clientAddresses,
  eventStreams,
  loadBalancerAddresses,
  hostNames,
  leastPrivilege,
  autoscaledReplicas,
  agonesRules,
  claimTemplates,
  noDefaults,
  canonicalQuantities,
  noNoise,
  applicationSafety,
  // Last: it needs to know what the others were silent about.
  neededExceptions,
];

/** A violation with the reason of its rule. */
export interface ExplainedViolation extends Violation {
  readonly why: string;
}

/** Runs checks over a cluster. @param only the checks to run; @default all */
export function runChecks(built: BuiltCluster, only: readonly Check[] = checks): ExplainedViolation[] {
  const input = new CheckInput(built);
  return only.flatMap((check) => check.run(input).map((violation) => ({ ...violation, why: check.why })));
}
