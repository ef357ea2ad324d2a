import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.kubernetes.loadBalancer = 'none';
    description.realms = [];
  },
  mistakes: [
    "network.pool: '192.168.1.240-192.168.1.254' needs MetalLB, which kubernetes.loadBalancer: 'none' turns off; remove this field, or set kubernetes.loadBalancer to 'metallb'.",
    "network.ingress: '192.168.1.240' needs MetalLB, which kubernetes.loadBalancer: 'none' turns off; remove this field, or set kubernetes.loadBalancer to 'metallb'.",
    "network.adminIngress: '192.168.1.242' needs MetalLB, which kubernetes.loadBalancer: 'none' turns off; remove this field, or set kubernetes.loadBalancer to 'metallb'.",
    "network.dns: '192.168.1.241' needs MetalLB, which kubernetes.loadBalancer: 'none' turns off; remove this field, or set kubernetes.loadBalancer to 'metallb'.",
  ],
};
