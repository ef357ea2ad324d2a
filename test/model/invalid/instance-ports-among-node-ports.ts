import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.instancePorts = { first: 30100, last: 30163 };
  },
  mistakes: [
    'network.instancePorts: the range 30100-30163 contains UDP 30100, which the nodes use for NodePorts of Services (30000-32767); choose a range without it, such as { first: 7000, last: 7063 }.',
  ],
};
