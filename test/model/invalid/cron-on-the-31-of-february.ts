import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.backups.databaseSchedule = '15 3 31 2 *';
  },
  mistakes: [
    "backups.databaseSchedule: '15 3 31 2 *' never comes: no month '2' has a day '31'; use at most 28 (29 is there in leap years only) as day of the month.",
  ],
};
