import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.domain = 'duckdns.org';
    description.certificates = { issuer: 'self-signed' };
  },
  mistakes: ["domain: 'duckdns.org' is shared by everybody who has a name below it; use your own, such as 'mmo.duckdns.org'."],
};
