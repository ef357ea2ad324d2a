import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].continents[0].address = '192.168.2.245';
  },
  mistakes: [
    "realms[aurora].continents[eldermoor].address: '192.168.2.245' is not in the pool '192.168.1.240-192.168.1.254', so MetalLB never hands it out; choose an address of the pool, such as '192.168.1.243'.",
  ],
};
