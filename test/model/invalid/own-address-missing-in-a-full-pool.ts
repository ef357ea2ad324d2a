import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network = { ...description.network, pool: '192.168.1.240-192.168.1.243' };
    description.realms = [
      {
        name: 'aurora',
        exposure: { type: 'own-address' },
        continents: [
          { name: 'eldermoor', address: '192.168.1.243' },
          { name: 'sunreach', port: 40001 },
        ],
      },
    ];
  },
  mistakes: [
    "realms[aurora].continents[sunreach].address: with exposure 'own-address' every continent has an address of the pool that is its own; the pool '192.168.1.240-192.168.1.243' has no free address left, so make it larger, or use exposure { type: 'shared-address' }.",
  ],
};
