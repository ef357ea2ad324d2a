import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.pool = '192.168.1.240-192.168.1.247';
    description.network.dns = '192.168.1.99';
    description.realms[0].continents.push(
      { name: 'duskwood', address: '192.168.1.243', port: 40004 },
      { name: 'ashfall', address: '192.168.1.244', port: 40005 },
      { name: 'mistvale', address: '192.168.1.241', port: 40006 },
    );
  },
  mistakes: [
    "network.dns: '192.168.1.99' is not in the pool '192.168.1.240-192.168.1.247', so MetalLB never hands it out; choose an address of the pool, after making the pool larger: it has no free address left.",
  ],
};
