import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.domain = 'mmo.local';
  },
  mistakes: [
    "domain: 'mmo.local' ends in '.local', which devices look up by multicast and never ask a DNS server for; use a name below a domain of your own, or 'mmo.home.arpa' at home only.",
  ],
};
