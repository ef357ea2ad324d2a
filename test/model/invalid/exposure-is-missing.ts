import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    delete description.realms[0].exposure;
  },
  mistakes: ["realms[aurora].exposure: is missing; it must be an object such as { type: 'own-address', … }."],
};
