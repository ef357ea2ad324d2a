import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].continents[0].order = 1;
  },
  mistakes: [
    "realms[aurora].continents[eldermoor].order: 1 is only used with the update strategies 'one-continent-at-a-time' and 'canary-first'; remove it, or change realms[aurora].updates.strategy ('announce-and-drain').",
  ],
};
