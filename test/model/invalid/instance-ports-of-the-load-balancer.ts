import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.instancePorts = { first: 7900, last: 7963 };
  },
  mistakes: [
    "network.instancePorts: the range 7900-7963 contains UDP 7946, which the nodes use for MetalLB's speakers; choose a range without it, such as { first: 7000, last: 7063 }.",
  ],
};
