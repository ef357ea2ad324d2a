import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].exposure = 'own-address';
  },
  mistakes: [`realms[aurora].exposure: "own-address" is a text; it must be an object such as { type: 'own-address' }.`],
};
