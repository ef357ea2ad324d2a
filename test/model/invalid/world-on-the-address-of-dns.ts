import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].continents[1].address = '192.168.1.241';
  },
  mistakes: [
    "realms[aurora].continents[sunreach].address: '192.168.1.241' is already network.dns; choose a free address of the pool, such as '192.168.1.243'.",
  ],
};
