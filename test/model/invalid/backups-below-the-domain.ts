import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.backups.endpoint = 'https://s3.mmo.homelab.io';
  },
  mistakes: [
    "backups.endpoint: 's3.mmo.homelab.io' is in this cluster, and a backup there is lost with it; use an object store outside of your home, such as 'https://s3.eu-central-003.backblazeb2.com'.",
  ],
};
