import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.nodes = { 'node-1': '192.168.1.11' };
  },
  mistakes: ['nodes: is an object; it must be a list.'],
};
