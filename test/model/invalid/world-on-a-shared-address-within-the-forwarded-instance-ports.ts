import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[1].continents[0].port = 7063;
  },
  mistakes: [
    "realms[borealis].continents[frosthold].port: 7063 is in the range 7000-7063 that is forwarded for instances (network.instancePorts), and a router forwards a port to one machine only, so this world's players would arrive there; choose another, such as 40002.",
  ],
};
