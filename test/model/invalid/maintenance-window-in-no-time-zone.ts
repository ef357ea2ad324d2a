import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].maintenanceWindows = [{ timeZone: 'Europe/Atlantis', start: '0 5 * * 2', duration: '3h' }];
  },
  mistakes: [
    "realms[aurora].maintenanceWindows[0].timeZone: 'Europe/Atlantis' is no time zone that is known; use a name such as 'Europe/Berlin' or 'UTC'.",
  ],
};
