import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    delete description.network.adminIngress;
  },
  mistakes: [
    "network.adminIngress: is missing; admin pages need an address of their own that the router never forwards, such as '192.168.1.242'.",
  ],
};
