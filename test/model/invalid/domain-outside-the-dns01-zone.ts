import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.domain = 'mmo.example.org';
  },
  mistakes: [
    "certificates.dns01.cloudflare.zone: 'mmo.example.org' is not in the zone 'homelab.io', so its challenges cannot be answered there; write the zone that holds it, such as 'example.org'.",
  ],
};
