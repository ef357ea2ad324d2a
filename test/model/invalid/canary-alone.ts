import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].updates = { strategy: 'canary-first' };
    description.realms[0].continents = [{ name: 'eldermoor', address: '192.168.1.245', order: 1 }];
  },
  mistakes: [
    "realms[aurora].updates.strategy: a canary needs others that wait for it, and 'aurora' has one active continent; use 'announce-and-drain'.",
  ],
};
