import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].capacity = '500';
  },
  mistakes: ['realms[aurora].capacity: "500" is wrong: it must be of type number, received string.'],
};
