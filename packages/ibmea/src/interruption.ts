/**
 * A stop that was asked for, in the words of a run.
 */
import { InterruptedError, type Run } from '@lab/core';

/** That the run is saved, and how to go on; without a run folder only that it was stopped. */
export function interruption(run: Run | null, cause: unknown): InterruptedError {
  if (run === null) return new InterruptedError('ibmea/train: interrupted.', { cause });
  return new InterruptedError(`saved: resume with "ibmea train --resume ${run.dir}"`, {
    details: { run: run.dir },
    cause,
  });
}

/**
 * The error of a long call: where it is the reason of the caller's signal, whatever that is, an
 * `InterruptedError`; any other error as it is.
 */
export function asInterruption(
  error: unknown,
  { signal, run }: { readonly signal: AbortSignal | undefined; readonly run: Run | null },
): unknown {
  const isStop = signal?.aborted === true && error === signal.reason;
  return isStop ? interruption(run, error) : error;
}
