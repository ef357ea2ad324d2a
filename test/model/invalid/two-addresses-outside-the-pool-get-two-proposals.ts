import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.ingress = '10.0.0.1';
    description.network.dns = '10.0.0.2';
  },
  mistakes: [
    "network.ingress: '10.0.0.1' is not in the pool '192.168.1.240-192.168.1.254', so MetalLB never hands it out; choose an address of the pool, such as '192.168.1.240'.",
    "network.dns: '10.0.0.2' is not in the pool '192.168.1.240-192.168.1.254', so MetalLB never hands it out; choose an address of the pool, such as '192.168.1.241'.",
  ],
};
