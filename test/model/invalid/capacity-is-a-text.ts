import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].capacity = '500';
  },
  mistakes: ['realms[aurora].capacity: "500" is a text; it must be a number.'],
};
