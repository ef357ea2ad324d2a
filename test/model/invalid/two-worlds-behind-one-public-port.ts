import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].continents[1].port = 40000;
  },
  mistakes: [
    "realms[aurora].continents[sunreach].port: players on the Internet would reach this world and 'aurora/eldermoor' both at 203.0.113.7:40000, but a router forwards a port to one machine only; give it a port of its own, such as 40001, or leave out network.publicAddress.",
  ],
};
