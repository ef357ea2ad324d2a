import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.kubernets = description.kubernetes;
    delete description.kubernetes;
  },
  mistakes: ["kubernets: there is no such field; did you mean 'kubernetes'?"],
};
