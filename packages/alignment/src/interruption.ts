/**
 * A stop that was asked for, in the words of a run.
 */
import { InterruptedError, type Run } from '@lab/core';

/** Whose training was stopped. */
export interface StoppedTraining {
  /** Name of the method's program. */
  readonly name: string;
  readonly run: Run | null;
}

/** That the run is saved, and how to go on; without a run folder only that it was stopped. */
export function interruption({ name, run }: StoppedTraining, cause: unknown): InterruptedError {
  if (run === null) return new InterruptedError(`${name}/train: interrupted.`, { cause });
  return new InterruptedError(`saved: resume with "${name} train --resume ${run.dir}"`, {
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
  { signal, ...training }: StoppedTraining & { readonly signal: AbortSignal | undefined },
): unknown {
  const isStop = signal?.aborted === true && error === signal.reason;
  return isStop ? interruption(training, error) : error;
}
