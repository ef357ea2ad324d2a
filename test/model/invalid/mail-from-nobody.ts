import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.broker = { mail: { from: 'nobody' } };
  },
  mistakes: ['broker.mail.from: "nobody" is wrong: it must be an address such as "MMO <mmo@homelab.io>".'],
};
