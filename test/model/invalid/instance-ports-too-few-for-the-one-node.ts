import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.instancePorts = { first: 7000, last: 7019 };
  },
  mistakes: [
    "network.instancePorts: 20 ports on node 'node-2' alone (network.instanceNode) are too few for the 26 servers that the content types may have at once; use { first: 7000, last: 7025 }, or lower their max.",
  ],
};
