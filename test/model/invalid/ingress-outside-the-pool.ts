import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.ingress = '192.168.1.40';
  },
  mistakes: [
    "network.ingress: '192.168.1.40' is not in the pool '192.168.1.240-192.168.1.254', so MetalLB never hands it out; choose an address of the pool, such as '192.168.1.240'.",
  ],
};
