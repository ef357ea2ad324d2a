import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].updates = { strategy: 'blue-green' };
  },
  mistakes: [
    "realms[aurora].updates.strategy: \"blue-green\" is not allowed; it must be one of 'announce-and-drain', 'one-continent-at-a-time', 'canary-first', 'on-delete'.",
  ],
};
