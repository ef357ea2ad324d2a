import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.monitoring = { notify: { discord: false } };
  },
  mistakes: [
    'monitoring.notify.discord: false, and there is no email: nobody would be told of anything. Describe email, leave discord to its default, or leave notify out.',
  ],
};
