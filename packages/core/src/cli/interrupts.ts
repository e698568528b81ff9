import { InterruptedError } from '../errors.js';

type StopSignal = 'SIGINT' | 'SIGTERM';

/** What happens on the first and on the second signal. */
export interface InterruptHandlers {
  onFirst(signal: StopSignal): void;
  /** Called at once before the process ends. */
  onSecond(signal: StopSignal): void;
}

/** Watches Ctrl-C and SIGTERM; see {@link watchInterrupts}. */
export interface Interrupts {
  readonly signal: AbortSignal;
  /** 130 or 143 after a signal, else `undefined`. */
  exitCode(): number | undefined;
  stop(): void;
}

/**
 * A script runner such as npm passes Ctrl-C on to its child, which gets it from the terminal as
 * well: signals that follow within this time are the same key press.
 */
const sameKeyMs = 300;

const exitCodes: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** The first signal aborts, so that work is saved; the second ends the process at once. */
export function watchInterrupts(handlers: InterruptHandlers): Interrupts {
  const controller = new AbortController();
  let received: StopSignal | undefined;
  let receivedAt = 0;
  const listener = (signal: StopSignal): void => {
    if (received === undefined) {
      received = signal;
      receivedAt = performance.now();
      handlers.onFirst(signal);
      controller.abort(new InterruptedError(`interrupted by ${signal}`));
    } else if (performance.now() - receivedAt > sameKeyMs) {
      handlers.onSecond(signal);
      process.exit(exitCodes[received]);
    }
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return {
    signal: controller.signal,
    exitCode: () => (received === undefined ? undefined : exitCodes[received]),
    stop() {
      process.off('SIGINT', listener);
      process.off('SIGTERM', listener);
    },
  };
}
