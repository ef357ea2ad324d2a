import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.instancePorts = { first: 7063, last: 7000 };
  },
  mistakes: ['network.instancePorts: the range ends (7000) before it begins (7063); write { first: 7000, last: 7063 }.'],
};
