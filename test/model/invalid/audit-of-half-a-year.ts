import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.broker = { auditRetentionDays: 180 };
  },
  mistakes: ['broker.auditRetentionDays: 180 is too small: it must be at least 366.'],
};
