import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.instancePorts = { first: 7000, last: 7500 };
  },
  mistakes: [
    'network.instancePorts: 501 ports are more than 200, and each may be a forwarding rule of the router; 64 serve 64 instances on each node that runs them: write { first: 7000, last: 7063 }.',
  ],
};
