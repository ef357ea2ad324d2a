/**
 * Versions as numbers: which Kubernetes the project is proven with, and which of two versions is newer.
 * It deliberately knows no pre-releases: a version is its numbers.
 */

/** The ends of the range of Kubernetes versions against whose API servers every object of dist is tested; older ones refuse CRDs of operators. */
export const KUBERNETES = { oldest: '1.33', newest: '1.37' } as const;

/** Whether `v1.34.2+k3s1` is at least `1.33`. A part that is missing counts as 0. */
export function isAtLeast(version: string, oldest: string): boolean {
  const [have, want] = [numbers(version), numbers(oldest)];
  for (let place = 0; place < Math.max(have.length, want.length); place += 1) {
    const difference = (have[place] ?? 0) - (want[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbers(version: string): number[] {
  return (/\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
}
