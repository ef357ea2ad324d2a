import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.pool = '192.168.1.254-192.168.1.240';
  },
  mistakes: ["network.pool: '192.168.1.254-192.168.1.240' ends before it begins; write it as '192.168.1.240-192.168.1.254'."],
};
