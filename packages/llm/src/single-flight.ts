/**
 * Equal calls at the same time are one call.
 */
import { abortedFailure } from './retry.js';

/** Calls on their way, by name. */
export interface SingleFlight<T> {
  /**
   * The result of the call of that name: a new one, or that on its way.
   *
   * @param run - makes the call; its signal is aborted once all who wait for it have given up.
   * @param onJoin - turns the result of another's call into one's own.
   */
  share(
    name: string,
    call: {
      readonly run: (signal: AbortSignal | undefined) => Promise<T>;
      readonly onJoin: (result: T) => T;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<T>;
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController | null;
  /** How many wait; one without a signal never gives up. */
  waiting: number;
}

/** No calls on their way. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();
  return {
    share(name, { run, onJoin, signal }) {
      const known = flights.get(name);
      if (known !== undefined && known.controller?.signal.aborted !== true) {
        known.waiting += 1;
        return waitFor(known, signal).then(onJoin);
      }
      const controller = signal === undefined ? null : new AbortController();
      const flight: Flight<T> = { result: run(controller?.signal), controller, waiting: 1 };
      flights.set(name, flight);
      const land = (): void => {
        if (flights.get(name) === flight) flights.delete(name);
      };
      flight.result.then(land, land);
      return waitFor(flight, signal);
    },
  };
}

function waitFor<T>(flight: Flight<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return flight.result;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      flight.waiting -= 1;
      if (flight.waiting === 0) flight.controller?.abort(signal.reason);
      reject(abortedFailure(0, signal.reason));
    };
    if (signal.aborted) {
      onAbort();
      flight.result.catch(() => undefined);
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    flight.result.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
  });
}
