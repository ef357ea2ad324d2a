import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.pool = '192.168.1.241/28';
  },
  mistakes: ["network.pool: '192.168.1.241/28' has host bits set; did you mean '192.168.1.240/28'?"],
};
