import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    delete description.network.ingress;
  },
  mistakes: ["network.ingress: is missing; players need an address of the pool to reach, such as '192.168.1.240'."],
};
