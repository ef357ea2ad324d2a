import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].resources = { memory: '2Gi', memoryLimit: '1Gi' };
    description.realms[0].continents[0].resources = { cpu: '1' };
  },
  mistakes: [
    "realms[aurora].resources.memoryLimit: 1Gi is less than the memory that is reserved (2Gi); use at least '2Gi', or leave memoryLimit out to make it the same.",
  ],
};
