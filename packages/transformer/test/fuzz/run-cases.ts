/**
 * Many cases of a reader, one after the other, in a process that is replaced where one fails.
 */
import type { FuzzCase, ReaderName } from './cases.js';
import { type ProcessOutcome, WorkerProcess } from './worker-process.js';

/** A bug: the number of its case says everything; `changedFile` gives the file again. */
export interface Failure extends FuzzCase {
  readonly message: string;
}

/** How many cases ended how. */
export interface Counts {
  read: number;
  refused: number;
  failed: number;
  /** Of all: what ended its process, and ended well in a new one. */
  again: number;
}

/** No case yet. */
export const noCounts = (): Counts => ({ read: 0, refused: 0, failed: 0, again: 0 });

/** Cases to run. */
export interface CaseRange {
  readonly reader: ReaderName;
  /** First number, and the one behind the last. */
  readonly from: number;
  readonly to: number;
}

/** Runs cases on one process at a time. */
export class CaseRunner {
  private worker: WorkerProcess | null = null;

  /**
   * Runs cases; one that ended its process runs once more, in a new one: on a busy machine a second
   * may pass without any work.
   *
   * @param counts - added to.
   * @returns those that failed.
   */
  async run({ reader, from, to }: CaseRange, counts: Counts): Promise<Failure[]> {
    const failures: Failure[] = [];
    for (let seed = from; seed < to; seed += 1) {
      let outcome = await this.runOne({ reader, seed });
      if (outcome.isGone) {
        outcome = await this.runOne({ reader, seed });
        if (outcome.kind !== 'failed') counts.again += 1;
      }
      counts[outcome.kind] += 1;
      if (outcome.kind === 'failed') {
        failures.push({ reader, seed, message: outcome.message ?? 'no message' });
      }
    }
    return failures;
  }

  end(): void {
    this.worker?.end();
    this.worker = null;
  }

  private async runOne(one: FuzzCase): Promise<ProcessOutcome> {
    this.worker ??= await WorkerProcess.start();
    const outcome = await this.worker.run(one);
    if (outcome.isGone) this.worker = null;
    return outcome;
  }
}
