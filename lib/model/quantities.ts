/**
 * Kubernetes quantities ("500m", "20Gi"): the canonical form that the API server would write back, and their value for sums.
 * It deliberately is not a full implementation: exponents ("1e3") are refused, because nobody needs them in a description.
 * Source: apimachinery's resource.Quantity; Argo CD shows 1000m against 1 as drift (measured for custom resources).
 */
const SUFFIXES: Record<string, number> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
};
const PATTERN = /^([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;

/** The value in base units (cores or bytes), or undefined when the text is no quantity. */
export function quantityValue(text: string): number | undefined {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const factor = SUFFIXES[match[2] ?? ''];
  return factor === undefined ? undefined : Number(match[1]) * factor;
}

/** The form that Kubernetes writes back: the largest suffix of the same family that keeps a whole number. */
export function canonicalQuantity(text: string): string {
  const value = quantityValue(text);
  if (value === undefined) throw new Error(`'${text}' is not a Kubernetes quantity such as '500m', '2' or '20Gi'.`);
  const binary = text.endsWith('i');
  if (value === 0) return '0';
  const steps: [string, number][] = binary
    ? [
        ['Pi', 1024 ** 5],
        ['Ti', 1024 ** 4],
        ['Gi', 1024 ** 3],
        ['Mi', 1024 ** 2],
        ['Ki', 1024],
      ]
    : [
        ['P', 1e15],
        ['T', 1e12],
        ['G', 1e9],
        ['M', 1e6],
        ['k', 1e3],
        ['', 1],
      ];
  for (const [suffix, factor] of steps) {
    if (value >= factor && value % factor === 0) return `${value / factor}${suffix}`;
  }
  if (binary) return String(Math.ceil(value));
  return `${Math.ceil(Math.round(value * 1e6) / 1e3)}m`;
}
