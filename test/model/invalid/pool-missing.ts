import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    delete description.network.pool;
  },
  mistakes: [
    "network.pool: is missing; MetalLB needs addresses of the LAN to hand out, such as '192.168.1.240-192.168.1.254', kept out of the router's DHCP range.",
  ],
};
