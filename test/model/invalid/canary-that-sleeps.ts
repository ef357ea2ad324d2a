import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].updates = { strategy: 'canary-first' };
    description.realms[0].sleep = { afterMinutes: 30 };
    description.realms[0].continents.forEach((continent: { order: number }, index: number) => {
      continent.order = index + 1;
    });
  },
  mistakes: [
    "realms[aurora].updates.strategy: a canary that sleeps proves nothing, and the others would follow at once; use 'one-continent-at-a-time', or leave out realms[aurora].sleep.",
  ],
};
