import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].updates = { strategy: 'one-continent-at-a-time' };
    description.realms[0].continents[0].order = 1;
  },
  mistakes: [
    "realms[aurora].continents[sunreach].order: is missing: with the update strategy 'one-continent-at-a-time' every continent says when its turn is, and the place in the list says nothing; write a number such as 2.",
  ],
};
