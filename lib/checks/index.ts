/**
 * Every rule that every emitted object keeps, one file each, and the function that runs them all.
 * It deliberately stops at nothing: all violations are collected, so that one run shows them all.
 */
import type { BuiltCluster } from '../build';
import { type Check, CheckInput, type Violation } from './types';

/** In the order of DESIGN's rules; the order decides only how violations are listed. */
export const checks: readonly Check[] = [];

/** A violation with the reason of its rule. */
export interface ExplainedViolation extends Violation {
  readonly why: string;
}

/** Runs checks over a cluster. @param only the checks to run; @default all */
export function runChecks(built: BuiltCluster, only: readonly Check[] = checks): ExplainedViolation[] {
  const input = new CheckInput(built);
  return only.flatMap((check) => check.run(input).map((violation) => ({ ...violation, why: check.why })));
}
