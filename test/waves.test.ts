/** Waves follow from needs. */
import { computeWaves } from '../lib/waves';

const waves = (nodes: Parameters<typeof computeWaves>[0]) => Object.fromEntries(computeWaves(nodes));

test('an Application comes one wave after the latest of its needs', () => {
  expect(
    waves([
      { name: 'c', needs: ['a', 'b'] },
      { name: 'b', needs: ['a'] },
      { name: 'a', needs: [] },
    ]),
  ).toEqual({ a: 0, b: 1, c: 2 });
});

test('the last ones come after all others', () => {
  expect(
    waves([
      { name: 'world', needs: ['a'], last: true },
      { name: 'a', needs: [] },
      { name: 'b', needs: ['a'] },
    ]),
  ).toEqual({ a: 0, b: 1, world: 2 });
});

test('the order of the list does not matter', () => {
  const nodes = [
    { name: 'a', needs: [] },
    { name: 'b', needs: ['a'] },
    { name: 'c', needs: ['b'] },
  ];
  expect(waves([...nodes].reverse())).toEqual(waves(nodes));
});

test('a circle is refused with its members', () => {
  expect(() =>
    computeWaves([
      { name: 'a', needs: ['b'] },
      { name: 'b', needs: ['a'] },
    ]),
  ).toThrow('Applications need each other in a circle: a → b → a.');
});

test('a need that the cluster does not have is refused', () => {
  expect(() => computeWaves([{ name: 'a', needs: ['x'] }])).toThrow("Application 'a' needs 'x', which this cluster does not have.");
});

test('nothing may wait for a world', () => {
  expect(() =>
    computeWaves([
      { name: 'w', needs: [], last: true },
      { name: 'a', needs: ['w'] },
    ]),
  ).toThrow('nothing may wait for a world');
});
