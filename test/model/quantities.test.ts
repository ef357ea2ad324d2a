/** Quantities: their value, and the one form that the API server writes back. */
import fc from 'fast-check';
import { canonicalQuantity, quantityValue } from '../../lib/model/quantities';

describe('the canonical form', () => {
  test.each([
    ['500m', '500m'],
    ['0.5', '500m'],
    ['1', '1'],
    ['1.0', '1'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['1.5', '1500m'],
    ['0.1', '100m'],
    ['1.1', '1100m'],
    ['2000', '2k'],
    ['1000k', '1M'],
    ['0', '0'],
    ['0m', '0'],
    ['0Gi', '0'],
    ['007', '7'],
    ['20Gi', '20Gi'],
    ['1024Mi', '1Gi'],
    ['1048576Ki', '1Gi'],
    ['1536Mi', '1536Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Gi', '512Mi'],
    ['1000Mi', '1000Mi'],
    ['0.5Ki', '512'],
    ['1000Gi', '1000Gi'],
    ['1024Gi', '1Ti'],
    ['1000G', '1T'],
    ['1.5G', '1500M'],
  ])('of %s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  const suffix = fc.constantFrom('', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti');
  const quantity = fc.tuple(fc.integer({ min: 0, max: 2_000_000 }), suffix).map(([count, unit]) => `${count}${unit}`);

  test('has the value of what was written', () => {
    fc.assert(
      fc.property(quantity, (text) => {
        expect(exact(canonicalQuantity(text))).toBe(exact(text));
      }),
    );
  });

  test('is its own canonical form', () => {
    fc.assert(
      fc.property(quantity, (text) => {
        expect(canonicalQuantity(canonicalQuantity(text))).toBe(canonicalQuantity(text));
      }),
    );
  });

  test('is the same for texts of one family and one value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (count) => {
        expect(canonicalQuantity(`${count * 1024}Mi`)).toBe(canonicalQuantity(`${count}Gi`));
        expect(canonicalQuantity(`${count * 1000}m`)).toBe(canonicalQuantity(`${count}`));
      }),
    );
  });
});

/** The value in thousandths, exactly: an independent reading of the notation. */
function exact(text: string): bigint {
  const [, digits = '', unit = ''] = /^(\d+)(.*)$/.exec(text) ?? [];
  const factors: Record<string, bigint> = { m: 1n, '': 1000n, k: 10n ** 6n, M: 10n ** 9n, G: 10n ** 12n, T: 10n ** 15n, P: 10n ** 18n };
  for (const [power, name] of ['Ki', 'Mi', 'Gi', 'Ti', 'Pi'].entries()) factors[name] = 1000n * 1024n ** BigInt(power + 1);
  const factor = factors[unit];
  if (factor === undefined) throw new Error(`'${text}' has no known unit.`);
  return BigInt(digits) * factor;
}

test('the value is in cores or bytes', () => {
  expect(['250m', '2', '1Gi', '1G', '0.5Ki'].map(quantityValue)).toEqual([0.25, 2, 1_073_741_824, 1_000_000_000, 512]);
});

test.each(['', '1 Gi', '1gi', '-1', '1e3', '.5', '1.', 'Gi', '1GB', '1,5'])("'%s' has no value", (text) => {
  expect(quantityValue(text)).toBeUndefined();
});

test('what is no quantity is refused with an example', () => {
  expect(() => canonicalQuantity('20 GB')).toThrow("'20 GB' is not a Kubernetes quantity such as '500m', '2' or '20Gi'.");
});
