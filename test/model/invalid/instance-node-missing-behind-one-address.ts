import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    delete description.network.instanceNode;
  },
  mistakes: [
    "network.instanceNode: is missing: 'node-1', 'node-2' share the public address 203.0.113.7, a router forwards a port to one of them only, and an instance on another could not be reached; name the node to which you forward instancePorts, such as 'node-2', or give each node a publicAddress of its own.",
  ],
};
