import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.database = { resources: { memory: '1Ki' } };
  },
  mistakes: ["database.resources.memory: '1Ki' is too little to be meant; write at least '16Mi'."],
};
