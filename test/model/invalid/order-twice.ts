import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].updates = { strategy: 'one-continent-at-a-time' };
    for (const continent of description.realms[0].continents) continent.order = 3;
  },
  mistakes: [
    "realms[aurora].continents[sunreach].order: 3 is the order of 'eldermoor' already, so both would be updated at once; use another number, such as 4.",
  ],
};
