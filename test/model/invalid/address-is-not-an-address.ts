import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.ingress = '192.168.1.300';
  },
  mistakes: ["network.ingress: '192.168.1.300' is not an IPv4 address such as '192.168.1.240'."],
};
