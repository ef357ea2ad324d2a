import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].sleep = { afterMinutes: 2 };
  },
  mistakes: ['realms[aurora].sleep.afterMinutes: 2 is too small: it must be at least 10.'],
};
