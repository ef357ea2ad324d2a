import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.certificates.email = 'you.homelab.io';
  },
  mistakes: ['certificates.email: "you.homelab.io" is not an e-mail address.'],
};
