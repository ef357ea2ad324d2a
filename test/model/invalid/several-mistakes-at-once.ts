import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.domain = 'Homelab';
    description.realms[1].capacity = -1;
    description.instances[0].capcity = 5;
  },
  mistakes: [
    'domain: "Homelab" is wrong: it must be a full host name in lower case, such as "mmo.homelab.io".',
    'realms[borealis].capacity: -1 is too small: it must be more than 0.',
    "instances[dungeon].capcity: there is no such field; did you mean 'capacity'?",
  ],
};
