import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].storage = '512mb';
  },
  mistakes: ["realms[aurora].storage: '512mb' is not a Kubernetes quantity; did you mean '512M' or '512Mi'?"],
};
