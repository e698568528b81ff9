/**
 * Jobs that somebody waits for: added once, looked after, and taken out once they are done.
 *
 * Redis tells of jobs that are done. As it may be down just then, all jobs are also looked at now
 * and then: what is done is taken, and what Redis has lost is added again.
 */
import { LabError } from '@lab/core';
import type { Job, Queue, QueueEvents } from 'bullmq';
import { type EndSignal, offAbort, onAbort } from '../call-signal.js';
import type { Clock } from '../clock.js';
import { abortedFailure } from '../retry.js';
import { isFinal, type QueuedAnswer, type QueuedRequest } from './queue-job.js';

type ChatQueue = Queue<QueuedRequest, QueuedAnswer>;

/** What {@link WaitingJobs} work with. */
export interface WaitingJobsOptions {
  readonly queue: ChatQueue;
  readonly events: QueueEvents;
  readonly clock: Clock;
  /** Milliseconds between two looks at all jobs. */
  readonly lookMs: number;
  /** Called when jobs wait and no process works on them; once until one does. */
  readonly onNobody: (() => void) | undefined;
}

interface Waiting {
  readonly data: QueuedRequest;
  readonly resolve: (answer: QueuedAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Redis keeps what nobody has fetched for so long. */
const keptSeconds = 7 * 24 * 3600;
const lookedAtOnce = 32;

/** Jobs of this process. */
export class WaitingJobs {
  readonly #options: WaitingJobsOptions;
  readonly #waiting = new Map<string, Waiting>();
  /** What goes on beside, and must end before the connection does. */
  readonly #asides = new Set<Promise<void>>();
  readonly #end = new AbortController();
  #isNobodySaid = false;
  #isTakenBack = false;

  constructor(options: WaitingJobsOptions) {
    this.#options = options;
    const { events } = options;
    events.on('completed', ({ jobId, returnvalue }) => {
      this.#settle(jobId, returnvalue as unknown as QueuedAnswer);
    });
    events.on('failed', ({ jobId, failedReason }) => this.#break(jobId, failedReason));
    this.#aside(this.#lookNowAndThen());
  }

  /** The answer to a request, which is added where it is not in the queue yet. */
  ask(hash: string, data: QueuedRequest, signal: EndSignal | undefined): Promise<QueuedAnswer> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#giveUp(hash, abortedFailure(0, signal?.reason));
        this.forget(hash);
      };
      const done = (): void => {
        if (signal !== undefined) offAbort(signal, giveUp);
      };
      this.#waiting.set(hash, {
        data,
        resolve: (answer) => {
          done();
          resolve(answer);
        },
        reject: (error) => {
          done();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      });
      if (signal?.aborted === true) return giveUp();
      if (signal !== undefined) onAbort(signal, giveUp);
      this.#place(hash).catch((error: unknown) => this.#giveUp(hash, error));
    });
  }

  /** Takes a job out of the queue, unless somebody is at work on it. */
  forget(hash: string): void {
    this.#aside(this.#options.queue.remove(hash).then(() => undefined));
  }

  /** Gives up what nobody has begun; what is being answered is waited for. */
  takeBack(): void {
    this.#isTakenBack = true;
    for (const hash of this.#waiting.keys()) this.#aside(this.#takeBackOne(hash));
  }

  async #takeBackOne(hash: string): Promise<void> {
    const count = await this.#options.queue.remove(hash);
    if (count === 1) this.#giveUp(hash, abortedFailure(0));
  }

  /** Ends all waiting. */
  async close(): Promise<void> {
    this.#end.abort();
    for (const hash of [...this.#waiting.keys()]) {
      this.#giveUp(hash, abortedFailure(0));
      this.forget(hash);
    }
    await Promise.all(this.#asides);
  }

  /** Sees that a job is in the queue, and takes its answer where it has one. */
  async #place(hash: string): Promise<void> {
    const { queue } = this.#options;
    const job = (await queue.getJob(hash)) as Job<QueuedRequest, QueuedAnswer> | undefined;
    const waiting = this.#waiting.get(hash);
    if (waiting === undefined) return;
    if (job?.finishedOn !== undefined) {
      const answer = job.returnvalue as QueuedAnswer | null;
      if (answer !== null && isFinal(answer)) return this.#settle(hash, answer);
      // Of an earlier run: it is asked again, as a row that failed would be.
      await queue.remove(hash);
    } else if (job !== undefined) return;
    const kept = { age: keptSeconds };
    const options = { jobId: hash, attempts: 1, removeOnComplete: kept, removeOnFail: kept };
    await queue.add('chat', waiting.data, options);
    // All were taken back while this one was on its way.
    if (this.#isTakenBack) await this.#takeBackOne(hash);
  }

  #settle(hash: string, answer: QueuedAnswer): void {
    const waiting = this.#waiting.get(hash);
    this.#waiting.delete(hash);
    waiting?.resolve(answer);
  }

  #break(hash: string, reason: string): void {
    if (!this.#waiting.has(hash)) return;
    const help = 'look at what that process says.';
    this.#giveUp(hash, new LabError(`llm/queue: a worker failed: ${reason}`, { help }));
    this.forget(hash);
  }

  #giveUp(hash: string, error: unknown): void {
    const waiting = this.#waiting.get(hash);
    this.#waiting.delete(hash);
    waiting?.reject(error);
  }

  #aside(work: Promise<void>): void {
    // Only what a lost connection leaves undone fails here, and the next look does it.
    const kept: Promise<void> = work
      .catch(() => undefined)
      .then(() => void this.#asides.delete(kept));
    this.#asides.add(kept);
  }

  async #lookNowAndThen(): Promise<void> {
    const { clock, lookMs } = this.#options;
    for (;;) {
      await clock.sleep(lookMs, this.#end.signal);
      await this.#sayIfNobody().catch(() => undefined);
      const hashes = [...this.#waiting.keys()];
      for (let from = 0; from < hashes.length; from += lookedAtOnce) {
        const part = hashes.slice(from, from + lookedAtOnce);
        await Promise.allSettled(part.map((hash) => this.#place(hash)));
      }
    }
  }

  async #sayIfNobody(): Promise<void> {
    const { queue, onNobody } = this.#options;
    if (onNobody === undefined || this.#waiting.size === 0) return;
    const isNobody = (await queue.getWorkersCount()) === 0;
    if (isNobody && !this.#isNobodySaid) onNobody();
    this.#isNobodySaid = isNobody;
  }
}
