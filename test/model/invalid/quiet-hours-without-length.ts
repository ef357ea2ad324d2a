import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.monitoring = { notify: { quietHours: { from: '23:00', to: '23:00', timeZone: 'Europe/Berlin' } } };
  },
  mistakes: [
    "monitoring.notify.quietHours.to: '23:00' is when they begin, so that they have no length; write another time, or leave quietHours out.",
  ],
};
