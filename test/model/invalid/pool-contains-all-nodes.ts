import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.pool = '192.168.1.10-192.168.1.254';
  },
  mistakes: [
    "network.pool: '192.168.1.10-192.168.1.254' contains '192.168.1.11', the address of node 'node-1' (nodes[node-1].address); MetalLB would answer for a machine that exists. Choose a range without it, such as '192.168.1.13-192.168.1.254'.",
    "network.pool: '192.168.1.10-192.168.1.254' contains '192.168.1.12', the address of node 'node-2' (nodes[node-2].address); MetalLB would answer for a machine that exists. Choose a range without it, such as '192.168.1.13-192.168.1.254'.",
  ],
};
