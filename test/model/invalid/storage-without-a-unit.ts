import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].storage = '20';
  },
  mistakes: ["realms[aurora].storage: '20' has no unit of bytes; write it as '20Gi' or '512Mi'."],
};
