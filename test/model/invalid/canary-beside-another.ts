import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].updates = { strategy: 'canary-first' };
    for (const continent of description.realms[0].continents) continent.order = 1;
  },
  mistakes: [
    "realms[aurora].continents[sunreach].order: 1 is the order of 'eldermoor' already, so both would be updated at once; use another number, such as 2.",
  ],
};
