import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.adminIngress = '192.168.1.240';
  },
  mistakes: [
    "network.adminIngress: '192.168.1.240' is already network.ingress, which is forwarded to the Internet: admin pages would be too; choose a free address of the pool, such as '192.168.1.242'.",
  ],
};
