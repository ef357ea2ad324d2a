import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].storage = '0Gi';
  },
  mistakes: ["realms[aurora].storage: '0Gi' is too little to be meant; write at least '16Mi'."],
};
