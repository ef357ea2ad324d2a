/**
 * Work that repeats in the background: every so often, once at a time, with failures logged and never fatal.
 * It deliberately guarantees nothing about other replicas; what must happen once takes a row lock.
 */
import type { FastifyBaseLogger } from 'fastify';

/** Ends background work and resolves when none is running any more. */
export type Stop = () => Promise<void>;

export interface Repeated {
  readonly stop: Stop;
  /** Runs the work as soon as possible: now, or once more after the run that is under way. */
  soon(): void;
}

/** @param everyMs pause between the end of one run and the start of the next; a tenth of it is random, so that replicas do not march in step */
export function repeat(name: string, everyMs: number, log: FastifyBaseLogger, work: () => Promise<void>): Repeated {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  const run = (): void => {
    if (stopped) return;
    if (running) {
      again = true;
      return;
    }
    clearTimeout(timer);
    running = work()
      .catch((error: unknown) => log.warn({ err: error, task: name }, 'a background task failed; it is tried again'))
      .finally(() => {
        running = undefined;
        if (stopped) return;
        if (again) {
          again = false;
          setImmediate(run);
        } else timer = setTimeout(run, everyMs * (0.95 + Math.random() * 0.1));
      });
  };
  timer = setTimeout(run, 0);
  return {
    soon: run,
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
