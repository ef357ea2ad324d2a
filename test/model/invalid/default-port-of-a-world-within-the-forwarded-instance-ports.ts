import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.instancePorts = { first: 39990, last: 40000 };
    description.instances.pop();
    description.instances[0].autoscaling.max = 11;
  },
  mistakes: [
    "realms[aurora].continents[eldermoor].port: 40000 (the default) is in the range 39990-40000 that is forwarded for instances (network.instancePorts), and a router forwards a port to one machine only, so this world's players would arrive there; choose another, such as 40004.",
  ],
};
