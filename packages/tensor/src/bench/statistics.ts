/** Wall time and processor time (user and system, all threads) of one repetition. */
export interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** What the samples of one operation come to. */
export interface Timing extends Sample {
  readonly minWallMs: number;
  readonly minCpuMs: number;
  /** How many samples there are. */
  readonly samples: number;
}

/** The middle value, or the mean of the two middle ones; NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** Median and smallest of the wall times, and the same of the processor times. */
export function summarizeSamples(samples: readonly Sample[]): Timing {
  const wall = samples.map(({ wallMs }) => wallMs);
  const cpu = samples.map(({ cpuMs }) => cpuMs);
  return {
    wallMs: roundTime(median(wall)),
    cpuMs: roundTime(median(cpu)),
    minWallMs: roundTime(Math.min(...wall)),
    minCpuMs: roundTime(Math.min(...cpu)),
    samples: samples.length,
  };
}

/** Four significant digits: more would be noise. */
export function roundTime(milliseconds: number): number {
  return Number(milliseconds.toPrecision(4));
}
