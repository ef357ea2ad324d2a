import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].capacity = Number.NaN;
  },
  mistakes: ['realms[aurora].capacity: NaN is wrong: it must be a finite number.'],
};
