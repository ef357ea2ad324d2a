import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.domain = 'myhomelab.io';
  },
  mistakes: [
    "certificates.dns01.cloudflare.zone: 'myhomelab.io' is not in the zone 'homelab.io', so its challenges cannot be answered there; write the zone that holds it, such as 'myhomelab.io'.",
  ],
};
