import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.dns = { upstreams: ['192.168.1.241'] };
  },
  mistakes: [
    "dns.upstreams: '192.168.1.241' is Pi-hole's own address (network.dns), and it would ask itself for ever; name resolvers outside of the cluster, such as '9.9.9.9'.",
  ],
};
