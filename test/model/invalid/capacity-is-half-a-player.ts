import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].capacity = 1.5;
  },
  mistakes: ['realms[aurora].capacity: 1.5 is wrong: it must be a whole number.'],
};
