import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].continents[1].port = 7010;
  },
  mistakes: [
    "realms[aurora].continents[sunreach].port: 7010 is in the range 7000-7063 that is forwarded for instances (network.instancePorts), and a router forwards a port to one machine only, so this world's players would arrive there; choose another, such as 40001.",
  ],
};
