/**
 * Equal calls at the same time are one call.
 */
import { CallSignal, offAbort, onAbort } from './call-signal.js';
import { abortedFailure } from './retry.js';

/** Calls on their way, by name. */
export interface SingleFlight<T> {
  /**
   * The result of the call of that name: a new one, or that on its way.
   *
   * @param run - makes the call; its signal is aborted once all who wait for it have given up.
   * @param onJoin - turns the result of another's call into one's own.
   * @param onJoinFailed - turns its failure into what is thrown here; default the same.
   */
  share(
    name: string,
    call: {
      readonly run: (signal: CallSignal | undefined) => Promise<T>;
      readonly onJoin: (result: T) => T;
      readonly onJoinFailed?: (error: unknown) => never;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<T>;
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly end: CallSignal | undefined;
  /** How many wait; one without a signal never gives up. */
  waiting: number;
}

/** No calls on their way. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();
  return {
    share(name, { run, onJoin, onJoinFailed, signal }) {
      const known = flights.get(name);
      if (known !== undefined && known.end?.aborted !== true) {
        known.waiting += 1;
        return waitFor(known, signal).then(onJoin, onJoinFailed);
      }
      const end = signal === undefined ? undefined : new CallSignal();
      const flight: Flight<T> = { result: run(end), end, waiting: 1 };
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
    const giveUp = (): void => {
      flight.waiting -= 1;
      if (flight.waiting === 0) flight.end?.abort(signal.reason);
      reject(abortedFailure(0, signal.reason));
    };
    if (signal.aborted) {
      giveUp();
      flight.result.catch(() => undefined);
      return;
    }
    onAbort(signal, giveUp);
    const done = (): void => offAbort(signal, giveUp);
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
