import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.backups.endpoint = 'https://192.168.1.5:9000';
  },
  mistakes: [
    "backups.endpoint: '192.168.1.5' is in a private network: a backup in the same house burns with it, and network policies let backups out to the Internet only; use an object store outside of your home, such as 'https://s3.eu-central-003.backblazeb2.com'.",
  ],
};
