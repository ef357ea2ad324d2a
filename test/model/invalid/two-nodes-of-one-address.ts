import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.nodes[1].address = '192.168.1.11';
  },
  mistakes: [
    "nodes[node-2].address: '192.168.1.11' is already the address of node 'node-1'; write this node's own, the InternalIP that `kubectl get nodes -o wide` shows.",
  ],
};
