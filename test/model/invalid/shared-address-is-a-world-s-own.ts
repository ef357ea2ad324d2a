import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[1].exposure.address = '192.168.1.246';
  },
  mistakes: [
    "realms[borealis].exposure.address: '192.168.1.246' is already realms[aurora].continents[sunreach].address; choose a free address of the pool, such as '192.168.1.243'.",
  ],
};
