/**
 * Keeps the list of realms up to date: reads numbers every one and a half seconds and at hints, and looks at servers when they change.
 * It deliberately does so whether or not somebody asks: one query a replica costs less than the surprise of a first request.
 */
import { repeat, type Stop } from '../background.ts';
import type { Broker } from '../broker.ts';
import { onHint } from '../play/hints.ts';
import { boardOf } from './board.ts';

const READ_EVERY_MS = 1_500;
/** Changes that come together make one new list. */
const GATHER_MS = 100;

export const startRealmTasks = (broker: Broker): Stop => {
  const board = boardOf(broker);
  const reading = repeat('realms', READ_EVERY_MS, broker.log, async () => {
    try {
      await board.refresh();
    } finally {
      // Also without numbers: they grow old, and so does the view.
      board.look();
    }
  });
  const looking = gathered(board.look);
  // Hints come by the hundred when many connect at once.
  const hearing = gathered(reading.soon);
  const stopWatching = broker.view.onChange(looking.soon);
  const stopHearing = onHint(broker, hearing.soon);
  return async () => {
    stopWatching();
    stopHearing();
    looking.cancel();
    hearing.cancel();
    await reading.stop();
  };
};

/** Runs once for all calls within GATHER_MS. */
function gathered(work: () => void): { soon(): void; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    soon: () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        work();
      }, GATHER_MS);
    },
    cancel: () => clearTimeout(timer),
  };
}
