import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.monitoring = {
      login: {
        title: 'Authelia',
        clientId: 'grafana',
        authorizationUrl: 'https://auth.homelab.io/authorize',
        tokenUrl: 'http://auth.homelab.io/token',
        userinfoUrl: 'https://auth.homelab.io/userinfo',
        adminGroup: 'admins',
      },
    };
  },
  mistakes: [
    'monitoring.login.tokenUrl: "http://auth.homelab.io/token" is wrong: it must be an https:// address without a query, such as "https://auth.homelab.io/oauth/token".',
  ],
};
