import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.backups.worldSchedule = '99 99 * * *';
  },
  mistakes: ["backups.worldSchedule: '99 99 * * *' has '99' as minute, which must be from 0 to 59, '*', a range or a step."],
};
