/** The good cluster that the cases of checks break: it is really good, so that a case proves what it says. */
import { layOut } from '../../lib/emit/paths';
import { validateObject } from '../../lib/schemas';
import { built, goodObjects } from './fixture';

describe('the good cluster that checks are proven against', () => {
  it('has only objects that an API server would take', () => {
    const wrong = goodObjects().flatMap(({ manifest }) =>
      validateObject(manifest).map(({ path, message }) => `${manifest.kind} ${manifest.metadata.name} ${path}: ${message}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has no two objects of one identity', () => {
    expect(() => layOut(goodObjects())).not.toThrow();
  });

  it('gives new objects at each call, so that one test cannot break another', () => {
    goodObjects().forEach(({ manifest }) => {
      manifest.metadata.name = 'changed';
    });
    expect(built().objects.some(({ manifest }) => manifest.metadata.name === 'changed')).toBe(false);
  });
});
