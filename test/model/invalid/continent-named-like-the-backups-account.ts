import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].continents[0].name = 'world-backup';
  },
  mistakes: [
    "realms[aurora].continents[world-backup].name: 'world-backup' is the name of the ServiceAccount of the backups in every realm; give this continent another name.",
  ],
};
