import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling.max = 300;
  },
  mistakes: [
    "network.instancePorts: 64 ports on node 'node-2' alone (network.instanceNode) are too few for the 306 servers that the content types may have at once; lower their max to 64 in all.",
  ],
};
