import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.domain = 'mmo.lan';
    delete description.certificates.dns01;
  },
  mistakes: [
    "certificates.issuer: Let's Encrypt certifies public names only, and 'mmo.lan' ends in '.lan'; use a name below a domain of your own, or issuer: 'self-signed'.",
  ],
};
