import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.dns = '192.168.1.240';
  },
  mistakes: ["network.dns: '192.168.1.240' is already network.ingress; choose a free address of the pool, such as '192.168.1.241'."],
};
