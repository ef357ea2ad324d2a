import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].updates = { strategy: 'canary-first', soakMinutes: 240 };
  },
  mistakes: ['realms[aurora].updates.soakMinutes: 240 is too big: it must be at most 30.'],
};
