import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.instancePorts = { first: 1000, last: 1063 };
  },
  mistakes: [
    'network.instancePorts: ports below 1024 belong to services of the node (DNS, NTP, DHCP); begin at 1024 or later, such as { first: 7000, last: 7063 }.',
  ],
};
