import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.backups.endpoint = 'http://s3.example.net';
  },
  mistakes: [
    'backups.endpoint: "http://s3.example.net" is wrong: it must be an https:// address without a path, such as "https://s3.eu-central-003.backblazeb2.com".',
  ],
};
