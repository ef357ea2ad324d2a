/**
 * The work on sleeping worlds that repeats: start those that somebody waits for, stop those that nobody is in. Every replica does all of it.
 * It deliberately needs no leader: rows say who acts (sleep.ts).
 */
import { repeat, type Stop } from '../background.ts';
import type { Broker } from '../broker.ts';
import { measureSleep, sleepers, sleepIdle, wakeWanted } from './sleep.ts';

/** A player waits for what it finds; without a sleeping world it is a look into memory. */
const WAKE_MS = 1_000;
const SLEEP_MS = 15_000;

export const startSleepTasks = (broker: Broker): Stop => {
  const { worldScaler, log, settings } = broker;
  const measuring = repeat('sleep: metrics', SLEEP_MS, log, async () => measureSleep(broker));
  if (worldScaler === undefined || sleepers(settings).length === 0) return measuring.stop;
  const waking = repeat('sleep: waking', WAKE_MS, log, async () => {
    await wakeWanted(broker, worldScaler);
  });
  const sleeping = repeat('sleep: idle worlds', SLEEP_MS, log, async () => {
    await sleepIdle(broker, worldScaler);
  });
  return async () => {
    await Promise.all([measuring.stop(), waking.stop(), sleeping.stop()]);
  };
};
