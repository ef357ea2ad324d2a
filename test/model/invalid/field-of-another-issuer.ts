import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.certificates = { issuer: 'self-signed', email: 'you@homelab.io' };
  },
  mistakes: [
    "certificates.email: is a field of { issuer: 'letsencrypt' }, not of { issuer: 'self-signed' }; remove it, or change the issuer.",
  ],
};
