import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.kubernetes.apiServer.addresses = ['127.0.0.1'];
  },
  mistakes: [
    "kubernetes.apiServer.addresses: '127.0.0.1' is the machine itself, and in a pod the pod; write the control-plane node's, such as '192.168.1.11'.",
  ],
};
