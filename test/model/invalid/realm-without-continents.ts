import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].continents = [];
  },
  mistakes: ['realms[aurora].continents: the list is empty; it must have at least one entry.'],
};
