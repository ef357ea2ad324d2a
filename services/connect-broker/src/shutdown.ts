/**
 * The end of the process: SIGTERM or SIGINT once means an orderly end, a second SIGINT an immediate one.
 * It deliberately does not decide what an orderly end is; the command passes it in.
 */

/**
 * Resolves with the signal's name when the process is asked to end.
 * A second SIGINT exits at once with 130: a person at a keyboard does not want to wait.
 */
export function untilSignalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const first = (signal: NodeJS.Signals) => {
      process.off('SIGTERM', first);
      process.off('SIGINT', first);
      process.on('SIGTERM', () => undefined);
      process.once('SIGINT', () => process.exit(130));
      resolve(signal);
    };
    process.on('SIGTERM', first);
    process.on('SIGINT', first);
  });
}

export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
