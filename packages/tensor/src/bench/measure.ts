import { type Sample, summarizeSamples, type Timing } from './statistics.js';

/** One way of doing an operation, to be timed beside others. */
export interface Contestant {
  /** Runs it `count` times; the time of one. */
  sample(count: number): Promise<Sample>;
}

/** How long measuring takes. */
export interface MeasureOptions {
  /** Rounds of all contestants; the result is the median over them. */
  readonly rounds: number;
  /** A sample repeats the operation until it lasts about as long, ms. */
  readonly sampleMs: number;
  /** A contestant is warm after at least this long, ms: until then its code is still compiled. */
  readonly warmMs: number;
  /** Pause before each sample, ms: threads of the other side still spin after their work. */
  readonly pauseMs: number;
  /** Most time that the rounds of one operation may take, ms; at least one round is made. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of a clock that only moves forward. */
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** Most repetitions in a sample. */
const MOST_REPETITIONS = 100_000;

/** A contestant that has warmed up: how often a sample repeats it, and how long that takes. */
interface WarmedUp {
  readonly contestant: Contestant;
  readonly count: number;
  readonly expectedMs: number;
  readonly samples: Sample[];
}

/**
 * Doubles the repetitions until a sample is long enough and it has run for a while, at least twice:
 * the first run compiles and allocates. A run that takes more than half of the limit is the only
 * sample.
 */
async function warmUp(contestant: Contestant, options: MeasureOptions): Promise<WarmedUp> {
  const { sampleMs, warmMs, limitMs } = options;
  for (let [count, runs, spentMs] = [1, 1, 0]; ; runs += 1) {
    const sample = await contestant.sample(count);
    options.signal?.throwIfAborted();
    const expectedMs = sample.wallMs * count;
    spentMs += expectedMs;
    if (expectedMs > limitMs / 2) return { contestant, count, expectedMs, samples: [sample] };
    const isLong = expectedMs >= sampleMs / 2 || count >= MOST_REPETITIONS;
    if (isLong && runs > 1 && spentMs >= warmMs) {
      return { contestant, count, expectedMs, samples: [] };
    }
    if (!isLong) count *= 2;
  }
}

/**
 * The times of several ways of doing one operation, in turns: each warms up, then every round
 * samples each of them once, so that a disturbance of the machine meets all alike.
 *
 * @returns one timing per contestant, in their order.
 */
export async function measureInTurns(
  contestants: readonly Contestant[],
  options: MeasureOptions,
): Promise<Timing[]> {
  const ready: WarmedUp[] = [];
  for (const contestant of contestants) {
    await options.pause(options.pauseMs);
    ready.push(await warmUp(contestant, options));
  }
  const end = options.now() + options.limitMs;
  const inTurns = ready.filter(({ samples }) => samples.length === 0);
  const roundMs = inTurns.reduce((sum, { expectedMs }) => sum + expectedMs, 0);
  for (let round = 0; round < options.rounds; round += 1) {
    if (round > 0 && options.now() + roundMs > end) break;
    for (const { contestant, count, samples } of inTurns) {
      await options.pause(options.pauseMs);
      samples.push(await contestant.sample(count));
      options.signal?.throwIfAborted();
    }
  }
  return ready.map(({ samples }) => summarizeSamples(samples));
}
