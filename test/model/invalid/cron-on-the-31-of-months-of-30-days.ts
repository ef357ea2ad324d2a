import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.backups.databaseSchedule = '15 3 31 4,6,9-11/2 *';
  },
  mistakes: [
    "backups.databaseSchedule: '15 3 31 4,6,9-11/2 *' never comes: no month '4,6,9-11/2' has a day '31'; use at most 30 as day of the month.",
  ],
};
