import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms = [
      { name: 'aurora', exposure: { type: 'host-port' }, continents: [{ name: 'eldermoor', port: 7010, node: 'node-1' }] },
    ];
  },
  mistakes: [
    'realms[aurora].continents[eldermoor].port: 7010 is in the range 7000-7063 from which Agones takes host ports for instances (network.instancePorts); choose another, such as 40000.',
  ],
};
